// Links back to a new node: each chosen neighbour gets one, if its list has room or another link
// gives way (core/graph/select.h, replace_link).
//
// The decision is taken from codes before the neighbour's page is locked; under the lock it is only
// verified that the list is still the one decided about. A few such tries, then the neighbour is
// left as it is.
//
// Invariant: every linked node but one has an anchor, a link to it on layer 0 that no insert takes
// away, from a linked node, and such a link back, to that parent. So anchors form a tree that can
// be walked both ways, and no later link can cut a node off. A list gives at most half of its
// places to anchors while other neighbours can take one.
//
// A link that gives way to the new node, since that is nearer to what it leads to, is handed over:
// the new node may be the only one left that searches for it come by (../README.md, "Groups far
// from each other").

#pragma once

#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "hnsw/graph/link_edit.h"
#include "hnsw/graph/neighbours.h"
#include "hnsw/graph/page_graph.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

class BackLinker {
   public:
    /// `graph` measures distances to the new node.
    BackLinker(Index& index, PageGraph& graph, core::Arena& arena);

    /// Links `neighbours` on `layer` back to `id`; the nearest that can anchors it, which alone
    /// promises that it is reached. False when it has no anchor. `reach` is the distance up to
    /// which a search has met the nodes around `id`.
    bool link(NodeId id, int layer, std::span<const ChosenLink> neighbours, float reach);

    /// Links `neighbours` back to a node that others of its batch lead to: it needs no anchor.
    void link_reached(NodeId id, int layer, std::span<const ChosenLink> neighbours, float reach);

    /// What the lists handed over in the last link(), nearest first; some may be linked already.
    std::span<const core::Candidate> handed_over();

    /// Only makes an anchor on layer 0: the first of `neighbours` that can takes the link.
    bool
    anchor(NodeId id, std::span<const ChosenLink> neighbours) {
        return anchor_on(0, id, neighbours);
    }

    /// Where all lists keep nothing but ways: `id` becomes part of the way that leads from one of
    /// `neighbours` to some node behind, and keeps a link to that one, which hangs on it from then
    /// on. False when all of `neighbours` have died or others keep changing their lists. Requires:
    /// nobody else inserts at the same time; the list of `id` has two places that may be given up.
    bool anchor_between(NodeId id, std::span<const ChosenLink> neighbours);

    /// Makes an anchor at one linked node, if that has a place.
    bool anchor_at(NodeId id, const core::Candidate& node);

    /// Makes the first live one of `from` that can keep a link to `id`, as far as it has a place.
    void bridge(NodeId id, std::span<const core::Candidate> from);

    /// The node that anchors the last one that was linked on layer 0 or anchored.
    NodeId
    parent() const {
        return parent_;
    }

    /// The node behind the last one that anchor_between() anchored; kNoNode before.
    NodeId
    behind() const {
        return behind_;
    }

   private:
    enum class Outcome : std::uint8_t { kLinked, kKept, kGone, kChanged };

    void link_all(NodeId id, int layer, std::span<const ChosenLink> neighbours, bool& has_anchor);
    bool anchor_on(int layer, NodeId id, std::span<const ChosenLink> neighbours);
    bool anchor_behind(NodeId id, int layer, LinkRole role);
    void change_parent(NodeId id, NodeId before, NodeId now);
    bool link_to(NodeId id, int layer, const core::Candidate& neighbour, LinkRole role);
    Outcome try_link(NodeId id, int layer, const core::Candidate& neighbour, LinkRole role);
    Outcome write_list(NodeId neighbour, int layer);

    Index* index_;
    LinkEdit edit_;
    NodeId parent_ = kNoNode;
    NodeId behind_ = kNoNode;
    core::Array<core::Candidate> handed_over_;
};

static_assert(std::is_trivially_destructible_v<BackLinker>);

}  // namespace vext::hnsw
