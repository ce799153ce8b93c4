#include "load/new_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "error.h"
#include "server/extension.h"

namespace vext::client {

namespace {

/// A vector of more dimensions does not fit a page beside some other columns.
constexpr std::size_t kMaxPlainDims = 1900;

/// The field with the vectors: that which the format or the user says, else the first that reads as
/// one.
const SourceColumn&
vector_field(const Input& input, const PlanOptions& options) {
    const std::string wanted = options.column.empty() ? "embedding" : options.column;
    for (const std::string& map : options.maps)
        if (map.ends_with("=" + wanted))
            for (const SourceColumn& column : input.columns())
                if (map == column.name + "=" + wanted)
                    return column;
    for (const SourceColumn& column : input.columns())
        if (column.kind == Field::Kind::kVector || column.kind == Field::Kind::kBits ||
            column.name == wanted)
            return column;
    for (const SourceColumn& column : input.columns())
        if (options.column.empty() && column.n_dims > 0)
            return column;
    if (!input.first_problem().empty())
        throw InputError(fmt::format("{}: {}", input.name(), input.first_problem()));
    throw UsageError(fmt::format("{}: no field has vectors in its first row", input.name()),
                     "--column names the field, --dimension tells the dimensions");
}

std::size_t
dims_of(const Input& input, const SourceColumn& field, const PlanOptions& options) {
    if (options.n_dims)
        return static_cast<std::size_t>(*options.n_dims);
    if (input.n_dims())
        return *input.n_dims();
    if (field.n_dims > 0)
        return field.n_dims;
    std::string problem = options.type == "bit" ? "" : field.problem;
    if (problem.empty())
        problem = input.first_problem();
    if (problem.empty())
        problem = fmt::format("the first row does not tell the dimensions of \"{}\"", field.name);
    throw InputError(fmt::format("{}: {}", input.name(), problem),
                     "--dimension tells the dimensions where the first row does not");
}

TableColumn
own_column(const std::string& name, const char* type, const char* base_type) {
    return {name, type, base_type, true, 0, 0, false, false, false};
}

}  // namespace

NewTable
design_table(Connection& connection, const std::vector<std::unique_ptr<Input>>& inputs,
             const PlanOptions& options) {
    const Input& input = *inputs.front();
    if (!input.columns().empty() && input.columns().front().kind == Field::Kind::kBinary)
        throw UsageError(fmt::format("{}: binary COPY data does not tell the types of its columns",
                                     input.name()),
                         "create the table first");
    if (find_table(connection, options.table))
        throw UsageError(fmt::format("the table \"{}\" exists", options.table),
                         "without --create rows are loaded into it");
    const SplitName split = split_name(connection, options.table);
    NewTable created;
    created.table.relation = split.name;
    const Result quoted = connection.query(
        "SELECT quote_ident(coalesce(nullif($1, ''), current_schema())), quote_ident($2)",
        {split.schema, split.name});
    if (quoted.is_null(0, 0))
        throw UsageError("no schema of search_path exists to make the table in");
    created.table.schema = quoted.string(0, 0);
    created.table.name = created.table.schema + "." + quoted.string(0, 1);

    const SourceColumn& vector = vector_field(input, options);
    const bool is_named = vector.kind == Field::Kind::kVector || vector.kind == Field::Kind::kBits;
    created.vector_column = !options.column.empty() ? options.column
                            : is_named              ? "embedding"
                                                    : vector.name;
    created.maps = options.maps;
    const std::size_t n_dims = dims_of(input, vector, options);
    const std::string id = options.id_column.empty() ? "id" : options.id_column;

    std::string columns = fmt::format("{} bigint PRIMARY KEY", connection.quote_name(id));
    created.table.columns.push_back(own_column(id, "bigint", "int8"));
    created.table.columns.back().is_required = true;
    const bool is_bit = options.type == "bit";
    std::string type = is_bit ? "pg_catalog.bit" : require_type(connection, options.type).name;
    type += fmt::format("({})", n_dims);
    const bool is_plain = options.type == "vector" && n_dims <= kMaxPlainDims;
    TableColumn vector_column =
        own_column(created.vector_column, type.c_str(), options.type.c_str());
    vector_column.is_in_catalogue = is_bit;
    vector_column.n_dims = n_dims;
    for (const SourceColumn& field : input.columns()) {
        std::string name = field.name;
        for (const std::string& map : options.maps)
            if (map.starts_with(field.name + "="))
                name = map.substr(field.name.size() + 1);
        if (field.name == vector.name && name == field.name)
            name = created.vector_column;
        if (name.empty() || name == id || field.kind == Field::Kind::kInteger)
            continue;
        if (name == created.vector_column) {
            if (name != field.name && !is_named)
                created.maps.push_back(field.name + "=" + name);
            columns += fmt::format(", {} {} NOT NULL", connection.quote_name(name), type);
            vector_column.is_required = true;
            created.table.columns.push_back(vector_column);
        } else {
            const char* other = field.is_object ? "jsonb" : "text";
            columns += fmt::format(", {} {}", connection.quote_name(name), other);
            created.table.columns.push_back(own_column(name, other, other));
        }
    }
    created.sql = fmt::format("CREATE TABLE {} ({})", created.table.name, columns);
    if (is_plain)
        created.sql +=
            fmt::format("; ALTER TABLE {} ALTER COLUMN {} SET STORAGE PLAIN", created.table.name,
                        connection.quote_name(created.vector_column));
    return created;
}

}  // namespace vext::client
