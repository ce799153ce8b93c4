// Integer hashes that give the same numbers on every machine.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace vext::core {

/// The mixing step of SplitMix64 (Steele, Lea and Flood): a bijection of 64-bit numbers.
constexpr std::uint64_t
mix64(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// A hash of the elements' values: vectors that compare equal have equal hashes (-0 counts as 0).
/// Kept in the index, so part of the on-disk format.
inline std::uint32_t
hash_vector(const float* vector, std::size_t n_dims) {
    constexpr std::uint64_t kFactor = 0x9fb21c651e98df25u;
    constexpr std::size_t kLanes =
        4;  // independent chains: one alone waits for its multiplications
    std::uint64_t lanes[kLanes] = {mix64(n_dims), mix64(n_dims + 1), mix64(n_dims + 2),
                                   mix64(n_dims + 3)};
    for (std::size_t i = 0; i < n_dims; i++) {
        std::uint32_t bits = vector[i] == 0 ? 0 : std::bit_cast<std::uint32_t>(vector[i]);
        std::uint64_t& lane = lanes[i % kLanes];
        lane = std::rotl((lane ^ bits) * kFactor, 29);
    }
    std::uint64_t hash = 0;
    for (std::uint64_t lane : lanes)
        hash = mix64(hash ^ lane);
    return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

}  // namespace vext::core
