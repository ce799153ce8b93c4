// Turning points of a transaction and of the statements in it, and the locks that last until its
// end.

#pragma once

#include "pg/server.h"

extern "C" {
#include "access/relation.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/predicate.h"
#include "storage/proc.h"
#include "tcop/utility.h"
#include "utils/rel.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
}

namespace vext::pg {

/// Whether no savepoint, or block of a procedural language that catches errors, is open.
inline bool
is_at_top_level() {
    return GetCurrentTransactionNestLevel() == 1;
}

/// Opens a relation that this transaction has locked; null if it was dropped since.
inline Relation
open_locked_relation(Oid oid) {
    return try_relation_open(oid, NoLock);
}

/// Sees whether a serializable transaction has scanned the index, which our rows are now found in:
/// one that did not find them has read the past. Raises what ends this transaction for it.
inline void
check_index_readers(Relation index) {
    CheckForSerializableConflictIn(index, nullptr, InvalidBlockNumber);
}

/// Runs `work` at the commit of a client's transaction within statement_timeout, whose clock the
/// server has stopped: within what is left of it for a statement that is its own transaction, else
/// for as long as a COMMIT may take. Where the clock still runs it only runs `work`.
template <typename Work>
void
within_statement_timeout(const Work& work) {
    const bool is_stopped = MyBackendType == B_BACKEND && StatementTimeout > 0 &&
                            !get_timeout_active(STATEMENT_TIMEOUT);
    if (is_stopped) {
        const TimestampTz start =
            IsTransactionBlock() ? GetCurrentTimestamp() : GetCurrentStatementStartTimestamp();
        enable_timeout_at(STATEMENT_TIMEOUT, TimestampTzPlusMilliseconds(start, StatementTimeout));
    }
    work();
    if (is_stopped)
        disable_timeout(STATEMENT_TIMEOUT, false);
}

}  // namespace vext::pg
