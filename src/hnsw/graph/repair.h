// Mending a node's links after some of the nodes it linked to have died.

#pragma once

#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/bitmap.h"
#include "core/graph/candidate.h"
#include "core/graph/search.h"
#include "core/visited.h"
#include "hnsw/graph/backlink.h"
#include "hnsw/graph/landing.h"
#include "hnsw/graph/neighbours.h"
#include "hnsw/graph/node_query.h"
#include "hnsw/graph/page_graph.h"
#include "hnsw/pages/index.h"
#include "hnsw/pages/link_list.h"

namespace vext::hnsw {

/// Mends one list at a time; memory from the context current at its making.
class Repairer {
   public:
    /// `dead` has a bit for every node that must not be linked to any more; ids beyond it are
    /// alive.
    Repairer(Index& index, const core::Bitmap& dead);
    Repairer(const Repairer&) = delete;

    /// Takes the dead out of the list of the live node `id` on `layer`, kept in `list_record`. A
    /// list that has lost fillers alone and keeps at least three quarters of its capacity is only
    /// shortened; another one gets new links to what its dead links led to.
    /// Whether half of its links or more were dead.
    bool mend(NodeId id, int layer, NodeId list_record);

    /// Gives the live node `id` an anchor from one of the nodes in `hosts`, the nearest that a
    /// search for it finds and that has a place, else `root`, or one anchored to those; returns
    /// that node, kNoNode when there is none. Requires: the others in `hosts` hang on `root`.
    NodeId anchor(NodeId id, const core::Bitmap& hosts, NodeId root);

    /// Searches for the live node `id`; where the search does not find it, the place where it ended
    /// gets a link there that is kept, and the nodes that it links to are looked for likewise: a
    /// search for another one of a lost group can end elsewhere. Looks for each node once,
    /// and for none that came after this was made. Does nothing for kNoNode.
    void make_found(NodeId id);

    /// Where the dead node `id` led farthest: of the live ends of its links on layer 0, but for
    /// fillers, that farthest from it. kNoNode where all have died.
    NodeId farthest_end(NodeId id);

    /// The nearest live node that the list of the dead node `id` on layer 0 leads to, through
    /// further dead ones if need be; kNoNode where there is none.
    NodeId find_heir(NodeId id);

    bool
    is_dead(NodeId id) const {
        return dead_->covers(id) && dead_->has(id);
    }

   private:
    bool has_lost_way() const;
    bool is_found(NodeId id);
    bool read_list(NodeId id, int layer, NodeId list_record);
    void collect(NodeId id, int layer);
    void find_live(NodeId id, int layer);
    void search(int layer, std::size_t ef);
    void choose_links(NodeId id, int layer);
    bool rewrite(NodeId id, int layer, NodeId list_record);
    void fill(const LinkList& list) const;

    Index* index_;
    const core::Bitmap* dead_;
    core::Arena arena_;
    NodeQuery node_;
    PageGraph graph_;
    Landing landing_;
    NeighbourSelector selector_;
    BackLinker linker_;
    core::SearchMemory memory_;
    core::VisitedSet met_;
    core::Bitmap looked_for_;
    core::Array<Link> links_;       // the list as it was read
    core::Array<NodeId> frontier_;  // dead nodes whose links are candidates
    core::Array<NodeId> live_;      // candidates
    core::Array<NodeId> through_;   // links of one dead node
    core::Array<core::Candidate> found_;
    core::Array<ChosenLink> chosen_;
    core::Array<NodeId> hosts_;   // to be asked for a place
    core::Array<NodeId> around_;  // to be looked for
};

static_assert(std::is_trivially_destructible_v<Repairer>);

}  // namespace vext::hnsw
