// Reads and writes the binary form of a vector.
//
// Checks come in a fixed order, which clients see as SQLSTATEs: header, dimensions, unused, length
// of the body, finite values, left-over bytes.

#include "core/text/vector_wire.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

namespace vext::core {

namespace {

constexpr std::size_t kHeaderSize = wire_size<float>(0);

// An array begins with the number of its dimensions, whether it has NULL, and the type of its
// elements: smallint, integer, bigint, real, double precision, numeric.
bool
looks_like_array(std::span<const std::uint8_t> message) {
    constexpr std::uint16_t kTypes[] = {21, 23, 20, 700, 701, 1700};
    constexpr std::size_t kArrayHeader = 12;
    if (message.size() < kArrayHeader || message[4] != 0 || message[5] != 0 || message[6] != 0 ||
        message[7] > 1 || message[8] != 0 || message[9] != 0)
        return false;
    const auto type = static_cast<std::uint16_t>(message[10] << 8 | message[11]);
    return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

std::uint16_t
load_uint16(const std::uint8_t* p) {
    return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}

template <typename Number>
using BitsOf = std::conditional_t<sizeof(Number) == 4, std::uint32_t, std::uint16_t>;

/// Between network order and the order of this machine; its own inverse.
std::uint32_t
swap_network_order(std::uint32_t bits) {
    return std::endian::native == std::endian::little ? __builtin_bswap32(bits) : bits;
}

std::uint16_t
swap_network_order(std::uint16_t bits) {
    return std::endian::native == std::endian::little ? __builtin_bswap16(bits) : bits;
}

/// Decodes `values.size()` numbers from `p`. Returns whether all are finite.
template <typename Number>
bool
decode_values(const std::uint8_t* p, std::span<Number> values) {
    bool all_finite = true;
    for (Number& value : values) {
        BitsOf<Number> bits = 0;
        std::memcpy(&bits, p, sizeof bits);
        value = std::bit_cast<Number>(swap_network_order(bits));
        all_finite &= is_finite(value);
        p += sizeof bits;
    }
    return all_finite;
}

template <typename Number>
WireError
to_error_of_first_not_finite(std::span<const Number> values) {
    for (Number value : values) {
        if (is_nan(value))
            return WireError::kNan;
        if (is_infinite(value))
            return WireError::kInfinite;
    }
    return WireError::kNone;
}

template <typename Number>
DecodedVector
decode(std::span<const std::uint8_t> message, std::span<Number> out) {
    DecodedVector decoded{WireError::kTooShort, 0, 0, false, false};
    if (message.size() < kHeaderSize)
        return decoded;
    decoded.n_dims = load_uint16(message.data());
    decoded.unused = static_cast<std::int16_t>(load_uint16(message.data() + 2));

    const std::size_t n_dims = decoded.n_dims;
    if (n_dims == 0) {
        decoded.error = WireError::kNoDimensions;
        decoded.looks_like_array = looks_like_array(message);
    } else if (n_dims > out.size()) {
        decoded.error = WireError::kTooManyDimensions;
        decoded.looks_like_text = message[0] == '[';
    } else if (decoded.unused != 0) {
        decoded.error = WireError::kUnusedNotZero;
    } else if (message.size() < wire_size<Number>(n_dims)) {
        decoded.error = WireError::kTooShort;
    } else if (!decode_values(message.data() + kHeaderSize, out.first(n_dims))) {
        decoded.error = to_error_of_first_not_finite<Number>(out.first(n_dims));
    } else if (message.size() > wire_size<Number>(n_dims)) {
        decoded.error = WireError::kLeftOver;
    } else {
        decoded.error = WireError::kNone;
    }
    return decoded;
}

template <typename Number>
void
encode(std::span<const Number> values, std::span<std::uint8_t> out) {
    std::uint8_t* p = out.data();
    p[0] = static_cast<std::uint8_t>(values.size() >> 8);
    p[1] = static_cast<std::uint8_t>(values.size());
    p[2] = 0;
    p[3] = 0;
    p += kHeaderSize;
    for (Number value : values) {
        const auto bits = swap_network_order(std::bit_cast<BitsOf<Number>>(value));
        std::memcpy(p, &bits, sizeof bits);
        p += sizeof bits;
    }
}

}  // namespace

DecodedVector
decode_vector(std::span<const std::uint8_t> message, std::span<float> out) {
    return decode(message, out);
}

DecodedVector
decode_vector(std::span<const std::uint8_t> message, std::span<Half> out) {
    return decode(message, out);
}

void
encode_vector(std::span<const float> values, std::span<std::uint8_t> out) {
    encode(values, out);
}

void
encode_vector(std::span<const Half> values, std::span<std::uint8_t> out) {
    encode(values, out);
}

}  // namespace vext::core
