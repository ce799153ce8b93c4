#include "bulk/plan.h"

#include <algorithm>

namespace vext::bulk {

namespace {

const MergeRule*
find_rule(const Options& options, Text column) {
    for (const MergeRule& rule : options.merge)
        if (rule.column == column)
            return &rule;
    return nullptr;
}

bool
is_listed(const Options& options, const Column& column) {
    return std::find(options.update_columns.begin(), options.update_columns.end(), column.name) !=
           options.update_columns.end();
}

bool
is_of_key(const Column& column) {
    return column.key_place > 0 || column.is_in_key_expression;
}

// The index has chosen the key; without a need for one it serves only if the source has all of it.
void
drop_unusable_key(const Options& options, std::span<Column> columns) {
    if (options.is_key_needed)
        return;
    const bool is_usable = std::all_of(columns.begin(), columns.end(), [](const Column& column) {
        return column.key_place == 0 ||
               (column.is_in_source && !column.is_left_empty && !column.is_generated);
    });
    if (!is_usable)
        for (Column& column : columns)
            column.key_place = 0;
}

// A cast only cuts or pads values of another length, where the server's own assignment raises:
// their length is judged when they are written, or, of texts, before they are cast. Vectors are
// judged by their dimensions.
void
plan_value(Column& column) {
    column.is_supplied = column.is_in_source && !column.is_generated && !column.is_left_empty;
    column.n_dims = column.is_vector ? std::max(column.type.modifier, 0) : 0;
    if (!column.is_in_source)
        return;
    const bool has_other_type = column.source_type.oid != column.type.oid;
    const bool has_other_modifier =
        column.type.modifier != -1 && column.source_type.modifier != column.type.modifier;
    const bool is_judged_apart = column.is_vector || column.type.category == 'S' ||
                                 column.type.category == 'V' ||
                                 (column.type.category == 'A' && column.type.modifier != -1);
    const bool is_converted = has_other_type || (has_other_modifier && !column.is_vector);
    column.is_judged_late = is_converted && is_judged_apart && column.type.modifier != -1 &&
                            !column.is_vector && column.n_characters == 0;
    column.is_parsed = column.is_vector && column.source_type.category == 'S';
    const bool is_cut = column.n_characters > 0 || !is_judged_apart;
    if (has_other_type || (has_other_modifier && is_cut))
        column.cast = is_cut ? column.type.full_name : column.type.name;
}

Fault
plan_update(const Options& options, Column& column) {
    const MergeRule* given = find_rule(options, column.name);
    const bool is_named = given != nullptr || is_listed(options, column);
    const bool is_left_out = options.has_update_columns && !is_listed(options, column);
    column.sets_now = given != nullptr && given->rule == Rule::kNow;
    if (options.on_conflict == OnConflict::kUpdate && !is_of_key(column) && !column.is_generated) {
        if (given != nullptr)
            column.rule = given->rule == Rule::kKeep ? Rule::kNone : given->rule;
        else if (column.is_supplied && !column.is_always_identity && !is_left_out)
            column.rule = Rule::kReplace;
    }

    if (is_of_key(column) && options.is_key_needed && !column.is_in_source)
        return Fault::kMissing;
    if (is_of_key(column) && column.is_generated)
        return Fault::kGenerated;
    if (!is_named)
        return Fault::kNone;
    if (is_of_key(column))
        return Fault::kKey;
    if (column.is_generated || column.is_always_identity)
        return Fault::kGenerated;
    const bool needs_value =
        given == nullptr || (given->rule != Rule::kNow && given->rule != Rule::kKeep);
    return needs_value && !column.is_supplied ? Fault::kMissing : Fault::kNone;
}

bool
has_column(std::span<const Column> columns, Text name) {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const Column& column) { return column.name == name; });
}

Text
find_unknown(const Options& options, std::span<const Column> columns) {
    for (const Text name : options.update_columns)
        if (!has_column(columns, name))
            return name;
    for (const MergeRule& rule : options.merge)
        if (!has_column(columns, rule.column))
            return rule.column;
    return {};
}

bool
is_update(const Plan& plan) {
    return plan.options.on_conflict == OnConflict::kUpdate;
}

bool
is_written_as_given(const Plan& plan, const Column& column) {
    return column.is_supplied &&
           (!is_update(plan) || is_of_key(column) || column.rule == Rule::kReplace);
}

bool
is_never_given(const Column& column) {
    return !column.is_supplied && !column.is_generated;
}

// Whether a domain would judge what is proposed, and not what the merge makes of it.
bool
is_misjudged_by_domain(const Column& column) {
    if (!column.is_domain)
        return false;
    return column.is_supplied ? column.rule != Rule::kNone && column.rule != Rule::kReplace
                              : !column.has_default;
}

