// A point or rank near another, and the number that orders such ones.

#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "core/node_id.h"

namespace vext::core {

/// A point or rank near another, in the internal units of core/metric.h.
template <IdType Id>
struct Near {
    float distance;
    Id id;
};

/// Orders as the distance does: it with its sign made to order as an integer. Adding 0 makes the
/// one zero of the other.
inline std::int32_t
ordered_from(float distance) {
    const auto bits = std::bit_cast<std::int32_t>(distance + 0.0f);
    return bits ^ (bits >> 31 & 0x7fffffff);
}

/// Orders as the distance, then the id, do.
template <IdType Id>
std::int64_t
key_of(const Near<Id>& near) {
    const std::int32_t ordered = ordered_from(near.distance);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(ordered) << 32 |
                                     number_of(near.id));
}

template <IdType Id>
Near<Id>
near_of(std::int64_t key) {
    const auto ordered = static_cast<std::int32_t>(key >> 32);
    return {std::bit_cast<float>(ordered ^ (ordered >> 31 & 0x7fffffff)),
            static_cast<Id>(static_cast<std::uint32_t>(key))};
}

/// Orders as the distance does.
inline std::uint32_t
order_of(float distance) {
    return static_cast<std::uint32_t>(ordered_from(distance)) ^ 0x80000000;
}

/// Larger than any other.
inline constexpr std::int64_t kNoKey = std::numeric_limits<std::int64_t>::max();

}  // namespace vext::core
