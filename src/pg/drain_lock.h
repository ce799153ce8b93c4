// A heavyweight lock with two tags for one relation, used in turns: see `hnsw/README.md`, "Insert
// beside vacuum".
//
// It is an object lock on the relation's pg_class entry with sub-object numbers no catalogue uses,
// so the server's deadlock detection, cancel and clean-up at transaction end apply.

#pragma once

#include <cstdint>

#include "pg/server.h"

extern "C" {
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/rel.h"
}

namespace vext::pg {

namespace internal {

inline LOCKTAG
drain_tag(Relation relation, std::uint32_t epoch) {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, relation->rd_lockInfo.lockRelId.dbId, RelationRelationId,
                       RelationGetRelid(relation), 0xfffe + (epoch & 1));
    return tag;
}

}  // namespace internal

/// Shared by those who insert; several hold it at once.
inline void
lock_drain_shared(Relation relation, std::uint32_t epoch) {
    const LOCKTAG tag = internal::drain_tag(relation, epoch);
    LockAcquire(&tag, RowExclusiveLock, false, false);
}

inline void
unlock_drain_shared(Relation relation, std::uint32_t epoch) {
    const LOCKTAG tag = internal::drain_tag(relation, epoch);
    LockRelease(&tag, RowExclusiveLock, false);
}

/// Held by one who inserts alone: of both epochs, in ascending order, so that it does not matter
/// which one is current.
inline void
lock_drain_exclusive(Relation relation) {
    for (const std::uint32_t epoch : {0U, 1U}) {
        const LOCKTAG tag = internal::drain_tag(relation, epoch);
        LockAcquire(&tag, ExclusiveLock, false, false);
    }
}

inline void
unlock_drain_exclusive(Relation relation) {
    for (const std::uint32_t epoch : {1U, 0U}) {
        const LOCKTAG tag = internal::drain_tag(relation, epoch);
        LockRelease(&tag, ExclusiveLock, false);
    }
}

/// Waits until nobody holds the shared lock of `epoch` any more.
inline void
wait_for_drain(Relation relation, std::uint32_t epoch) {
    const LOCKTAG tag = internal::drain_tag(relation, epoch);
    LockAcquire(&tag, ExclusiveLock, false, false);
    LockRelease(&tag, ExclusiveLock, false);
}

}  // namespace vext::pg
