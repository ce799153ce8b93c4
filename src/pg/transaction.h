// Turning points of a transaction and of the statements in it, and the locks that last until its
// end.

#pragma once

#include "pg/server.h"

extern "C" {
#include "access/relation.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/rel.h"
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

}  // namespace vext::pg
