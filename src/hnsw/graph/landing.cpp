// See landing.h.

#include "hnsw/graph/landing.h"

#include <algorithm>
#include <cstring>

#include "core/graph/cover.h"

namespace vext::hnsw {

namespace {

// So many of the nearest found are looked at: some may be of another group.
constexpr std::size_t kLookedAt = 2 * core::kGroup;

}  // namespace

Landing::Landing(Index& index, core::Arena& arena)
    : index_(&index),
      query_(index.codec->allocate_query(arena)),
      graph_(index, query_),
      ids_(arena, kLookedAt),
      beside_(arena, kLookedAt),
      entries_(arena),
      code_(arena.allocate<std::uint8_t>(index.meta.code_bytes)) {
}

// Whether the nearest found are a group and the query is none of it: more than thrice as far from
// the nearest as that is from the fourth of those beside it.
bool
Landing::is_apart(std::span<const core::Candidate> found) {
    const core::Metric metric = index_->meta.metric;
    if (found.size() <= core::kGroup || !core::is_thrice(metric, 0, found.front().distance) ||
        !aim_at(found.front().id))
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
    return core::is_thrice(metric, std::max(last_of_group->distance, 0.0F), found.front().distance);
}

// Makes the node the query of distances beside it; false if it is gone.
bool
Landing::aim_at(NodeId id) {
    core::CodeHeader header = {};
    const bool is_there = with_record(*index_, id, [&](const std::uint8_t* record) {
        if (!is_node(record))
            return false;
        header = code_header(record, index_->geometry);
        std::memcpy(code_.data(), code_of(record, index_->geometry), code_.size());
        return true;
    });
    if (is_there)
        index_->codec->query_from_code(header, code_.data(), query_);
    return is_there;
}

void
search_ground(PageGraph& graph, const MetaPage& meta, const core::Candidate& nearest,
              std::size_t ef, Landing& landing, core::SearchMemory& memory) {
    landing.land(graph, meta, nearest, 0, memory, [&](std::span<const core::Candidate> entries) {
        core::search_layer(graph, 0, ef, entries, memory);
        return std::span<const core::Candidate>(memory.beam.entries());
    });
}

}  // namespace vext::hnsw
