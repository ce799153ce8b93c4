// The type `sparsevec`: a varlena of the entries that are not zero, by ascending index, of at least
// 1 and at most kMaxSparseDims dimensions, at most kMaxSparseEntries entries, all finite.
//
// The layout is on disk and shared with clients' binary dumps of heap pages; it never changes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/sparse.h"
#include "pg/compat.h"

namespace vext::types {

using core::kMaxSparseEntries;

struct SparseVector {
    std::int32_t vl_len_;  ///< varlena header, read and written by the server's macros only
    std::int32_t dim;
    std::int32_t nnz;
    std::int32_t unused;     ///< 0
    std::int32_t entries[];  ///< nnz indices, then nnz floats

    /// Unsigned, so that even a damaged count cannot contradict sparse_size().
    std::size_t
    n_entries() const {
        return static_cast<std::uint32_t>(nnz);
    }
    std::span<std::int32_t>
    indices() {
        return {entries, n_entries()};
    }
    std::span<float>
    values() {
        return {reinterpret_cast<float*>(entries + n_entries()), n_entries()};
    }
};

static_assert(sizeof(SparseVector) == 16 && alignof(SparseVector) == 4);
static_assert(std::is_trivial_v<SparseVector>);
static_assert(offsetof(SparseVector, dim) == 4 && offsetof(SparseVector, nnz) == 8);
static_assert(offsetof(SparseVector, unused) == 12 && offsetof(SparseVector, entries) == 16);

constexpr std::size_t
sparse_size(std::size_t n_entries) {
    return sizeof(SparseVector) + n_entries * (sizeof(std::int32_t) + sizeof(float));
}

/// Entries as they are stored: indices, then as many floats.
inline core::SparseView
view_of(std::int32_t n_dims, const void* entries, std::size_t n_bytes) {
    const std::size_t n_entries = n_bytes / (sizeof(std::int32_t) + sizeof(float));
    const auto* indices = static_cast<const std::int32_t*>(entries);
    const auto* values = reinterpret_cast<const float*>(indices + n_entries);
    return {n_dims, {indices, n_entries}, {values, n_entries}};
}

/// A sparse vector whose entries are not set, in the current memory context.
/// Requires: n_dims in 1..kMaxSparseDims, n_entries at most kMaxSparseEntries and n_dims.
SparseVector* new_sparse(std::int32_t n_dims, std::size_t n_entries);

/// One with these entries. Requires: as new_sparse, entries by ascending index.
SparseVector* new_sparse(std::int32_t n_dims, std::span<const core::SparseEntry> entries);

/// A sparse vector argument as the functions read it: a plain value stays where it is, one with a
/// short header (at most 14 entries) is copied into this object, a toasted one into the current
/// memory context. A value whose length contradicts its entries is reported as corrupt.
class SparseArgument {
   public:
    explicit SparseArgument(Datum datum) {
        auto* stored = reinterpret_cast<varlena*>(DatumGetPointer(datum));
        vector_ =
            VARATT_IS_EXTENDED(stored) ? unpack(stored) : reinterpret_cast<SparseVector*>(stored);
        if (unlikely(VARSIZE(vector_) != sparse_size(vector_->n_entries())))
            raise_corrupt();
    }
    SparseArgument(const SparseArgument&) = delete;

    core::SparseView
    view() const {
        return view_of(vector_->dim, vector_->entries, bytes().size());
    }
    std::int32_t
    n_dims() const {
        return vector_->dim;
    }
    /// The entries as they lie in memory.
    std::span<const std::uint8_t>
    bytes() const {
        return {reinterpret_cast<const std::uint8_t*>(vector_->entries),
                VARSIZE(vector_) - sizeof(SparseVector)};
    }

    /// Gives back the memory of a toasted value, for functions called in contexts that are not
    /// reset (comparison during a sort).
    void free_copy(Datum datum);

    /// Reports the value as damaged.
    [[noreturn]] static void raise_corrupt();

   private:
    static constexpr std::size_t kShortSize = 128;  ///< no short varlena is longer

    SparseVector* unpack(varlena* stored);

    SparseVector* vector_;
    alignas(SparseVector) char short_copy_[kShortSize];
};

static_assert(std::is_trivially_destructible_v<SparseArgument>);

}  // namespace vext::types
