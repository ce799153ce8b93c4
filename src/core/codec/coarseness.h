// Whether codes are fine enough to tell neighbours apart.
//
// Towards a neighbour, the estimate of a squared distance d from a code of x, at |x| from the
// centroid, errs by about e |x| sqrt(d / dimensions), with e the relative error of a code (see
// codec.h). Where clusters lie far from each other, that is more than the distances of neighbours
// differ by, and a search that orders by estimates finds any of a cluster: the measurement is in
// docs/decisions.md.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"

namespace vext::core {

/// Above this coarseness codes of 4 bits cost recall.
inline constexpr double kCoarseFor4Bits = 2.7;

/// A uniform sample of the vectors that are added.
class CoarsenessSample {
   public:
    CoarsenessSample(Arena& arena, std::size_t n_dims);

    /// Adds a vector of n_dims numbers; `random` is uniform over its type.
    void add(std::span<const float> vector, std::uint64_t random);

    /// |x| sqrt(d / dimensions) in differences between the squared distances to the nearest and
    /// the sixth nearest of the sample: the median over the sample, with |x| the distance from the
    /// `centroid` (n_dims numbers). 0 where the sample is small.
    double measure(std::span<const float> centroid) const;

   private:
    std::span<const float>
    vector(std::size_t i) const {
        return vectors_.subspan(i * n_dims_, n_dims_);
    }

    Arena arena_;
    std::size_t n_dims_;
    std::size_t capacity_;
    std::span<float> vectors_;
    std::size_t n_vectors_ = 0;
    std::uint64_t n_added_ = 0;
};

}  // namespace vext::core
