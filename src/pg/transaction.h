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
#include "utils/resowner.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
}

namespace vext::pg {

/// 1 for the transaction, one more in each savepoint, and block of a procedural language that
/// catches errors.
inline int
nest_level() {
    return GetCurrentTransactionNestLevel();
}

/// Whether a row version with this xmin is of the transaction, and of no part that was rolled back.
inline bool
is_of_this_transaction(TransactionId xmin) {
    return TransactionIdIsCurrentTransactionId(xmin);
}

/// Locks a relation until the transaction ends, or the savepoint is rolled back that it is in. A
/// lock that is taken as others are goes earlier where a cursor, opened before a savepoint, fails
/// in it: with all that was locked for the cursor.
inline void
lock_for_transaction(Oid oid, LOCKMODE lock) {
    const ResourceOwner owner = CurrentResourceOwner;
    CurrentResourceOwner = CurTransactionResourceOwner;
    LockRelationOid(oid, lock);
    CurrentResourceOwner = owner;
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

/// Opens a relation with this lock, kept until the transaction ends; null if it was dropped since.
inline Relation
open_relation(Oid oid, LOCKMODE lock) {
    LockRelationOid(oid, lock);
    return open_locked_relation(oid);
}

/// Runs `body` in a subtransaction. False when that failed with an error that `is_expected(const
/// ErrorData&)` accepts: the server has then taken back what `body` took (locks, pins, shared
/// memory, parallel workers), pages and memory contexts are as it left them, and `error` is what it
/// told, in the current memory context. Any other error is raised again. Requires: no parallel
/// mode.
///
/// The only place where an error is caught. Nothing between here and the error may rely on code
/// that runs on the way out: what has a destructor is out of reach. Not inlined: a variable of the
/// caller that `body` changes lies in memory then, where the jump leaves it as it was last set.
template <typename Body, typename IsExpected>
[[gnu::noinline]] bool
try_in_subtransaction(const Body& body, const IsExpected& is_expected, const ErrorData** error) {
    const MemoryContext context = CurrentMemoryContext;
    const ResourceOwner owner = CurrentResourceOwner;
    volatile bool is_done = false;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(context);
    PG_TRY();
    {
        body();
        ReleaseCurrentSubTransaction();
        is_done = true;
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        ErrorData* data = CopyErrorData();
        FlushErrorState();
        const bool may_go_on = is_expected(static_cast<const ErrorData&>(*data));
        RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(context);
        CurrentResourceOwner = owner;
        if (!may_go_on)
            ReThrowError(data);
        *error = data;
    }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    return is_done;
}

/// Whether an error is somebody's wish to end the statement or the session.
inline bool
is_of_cancel(const ErrorData& error) {
    return ERRCODE_TO_CATEGORY(error.sqlerrcode) ==
           ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION);
}

/// Gives the subtransaction that has just begun an identifier if the transaction has one. Parallel
/// workers share it, where they would need one for a lock that standbys are told of and could not
/// have one of their own.
inline void
share_transaction_id() {
    if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
        (void)GetCurrentTransactionId();
}

/// Whether an error is for want of memory, room or processes.
inline bool
is_of_scarcity(const ErrorData& error) {
    return ERRCODE_TO_CATEGORY(error.sqlerrcode) ==
           ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES);
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
