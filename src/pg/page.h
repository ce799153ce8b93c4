// Reading pages of a relation: pin, lock, call, unlock, unpin in one bracket.
//
// Locks: a bracket holds one content lock; the callback must not open another bracket on the same
// relation (content locks have no deadlock detection), call user code or check for interrupts. No
// pointer into the page leaves the callback. On an error the server releases pin and lock.

#pragma once

#include <cstdint>
#include <type_traits>

#include "pg/server.h"

extern "C" {
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
}

#include "pg/buffer_hints.h"
#include "pg/compat.h"

namespace vext::pg {

inline std::uint8_t*
page_bytes(Buffer buffer) {
    return reinterpret_cast<std::uint8_t*>(BufferGetPage(buffer));
}

/// A pinned buffer of `block`, taken from where it was last seen if it is still there. A vacuum
/// that is limited by cost pays the same for it either way.
inline Buffer
pin_block(Relation relation, BlockNumber block, BufferHints* hints,
          BufferAccessStrategy strategy = nullptr) {
    if (hints != nullptr) {
        const Buffer remembered = hints->find(block);
        if (BufferIsValid(remembered) && read_recent_buffer(relation, block, remembered)) {
            if (VacuumCostActive)
                charge_page_hit();
            return remembered;
        }
    }
    const Buffer buffer = ReadBufferExtended(relation, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
    if (hints != nullptr)
        hints->remember(block, buffer);
    return buffer;
}

/// Calls `look(const std::uint8_t* page)` under a share lock and returns what it returns.
template <typename Look>
auto
with_page(Relation relation, BlockNumber block, BufferHints* hints, Look&& look) {
    const Buffer buffer = pin_block(relation, block, hints);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    if constexpr (std::is_void_v<decltype(look(page_bytes(buffer)))>) {
        look(static_cast<const std::uint8_t*>(page_bytes(buffer)));
        UnlockReleaseBuffer(buffer);
    } else {
        const auto result = look(static_cast<const std::uint8_t*>(page_bytes(buffer)));
        UnlockReleaseBuffer(buffer);
        return result;
    }
}

/// Calls `look(first_page, second_page)` with both share-locked. Requires: first < second.
template <typename Look>
auto
with_two_pages(Relation relation, BlockNumber first, BlockNumber second, BufferHints* hints,
               Look&& look) {
    Assert(first < second);
    const Buffer first_buffer = pin_block(relation, first, hints);
    const Buffer second_buffer = pin_block(relation, second, hints);
    LockBuffer(first_buffer, BUFFER_LOCK_SHARE);
    LockBuffer(second_buffer, BUFFER_LOCK_SHARE);
    const auto result = look(static_cast<const std::uint8_t*>(page_bytes(first_buffer)),
                             static_cast<const std::uint8_t*>(page_bytes(second_buffer)));
    UnlockReleaseBuffer(second_buffer);
    UnlockReleaseBuffer(first_buffer);
    return result;
}

/// Whether a table's page has this line pointer in use.
inline bool
has_line_pointer(Relation table, BlockNumber block, OffsetNumber position) {
    const Buffer buffer = ReadBuffer(table, block);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const Page page = BufferGetPage(buffer);
    const bool is_used = !PageIsNew(page) && position >= FirstOffsetNumber &&
                         position <= PageGetMaxOffsetNumber(page) &&
                         ItemIdIsUsed(PageGetItemId(page, position));
    UnlockReleaseBuffer(buffer);
    return is_used;
}

}  // namespace vext::pg
