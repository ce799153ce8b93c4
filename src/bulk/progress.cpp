#include "bulk/progress.h"

#include "pg/function.h"

namespace vext::bulk {

constinit Progress progress = {};

namespace {

constexpr int kNoticeMilliseconds = 10'000;

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
    if (OidIsValid(progress.target))
        pg::show(pg::LoadParameter::kTaken, progress.n_before + progress.n_taken);
    const TimestampTz now = GetCurrentTimestamp();
    if (!TimestampDifferenceExceeds(progress.shown, now, kNoticeMilliseconds))
        return;
    progress.shown = now;
    show_progress();
}

}  // namespace

// A subtransaction that failed has hidden the load.
void
show_counts() {
    if (!OidIsValid(progress.target))
        return;
    (void)pg::show_load(progress.target, pg::LoadKind::kUpsert);
    pg::show(pg::LoadParameter::kTotal, progress.n_total);
    pg::show(pg::LoadParameter::kTaken, progress.n_before);
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

VEXT_FUNCTION(bulk_row) {
    // Called by hand, outside of a load, it has nothing to note.
    if (progress.n_total == 0)
        PG_RETURN_BOOL(true);
    if (PG_GETARG_BOOL(1)) {
        progress.source_row = PG_GETARG_INT64(0);
        progress.is_compared = true;
    } else {
        take_row(PG_GETARG_INT64(0));
    }
    PG_RETURN_BOOL(true);
}

}  // namespace vext::bulk
