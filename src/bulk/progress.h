// Which row a statement of an upsert is at: for its errors and for notices of progress.
//
// A statement takes its rows through the SQL function vector_bulk_row, which notes them. An error
// inside it then carries the number of the row without a subtransaction around the statement: an
// index could not gather the rows of one into batches. What a statement calls has to be in the
// catalogue, so this is the one helper of the upsert that SQL sees.

#pragma once

#include "pg/progress.h"
#include "pg/statement.h"

namespace vext::bulk {

/// Where the load is. Only values: after an error they are stale, and the next run sets them.
struct Progress {
    int64 n_total;      ///< rows to merge
    int64 n_before;     ///< of them, merged by earlier statements
    int64 n_rejected;   ///< rows rejected so far
    int64 source_row;   ///< the row taken or compared last; 0: none
    int64 n_taken;      ///< rows that this statement took, with that row
    bool is_compared;   ///< whether that row was compared only
    TimestampTz shown;  ///< when progress was shown last, or the load began
    Oid target;         ///< the table; other sessions see the load while it is set
};

extern constinit Progress progress;

/// Shows to other sessions how many rows were taken.
void show_counts();

/// Adds what is known of the row to the error that is being raised.
void describe_row();

/// Runs `body`, statements that write rows of a load of `n_total`, `n_before` of which are merged.
template <typename Body>
void
with_rows(int64 n_total, int64 n_before, int64 n_rejected, const Body& body) {
    progress = {n_total, n_before, n_rejected, 0, 0, false, progress.shown, progress.target};
    show_counts();
    auto describe = [] { describe_row(); };
    pg::with_error_context(describe, body);
}

/// Runs a load. One inside a trigger of another leaves that one's progress as it was.
template <typename Body>
void
with_progress(Oid target, const Body& body) {
    const Progress outer = progress;
    const bool is_shown = pg::show_load(target, pg::LoadKind::kUpsert);
    progress = {};
    progress.shown = GetCurrentTimestamp();
    progress.target = is_shown ? target : InvalidOid;
    body();
    if (is_shown)
        pg::hide_load();
    progress = outer;
}

}  // namespace vext::bulk
