#include "bulk/source.h"

#include <algorithm>

#include "bulk/expressions.h"
#include "pg/memory.h"
#include "pg/spi.h"
#include "pg/table_catalog.h"

namespace vext::bulk {

namespace {

bool
is_rows_of_session(Oid source) {
    bool is_so = false;
    pg::with_relation(source, [&](Relation relation) {
        is_so = relation != nullptr && relation->rd_rel->relkind == RELKIND_RELATION &&
                relation->rd_rel->relpersistence == RELPERSISTENCE_TEMP &&
                !relation->rd_rel->relhassubclass;
    });
    return is_so;
}

bool
is_true(const char* query) {
    pg::execute(query);
    const NullableDatum value = pg::result_value(0, 1);
    return !value.isnull && DatumGetBool(value.value);
}

// Whether no row has the column as `test` says.
bool
is_nowhere(core::Arena& arena, Text rows, const Column& column, Text test) {
    return is_true(
        core::TextBuilder(arena)
            .add("SELECT NOT EXISTS (SELECT FROM ", rows, " WHERE ", column.quoted, " ", test, ")")
            .c_str());
}

bool
has_known_default(const Column& column) {
    return !column.is_supplied && !column.is_generated &&
           (is_inserted(column) || !column.has_default || column.is_default_constant);
}

}  // namespace

Oid
temporary_relation(const char* name) {
    return RangeVarGetRelid(makeRangeVar(pstrdup("pg_temp"), pstrdup(name), -1), NoLock, true);
}

const char*
free_temporary_name(const char* prefix) {
    for (int n = 1;; ++n) {
        const char* name = psprintf("%s_%d", prefix, n);
        if (!OidIsValid(temporary_relation(name)))
            return name;
    }
}

Oid
take_rows(Oid source) {
    if (is_rows_of_session(source))
        return source;
    const char* name = free_temporary_name("vector_source");
    const char* copy =
        psprintf("CREATE TEMPORARY TABLE pg_temp.%s ON COMMIT DROP AS SELECT * FROM %s", name,
                 pg::qualified_relation(source));
    pg::with_setting("max_parallel_workers_per_gather", "0", [&] {
        pg::with_setting("synchronize_seqscans", "off", [&] { pg::execute(copy); });
    });
    return temporary_relation(name);
}

void
look_for_empty_columns(const Options& options, Text rows, std::span<Column> columns) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    for (Column& column : columns)
        if (column.is_in_source && column.is_identity &&
            !(options.is_key_needed && column.key_place > 0))
            column.is_left_empty = is_nowhere(arena, rows, column, "IS NOT NULL");
    for (Column& column : columns)
        if (may_lack_values(options, column) || column.is_key_null_equal)
            column.is_never_null = is_nowhere(arena, rows, column, "IS NULL");
}

void
look_at_key_predicate(core::Arena& arena, Plan& plan) {
    KeyPredicate& predicate = plan.target.key_predicate;
    const std::span<const int> places = predicate.condition.columns;
    if (!predicate.is_there || !std::all_of(places.begin(), places.end(), [&](int i) {
            return has_known_default(plan.columns[i]);
        }))
        return;
    const Text condition = in_new_row(arena, plan, predicate.condition);
    predicate.is_met_by_source =
        is_true(core::TextBuilder(arena).add("SELECT ", condition, " IS TRUE").c_str());
}

void
look_at_defaults(core::Arena& arena, std::span<const Column> columns, std::span<Check> checks) {
    for (Check& check : checks) {
        if (check.is_whole || !std::all_of(check.columns.begin(), check.columns.end(),
                                           [&](int i) { return has_known_default(columns[i]); }))
            continue;
        core::TextBuilder query(arena);
        core::Separator between(", ");
        query.add("SELECT (", check.condition, ") IS FALSE FROM (SELECT ");
        for (const int i : check.columns)
            query.add(between.next(), default_of(arena, columns[i]), " AS ", columns[i].quoted);
        const char* text = query.add(") x").c_str();
        pg::Failure failure = {};
        auto is_expected = [](int state) { return !pg::is_of_cancel_state(state); };
        if (!pg::try_statement([&] { check.is_refusing_defaults = is_true(text); }, is_expected,
                               failure))
            check.is_refusing_defaults = true;
    }
}

}  // namespace vext::bulk
