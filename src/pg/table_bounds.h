// Whether a heap TID that an index holds can be of a row of its table.
//
// The server takes a TID of an index as it is: to read the block 0xffffffff is to extend the table,
// also in a transaction that only reads, and on a standby. So a TID is held against the table
// before anything reads by it.
//
// The table grows meanwhile, and a row comes into it before it comes into the index, also when a
// standby replays both. So the table's size is asked again only when a TID lies beyond it. It
// shrinks only under a lock that nobody is under who reads it, after vacuum has taken the rows out
// of the index.

#pragma once

#include "pg/server.h"

extern "C" {
#include "access/htup_details.h"
#include "access/tableam.h"
#include "storage/bufmgr.h"
#include "storage/itemptr.h"
#include "utils/rel.h"
}

namespace vext::pg {

class TableBounds {
   public:
    /// Requires: `table` is open and locked while this is used. A table that is not stored by the
    /// server's heap gives its TIDs a meaning of its own: any block is possible there but the
    /// invalid one.
    explicit TableBounds(Relation table)
        : table_(table != nullptr && table->rd_tableam == GetHeapamTableAmRoutine() ? table
                                                                                    : nullptr) {
        if (table_ != nullptr)
            return;
        n_blocks_ = InvalidBlockNumber;
        most_position_ = MaxOffsetNumber;
    }

    /// Whether the TID lies in the table as its size was last seen. Asks nobody.
    bool
    surely_hold(const ItemPointerData& tid) const {
        const OffsetNumber position = ItemPointerGetOffsetNumberNoCheck(&tid);
        return ItemPointerGetBlockNumberNoCheck(&tid) < n_blocks_ &&
               position >= FirstOffsetNumber && position <= most_position_;
    }

    /// Whether the TID lies in the table. Requires: no page is locked.
    bool
    hold(const ItemPointerData& tid) {
        if (surely_hold(tid))
            return true;
        if (table_ != nullptr)
            n_blocks_ = RelationGetNumberOfBlocks(table_);
        return surely_hold(tid);
    }

   private:
    Relation table_;  // null where it does not tell
    BlockNumber n_blocks_ = 0;
    OffsetNumber most_position_ = MaxHeapTuplesPerPage;
};

}  // namespace vext::pg
