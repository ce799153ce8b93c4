// Half precision (IEEE 754 binary16), the numbers of the type `halfvec`: a way to store numbers,
// not to reckon with them. They are widened to float32, which holds each of them exactly, and what
// is reckoned is rounded back, to the nearest and of two to the even one.
//
// These conversions need no CPU level; whole arrays go through the kernels
// (core/distance/kernels.h), which give the same bits.
//
// The overloads for float32 are what templates over both kinds of numbers call.

#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace vext::core {

/// 1 bit of sign, 5 of exponent, 10 of fraction.
struct Half {
    std::uint16_t bits;
};

static_assert(sizeof(Half) == 2);

constexpr float
to_float(float value) {
    return value;
}

// Without branches, so that loops over it become vector instructions.
inline float
to_float(Half value) {
    constexpr std::uint32_t kExponent = 0x7c00U << 13;
    constexpr std::uint32_t kRebias = (127U - 15U) << 23;
    const std::uint32_t magnitude = (value.bits & 0x7fffU) << 13;
    const std::uint32_t exponent = magnitude & kExponent;
    const std::uint32_t normal = magnitude + kRebias;
    // Of a subnormal number a subtraction finds the leading bit.
    const auto subnormal =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(normal + (1U << 23)) - 0x1p-14F);
    const std::uint32_t subnormal_mask = 0U - static_cast<std::uint32_t>(exponent == 0);
    const std::uint32_t not_finite_mask = 0U - static_cast<std::uint32_t>(exponent == kExponent);
    const std::uint32_t bits =
        (subnormal & subnormal_mask) | ((normal + (kRebias & not_finite_mask)) & ~subnormal_mask);
    return std::bit_cast<float>(bits | (value.bits & 0x8000U) << 16);
}

/// From 65520 on the result is infinite; what is at most 2^-25 becomes zero and keeps its sign.
inline Half
to_half(float value) {
    const auto signed_bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = signed_bits >> 16 & 0x8000U;
    std::uint32_t bits = signed_bits & 0x7fffffffU;
    if (bits >= std::bit_cast<std::uint32_t>(65536.F)) {
        bits = bits > 0x7f800000U ? 0x7e00U : 0x7c00U;
    } else if (bits < std::bit_cast<std::uint32_t>(0x1p-14F)) {
        // Numbers from 0.5 on are as far apart as subnormal halves: the addition rounds.
        bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(bits) + 0.5F) -
               std::bit_cast<std::uint32_t>(0.5F);
    } else {
        const std::uint32_t is_odd = bits >> 13 & 1U;
        bits = (bits - ((127U - 15U) << 23) + 0xfffU + is_odd) >> 13;
    }
    return {static_cast<std::uint16_t>(sign | bits)};
}

/// The nearest number of the kind T.
template <typename T>
T round_to(float value);

template <>
inline float
round_to<float>(float value) {
    return value;
}

template <>
inline Half
round_to<Half>(float value) {
    return to_half(value);
}

inline bool
is_infinite(float value) {
    return std::isinf(value);
}

inline bool
is_infinite(Half value) {
    return (value.bits & 0x7fffU) == 0x7c00U;
}

inline bool
is_finite(float value) {
    return (std::bit_cast<std::uint32_t>(value) & 0x7f800000U) != 0x7f800000U;
}

inline bool
is_finite(Half value) {
    return (value.bits & 0x7c00U) != 0x7c00U;
}

inline bool
is_nan(float value) {
    return std::isnan(value);
}

inline bool
is_nan(Half value) {
    return (value.bits & 0x7fffU) > 0x7c00U;
}

}  // namespace vext::core
