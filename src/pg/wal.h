// Changing pages of a relation: the one place that knows whether and how a change is logged.
//
// Locks: all pages of a change are pinned first, then locked exclusively in ascending block order,
// and unlocked together. Under the locks: no interrupts, no catalog access, no user code, no
// allocation that could be done before.

#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "pg/page.h"

extern "C" {
#include "access/generic_xlog.h"
#include "access/xloginsert.h"
#include "catalog/storage.h"
#include "miscadmin.h"
}

namespace vext::pg {

/// How changes reach the disk: as generic WAL records, or only as dirty buffers (an index under
/// construction, which nobody sees and which is logged whole at its end).
enum class WalMode : std::uint8_t { kLogged, kBuilding };

inline constexpr int kMostPagesOfChange = MAX_GENERIC_XLOG_PAGES;

/// A small set of blocks in ascending order, each once.
class BlockSet {
   public:
    /// Returns the position that `block` has once all blocks were added: ask `position` then.
    void
    add(BlockNumber block) {
        int i = 0;
        while (i < n_ && blocks_[i] < block)
            ++i;
        if (i < n_ && blocks_[i] == block)
            return;
        Assert(n_ < kMostPagesOfChange);
        for (int j = n_; j > i; --j)
            blocks_[j] = blocks_[j - 1];
        blocks_[i] = block;
        ++n_;
    }
    int
    position(BlockNumber block) const {
        for (int i = 0; i < n_; ++i)
            if (blocks_[i] == block)
                return i;
        return -1;
    }
    int
    size() const {
        return n_;
    }
    BlockNumber
    operator[](int i) const {
        return blocks_[i];
    }

   private:
    BlockNumber blocks_[kMostPagesOfChange] = {};
    int n_ = 0;
};

/// The pages of one change, by block.
class ChangedPages {
   public:
    std::uint8_t*
    operator()(BlockNumber block) const {
        return pages_[blocks_->position(block)];
    }

   private:
    template <typename Check, typename Apply>
    friend bool with_change(Relation, WalMode, const BlockSet&, BufferHints*, Check&&, Apply&&);

    const BlockSet* blocks_;
    std::uint8_t* pages_[kMostPagesOfChange];
};

/// Locks `blocks` exclusively, calls `check(pages)` to look, and, if it returns true,
/// `apply(pages)` to change them, as one WAL record. Returns what `check` returned. A page that is
/// all zero, or that `apply` overwrites, is logged as a full image.
template <typename Check, typename Apply>
bool
with_change(Relation relation, WalMode mode, const BlockSet& blocks, BufferHints* hints,
            Check&& check, Apply&& apply) {
    Buffer buffers[kMostPagesOfChange];
    ChangedPages pages;
    pages.blocks_ = &blocks;
    for (int i = 0; i < blocks.size(); ++i)
        buffers[i] = pin_block(relation, blocks[i], hints);
    for (int i = 0; i < blocks.size(); ++i) {
        LockBuffer(buffers[i], BUFFER_LOCK_EXCLUSIVE);
        pages.pages_[i] = page_bytes(buffers[i]);
    }
    const bool is_wanted = check(static_cast<const ChangedPages&>(pages));
    if (is_wanted && mode == WalMode::kLogged) {
        GenericXLogState* record = GenericXLogStart(relation);
        for (int i = 0; i < blocks.size(); ++i) {
            const bool is_new = PageIsNew(BufferGetPage(buffers[i]));
            pages.pages_[i] = reinterpret_cast<std::uint8_t*>(GenericXLogRegisterBuffer(
                record, buffers[i], is_new ? GENERIC_XLOG_FULL_IMAGE : 0));
        }
        apply(static_cast<const ChangedPages&>(pages));
        GenericXLogFinish(record);
    } else if (is_wanted) {
        START_CRIT_SECTION();
        apply(static_cast<const ChangedPages&>(pages));
        for (int i = 0; i < blocks.size(); ++i)
            MarkBufferDirty(buffers[i]);
        END_CRIT_SECTION();
    }
    for (int i = blocks.size() - 1; i >= 0; --i)
        UnlockReleaseBuffer(buffers[i]);
    return is_wanted;
}

/// Writes the whole page `block`, or a further one (P_NEW), of a relation that nobody else sees. Of
/// the init fork it is logged; a main fork is logged whole at its end (log_whole_relation).
inline void
write_page(Relation relation, ForkNumber fork, BlockNumber block, const std::uint8_t* bytes) {
    const Buffer buffer = ReadBufferExtended(relation, fork, block, RBM_ZERO_AND_LOCK, nullptr);
    START_CRIT_SECTION();
    std::memcpy(page_bytes(buffer), bytes, BLCKSZ);
    MarkBufferDirty(buffer);
    if (fork == INIT_FORKNUM)
        log_newpage_buffer(buffer, true);
    END_CRIT_SECTION();
    UnlockReleaseBuffer(buffer);
}

/// Takes all pages from a relation of which nobody else has any.
inline void
empty_file(Relation relation) {
    RelationTruncate(relation, 0);
}

/// Logs a relation written in WalMode::kBuilding as full-page images, if it needs WAL at all.
inline void
log_whole_relation(Relation relation) {
    if (RelationNeedsWAL(relation))
        log_newpage_range(relation, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(relation), true);
}

}  // namespace vext::pg
