// Memory contexts: as arenas for the core, and as brackets around allocating server calls.

#pragma once

#include <cstddef>
#include <type_traits>

#include "core/arena.h"
#include "pg/canary.h"
#include "pg/server.h"

extern "C" {
#include "utils/memutils.h"
}

namespace vext::pg {

namespace internal {

/// An Arena::AllocateFunction over a MemoryContext. The server aligns to 8 bytes only, so each
/// block has room to be shifted; it is therefore never to be freed one by one.
inline void*
allocate_in_context(void* owner, std::size_t n_bytes) {
    constexpr std::size_t kSlack = core::Arena::kAlignment - MAXIMUM_ALIGNOF + kAroundArea;
    if (n_bytes > MaxAllocHugeSize - kSlack)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("requested memory size exceeds the limit of the address space"));
    auto context = static_cast<MemoryContext>(owner);
    void* block = reinterpret_cast<void*>(
        TYPEALIGN(core::Arena::kAlignment, MemoryContextAllocHuge(context, n_bytes + kSlack)));
    check_canaries_with(context, block);
    return put_canaries(block, n_bytes);
}

}  // namespace internal

/// An arena whose memory lives until `context` is reset or deleted.
inline core::Arena
context_arena(MemoryContext context) {
    return core::Arena(context, internal::allocate_in_context);
}

/// Runs `body` with `context` as the current memory context and returns what it returns. After an
/// error the server restores the context itself.
template <typename Body>
auto
in_context(MemoryContext context, Body&& body) {
    MemoryContext previous = MemoryContextSwitchTo(context);
    if constexpr (std::is_void_v<decltype(body())>) {
        body();
        MemoryContextSwitchTo(previous);
    } else {
        auto result = body();
        MemoryContextSwitchTo(previous);
        return result;
    }
}

}  // namespace vext::pg
