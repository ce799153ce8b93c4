// Reading a few bytes of a shared page without pinning its buffer.
//
// A pin costs two atomic operations, and those stop the processor from overlapping the memory
// accesses of the next candidates; a search touches hundreds of pages for a distance each. So a
// glance reads the bytes where the page was last seen and then makes sure that it was still there:
//
//   1. The remembered buffer number is in range (BufferHints only ever holds numbers the server
//   gave).
//   2. The descriptor's tag is the wanted page's.                                  read barrier
//   3. The state says valid, not locked, and a usage count of at least 2.          read barrier
//   4. The caller's bytes are read.                                                read barrier
//   5. The tag is still the wanted page's.
//
// Why it is safe to read: buffer memory is mapped for the life of the server, so a stale address
// reads other bytes, never faults. Why the answer is nearly always right: a buffer's tag changes
// before another page is read into it (the victim is invalidated under its header lock, BM_VALID
// cleared, and its new tag set before the read starts), so bytes of another page imply a changed
// tag at 5 or a missing BM_VALID at 3.
//
// What stays possible: the same page evicted and read back between 2 and 5; a standby restoring a
// full-page image; a writer changing the record in between. Then the bytes may be torn. The answer
// of a glance is therefore advisory: a distance that orders candidates, never an id, length or
// pointer that is followed, never a row that is returned. Whoever returns or links re-reads under a
// pin.
//
// The usage count: a glance does not raise it, so a page that only glances use would look unused to
// the clock sweep. A count below 2 sends the reader to ReadBuffer, which raises it.
//
// Compiled for the server versions whose buffer manager was read (compat.h); never used for
// temporary relations, whose buffers are not shared.

#pragma once

#include <cstdint>

#include "pg/server.h"

extern "C" {
#include "storage/buf_internals.h"
#include "utils/rel.h"
}

#include "pg/buffer_hints.h"
#include "pg/compat.h"
#include "pg/touch.h"

namespace vext::pg {

class Glance {
   public:
    /// With null hints, or where glances are switched off, every glance fails.
    Glance(Relation relation, const BufferHints* hints)
        : hints_(kGlancesAreKnown ? hints : nullptr) {
        static_assert(sizeof(BufferTag) == kTagWords * sizeof(uint32));
        const FileLocator locator = file_locator(relation);
        std::memcpy(tag_, &locator, sizeof(locator));
        tag_[3] = MAIN_FORKNUM;
    }

    bool
    is_possible() const {
        return hints_ != nullptr;
    }

    /// Calls `read(const volatile std::uint8_t* page)` and returns whether the page was there
    /// before and after.
    template <typename Read>
    bool
    operator()(BlockNumber block, Read&& read) const {
        const Buffer buffer = hints_->find(block);
        if (buffer <= 0 || buffer > NBuffers)
            return false;
        const BufferDesc* descriptor = GetBufferDescriptor(buffer - 1);
        if (!has_tag(descriptor, block))
            return false;
        pg_read_barrier();
        const auto state = descriptor->state.value;
        if ((state & (BM_VALID | BM_LOCKED)) != BM_VALID || BUF_STATE_GET_USAGECOUNT(state) < 2)
            return false;
        pg_read_barrier();
        read(static_cast<const std::uint8_t*>(BufferGetBlock(buffer)));
        pg_read_barrier();
        return has_tag(descriptor, block);
    }

    /// Calls `load(const std::uint8_t* page)` where the page was last seen, which may be another
    /// page by now, and loads its descriptor: for load_lines() only. Requires: is_possible().
    template <typename Load>
    void
    touch(BlockNumber block, Load&& load) const {
        const Buffer buffer = hints_->find(block);
        if (buffer <= 0 || buffer > NBuffers)
            return;
        load_lines(&GetBufferDescriptor(buffer - 1)->tag, 1);
        load(static_cast<const std::uint8_t*>(BufferGetBlock(buffer)));
    }

   private:
    static constexpr int kTagWords = 5;  // tablespace, database, file number, fork, block

    bool
    has_tag(const BufferDesc* descriptor, BlockNumber block) const {
        const auto* words = reinterpret_cast<const volatile uint32*>(&descriptor->tag);
        return words[4] == block && words[2] == tag_[2] && words[1] == tag_[1] &&
               words[0] == tag_[0] && words[3] == tag_[3];
    }

    const BufferHints* hints_;
    uint32 tag_[4];
};

}  // namespace vext::pg
