#include "load/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "error.h"
#include "load/new_table.h"
#include "server/extension.h"

namespace vext::client {

namespace {

using Maps = std::map<std::string, std::string>;

Maps
read_maps(const std::vector<std::string>& texts) {
    Maps maps;
    for (const std::string& text : texts) {
        const std::size_t at = text.find('=');
        if (at == std::string::npos || at == 0)
            throw UsageError(fmt::format("--map: expected source=column, not \"{}\"", text));
        if (!maps.emplace(text.substr(0, at), text.substr(at + 1)).second)
            throw UsageError(fmt::format("--map: \"{}\" is mapped twice", text.substr(0, at)));
    }
    return maps;
}

ColumnType
kind_of(const TableColumn& column) {
    struct Known {
        const char* name;
        ColumnType kind;
    };
    static constexpr std::array kKnown = {
        Known{"bit", ColumnType::kBit},       Known{"int2", ColumnType::kInt2},
        Known{"int4", ColumnType::kInt4},     Known{"int8", ColumnType::kInt8},
        Known{"float4", ColumnType::kFloat4}, Known{"float8", ColumnType::kFloat8},
        Known{"bool", ColumnType::kBool},     Known{"text", ColumnType::kText},
        Known{"varchar", ColumnType::kText},  Known{"bpchar", ColumnType::kText},
        Known{"json", ColumnType::kJson},     Known{"jsonb", ColumnType::kJsonb},
        Known{"uuid", ColumnType::kUuid}};
    if (column.is_vector())
        return column.base_type == "vector"    ? ColumnType::kVector
               : column.base_type == "halfvec" ? ColumnType::kHalfvec
                                               : ColumnType::kSparsevec;
    if (column.is_in_catalogue)
        for (const Known& known : kKnown)
            if (column.base_type == known.name)
                return known.kind;
    return ColumnType::kOther;
}

PlannedColumn
planned(const TableColumn& column) {
    return {column.name, column.type, kind_of(column), column.n_dims, column.is_required};
}

class Planner {
   public:
    Planner(Plan& plan, const PlanOptions& options) : plan_(plan), options_(options) {}

    void
    plan_inputs(std::vector<std::unique_ptr<Input>>& inputs) {
        const TableColumn& vector = require_vector_column(plan_.table, options_.column);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            Input& input = *inputs[i];
            if (i > 0 && input.has_names()) {
                std::vector<std::string> names;
                for (const SourceColumn& column : inputs[0]->columns())
                    names.push_back(column.name);
                input.accept_columns(names);
            }
            const Maps targets = targets_of(input, vector);
            if (i == 0)
                choose_columns(input, targets, vector);
            plan_.sources.push_back(sources_of(input, targets));
        }
    }

   private:
    /// Field names of the input to columns of the table.
    Maps
    targets_of(const Input& input, const TableColumn& vector) const {
        Maps maps = read_maps(options_.maps);
        Maps targets;
        std::size_t position = 0;
        for (const SourceColumn& source : input.columns()) {
            std::string target = source.name;
            if (const auto mapped = maps.find(source.name); mapped != maps.end()) {
                target = mapped->second;
                maps.erase(mapped);
            } else if (source.kind == Field::Kind::kVector || source.kind == Field::Kind::kBits) {
                target = vector.name;
            } else if (source.kind == Field::Kind::kInteger) {
                target = id_column();
            } else if (!input.has_names()) {
                target = column_at(input, position);
            }
            ++position;
            if (!target.empty())
                targets.emplace(source.name, target);
        }
        if (!maps.empty())
            throw UsageError(
                fmt::format("--map: {} has no field \"{}\"", input.name(), maps.begin()->first));
        return targets;
    }

    /// Rows without names have the table's columns in their order, but for generated ones.
    std::string
    column_at(const Input& input, std::size_t position) const {
        std::vector<const TableColumn*> columns;
        for (const TableColumn& column : plan_.table.columns)
            if (!column.is_generated)
                columns.push_back(&column);
        if (input.columns().size() != columns.size())
            throw UsageError(fmt::format(
                "{}: expected {} fields, one for each column of {}, found {}", input.name(),
                columns.size(), plan_.table.name, input.columns().size()));
        return columns[position]->name;
    }

    std::string
    id_column() const {
        return options_.id_column.empty() ? "id" : options_.id_column;
    }

    void
    choose_columns(const Input& input, const Maps& targets, const TableColumn& vector) {
        std::set<std::string> names;
        for (const auto& [source, target] : targets) {
            const TableColumn* column = plan_.table.find(target);
            if (column == nullptr)
                throw UsageError(
                    fmt::format("there is no column \"{}\" in {}, for the field \"{}\"", target,
                                plan_.table.name, source),
                    fmt::format("it has: {}; --map {}=COLUMN, or --map {}= to leave the "
                                "field out",
                                plan_.table.column_names(), source, source));
            if (column->is_generated)
                throw UsageError(
                    fmt::format("the column \"{}\" of {} is generated", target, plan_.table.name));
            if (!names.insert(target).second)
                throw UsageError(fmt::format("two fields go to the column \"{}\"", target));
        }
        if (names.find(vector.name) == names.end() && !input.first_problem().empty())
            throw InputError(fmt::format("{}: {}", input.name(), input.first_problem()));
        if (names.find(vector.name) == names.end())
            throw UsageError(
                fmt::format("{}: no field goes to the column \"{}\"", input.name(), vector.name),
                "--map FIELD=" + vector.name + " says which one; --column names another column");
        if (wants_counter(names))
            names.insert(id_column());
        for (const TableColumn& column : plan_.table.columns) {
            if (names.find(column.name) == names.end()) {
                if (column.is_required && !column.has_default && !column.is_generated)
                    throw UsageError(
                        fmt::format("no field goes to the column \"{}\", which must not be "
                                    "NULL",
                                    column.name));
                continue;
            }
            if (column.name == vector.name)
                plan_.vector_column = plan_.columns.size();
            plan_.columns.push_back(planned(column));
        }
    }

