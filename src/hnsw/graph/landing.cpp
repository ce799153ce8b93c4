// See landing.h.

#include "hnsw/graph/landing.h"

#include <algorithm>

#include "core/graph/cover.h"

namespace vext::hnsw {

namespace {

// So many of the nearest found are looked at: some may be of another group.
constexpr std::size_t kLookedAt = 2 * core::kGroup;

}  // namespace

Landing::Landing(Index& index, core::Arena& arena)
    : metric_(index.meta.metric),
      nearest_(index, arena),
      graph_(index, nearest_.query()),
      ids_(arena, kLookedAt),
      beside_(arena, kLookedAt),
      entries_(arena) {
}

// Whether the nearest found are a group and the query is none of it: more than thrice as far from
// the nearest as that is from the fourth of those beside it.
bool
Landing::is_apart(std::span<const core::Candidate> found) {
    if (found.size() <= core::kGroup || !core::is_thrice(metric_, 0, found.front().distance) ||
        !nearest_.aim_at(found.front().id, is_node))
        return false;
    ids_.clear();
    for (std::size_t i = 1; i < found.size() && i <= kLookedAt; ++i)
        ids_.push_back(found[i].id);
    beside_.clear();
    graph_.measure(ids_.span(), beside_);
    if (beside_.size() < core::kGroup)
        return false;
    core::Candidate* last_of_group = beside_.begin() + (core::kGroup - 1);
    std::nth_element(beside_.begin(), last_of_group, beside_.end(), core::is_nearer);
    return core::is_thrice(metric_, std::max(last_of_group->distance, 0.0F),
                           found.front().distance);
}

void
search_ground(PageGraph& graph, const EntryPoint& entry, const core::Wanted& wanted,
              Landing& landing, core::SearchMemory& memory) {
    landing.land(graph, entry, 0, memory, [&](std::span<const core::Candidate> entries) {
        core::search_layer(graph, 0, wanted, entries, memory);
        return std::span<const core::Candidate>(memory.beam.entries());
    });
}

}  // namespace vext::hnsw
