// Candidates for the links of a new node, found by a search of the graph on pages.
//
// Beside the nearest nodes of a layer, those of the layer above are candidates: a thin sample, so
// they lie farther off and in other directions. They keep the graph navigable where the nearest
// alone see only what is near (docs/decisions.md).

#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "core/graph/cover.h"
#include "core/graph/search.h"
#include "hnsw/graph/landing.h"
#include "hnsw/graph/page_graph.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// The width of a search that checks whether a node is found: half of the default of scans.
inline constexpr std::size_t kFoundEf = 20;

/// The beam of a search for links: fewer candidates than links would leave lists short.
inline std::size_t
link_beam_width(const Index& index, std::size_t ef_construction) {
    return std::max<std::size_t>(ef_construction, index.geometry.max_links(0));
}

/// How thoroughly candidates are searched for.
struct SearchEffort {
    std::size_t ef;         ///< width of the beam
    bool takes_from_above;  ///< whether the layer above a node's own gives candidates
};

/// The layers that candidates are searched for on.
struct LayerRange {
    int highest;
    int lowest;
};

/// Holds the memory for searches, from one arena.
class CandidateSearch {
   public:
    /// `effort` is the greatest there will be. Requires: `graph`, which measures distances to what
    /// is searched for, outlives this.
    CandidateSearch(Index& index, PageGraph& graph, core::Arena& arena, const SearchEffort& effort);

    /// The most candidates of a layer.
    static std::size_t
    n_most(const SearchEffort& effort) {
        return 2 * effort.ef;
    }

    void
    set_effort(const SearchEffort& effort) {
        effort_ = effort;
    }

    /// The node that what is searched for stands for, if it is in the graph already: it covers
    /// nobody.
    void
    leave_out(NodeId self) {
        self_ = self;
    }

    /// Searches from the top down and calls `take(int layer, std::span<const Candidate>)` for those
    /// of `layers` that exist, highest first, with candidates in order of distance; for all of them
    /// again when it has landed wrong. `seen` becomes the metapage as the search found it. False
    /// when the graph is empty.
    template <typename Take>
    bool
    find(const LayerRange& layers, MetaPage& seen, Take&& take) {
        cover_ = {};
        EntryPoint entry;
        const bool is_begun = graph_->enter(entry);
        seen = entry.meta;
        if (!is_begun)
            return false;
        const int wanted = layers.highest + (effort_.takes_from_above ? 1 : 0);
        const int top = std::min(wanted, seen.entry_layer);
        const auto search_down = [&](std::span<const core::Candidate> entries) {
            candidates_.clear();
            for (const core::Candidate& candidate : entries)
                candidates_.push_back(candidate);
            for (int current = top; current >= layers.lowest; --current) {
                search(current);
                if (current == layers.highest)
                    look_above(current == seen.entry_layer);
                if (current <= layers.highest)
                    take(current, std::span<const core::Candidate>(candidates_.span()));
            }
            return std::span<const core::Candidate>(candidates_.span());
        };
        landing_.land(*graph_, entry, top, memory_, search_down);
        return true;
    }

    /// How the highest layer of the last find() is covered near its query; Cover() if there is no
    /// such layer.
    const core::Cover&
    cover() const {
        return cover_;
    }

    /// What a shorter search finds of what is wanted; valid until the next one. Requires: its `ef`
    /// is at most that of the memory.
    std::span<const core::Candidate> find_nearest(const core::Wanted& wanted);

    /// Walks from the entry point through all nodes, dead ones too, to any that is live and linked,
    /// other than `self`; searches layer 0 from there and calls
    /// `take(std::span<const Candidate>)`, the node it came from among them. False when there is
    /// none.
    template <typename Take>
    bool
    find_from_linked(NodeId self, Take&& take) {
        core::Candidate linked;
        if (!find_linked(self, linked))
            return false;
        core::search_layer(*graph_, 0, {effort_.ef}, {&linked, 1}, memory_);
        take(std::span<const core::Candidate>(memory_.beam.entries()));
        return true;
    }

    /// The node from which a search enters layer 0; kNoNode when the graph is empty.
    NodeId find_entry();

   private:
    bool find_linked(NodeId self, core::Candidate& linked);
    void search(int layer);
    void look_above(bool is_highest);

    PageGraph* graph_;
    Landing landing_;
    SearchEffort effort_;
    core::SearchMemory memory_;
    core::Array<core::Candidate> candidates_;
    core::Array<core::Candidate> above_;  ///< those of the layer above
    core::Array<NodeId> walk_;            ///< nodes that a walk for a linked one has met
    core::Cover cover_;
    NodeId self_ = kNoNode;
};

static_assert(std::is_trivially_destructible_v<CandidateSearch>);

}  // namespace vext::hnsw
