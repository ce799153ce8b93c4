// Keeping the k smallest keys of many lists.

#include "core/batch/near_lists.h"

#include <algorithm>

#include "core/distance/dispatch.h"
#include "core/graph/candidate.h"

namespace vext::core {
namespace {

/// As much room for new candidates as for those kept makes pruning cheapest for each; whole vectors
/// of keys.
constexpr std::size_t
capacity_for(std::size_t k) {
    return (2 * k + kKeyLanes - 1) / kKeyLanes * kKeyLanes;
}

}  // namespace

NearLists::NearLists(Arena& arena, std::size_t max_lists, std::size_t max_k)
    : capacity_(0),
      keys_(arena.allocate<std::int64_t>(max_lists * capacity_for(max_k))),
      sorted_(arena.allocate<std::int64_t>(capacity_for(max_k))),
      counts_(arena.allocate<std::uint32_t>(max_lists)),
      limits_(arena.allocate<float>(max_lists)) {
}

std::size_t
NearLists::bytes_needed(std::size_t max_lists, std::size_t max_k) {
    return (max_lists + 1) * capacity_for(max_k) * sizeof(std::int64_t) +
           max_lists * (sizeof(std::uint32_t) + sizeof(float)) + 4 * Arena::kAlignment;
}

void
NearLists::reset(std::size_t n, std::size_t k) {
    n_ = n;
    k_ = k;
    capacity_ = capacity_for(k);
    std::fill_n(counts_.begin(), n, 0);
    std::fill(limits_.begin(), limits_.end(), kNoLimit);
}

void
NearLists::prune(std::size_t list) {
    std::int64_t* keys = &keys_[list * capacity_];
    kernels().sort_keys(keys, capacity_, sorted_.data());
    std::copy_n(sorted_.begin(), k_, keys);
    counts_[list] = static_cast<std::uint32_t>(k_);
    limits_[list] = near_of<Point>(keys[k_ - 1]).distance;
}

void
NearLists::write(std::span<Near<Point>> out) {
    Near<Point>* next = out.data();
    for (std::size_t list = 0; list < n_; ++list) {
        std::int64_t* keys = &keys_[list * capacity_];
        const std::size_t n_kept = counts_[list];
        const std::size_t n = (n_kept + kKeyLanes - 1) / kKeyLanes * kKeyLanes;
        std::fill(keys + n_kept, keys + n, kNoKey);
        kernels().sort_keys(keys, n, sorted_.data());
        for (std::size_t i = 0; i < k_; ++i)
            *next++ = i < n_kept ? near_of<Point>(sorted_[i]) : Near<Point>{kInfinity, kNoPoint};
    }
}

}  // namespace vext::core
