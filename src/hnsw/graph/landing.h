// The way of a search down to the layer it is for, and whether it has landed in the right group.
//
// Where groups of nodes lie far from each other, their nodes on the layers above are all about
// equally far from a query that belongs to one of them, and a descent that follows a few can miss
// that one. Then what the search found is a group that lies apart from the query. Only such a
// search is worth the price of a wide beam on the layers above (docs/decisions.md); others pay for
// the question.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "core/graph/search.h"
#include "hnsw/graph/node_query.h"
#include "hnsw/graph/page_graph.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// Holds the memory for it, from one arena.
class Landing {
   public:
    Landing(Index& index, core::Arena& arena);

    /// Calls `search_from(std::span<const Candidate> entries)`, which searches the layer `bottom`
    /// from there and returns what it found, in order of distance. Again from where wider descents
    /// end, while what was found lies apart from the query and each finds something nearer.
    /// `graph` measures distances to the query.
    template <typename SearchFrom>
    void
    land(PageGraph& graph, const EntryPoint& entry, int bottom, core::SearchMemory& memory,
         SearchFrom&& search_from) {
        const int top = entry.meta.entry_layer;
        const core::Entries narrow = core::descend(graph, top, bottom + 1, entry.node, memory);
        std::span<const core::Candidate> found = search_from(narrow.span());
        if (top <= bottom)
            return;
        for (std::size_t ef = kWide; ef <= kWidest && is_apart(found); ef *= kWidening) {
            const core::Candidate before = found.front();
            entries_.clear();
            entries_.push_back(entry.node);
            core::descend_widely(graph, top, bottom + 1, ef, entries_, memory);
            found = search_from(entries_.span());
            if (found.empty() || !core::is_nearer(found.front(), before))
                return;
        }
    }

   private:
    static constexpr std::size_t kWide = 256;
    static constexpr std::size_t kWidest = 4096;
    static constexpr std::size_t kWidening = 4;

    bool is_apart(std::span<const core::Candidate> found);

    core::Metric metric_;
    NodeQuery nearest_;  // found
    PageGraph graph_;    // distances to it
    core::Array<NodeId> ids_;
    core::Array<core::Candidate> beside_;   // the others found, at their distance to it
    core::Array<core::Candidate> entries_;  // of a wide descent
};

/// Searches layer 0 for what is wanted; memory.beam gets what is found.
void search_ground(PageGraph& graph, const EntryPoint& entry, const core::Wanted& wanted,
                   Landing& landing, core::SearchMemory& memory);

static_assert(std::is_trivially_destructible_v<Landing>);

}  // namespace vext::hnsw
