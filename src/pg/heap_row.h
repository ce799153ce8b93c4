// Row versions in the pages of a heap table.

#pragma once

#include <cstddef>
#include <cstdint>

#include "pg/server.h"

extern "C" {
#include "access/htup_details.h"
#include "access/tableam.h"
#include "common/hashfn.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
}

namespace vext::pg {

/// Whether the server's own heap stores the table, so that its pages can be read as such.
inline bool
is_heap(Relation table) {
    return table->rd_tableam == GetHeapamTableAmRoutine();
}

/// What the page says of the row version at a TID.
struct HeapRow {
    TransactionId xmin;    ///< as stored; invalid where there is no row version
    bool is_speculative;   ///< ON CONFLICT has not decided yet whether it stays
    std::uint64_t digest;  ///< of its columns as stored; only looked at when asked for
};

/// Looks at the page. Requires: is_heap(table), the block exists. Locks: the page, shared.
inline HeapRow
look_at_heap_row(Relation table, const ItemPointerData& tid, bool always_digests) {
    HeapRow row = {InvalidTransactionId, false, 0};
    const Buffer buffer = ReadBuffer(table, ItemPointerGetBlockNumber(&tid));
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const Page page = BufferGetPage(buffer);
    const OffsetNumber position = ItemPointerGetOffsetNumber(&tid);
    if (position <= PageGetMaxOffsetNumber(page) && ItemIdIsNormal(PageGetItemId(page, position))) {
        const ItemId line = PageGetItemId(page, position);
        const auto* header = reinterpret_cast<const HeapTupleHeaderData*>(PageGetItem(page, line));
        constexpr std::size_t kFixed = offsetof(HeapTupleHeaderData, t_bits);
        row.xmin = HeapTupleHeaderGetRawXmin(header);
        row.is_speculative = HeapTupleHeaderIsSpeculative(header);
        if (row.is_speculative || always_digests)
            row.digest =
                hash_bytes_extended(reinterpret_cast<const unsigned char*>(header) + kFixed,
                                    static_cast<int>(ItemIdGetLength(line) - kFixed), 0);
    }
    UnlockReleaseBuffer(buffer);
    return row;
}

}  // namespace vext::pg
