// See candidates.h.

#include "hnsw/graph/candidates.h"

#include <algorithm>

namespace vext::hnsw {

CandidateSearch::CandidateSearch(Index& index, PageGraph& graph, core::Arena& arena,
                                 const SearchEffort& effort)
    : graph_(&graph),
      landing_(index, arena),
      effort_(effort),
      memory_(arena, effort.ef),
      candidates_(arena, n_most(effort)),
      above_(arena, effort.ef),
      walk_(arena) {
}

std::span<const core::Candidate>
CandidateSearch::find_nearest(const core::Wanted& wanted) {
    EntryPoint entry;
    if (!graph_->enter(entry))
        return {};
    search_ground(*graph_, entry, wanted, landing_, memory_);
    return memory_.beam.entries();
}

// Makes cover_ what the beam and above_, the candidates from the layer above, show. Dead nodes
// cover nobody for long.
void
CandidateSearch::look_above(bool is_highest) {
    const auto is_live = [this](const core::Candidate& candidate) {
        return !candidate.is_dead && candidate.id != self_;
    };
    std::size_t n_live = 0;
    cover_ = {};
    for (const core::Candidate& candidate : memory_.beam.entries())
        if (is_live(candidate) && ++n_live == core::kGroup)
            cover_.reach = core::at_most(candidate);
    const core::Candidate* above = std::ranges::find_if(above_, is_live);
    cover_.is_crowded = n_live >= effort_.ef;
    if (!is_highest && above != above_.end()) {
        cover_.above = core::at_least(*above);
        cover_.is_crowded &= core::is_nearer(memory_.beam.entries().back(), *above);
    }
}

NodeId
CandidateSearch::find_entry() {
    EntryPoint entry;
    if (!graph_->enter(entry))
        return kNoNode;
    return core::descend(*graph_, entry.meta.entry_layer, 1, entry.node, memory_).nearest().id;
}

bool
CandidateSearch::find_linked(NodeId self, core::Candidate& linked) {
    EntryPoint entry;
    if (!graph_->enter(entry))
        return false;
    core::VisitedSet& met = memory_.visited;
    core::Array<NodeId>& queue = walk_;
    met.clear();
    queue.clear();
    met.add(entry.node.id);
    queue.push_back(entry.node.id);
    for (std::size_t next = 0; next < queue.size(); ++next) {
        const NodeId id = queue[next];
        if (id != self && graph_->is_linked(id)) {
            memory_.found.clear();
            graph_->measure({&id, 1}, memory_.found);
            if (!memory_.found.is_empty()) {
                linked = memory_.found[0];
                return true;
            }
        }
        memory_.ids.clear();
        graph_->links_at(id, 0, memory_.ids);
        for (const NodeId link : memory_.ids.span())
            if (met.add(link))
                queue.push_back(link);
    }
    return false;
}

// Makes candidates_ those of `layer`; it holds those of the layer above, the nearest of which the
// search starts from.
void
CandidateSearch::search(int layer) {
    above_.clear();
    for (const core::Candidate& candidate :
         candidates_.span().first(std::min(effort_.ef, candidates_.size())))
        above_.push_back(candidate);
    core::search_layer(*graph_, layer, {effort_.ef}, above_.span(), memory_);
    candidates_.clear();
    for (const core::Candidate& candidate : memory_.beam.entries())
        candidates_.push_back(candidate);
    // What the beam has dropped lies behind its farthest; the rest are in it.
    const core::Candidate farthest = candidates_.back();
    for (const core::Candidate& candidate : above_.span())
        if (core::is_nearer(farthest, candidate))
            candidates_.push_back(candidate);
}

}  // namespace vext::hnsw
