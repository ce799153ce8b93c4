// Sparse vectors: the entries that are not zero, by ascending index.

#pragma once

#include <cstddef>
#include <cstdint>
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
