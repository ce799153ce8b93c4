// See row_touch.h.

#include "pg/row_touch.h"

#include <algorithm>
#include <cstring>

#include "pg/touch.h"

extern "C" {
#include "access/tableam.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/spccache.h"
}

namespace vext::pg {

namespace {

bool
may_touch(Relation table) {
    return table != nullptr && table->rd_tableam == GetHeapamTableAmRoutine() &&
           !RelationUsesLocalBuffers(table) &&
           get_tablespace_io_concurrency(table->rd_rel->reltablespace) > 0;
}

// The line pointer as it is now, which may be anything.
ItemIdData
glance_at_line_pointer(const char* page, OffsetNumber position) {
    ItemIdData line_pointer;
    std::memcpy(&line_pointer, page + SizeOfPageHeaderData + (position - 1) * sizeof(ItemIdData),
                sizeof(line_pointer));
    return line_pointer;
}

}  // namespace

RowTouch::RowTouch(Relation table) : table_(may_touch(table) ? table : nullptr) {
}

void
RowTouch::operator()(std::span<const ItemPointerData> rows) const {
    // All buffers before any page: looking one up is atomic, and so waits for the loads before it.
    Buffer buffers[kMostRows];
    for (std::size_t i = 0; i < rows.size(); ++i)
        buffers[i] =
            PrefetchBuffer(table_, MAIN_FORKNUM, ItemPointerGetBlockNumber(&rows[i])).recent_buffer;
    ItemIdData line_pointers[kMostRows];
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (!BufferIsValid(buffers[i]))
            continue;
        const auto* page = static_cast<const char*>(BufferGetBlock(buffers[i]));
        load_lines(page, 1);
        line_pointers[i] = glance_at_line_pointer(page, ItemPointerGetOffsetNumber(&rows[i]));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (!BufferIsValid(buffers[i]))
            continue;
        const std::size_t first = line_pointers[i].lp_off % BLCKSZ;
        const std::size_t n_bytes = std::min<std::size_t>(line_pointers[i].lp_len, BLCKSZ - first);
        if (n_bytes > 0)
            load_lines(static_cast<const char*>(BufferGetBlock(buffers[i])) + first, n_bytes);
    }
}

}  // namespace vext::pg
