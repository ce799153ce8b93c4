// One neighbour's list as it would be with further links in it: read once, decided about in memory,
// written only if it is still what was read.
//
// Decisions are taken from codes while no page is locked (core/graph/select.h says which link gives
// way).

#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "core/graph/select.h"
#include "hnsw/graph/page_graph.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// What a link back to a new node is for.
enum class LinkRole : std::uint8_t {
    kPlain,
    kAnchor,      ///< kept; at most a part of a list, of a node that is linked
    kLastAnchor,  ///< may take more than that
};

/// Works on one list at a time; memory once, from one arena.
class LinkEdit {
   public:
    /// `graph` measures distances to the new node.
    LinkEdit(Index& index, PageGraph& graph, core::Arena& arena);

    /// Reads the list of `neighbour` on `layer`; false when it is no live node of that version any
    /// more.
    bool read(const core::Candidate& neighbour, int layer);

    /// Whether the list, as read, links to `id` in this role.
    bool has(NodeId id, LinkRole role) const;

    /// From here on, nodes farther than this from the new node count as handed over when it
    /// occludes them.
    void
    set_reach(float reach) {
        reach_ = reach;
    }

    /// Puts a link to `id`, the new node, at `distance` into the list; false when it is not to be
    /// linked. `graph` measures distances to it now.
    bool add(NodeId id, float distance, LinkRole role);

    /// Puts `id` in the place of one of the ways that the list keeps to others, rather one to a
    /// dead node or else the farthest; returns where that way led. kNoNode when the list's owner is
    /// not linked, or its list has none or links to `id` already.
    NodeId put_between(NodeId id);

    /// The record that holds the list.
    NodeId
    record() const {
        return record_;
    }
    std::span<const Link>
    before() const {
        return before_.span();
    }
    std::span<const Link>
    after() const {
        return after_.span();
    }
    /// The nodes of the list at their distances to the node last added, without those that are
    /// gone.
    std::span<const core::Candidate>
    near_new() const {
        return measured_.span();
    }

    /// The live nodes that the last add() took a link away from, or will have later links take it
    /// away from, at their distances to the new node: the diverse one that gave way, and those
    /// beyond the reach to which the new node is nearer than the list's owner.
    std::span<const core::Candidate>
    handed_over() const {
        return handed_over_.span();
    }

    /// Whether `record`, a node's or its links record, holds the list as it was read.
    bool is_unchanged(const std::uint8_t* record) const;

    /// Writes the list into the record.
    void apply(std::uint8_t* record) const;

   private:
    void rate_base();
    void rate_new();
    template <typename Set>
    void measure(PageGraph& graph, Set&& set);
    std::size_t count_anchors() const;
    void hand_over(std::size_t given_up, float new_to_base);

    Index* index_;
    PageGraph* graph_;
    core::Query owner_query_;
    PageGraph owner_graph_;
    NodeId owner_ = kNoNode;
    NodeId record_ = kNoNode;
    int layer_ = 0;
    bool is_owner_linked_ = false;  // when its list was read
    core::Array<Link> before_;
    core::Array<Link> after_;
    core::Array<core::RatedLink> rated_;  // beside after_
    core::Array<NodeId> ids_;
    core::Array<core::Candidate> measured_;
    core::Array<core::Candidate> handed_over_;
    float reach_ = std::numeric_limits<float>::infinity();
    std::span<std::uint8_t> code_;
};

static_assert(std::is_trivially_destructible_v<LinkEdit>);

}  // namespace vext::hnsw
