// Where the blocks of an index were last seen in the buffer pool. A hint may be wrong at any time;
// its reader checks the buffer's tag.
//
// The tables live until the backend ends, in our own memory (a relation cache entry can go at any
// invalidation), keyed by the full locator of the file: a few tables, the least recently opened is
// reused, each bounded.

#pragma once

#include <cstdint>

#include "pg/server.h"

extern "C" {
#include "storage/buf.h"
#include "utils/rel.h"
}

namespace vext::pg {

class BufferHints {
   public:
    /// The buffer that held `block`, or InvalidBuffer.
    Buffer
    find(BlockNumber block) const {
        return buffers_[block & mask_];
    }
    void
    remember(BlockNumber block, Buffer buffer) {
        buffers_[block & mask_] = buffer;
    }

    /// The hints of `relation`'s main file, made at need with room for `n_blocks`; null for
    /// temporary relations, whose buffers are not shared.
    static BufferHints* of(Relation relation, BlockNumber n_blocks);

    BlockNumber n_blocks = 0;       ///< of the file, when this session last asked
    std::uint64_t n_fallbacks = 0;  ///< glances that had to be repeated under a pin
    std::uint64_t n_cut_short = 0;  ///< searches that ended at a limit

   private:
    static constexpr BlockNumber kMostBlocks = 1U << 20;

    Buffer* buffers_ = nullptr;
    BlockNumber mask_ = 0;
};

/// ReadRecentBuffer of the main fork: pins `buffer` if it still holds `block`.
bool read_recent_buffer(Relation relation, BlockNumber block, Buffer buffer);

}  // namespace vext::pg
