// Bytes around an area of memory that nobody may change: a build with VEXT_CANARIES looks at them
// when the area goes and ends the server if they have changed; other builds have none.

#pragma once

#include <cstddef>
#include <cstdint>

#include "pg/server.h"

namespace vext::pg {

/// Bytes before an area, and again behind it.
#ifdef VEXT_CANARIES
inline constexpr std::size_t kCanaryBytes = 64;
#else
inline constexpr std::size_t kCanaryBytes = 0;
#endif

/// What an area takes beyond its size.
inline constexpr std::size_t kAroundArea = 2 * kCanaryBytes;

namespace internal {

/// In front of an area of `n_bytes`; behind it stands the pattern alone.
struct Canary {
    std::uint8_t pattern[48];
    std::uint64_t n_bytes;
    std::uint64_t n_bytes_again;
};
static_assert(kCanaryBytes == 0 || sizeof(Canary) == kCanaryBytes);

inline constexpr std::uint8_t kPattern = 0xC5;

inline bool
is_pattern(const std::uint8_t* bytes, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
        if (bytes[i] != kPattern)
            return false;
    return true;
}

}  // namespace internal

/// The area in a block of `n_bytes` + kAroundArea.
inline void*
put_canaries(void* block, std::size_t n_bytes) {
    auto* area = static_cast<std::uint8_t*>(block) + kCanaryBytes;
    if constexpr (kCanaryBytes > 0) {
        auto* front = static_cast<internal::Canary*>(block);
        std::memset(front->pattern, internal::kPattern, sizeof(front->pattern));
        front->n_bytes = front->n_bytes_again = n_bytes;
        std::memset(area + n_bytes, internal::kPattern, kCanaryBytes);
    }
    return area;
}

/// Ends the server when what is before or behind the area of `block` has changed.
inline void
check_canaries(const void* block) {
    if constexpr (kCanaryBytes > 0) {
        const auto* front = static_cast<const internal::Canary*>(block);
        const auto* area = static_cast<const std::uint8_t*>(block) + kCanaryBytes;
        if (front->n_bytes != front->n_bytes_again ||
            !internal::is_pattern(front->pattern, sizeof(front->pattern)) ||
            !internal::is_pattern(area + front->n_bytes, kCanaryBytes))
            elog(PANIC, "canary: memory around an area of %zu bytes was changed",
                 static_cast<std::size_t>(front->n_bytes));
    }
}

/// Checks `block`, which is part of `context`, when that is reset.
inline void
check_canaries_with(MemoryContext context, void* block) {
    if constexpr (kCanaryBytes > 0) {
        auto* callback = static_cast<MemoryContextCallback*>(
            MemoryContextAlloc(context, sizeof(MemoryContextCallback)));
        callback->func = [](void* seen) { check_canaries(seen); };
        callback->arg = block;
        MemoryContextRegisterResetCallback(context, callback);
    }
}

}  // namespace vext::pg
