// See candidate_pool.h.

#include "core/batch/candidate_pool.h"

#include <algorithm>

#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

std::size_t
whole_vectors(std::size_t n) {
    return (n + kKeyLanes - 1) / kKeyLanes * kKeyLanes;
}

}  // namespace

CandidatePool::CandidatePool(Arena& arena, std::size_t max_size)
    : keys_(arena.allocate<std::int64_t>(whole_vectors(max_size))),
      sorted_(arena.allocate<std::int64_t>(whole_vectors(max_size))),
      settled_(arena.allocate<Near<Rank>>(max_size)) {
}

std::size_t
CandidatePool::bytes_needed(std::size_t max_size) {
    return whole_vectors(max_size) * 2 * sizeof(std::int64_t) + max_size * sizeof(Near<Rank>) +
           3 * Arena::kAlignment;
}

std::span<const Near<Rank>>
CandidatePool::settle() {
    const std::size_t n_keys = whole_vectors(n_);
    std::fill(keys_.begin() + n_, keys_.begin() + n_keys, kNoKey);
    std::fill_n(sorted_.begin(), n_keys, kNoKey);
    kernels().sort_keys(keys_.data(), n_keys, sorted_.data());
    std::size_t n_settled = 0;
    for (const std::int64_t key : sorted_.first(n_keys))
        if (key != kNoKey)
            settled_[n_settled++] = near_of<Rank>(key);
    return settled_.first(n_settled);
}

}  // namespace vext::core
