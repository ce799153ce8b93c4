// A seeded orthonormal transform that spreads a vector's energy over all its coordinates, so that a
// few bits per coordinate serve every vector alike.
//
// A step flips signs at random in a block of B coordinates and applies the orthonormal
// Walsh-Hadamard transform to it; B is the largest power of two not above the padded dimension D.
// With B = D there are three steps. Otherwise the blocks are, twice over, the first B coordinates,
// the middle B and the last B: the middle one matters when B is little more than half of D and the
// outer two hardly overlap. Every step has signs of its own (two transforms with nothing between
// them would undo each other). Signs come from an integer hash, so a seed means the same transform
// on every machine, up to rounding. Part of the on-disk format.

#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/arena.h"

namespace vext::core {

/// The number of coordinates of a rotated or coded vector: a multiple of 16.
constexpr std::size_t
padded_dims(std::size_t n_dims) {
    return (n_dims + 15) / 16 * 16;
}

class Rotation {
   public:
    /// Its tables live in `arena`: 24 bytes a dimension at most. Requires: n_dims >= 1.
    Rotation(Arena& arena, std::size_t n_dims, std::uint64_t seed);

    std::size_t
    n_padded() const {
        return n_padded_;
    }

    /// Pads `in` (n_dims) with zeros and rotates it into `out` (n_padded); they may be the same.
    void apply(const float* in, float* out) const;

    /// A bound of |computed - exact| / |in| for float32 rounding.
    double relative_error() const;

   private:
    std::size_t block_offset(std::size_t step) const;

    std::size_t n_dims_;
    std::size_t n_padded_;
    std::size_t block_size_;
    std::size_t n_steps_;
    const float* signs_;  // block_size_ a step, each +-1 / sqrt(block_size_)
};

static_assert(std::is_trivially_destructible_v<Rotation>);

}  // namespace vext::core
