// The text form of a sparse vector: `{1:1.5,3:2}/5`, whose indices count from 1.
//
// Numbers are read and printed as those of a vector are, but what is too small for float32 is an
// error. Entries may come in any order; zeros are left out, wherever they stand.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/sparse.h"

namespace vext::core {

struct ParsedSparse {
    SparseError error;
    std::int32_t n_dims;      ///< 0 beside errors that come before it is read and sound
    std::size_t n_entries;    ///< when error is kNone
    std::string_view number;  ///< the offending number, when error is kOutOfRange
};

/// Reads `text` into `out`, by ascending index; its size is the largest number of entries accepted.
/// Never reads outside `text`. The first error from the left decides, but those of indices come
/// after all others. Requires: LC_NUMERIC is C, as in every backend.
ParsedSparse parse_sparse(std::string_view text, std::span<SparseEntry> out);

/// An upper bound of the bytes that print_sparse writes for so many entries.
constexpr std::size_t
printed_sparse_limit(std::size_t n_entries) {
    return 13 + n_entries * 27;
}

/// Writes the text form to `out` without a terminating zero; returns the bytes written.
/// Requires: out.size() >= printed_sparse_limit(vector.size()).
std::size_t print_sparse(const SparseView& vector, std::span<char> out);

}  // namespace vext::core
