// The binary form of a sparse vector, in network order: int32 dimensions, int32 entries, int32
// unused (0), an int32 index each, which count from 0 and ascend, then a float32 each, none zero.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/sparse.h"

namespace vext::core {

struct DecodedSparse {
    SparseError error;
    std::int32_t n_dims;  ///< 0 beside errors that come before it is read and sound
    std::size_t n_entries;
    std::int32_t unused;   ///< as the message says
    bool looks_like_text;  ///< beside kTooManyDimensions: the message starts with `{`
};

/// Decodes `message` into `out`, whose size is the largest number of entries accepted.
DecodedSparse decode_sparse(std::span<const std::uint8_t> message, std::span<SparseEntry> out);

constexpr std::size_t
sparse_wire_size(std::size_t n_entries) {
    return 12 + 8 * n_entries;
}

/// Requires: out.size() == sparse_wire_size(vector.size()).
void encode_sparse(const SparseView& vector, std::span<std::uint8_t> out);

}  // namespace vext::core
