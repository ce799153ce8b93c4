// Four float32 lanes, which every supported CPU has in its baseline (SSE2, NEON): they keep the
// preparing of vectors and queries fast without CPU flags and without a place in the kernel table.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vext::core {

using Floats [[gnu::vector_size(16)]] = float;
using Ints [[gnu::vector_size(16)]] = std::int32_t;
using Bytes [[gnu::vector_size(4)]] = std::uint8_t;
using ByteBlock [[gnu::vector_size(16)]] = std::uint8_t;

inline constexpr std::size_t kLanes = 4;

inline Floats
load(const float* p) {
    Floats x;
    std::memcpy(&x, p, sizeof(x));
    return x;
}

inline void
store(float* p, Floats x) {
    std::memcpy(p, &x, sizeof(x));
}

inline Bytes
load_bytes(const std::uint8_t* p) {
    Bytes x;
    std::memcpy(&x, p, sizeof(x));
    return x;
}

/// Stores the low byte of every lane, signed or not.
template <typename Byte>
inline void
store_bytes(Byte* p, Ints x) {
    static_assert(sizeof(Byte) == 1);
    const Bytes bytes = __builtin_convertvector(x, Bytes);
    std::memcpy(p, &bytes, sizeof(bytes));
}

inline Ints
to_ints(Bytes x) {
    return __builtin_convertvector(x, Ints);
}

inline Floats
to_floats(Ints x) {
    return __builtin_convertvector(x, Floats);
}

/// Towards zero. Requires: the values fit.
inline Ints
truncate(Floats x) {
    return __builtin_convertvector(x, Ints);
}

inline Floats
spread(float x) {
    return Floats{x, x, x, x};
}

/// The larger of each lane; `b` where `a` is not a number.
inline Floats
max(Floats a, Floats b) {
    return a > b ? a : b;
}

inline Floats
min(Floats a, Floats b) {
    return a < b ? a : b;
}

inline Floats
magnitude(Floats x) {
    return max(x, -x);
}

inline float
largest_of(Floats x) {
    const float first = x[0] > x[1] ? x[0] : x[1];
    const float second = x[2] > x[3] ? x[2] : x[3];
    return first > second ? first : second;
}

/// The sums of four bytes each.
inline Ints
sums_of_bytes(ByteBlock x) {
    using Pairs [[gnu::vector_size(16)]] = std::uint16_t;
    using Fours [[gnu::vector_size(16)]] = std::uint32_t;
    const Pairs pairs = (reinterpret_cast<Pairs>(x) & 0xff) + (reinterpret_cast<Pairs>(x) >> 8);
    const auto fours = reinterpret_cast<Fours>(pairs);
    return reinterpret_cast<Ints>((fours & 0xffff) + (fours >> 16));
}

template <typename Lanes>
inline auto
sum_of(Lanes x) {
    return (x[0] + x[1]) + (x[2] + x[3]);
}

}  // namespace vext::core
