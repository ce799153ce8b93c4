// Whether a snapshot sees the row of a heap TID that an index holds, in whichever version.

#pragma once

#include "pg/compat.h"
#include "pg/table_bounds.h"

extern "C" {
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "storage/itemptr.h"
#include "utils/rel.h"
#include "utils/snapshot.h"
}

namespace vext::pg {

class RowVisibility {
   public:
    /// Requires: `table` is open and locked, `snapshot` is registered, until close().
    RowVisibility(Relation table, Snapshot snapshot)
        : bounds_(table),
          fetch_(begin_index_fetch(table)),
          slot_(table_slot_create(table, nullptr)),
          snapshot_(snapshot) {}

    /// `is_dead` is set to whether no snapshot sees it any more.
    bool
    has(ItemPointerData tid, bool* is_dead = nullptr) {
        if (is_dead != nullptr)
            *is_dead = false;
        if (!bounds_.hold(tid))
            return false;
        bool is_further = false;
        bool is_seen = false;
        do
            is_seen = table_index_fetch_tuple(fetch_, &tid, snapshot_, slot_, &is_further, is_dead);
        while (!is_seen && is_further);
        ExecClearTuple(slot_);
        return is_seen;
    }

    void
    close() {
        ExecDropSingleTupleTableSlot(slot_);
        table_index_fetch_end(fetch_);
    }

   private:
    TableBounds bounds_;
    IndexFetchTableData* fetch_;
    TupleTableSlot* slot_;
    Snapshot snapshot_;
};

}  // namespace vext::pg
