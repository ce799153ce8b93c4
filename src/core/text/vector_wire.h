// The binary form of a vector: int16 dimensions, int16 unused (0), float32 each, in network order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

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
    std::int32_t n_dims;   ///< as the message says (unsigned 16 bits), also beside most errors
    std::int32_t unused;   ///< as the message says (signed 16 bits)
    bool looks_like_text;  ///< beside kTooManyDimensions: the message starts with `[`
};

/// Decodes `message` into `out`, whose size is the largest number of dimensions accepted.
DecodedVector decode_vector(std::span<const std::uint8_t> message, std::span<float> out);

constexpr std::size_t
wire_size(std::size_t n_dims) {
    return 4 + 4 * n_dims;
}

/// Requires: out.size() == wire_size(values.size()).
void encode_vector(std::span<const float> values, std::span<std::uint8_t> out);

}  // namespace vext::core
