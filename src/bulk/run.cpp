// Runs the statements that merge rows of a stage into their table, and knows which row they are at.
//
// A statement takes its rows through vector_bulk_row, which notes them. An error inside it then
// carries the number of the row without a subtransaction around the statement: an index could not
// gather the rows of one into batches.

#include "hnsw/gather/gather.h"
#include "pg/function.h"
#include "pg/statement.h"

namespace vext::bulk {

namespace {

constexpr int kNoticeMilliseconds = 10'000;

// Where the load is. Only values: after an error they are stale, and the next run sets them.
struct Progress {
    int64 n_total;      ///< rows to merge
    int64 n_before;     ///< of them, merged by earlier statements
    int64 n_rejected;   ///< rows rejected so far
    int64 source_row;   ///< the row taken or compared last; 0: none
    int64 n_taken;      ///< rows that this statement took, with that row
    bool is_compared;   ///< whether that row was compared only
    TimestampTz shown;  ///< when progress was shown last, or the load began
};

constinit Progress progress = {};

void
show_progress() {
    ereport(NOTICE, (errmsg("vector_bulk_upsert: %lld of %lld rows taken, %lld rejected",
                            static_cast<long long>(progress.n_before + progress.n_taken - 1),
                            static_cast<long long>(progress.n_total),
                            static_cast<long long>(progress.n_rejected))));
}

void
take_row(int64 source_row) {
    progress.source_row = source_row;
    progress.is_compared = false;
    ++progress.n_taken;
    const TimestampTz now = GetCurrentTimestamp();
    if (!TimestampDifferenceExceeds(progress.shown, now, kNoticeMilliseconds))
        return;
    progress.shown = now;
    show_progress();
}

// Rows are compared in any order, so that the count of those taken says nothing about such a row.
// Foreign keys are checked when all rows are written, so that the last row says nothing about them.
void
describe_row() {
    if (progress.source_row == 0)
        return;
    const long long n_good = progress.n_before + progress.n_taken - 1;
    if (progress.is_compared)
        errcontext("row %lld of the source", static_cast<long long>(progress.source_row));
    else if (geterrcode() == ERRCODE_FOREIGN_KEY_VIOLATION)
        errcontext("%lld rows of the source written", n_good + 1);
    else
        errcontext("row %lld of the source, after %lld good rows",
                   static_cast<long long>(progress.source_row), n_good);
}

// The array of counts that a statement gives, in the memory context of the caller.
Datum
execute(const char* statement, Datum tids, Datum source_rows) {
    Oid types[] = {TIDARRAYOID, INT8ARRAYOID};
    Datum values[] = {tids, source_rows};
    SPI_connect();
    const int status = SPI_execute_with_args(statement, 2, types, values, nullptr, false, 1);
    if (status != SPI_OK_SELECT || SPI_processed != 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("the statement must return one row of counts")));
    bool is_null = false;
    const Datum found = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    const Oid type = SPI_gettypeid(SPI_tuptable->tupdesc, 1);
    if (is_null || type != INT8ARRAYOID)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("the statement must return one row of counts")));
    const Datum counts = SPI_datumTransfer(found, false, -1);
    SPI_finish();
    return counts;
}

}  // namespace

VEXT_FUNCTION(bulk_row) {
    take_row(PG_GETARG_INT64(0));
    PG_RETURN_BOOL(true);
}

VEXT_FUNCTION(bulk_look) {
    progress.source_row = PG_GETARG_INT64(0);
    progress.is_compared = true;
    PG_RETURN_BOOL(true);
}

// Arguments: statement, tids, source rows, rows merged before, rows to merge, rows rejected, and
// the search_path of the caller, by which triggers and defaults find things.
VEXT_FUNCTION(bulk_run) {
    const char* statement = text_to_cstring(PG_GETARG_TEXT_PP(0));
    const Progress outer = progress;
    const int64 n_before = PG_GETARG_INT64(3);
    const TimestampTz shown = n_before == 0 ? GetCurrentTimestamp() : progress.shown;
    progress = {PG_GETARG_INT64(4), n_before, PG_GETARG_INT64(5), 0, 0, false, shown};
    Datum counts = 0;
    const char* search_path = text_to_cstring(PG_GETARG_TEXT_PP(6));
    auto describe = [] { describe_row(); };
    pg::with_setting("search_path", search_path, [&] {
        pg::with_error_context(
            describe, [&] { counts = execute(statement, PG_GETARG_DATUM(1), PG_GETARG_DATUM(2)); });
        // The time of a load is then that of its rows in the index, and not left to the commit.
        if (hnsw::has_gathered())
            hnsw::flush_all_gathered();
    });
    const TimestampTz shown_last = progress.shown;
    progress = outer;
    progress.shown = shown_last;
    PG_RETURN_DATUM(counts);
}

VEXT_FUNCTION(in_transaction_block) {
    PG_RETURN_BOOL(pg::is_in_transaction_block());
}

}  // namespace vext::bulk
