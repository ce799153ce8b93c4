// vector_bulk_upsert: from the arguments to the counts.

#include "bulk/examine.h"
#include "bulk/progress.h"
#include "bulk/request.h"
#include "bulk/source.h"
#include "bulk/target.h"
#include "bulk/write.h"
#include "core/text_builder.h"
#include "pg/memory.h"
#include "pg/result_set.h"
#include "pg/spi.h"
#include "pg/table_catalog.h"

namespace vext::bulk {

namespace {

struct Counts {
    int64 inserted = 0;
    int64 updated = 0;
    int64 unchanged = 0;
    int64 skipped = 0;
    int64 rejected = 0;
};

[[noreturn]] void
raise_fault(const ColumnFault& found, const char* source, const char* target) {
    const char* column = found.column.data();
    switch (found.fault) {
        case Fault::kUnknown:
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" of relation \"%s\" does not exist",
                           pnstrdup(column, found.column.size()), target));
            break;
        case Fault::kMissing:
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" is not in \"%s\"", column, source));
            break;
        case Fault::kKey:
            ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("column \"%s\" belongs to the key of \"%s\", which is not updated",
                           column, target));
            break;
        case Fault::kGenerated:
            ereport(ERROR, errcode(ERRCODE_GENERATED_ALWAYS),
                    errmsg("column \"%s\" of \"%s\" is generated", column, target));
            break;
        default:
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("\"%s\" has no column to load into \"%s\"", source, target));
    }
    pg_unreachable();
}

// A schema as SQL writes it before a name.
Text
prefix_of(core::Arena& arena, Oid schema) {
    return core::concat(arena, quote_identifier(get_namespace_name(schema)), ".");
}

Source
describe_source(const Request& request, Oid rows) {
    Source source;
    source.name = get_rel_name(request.source);
    source.quoted = pg::qualified_relation(rows);
    source.is_copy = rows != request.source;
    if (has_lines(rows))
        source.line = kLineColumn;
    return source;
}

// Requires: with_own_path.
Plan
make_plan(core::Arena& arena, const Request& request, Oid index, Oid rows) {
    Plan plan;
    plan.options = request.options;
    plan.source = describe_source(request, rows);
    plan.target = read_target(request, index);
    core::Array<Column> columns = read_columns(arena, request);
    add_key(arena, index, columns.span(), plan.target);
    add_source(request, rows, plan.source.name.data(), columns.span());
    look_for_empty_columns(request.options, plan.source.quoted, columns.span());
    const ColumnFault found = plan_columns(request.options, columns.span());
    if (found.fault != Fault::kNone)
        raise_fault(found, plan.source.name.data(), plan.target.name.data());
    plan.columns = columns.span();
    look_at_key_predicate(arena, plan);
    const std::span<Check> checks = read_checks(arena, request.target, plan.columns);
    look_at_defaults(arena, plan.columns, checks);
    plan.checks = checks;
    plan.foreign_keys = read_foreign_keys(arena, request.target, plan.columns);
    if (request.options.has_rejects)
        plan.rejects = describe_rejects_table(request.rejects);
    plan.extension = prefix_of(arena, request.schema);
    plan.types = prefix_of(arena, request.vector_types.schema);
    plan.ways = choose_ways(plan);
    return plan;
}

Counts
load(const Request& request, const Plan& plan, const Statements& statements) {
    Counts counts;
    pg::execute(statements.count);
    const int64 n_rows = DatumGetInt64(pg::result_value(0, 1).value);
    if (n_rows > 0) {
        Rejects rejects(plan, statements, request.max_rejects);
        pg::execute(statements.lock);
        const Examined examined = examine(plan, statements, rejects);
        const Written written = write_rows(plan, statements, examined, rejects);
        counts.inserted = written.inserted;
        counts.updated = written.updated;
        counts.rejected = rejects.n_rejected();
        if (request.options.on_conflict == OnConflict::kUpdate)
            counts.unchanged = plan.ways.is_counted
                                   ? written.unchanged
                                   : written.n_merged - written.inserted - written.updated;
        counts.skipped =
            n_rows - counts.inserted - counts.updated - counts.unchanged - counts.rejected;
    }
    if (statements.drop != nullptr)
        pg::execute(statements.drop);
    return counts;
}

// Requires: with_spi.
Counts
upsert(FunctionCallInfo call, TimestampTz& started) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    const Request request = read_request(arena, call);
    const Oid index = choose_index(request);
    started = GetCurrentTimestamp();
    const Oid rows = take_rows(request.source);
    Plan plan;
    with_own_path([&] { plan = make_plan(arena, request, index, rows); });
    const Statements statements = make_statements(arena, plan);
    Counts counts;
    // Rows have the same numbers in every scan.
    pg::with_setting("synchronize_seqscans", "off", [&] {
        with_progress(request.target, [&] { counts = load(request, plan, statements); });
    });
    return counts;
}

void
return_counts(FunctionCallInfo call, const Counts& counts, TimestampTz started) {
    const TimestampTz ended = GetCurrentTimestamp();
    const int64 n_rows =
        counts.inserted + counts.updated + counts.unchanged + counts.skipped + counts.rejected;
    const double seconds = static_cast<double>(ended - started) / USECS_PER_SEC;
    const Datum values[] = {
        Int64GetDatum(counts.inserted),
        Int64GetDatum(counts.updated),
        Int64GetDatum(counts.unchanged),
        Int64GetDatum(counts.skipped),
        Int64GetDatum(counts.rejected),
        DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(ended), TimestampTzGetDatum(started)),
        Float8GetDatum(static_cast<double>(n_rows) / seconds)};
    const bool is_null[] = {false, false, false, false, false, false, ended == started};
    pg::ResultSet(call).add(values, is_null);
}

}  // namespace

VEXT_FUNCTION(bulk_upsert) {
    Counts counts;
    TimestampTz started = 0;
    pg::with_spi([&] { counts = upsert(fcinfo, started); });
    return_counts(fcinfo, counts, started);
    PG_RETURN_NULL();
}

}  // namespace vext::bulk