bool
needs_split(const Plan& plan) {
    if (plan.target.has_insert_triggers || plan.target.is_partitioned || !plan.target.may_read_xmax)
        return true;
    bool lacks_columns = false;
    bool has_required_generated = false;
    for (const Column& column : plan.columns) {
        if (is_misjudged_by_domain(column) || null_fault(plan, column) == NullFault::kInNewRows)
            return true;
        lacks_columns |= is_never_given(column);
        has_required_generated |= column.is_generated && column.is_required;
    }
    if (lacks_columns && has_required_generated)
        return true;
    return std::any_of(plan.checks.begin(), plan.checks.end(), [&](const Check& check) {
        return where_judged(plan, check) == Judged::kByServer;
    });
}

// Whether the server may refuse a row for what is not looked at before.
bool
has_hidden_faults(const Plan& plan) {
    if (plan.target.is_unpredictable || !may_read_key(plan.columns))
        return true;
    for (const Column& column : plan.columns)
        if (column.is_generated ||
            (column.is_domain && (column.is_supplied || !column.has_default)) ||
            (column.is_supplied && column.is_judged_late))
            return true;
    auto is_by_server = [&](const auto& constraint) {
        return where_judged(plan, constraint) == Judged::kByServer;
    };
    return std::any_of(plan.checks.begin(), plan.checks.end(), is_by_server) ||
           std::any_of(plan.foreign_keys.begin(), plan.foreign_keys.end(), is_by_server);
}

}  // namespace

ColumnFault
plan_columns(const Options& options, std::span<Column> columns) {
    drop_unusable_key(options, columns);
    ColumnFault first;
    bool has_supplied = false;
    for (Column& column : columns) {
        plan_value(column);
        has_supplied |= column.is_supplied;
        const Fault fault = plan_update(options, column);
        if (first.fault == Fault::kNone)
            first = {fault, column.name};
    }
    const Text unknown = find_unknown(options, columns);
    if (unknown.data() != nullptr)
        return {Fault::kUnknown, unknown};
    if (first.fault == Fault::kNone && !has_supplied)
        return {Fault::kNothing, {}};
    return first;
}

bool
may_lack_values(const Options& options, const Column& column) {
    if (options.on_conflict != OnConflict::kUpdate || !column.is_required || !column.is_in_source)
        return false;
    const MergeRule* given = find_rule(options, column.name);
    return (given != nullptr && given->rule != Rule::kReplace) ||
           (options.has_update_columns && !is_listed(options, column));
}

Ways
choose_ways(const Plan& plan) {
    Ways ways;
    ways.is_split = is_update(plan) && needs_split(plan);
    ways.is_slow = plan.options.has_rejects && has_hidden_faults(plan);
    ways.is_guarded = plan.options.on_conflict == OnConflict::kError && plan.options.has_rejects &&
                      !ways.is_slow && has_key(plan);
    ways.is_counted = ways.is_split || (is_update(plan) && plan.target.has_update_triggers);
    return ways;
}

Judged
where_judged(const Plan& plan, const Check& check) {
    if (check.is_whole)
        return Judged::kByServer;
    auto all = [&](auto predicate) {
        return std::all_of(check.columns.begin(), check.columns.end(),
                           [&](int column) { return predicate(plan.columns[column]); });
    };
    if (all([&](const Column& column) { return is_written_as_given(plan, column); }))
        return Judged::kBefore;
    return !check.is_refusing_defaults && all(is_never_given) ? Judged::kNowhere
                                                              : Judged::kByServer;
}

Judged
where_judged(const Plan& plan, const ForeignKey& key) {
    auto all = [&](auto predicate) {
        return std::all_of(
            key.columns.begin(), key.columns.end(),
            [&](const ForeignKeyColumn& pair) { return predicate(plan.columns[pair.column]); });
    };
    if (all(is_never_given))
        return Judged::kNowhere;
    return key.can_be_probed &&
                   all([&](const Column& column) { return is_written_as_given(plan, column); })
               ? Judged::kBefore
               : Judged::kByServer;
}

NullFault
null_fault(const Plan& plan, const Column& column) {
    const bool is_required = column.is_required && !column.is_generated && !column.is_never_null;
    if (column.key_place > 0 && !column.is_key_null_equal)
        return NullFault::kAlways;
    if (!is_required || plan.target.has_insert_triggers ||
        (!column.is_supplied && column.has_default))
        return NullFault::kNever;
    return is_update(plan) && column.rule != Rule::kReplace ? NullFault::kInNewRows
                                                            : NullFault::kAlways;
}

bool
is_inserted(const Column& column) {
    return column.is_supplied || (column.sets_now && !column.has_default);
}

bool
may_read_key(std::span<const Column> columns) {
    return std::all_of(columns.begin(), columns.end(), [](const Column& column) {
        return !is_of_key(column) || column.may_select;
    });
}

bool
has_key(const Plan& plan) {
    return !plan.target.key_expressions.empty() ||
           std::any_of(plan.columns.begin(), plan.columns.end(),
                       [](const Column& column) { return column.key_place > 0; });
}

}  // namespace vext::bulk
