// See coarseness.h.

#include "core/codec/coarseness.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/array.h"
#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

// The sample is bounded in vectors and in bytes.
constexpr std::size_t kMostVectors = 512;
constexpr std::size_t kMostBytes = std::size_t{8} << 20;
constexpr std::size_t kFewVectors = 16;

// The squared distances to the nearest others, in order.
class Nearest {
   public:
    Nearest() { distances_.fill(std::numeric_limits<float>::infinity()); }

    void
    add(float distance) {
        if (!(distance < distances_.back()))
            return;
        distances_.back() = distance;
        for (std::size_t i = distances_.size() - 1; i > 0 && distance < distances_[i - 1]; --i)
            std::swap(distances_[i], distances_[i - 1]);
    }
    double
    first() const {
        return distances_.front();
    }
    double
    spread() const {
        return static_cast<double>(distances_.back()) - distances_.front();
    }

   private:
    std::array<float, 6> distances_;
};

}  // namespace

CoarsenessSample::CoarsenessSample(Arena& arena, std::size_t n_dims)
    : arena_(arena),
      n_dims_(n_dims),
      capacity_(std::min(kMostVectors, kMostBytes / (n_dims * sizeof(float)))),
      vectors_(arena.allocate<float>(capacity_ * n_dims)) {
}

void
CoarsenessSample::add(std::span<const float> vector, std::uint64_t random) {
    const std::size_t place = n_added_ < capacity_ ? n_added_ : random % (n_added_ + 1);
    ++n_added_;
    if (place >= capacity_)
        return;
    std::ranges::copy(vector, vectors_.subspan(place * n_dims_).begin());
    n_vectors_ = std::max(n_vectors_, place + 1);
}

double
CoarsenessSample::measure(std::span<const float> centroid) const {
    if (n_vectors_ < kFewVectors)
        return 0;
    Arena arena = arena_;
    const std::span<Nearest> nearest = arena.allocate<Nearest>(n_vectors_);
    std::ranges::fill(nearest, Nearest());
    Array<double> shares(arena, n_vectors_);
    for (std::size_t i = 0; i < n_vectors_; ++i) {
        for (std::size_t j = i + 1; j < n_vectors_; ++j) {
            const float distance =
                kernels().l2_squared(vector(i).data(), vector(j).data(), n_dims_);
            nearest[i].add(distance);
            nearest[j].add(distance);
        }
        const double own = kernels().l2_squared(vector(i).data(), centroid.data(), n_dims_);
        const double error = std::sqrt(own / static_cast<double>(n_dims_) * nearest[i].first());
        const double share = error / nearest[i].spread();
        if (std::isfinite(share))
            shares.push_back(share);
    }
    if (shares.size() < kFewVectors)
        return 0;
    double* const middle = shares.begin() + shares.size() / 2;
    std::nth_element(shares.begin(), middle, shares.end());
    return *middle;
}

}  // namespace vext::core