    /// Are rows without ids to be numbered?
    bool
    wants_counter(const std::set<std::string>& names) const {
        const TableColumn* column = plan_.table.find(id_column());
        const bool is_asked = options_.id_start.has_value() || !options_.id_column.empty();
        if (names.find(id_column()) != names.end()) {
            if (options_.id_start)
                throw UsageError("--id-start: the input has ids");
            return false;
        }
        if (column == nullptr) {
            if (is_asked)
                throw UsageError(
                    fmt::format("{} has no column \"{}\"", plan_.table.name, id_column()),
                    "it has: " + plan_.table.column_names());
            return false;
        }
        if (column->has_default && !is_asked)
            return false;
        const ColumnType kind = kind_of(*column);
        return kind == ColumnType::kInt2 || kind == ColumnType::kInt4 || kind == ColumnType::kInt8;
    }

    std::vector<FieldSource>
    sources_of(const Input& input, const Maps& targets) const {
        std::vector<FieldSource> sources;
        std::size_t n_used = 0;
        for (const PlannedColumn& column : plan_.columns) {
            FieldSource source = {0, true};
            for (std::size_t i = 0; i < input.columns().size(); ++i) {
                const auto target = targets.find(input.columns()[i].name);
                if (target != targets.end() && target->second == column.name) {
                    source = {i, false};
                    ++n_used;
                }
            }
            if (source.is_counter && column.name != id_column())
                throw UsageError(
                    fmt::format("{} has no field for the column \"{}\", which the first input has",
                                input.name(), column.name));
            sources.push_back(source);
        }
        if (n_used != targets.size())
            throw UsageError(fmt::format("{} has other fields than the first input", input.name()));
        return sources;
    }

    Plan& plan_;
    const PlanOptions& options_;
};

void
choose_form(Plan& plan, const std::vector<std::unique_ptr<Input>>& inputs) {
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        if (plan.columns[i].kind != ColumnType::kOther)
            continue;
        for (std::size_t input = 0; input < inputs.size(); ++input) {
            const FieldSource& source = plan.sources[input][i];
            if (source.is_counter ||
                inputs[input]->columns()[source.field].kind != Field::Kind::kBinary)
                plan.is_text = true;
        }
    }
    for (const std::unique_ptr<Input>& input : inputs)
        if (plan.is_text && input->columns().front().kind == Field::Kind::kBinary)
            throw UsageError(
                fmt::format("{} and another input need different forms of COPY", input->name()));
}

void
check_dims(const Plan& plan, const std::vector<std::unique_ptr<Input>>& inputs) {
    const std::size_t n_dims = plan.vector().n_dims;
    for (const std::unique_ptr<Input>& input : inputs)
        if (n_dims != 0 && input->n_dims() && *input->n_dims() != n_dims)
            throw UsageError(
                fmt::format("{}: expected {} dimensions, those of column \"{}\", found {}",
                            input->name(), n_dims, plan.vector().name, *input->n_dims()));
}

}  // namespace

std::string
Plan::column_list(const Connection& connection) const {
    std::string list;
    for (const PlannedColumn& column : columns)
        list += (list.empty() ? "" : ", ") + connection.quote_name(column.name);
    return list;
}

Plan
make_plan(Connection& connection, std::vector<std::unique_ptr<Input>>& inputs,
          const PlanOptions& options) {
    Plan plan;
    plan.id_start = options.id_start.value_or(0);
    PlanOptions adjusted = options;
    if (options.is_create) {
        NewTable created = design_table(connection, inputs, options);
        plan.table = std::move(created.table);
        plan.create = std::move(created.sql);
        adjusted.column = created.vector_column;
        adjusted.maps = created.maps;
    } else {
        plan.table = require_table(connection, options.table);
    }
    Planner(plan, adjusted).plan_inputs(inputs);
    PlannedColumn& vector = plan.columns[plan.vector_column];
    if (vector.kind != ColumnType::kVector && vector.kind != ColumnType::kHalfvec &&
        vector.kind != ColumnType::kSparsevec && vector.kind != ColumnType::kBit)
        throw UsageError(fmt::format("the column \"{}\" of {} is of type {}, not of vectors",
                                     vector.name, plan.table.name, vector.type));
    if (options.n_dims) {
        const auto n_dims = static_cast<std::size_t>(*options.n_dims);
        if (vector.n_dims != 0 && vector.n_dims != n_dims)
            throw UsageError(
                fmt::format("the column \"{}\" of {} has {} dimensions, not {} (--dimension)",
                            vector.name, plan.table.name, vector.n_dims, n_dims));
        vector.n_dims = n_dims;
    }
    check_dims(plan, inputs);
    choose_form(plan, inputs);
    return plan;
}

}  // namespace vext::client
