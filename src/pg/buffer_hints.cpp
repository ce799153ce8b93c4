// See buffer_hints.h.

#include "pg/buffer_hints.h"

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

Table&
find_or_replace(const FileLocator& locator) {
    Table* oldest = &tables[0];
    for (Table& table : tables) {
        if (table.n_blocks != 0 && std::memcmp(&table.locator, &locator, sizeof(locator)) == 0)
            return table;
        if (table.last_opened < oldest->last_opened)
            oldest = &table;
    }
    oldest->locator = locator;
    oldest->hints = BufferHints();
    oldest->n_blocks = 0;
    return *oldest;
}

}  // namespace

BufferHints*
BufferHints::of(Relation relation, BlockNumber n_blocks) {
    if (RelationUsesLocalBuffers(relation))
        return nullptr;
    Table& table = find_or_replace(file_locator(relation));
    table.last_opened = ++n_opened;
    const BlockNumber wanted = std::min(n_blocks, kMostBlocks);
    if (table.n_blocks < std::max<BlockNumber>(wanted, 1)) {
        BlockNumber size = 64;
        while (size < wanted)
            size *= 2;
        auto* buffers =
            static_cast<Buffer*>(MemoryContextAllocZero(TopMemoryContext, size * sizeof(Buffer)));
        if (table.hints.buffers_ != nullptr) {
            // A larger table replaces the smaller one, whose hints stay good.
            for (BlockNumber i = 0; i < table.n_blocks; ++i)
                buffers[i] = table.hints.buffers_[i];
            pfree(table.hints.buffers_);
        }
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
