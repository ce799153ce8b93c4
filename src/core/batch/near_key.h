// A point near another, and the number that orders such points.

#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace vext::core {

/// In the place of a point or rank: none.
inline constexpr std::uint32_t kNone = 0xffffffff;

/// A point or rank near another, in the internal units of core/metric.h.
struct Near {
    float distance;
    std::uint32_t id;
};

/// Orders as the distance, then the id, do: the distance with its sign made to order as an integer,
/// and the id below it. Adding 0 makes the one zero of the other.
inline std::int64_t
key_of(float distance, std::uint32_t id) {
    const auto bits = std::bit_cast<std::int32_t>(distance + 0.0f);
    const std::int32_t ordered = bits ^ (bits >> 31 & 0x7fffffff);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(ordered) << 32 | id);
}

inline Near
near_of(std::int64_t key) {
    const auto ordered = static_cast<std::int32_t>(key >> 32);
    return {std::bit_cast<float>(ordered ^ (ordered >> 31 & 0x7fffffff)),
            static_cast<std::uint32_t>(key)};
}

/// Orders as the distance does.
inline std::uint32_t
order_of(float distance) {
    return static_cast<std::uint32_t>(key_of(distance, 0) >> 32) ^ 0x80000000;
}

/// Larger than any other.
inline constexpr std::int64_t kNoKey = std::numeric_limits<std::int64_t>::max();

}  // namespace vext::core
