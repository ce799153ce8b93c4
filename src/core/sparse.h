// Sparse vectors: the entries that are not zero, by ascending index.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace vext::core {

/// Indices count from 0, ascend and are below n_dims; as many values, finite and not zero.
struct SparseView {
    std::int32_t n_dims;
    std::span<const std::int32_t> indices;
    std::span<const float> values;

    std::size_t
    size() const {
        return indices.size();
    }
};

struct SparseEntry {
    std::int32_t index;
    float value;
};

inline constexpr std::int32_t kMaxSparseDims = 1'000'000'000;
inline constexpr std::size_t kMaxSparseEntries = 16000;

// A sparse vector among code that takes vectors as floats: dimensions, the number of entries, their
// indices, their values. All but the values are integers in the place of floats.

constexpr std::size_t
packed_sparse_size(std::size_t n_entries) {
    return 2 + 2 * n_entries;
}

/// Requires: room for packed_sparse_size(vector.size()).
inline void
pack_sparse(const SparseView& vector, float* packed) {
    const auto n = static_cast<std::int32_t>(vector.size());
    std::memcpy(packed, &vector.n_dims, sizeof(float));
    std::memcpy(packed + 1, &n, sizeof(float));
    if (n == 0)
        return;
    std::memcpy(packed + 2, vector.indices.data(), vector.indices.size_bytes());
    std::memcpy(packed + 2 + n, vector.values.data(), vector.values.size_bytes());
}

/// The vector that pack_sparse has put there.
inline SparseView
unpack_sparse(const float* packed) {
    std::int32_t n_dims = 0;
    std::int32_t n = 0;
    std::memcpy(&n_dims, packed, sizeof(float));
    std::memcpy(&n, packed + 1, sizeof(float));
    const auto n_entries = static_cast<std::size_t>(n);
    return {n_dims,
            {reinterpret_cast<const std::int32_t*>(packed + 2), n_entries},
            {packed + 2 + n_entries, n_entries}};
}

/// What can be wrong with a sparse vector that comes as text or in a message.
enum class SparseError : std::uint8_t {
    kNone,
    kNoDimensions,  ///< less than one
    kTooManyDimensions,
    kTooManyElements,
    kIndexOutOfBounds,
    kDuplicateIndex,
    kNan,
    kInfinite,
    // Text.
    kNoOpeningBrace,
    kSyntax,
    kUnexpectedEnd,  ///< no `/` behind the closing brace
    kJunkAfterClosing,
    kOutOfRange,  ///< a number too large, or one too small that is not zero
    // Messages.
    kTooShort,
    kLeftOver,
    kNegativeCount,
    kMoreElementsThanDimensions,
    kUnusedNotZero,
    kNotAscending,
    kZero,
};

/// What is wrong with the index at place i, if those before it are sound.
inline SparseError
judge_index(std::int32_t index, std::size_t i, std::int32_t index_before, std::int32_t n_dims) {
    if (index < 0 || index >= n_dims)
        return SparseError::kIndexOutOfBounds;
    if (i > 0 && index == index_before)
        return SparseError::kDuplicateIndex;
    if (i > 0 && index < index_before)
        return SparseError::kNotAscending;
    return SparseError::kNone;
}

}  // namespace vext::core
