// See load_progress.h.
//
// Rows are counted for the first index that they come into, since each of several has them all.
// That those waiting have come in, so that rows wait anew, shows by the phases of a batch, or by
// WAL written meanwhile: a row that is gathered writes none.

#include "hnsw/gather/load_progress.h"

#include "hnsw/batch/progress.h"
#include "hnsw/gather/gather.h"
#include "hnsw/gather/insert_row.h"
#include "pg/progress.h"
#include "pg/transaction.h"

namespace vext::hnsw {

namespace {

// Of this transaction.
struct Waiting {
    Oid index;
    Oid table;
    std::uint64_t n_phases;  ///< as many as were reported then
    bool is_commit_shown;
};
constinit Waiting waiting = {};

void
show_waiting() {
    pg::show(pg::LoadParameter::kWaiting, static_cast<int64>(n_gathered(waiting.index)));
}

void
count_row(Relation index, Relation heap, bool have_come_in) {
    if (have_come_in || waiting.n_phases != n_phases_reported()) {
        waiting = {InvalidOid, InvalidOid, n_phases_reported(), false};
        if (pg::is_shown_as(PROGRESS_COMMAND_COPY))
            report_no_phase();
    }
    if (!has_gathered())
        return;
    if (n_gathered(waiting.index) == 0) {
        waiting.index = RelationGetRelid(index);
        waiting.table = RelationGetRelid(heap);
    }
    if (waiting.index != RelationGetRelid(index))
        return;
    if (pg::is_shown_as(PROGRESS_COMMAND_COPY))
        show_waiting();
}

void
handle_transaction(XactEvent event, void*) {
    switch (event) {
        case XACT_EVENT_PRE_COMMIT:
        case XACT_EVENT_PRE_PREPARE:
            if (has_gathered() && pg::show_load(waiting.table, pg::LoadKind::kCommit)) {
                waiting.is_commit_shown = true;
                show_waiting();
            }
            break;
        case XACT_EVENT_COMMIT:
        case XACT_EVENT_PREPARE:
            if (waiting.is_commit_shown)
                pg::hide_load();
            waiting = {};
            break;
        case XACT_EVENT_ABORT:
            waiting = {};
            break;
        default:
            break;
    }
}

}  // namespace

bool
insert_counted_row(Relation index, Datum* values, bool* is_null, ItemPointer pointer, Relation heap,
                   IndexUniqueCheck check_unique, bool is_unchanged, IndexInfo* info) {
    const bool had_gathered = has_gathered();
    const XLogRecPtr record = pg::last_record_written();
    const bool is_unique =
        insert_row(index, values, is_null, pointer, heap, check_unique, is_unchanged, info);
    count_row(index, heap, !had_gathered || record != pg::last_record_written());
    return is_unique;
}

void
install_load_progress() {
    RegisterXactCallback(handle_transaction, nullptr);
}

}  // namespace vext::hnsw
