// Bringing memory near before it is used.
//
// Whoever reads many scattered places touches all of them first: the loads overlap, and one wait
// takes the place of many. They are real loads whose result nobody uses. Prefetch instructions,
// which may be dropped where the processor has no translation of the page at hand, gained next to
// nothing in a search.

#pragma once

#include <cstddef>
#include <cstdint>

namespace vext::pg {

/// Loads the cache lines of `n_bytes` bytes, at least one. Requires: the memory is mapped.
inline void
load_lines(const void* first, std::size_t n_bytes) {
    constexpr std::size_t kCacheLine = 64;
    const auto* bytes = static_cast<const volatile std::uint8_t*>(first);
    for (std::size_t i = 0; i < n_bytes; i += kCacheLine)
        static_cast<void>(bytes[i]);
    static_cast<void>(bytes[n_bytes - 1]);
}

}  // namespace vext::pg
