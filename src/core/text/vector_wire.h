// The binary form of a vector: int16 dimensions, int16 unused (0), its numbers (float32 or halves),
// in network order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/half.h"

namespace vext::core {

enum class WireError : std::uint8_t {
    kNone,
    kTooShort,  ///< the message ends before its last dimension
    kLeftOver,  ///< bytes follow the last dimension
    kNoDimensions,
    kTooManyDimensions,
    kUnusedNotZero,
    kNan,
    kInfinite,
};

struct DecodedVector {
    WireError error;
    std::int32_t n_dims;    ///< as the message says (unsigned 16 bits), also beside most errors
    std::int32_t unused;    ///< as the message says (signed 16 bits)
    bool looks_like_text;   ///< beside kTooManyDimensions: the message starts with `[`
    bool looks_like_array;  ///< beside kNoDimensions: the message begins as a SQL array of numbers
};

/// Decodes `message` into `out`, whose size is the largest number of dimensions accepted.
DecodedVector decode_vector(std::span<const std::uint8_t> message, std::span<float> out);
DecodedVector decode_vector(std::span<const std::uint8_t> message, std::span<Half> out);

template <typename Number = float>
constexpr std::size_t
wire_size(std::size_t n_dims) {
    return 4 + sizeof(Number) * n_dims;
}

/// Requires: out.size() == wire_size<Number>(values.size()).
void encode_vector(std::span<const float> values, std::span<std::uint8_t> out);
void encode_vector(std::span<const Half> values, std::span<std::uint8_t> out);

}  // namespace vext::core
