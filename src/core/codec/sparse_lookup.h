// A sparse vector by index, for measuring it from many others.
//
// Few of another vector's indices are among its own. So a first pass over them looks, without a
// branch, which of them may be, in a table of one place for many indices; only those are then
// compared. Whatever the indices are, nothing is read beyond the table or the vector.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/sparse.h"

namespace vext::core {

class SparseLookup {
   public:
    /// Memory from `arena`: room for own entries, see rooms(), and a table for about as many.
    SparseLookup(Arena& arena, std::size_t n_own)
        : shift_(shift_for(n_own)),
          heads_(arena.allocate_zeroed<std::uint16_t>(n_heads())),
          next_(arena.allocate<std::uint16_t>(kMaxSparseEntries)),
          own_indices_(arena.allocate<std::int32_t>(n_own)),
          own_values_(arena.allocate<float>(n_own)) {}

    /// What the constructor takes of memory.
    static constexpr std::size_t
    bytes_needed(std::size_t n_own) {
        return (sizeof(std::uint16_t) << (32 - shift_for(n_own))) +
               kMaxSparseEntries * sizeof(std::uint16_t) +
               n_own * (sizeof(std::int32_t) + sizeof(float)) + 4 * Arena::kAlignment;
    }

    /// Room for the entries of a vector that lives no longer than it is needed elsewhere.
    std::span<std::int32_t>
    own_indices() {
        return own_indices_;
    }
    std::span<float>
    own_values() {
        return own_values_;
    }

    /// Makes this the vector of these entries, which outlive its use. Requires: at most
    /// kMaxSparseEntries.
    void
    set(std::span<const std::int32_t> indices, std::span<const float> values) {
        std::memset(heads_.data(), 0, heads_.size_bytes());
        indices_ = indices;
        values_ = values;
        for (std::size_t i = 0; i < indices.size(); ++i) {
            std::uint16_t& head = heads_[head_of(indices[i])];
            next_[i] = head;
            head = static_cast<std::uint16_t>(i + 1);
        }
    }

    std::span<const std::int32_t>
    indices() const {
        return indices_;
    }
    std::span<const float>
    values() const {
        return values_;
    }

    /// Writes the positions of those `n` indices that may be among the vector's; returns how many.
    /// Requires: room for n.
    template <typename Index>
    std::size_t
    find(const Index* indices, std::size_t n, std::uint16_t* found) const {
        // What is written could be members as far as the compiler knows.
        const std::uint16_t* const heads = heads_.data();
        const unsigned shift = shift_;
        std::size_t n_found = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint16_t head = heads[hash(static_cast<std::int32_t>(indices[i])) >> shift];
            found[n_found] = static_cast<std::uint16_t>(i);
            n_found += head != 0 ? 1 : 0;
        }
        return n_found;
    }

    /// Calls visit(value) if the vector has the index.
    template <typename Visit>
    void
    with_value(std::int32_t index, Visit&& visit) const {
        for (std::size_t next = heads_[head_of(index)]; next != 0; next = next_[next - 1]) {
            if (indices_[next - 1] == index) {
                visit(values_[next - 1]);
                return;
            }
        }
    }

   private:
    static constexpr std::size_t kHeadsPerEntry = 8;
    static constexpr unsigned kMinBits = 8;
    static constexpr unsigned kMaxBits = 14;

    static constexpr unsigned
    shift_for(std::size_t n_own) {
        const auto bits = static_cast<unsigned>(std::bit_width(kHeadsPerEntry * n_own));
        return 32 - std::clamp(bits, kMinBits, kMaxBits);
    }
    std::size_t
    n_heads() const {
        return std::size_t{1} << (32 - shift_);
    }
    /// Below n_heads(), whatever the index is.
    std::size_t
    head_of(std::int32_t index) const {
        return hash(index) >> shift_;
    }
    static std::uint32_t
    hash(std::int32_t index) {
        return static_cast<std::uint32_t>(index) * 0x9e3779b1U;
    }

    unsigned shift_;
    std::span<std::uint16_t> heads_;  // of lists of places + 1 in the vector; 0 ends one
    std::span<std::uint16_t> next_;
    std::span<std::int32_t> own_indices_;
    std::span<float> own_values_;
    std::span<const std::int32_t> indices_;
    std::span<const float> values_;
};

static_assert(std::is_trivially_destructible_v<SparseLookup>);

}  // namespace vext::core
