// Keeping the k smallest keys of many lists.

#include "core/batch/near_lists.h"

#include <algorithm>

#include "core/graph/candidate.h"

namespace vext::core {
namespace {

/// Room for so many new candidates between two times of pruning makes the latter cheap for each.
constexpr std::size_t
capacity_for(std::size_t k) {
    return k + std::max(k, std::size_t{16});
}

Near
near_of(std::uint64_t key) {
    const auto ordered = static_cast<std::uint32_t>(key >> 32);
    const std::uint32_t flip = ordered >> 31 != 0 ? 0x80000000 : 0xffffffff;
    return {std::bit_cast<float>(ordered ^ flip), static_cast<std::uint32_t>(key)};
}

}  // namespace

NearLists::NearLists(Arena& arena, std::size_t max_lists, std::size_t max_k)
    : capacity_(0),
      keys_(arena.allocate<std::uint64_t>(max_lists * capacity_for(max_k))),
      counts_(arena.allocate<std::uint32_t>(max_lists)),
      limits_(arena.allocate<float>(max_lists)) {
}

std::size_t
NearLists::bytes_needed(std::size_t max_lists, std::size_t max_k) {
    return max_lists * (capacity_for(max_k) * sizeof(std::uint64_t) + sizeof(std::uint32_t) +
                        sizeof(float)) +
           3 * Arena::kAlignment;
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
    std::uint64_t* keys = &keys_[list * capacity_];
    std::nth_element(keys, keys + k_ - 1, keys + capacity_);
    counts_[list] = static_cast<std::uint32_t>(k_);
    limits_[list] = near_of(keys[k_ - 1]).distance;
}

void
NearLists::write(std::span<Near> out) {
    Near* next = out.data();
    for (std::size_t list = 0; list < n_; ++list) {
        std::uint64_t* keys = &keys_[list * capacity_];
        const std::size_t n = std::min<std::size_t>(counts_[list], k_);
        std::partial_sort(keys, keys + n, keys + counts_[list]);
        for (std::size_t i = 0; i < k_; ++i)
            *next++ = i < n ? near_of(keys[i]) : Near{kInfinity, kNoNode};
    }
}

}  // namespace vext::core
