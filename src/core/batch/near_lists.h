// The k nearest points of many rows at once, from candidates in any order.
//
// A list collects keys until it is full, then keeps the k smallest: cheaper than keeping it in
// order. Ties go to the smaller point.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/batch/ids.h"
#include "core/batch/near_key.h"

namespace vext::core {

class NearLists {
   public:
    /// Above every limit that lets nothing but infinities through.
    static constexpr float kNoLimit = std::numeric_limits<float>::max();
    static constexpr float kInfinity = std::numeric_limits<float>::infinity();

    NearLists(Arena& arena, std::size_t max_lists, std::size_t max_k);

    static std::size_t bytes_needed(std::size_t max_lists, std::size_t max_k);

    /// Empties the first `n` lists, which are to hold the `k` nearest.
    void reset(std::size_t n, std::size_t k);

    /// No candidate farther than limits()[list] is kept; it only ever falls.
    const float*
    limits() const {
        return limits_.data();
    }

    /// Offers a candidate. A distance that is not finite is never kept.
    void
    offer(std::size_t list, float distance, Point point) {
        if (!(distance <= limits_[list]) || distance < -kNoLimit)
            return;
        std::uint32_t& count = counts_[list];
        keys_[list * capacity_ + count] = key_of<Point>({distance, point});
        if (++count == capacity_)
            prune(list);
    }

    /// Offers distances[i] and points[i] to one list for each bit i, but for the point `self`.
    void
    offer_each(std::size_t list, Point self, std::uint32_t bits, const float* distances,
               const Point* points) {
        std::int64_t* keys = &keys_[list * capacity_];
        std::size_t count = counts_[list];
        float limit = limits_[list];
        for (; bits != 0; bits &= bits - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(bits));
            const float distance = distances[i];
            if (!(distance <= limit) || distance < -kNoLimit || points[i] == self)
                continue;
            keys[count] = key_of<Point>({distance, points[i]});
            if (++count == capacity_) {
                prune(list);
                count = k_;
                limit = limits_[list];
            }
        }
        counts_[list] = static_cast<std::uint32_t>(count);
    }

    /// Writes the k nearest of every list in order, see GroupPairs::nearest_within.
    void write(std::span<Near<Point>> out);

   private:
    void prune(std::size_t list);

    std::size_t capacity_;
    std::span<std::int64_t> keys_;
    std::span<std::int64_t> sorted_;
    std::span<std::uint32_t> counts_;
    std::span<float> limits_;
    std::size_t n_ = 0;
    std::size_t k_ = 0;
};

static_assert(std::is_trivially_destructible_v<NearLists>);

}  // namespace vext::core
