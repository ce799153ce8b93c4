// The bytes of a sparse code: the sum of the entries' squares (L1: magnitudes) as a float64, their
// number in 32 bits, their values, their indices, zeros. Indices have 16 bits where that is enough
// for the dimensions.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/codec/code.h"

namespace vext::core {

inline constexpr std::size_t kSparseNumberOffset = sizeof(double);
inline constexpr std::size_t kSparseValuesOffset = kSparseNumberOffset + sizeof(std::uint32_t);

constexpr bool
has_short_indices(std::size_t n_dims) {
    return n_dims <= std::size_t{1} << 16;
}

/// What a code holds, with as many entries as there is room for where it claims more.
struct SparseCode {
    double norm;
    std::size_t n;
    const float* values;
    const std::uint8_t* indices;
    bool is_short;

    /// Calls visit(indices), with a pointer to the type that they have.
    template <typename Visit>
    auto
    with_indices(Visit&& visit) const {
        if (is_short)
            return visit(reinterpret_cast<const std::uint16_t*>(indices));
        return visit(reinterpret_cast<const std::int32_t*>(indices));
    }
};

/// Of a codec for so many dimensions and entries.
inline SparseCode
sparse_code(std::size_t n_dims, std::size_t n_entries, const std::uint8_t* code) {
    SparseCode parts = {};
    std::memcpy(&parts.norm, code, sizeof(double));
    // Once: a writer may be at work.
    const std::uint32_t n =
        *reinterpret_cast<const volatile std::uint32_t*>(code + kSparseNumberOffset);
    parts.n = std::min<std::size_t>({n, n_entries, kMostEntriesOfCode});
    parts.values = reinterpret_cast<const float*>(code + kSparseValuesOffset);
    parts.indices = code + kSparseValuesOffset + parts.n * sizeof(float);
    parts.is_short = has_short_indices(n_dims);
    return parts;
}

}  // namespace vext::core
