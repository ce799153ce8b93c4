// Reads and writes the binary form of a sparse vector.
//
// Checks come in a fixed order, which clients see as SQLSTATEs: header, dimensions, number of
// entries, unused, length of the body, indices, values, left-over bytes.

#include "core/text/sparse_wire.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace vext::core {

namespace {

constexpr std::size_t kHeaderSize = sparse_wire_size(0);

/// Between network order and the order of this machine; its own inverse.
std::uint32_t
swap_network_order(std::uint32_t bits) {
    return std::endian::native == std::endian::little ? __builtin_bswap32(bits) : bits;
}

std::uint32_t
load_word(const std::uint8_t* p) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, p, sizeof bits);
    return swap_network_order(bits);
}

std::uint8_t*
store_word(std::uint32_t bits, std::uint8_t* p) {
    bits = swap_network_order(bits);
    std::memcpy(p, &bits, sizeof bits);
    return p + sizeof bits;
}

SparseError
judge_value(float value) {
    if (std::isnan(value))
        return SparseError::kNan;
    if (std::isinf(value))
        return SparseError::kInfinite;
    return value == 0 ? SparseError::kZero : SparseError::kNone;
}

SparseError
judge_counts(std::int32_t n_dims, std::int32_t n_entries, std::size_t max_entries) {
    if (n_dims < 1)
        return SparseError::kNoDimensions;
    if (n_dims > kMaxSparseDims)
        return SparseError::kTooManyDimensions;
    if (n_entries < 0)
        return SparseError::kNegativeCount;
    if (static_cast<std::size_t>(n_entries) > max_entries)
        return SparseError::kTooManyElements;
    if (n_entries > n_dims)
        return SparseError::kMoreElementsThanDimensions;
    return SparseError::kNone;
}

/// Decodes the indices, then the values, at `p`.
SparseError
decode_entries(const std::uint8_t* p, std::int32_t n_dims, std::span<SparseEntry> entries) {
    std::int32_t before = 0;
    for (std::size_t i = 0; i < entries.size(); ++i, p += 4) {
        entries[i].index = static_cast<std::int32_t>(load_word(p));
        const SparseError error = judge_index(entries[i].index, i, before, n_dims);
        if (error != SparseError::kNone)
            return error;
        before = entries[i].index;
    }
    for (SparseEntry& entry : entries) {
        entry.value = std::bit_cast<float>(load_word(p));
        const SparseError error = judge_value(entry.value);
        if (error != SparseError::kNone)
            return error;
        p += 4;
    }
    return SparseError::kNone;
}

}  // namespace

DecodedSparse
decode_sparse(std::span<const std::uint8_t> message, std::span<SparseEntry> out) {
    DecodedSparse decoded{SparseError::kTooShort, 0, 0, 0, false};
    if (message.size() < kHeaderSize)
        return decoded;
    const auto n_dims = static_cast<std::int32_t>(load_word(message.data()));
    const auto n_entries = static_cast<std::int32_t>(load_word(message.data() + 4));
    decoded.unused = static_cast<std::int32_t>(load_word(message.data() + 8));
    decoded.error = judge_counts(n_dims, n_entries, out.size());
    decoded.looks_like_text = decoded.error == SparseError::kTooManyDimensions && message[0] == '{';
    if (decoded.error != SparseError::kNone)
        return decoded;

    decoded.n_dims = n_dims;
    decoded.n_entries = static_cast<std::size_t>(n_entries);
    const std::size_t n_bytes = sparse_wire_size(decoded.n_entries);
    if (decoded.unused != 0)
        decoded.error = SparseError::kUnusedNotZero;
    else if (message.size() < n_bytes)
        decoded.error = SparseError::kTooShort;
    else
        decoded.error =
            decode_entries(message.data() + kHeaderSize, n_dims, out.first(decoded.n_entries));
    if (decoded.error == SparseError::kNone && message.size() > n_bytes)
        decoded.error = SparseError::kLeftOver;
    return decoded;
}

void
encode_sparse(const SparseView& vector, std::span<std::uint8_t> out) {
    std::uint8_t* p = store_word(static_cast<std::uint32_t>(vector.n_dims), out.data());
    p = store_word(static_cast<std::uint32_t>(vector.size()), p);
    p = store_word(0, p);
    for (std::int32_t index : vector.indices)
        p = store_word(static_cast<std::uint32_t>(index), p);
    for (float value : vector.values)
        p = store_word(std::bit_cast<std::uint32_t>(value), p);
}

}  // namespace vext::core
