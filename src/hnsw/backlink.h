// Links back to a new node: each chosen neighbour gets one, if its list has room or another link
// gives way (core/graph/select.h, replace_link).
//
// The decision is taken from codes before the neighbour's page is locked; under the lock it is only
// verified that the list is still the one decided about. A few such tries, then the neighbour is
// left as it is.
//
// Invariant: every linked node but the first has an anchor, a link to it on layer 0 that no insert
// takes away, from a node that was in the graph before it. So anchors form a tree and no later link
// can cut a node off. A list gives at most half of its places to anchors while other neighbours can
// take one.

#pragma once

#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "hnsw/index.h"
#include "hnsw/link_edit.h"
#include "hnsw/neighbours.h"
#include "hnsw/page_graph.h"

namespace vext::hnsw {

class BackLinker {
   public:
    /// `graph` measures distances to the new node.
    BackLinker(Index& index, PageGraph& graph, core::Arena& arena);

    /// Links `neighbours` on `layer` back to `id`; the nearest that is still live accepts. False
    /// when none accepted.
    bool link(NodeId id, int layer, std::span<const ChosenLink> neighbours);

    /// Only makes an anchor: the first of `neighbours` that can takes the link.
    bool anchor(NodeId id, std::span<const ChosenLink> neighbours);

   private:
    enum class Outcome : std::uint8_t { kLinked, kKept, kGone, kChanged };

    bool anchor_behind(NodeId id);
    bool link_to(NodeId id, int layer, const core::Candidate& neighbour, LinkRole role);
    Outcome try_link(NodeId id, int layer, const core::Candidate& neighbour, LinkRole role);
    Outcome write_list(NodeId neighbour, int layer);

    Index* index_;
    LinkEdit edit_;
};

static_assert(std::is_trivially_destructible_v<BackLinker>);

}  // namespace vext::hnsw
