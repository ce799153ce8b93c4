// See buffer_hints.h.

#include "pg/buffer_hints.h"

#include <algorithm>
#include <cstring>

#include "pg/compat.h"
#include "pg/memory.h"

namespace vext::pg {

namespace {

constexpr int kTables = 16;

struct Table {
    FileLocator locator;
    BufferHints hints;
    BlockNumber n_blocks;  // 0: not in use
    uint64 last_opened;
};

constinit Table tables[kTables] = {};
constinit uint64 n_opened = 0;

bool
is_of(const Table& table, const FileLocator& locator) {
    return table.n_blocks != 0 && std::memcmp(&table.locator, &locator, sizeof(locator)) == 0;
}

// The table of a file, or the one to be reused for it.
Table&
find_or_oldest(const FileLocator& locator) {
    Table* oldest = &tables[0];
    for (Table& table : tables) {
        if (is_of(table, locator))
            return table;
        if (table.last_opened < oldest->last_opened)
            oldest = &table;
    }
    return *oldest;
}

}  // namespace

BufferHints*
BufferHints::of(Relation relation, BlockNumber n_blocks) {
    if (RelationUsesLocalBuffers(relation))
        return nullptr;
    const FileLocator locator = file_locator(relation);
    Table& table = find_or_oldest(locator);
    table.last_opened = ++n_opened;
    const BlockNumber wanted = std::min(n_blocks, kMostBlocks);
    const BlockNumber n_kept = is_of(table, locator) ? table.n_blocks : 0;
    if (n_kept < std::max<BlockNumber>(wanted, 1)) {
        BlockNumber size = 64;
        while (size < wanted)
            size *= 2;
        auto* buffers =
            static_cast<Buffer*>(MemoryContextAllocZero(TopMemoryContext, size * sizeof(Buffer)));
        // A larger table of the same file replaces the smaller one, whose hints stay good.
        for (BlockNumber i = 0; i < n_kept; ++i)
            buffers[i] = table.hints.buffers_[i];
        if (table.hints.buffers_ != nullptr)
            pfree(table.hints.buffers_);
        if (n_kept == 0) {
            table.hints.n_blocks = 0;
            table.hints.n_fallbacks = 0;
            table.hints.n_cut_short = 0;
        }
        table.locator = locator;
        table.hints.buffers_ = buffers;
        table.hints.mask_ = size - 1;
        table.n_blocks = size;
    }
    return &table.hints;
}

bool
read_recent_buffer(Relation relation, BlockNumber block, Buffer buffer) {
    return ReadRecentBuffer(file_locator(relation), MAIN_FORKNUM, block, buffer);
}

}  // namespace vext::pg
