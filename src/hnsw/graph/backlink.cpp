// See backlink.h.

#include "hnsw/graph/backlink.h"

#include <algorithm>
#include <limits>

#include "hnsw/pages/link_list.h"
#include "hnsw/pages/slots.h"
#include "pg/random.h"

namespace vext::hnsw {

namespace {

// Decisions taken anew after the list changed in between.
constexpr int kTries = 3;

// Nodes asked for a place behind neighbours whose lists are full of anchors.
constexpr int kMostSteps = 100;

}  // namespace

BackLinker::BackLinker(Index& index, PageGraph& graph, core::Arena& arena)
    : index_(&index), edit_(index, graph, arena), handed_over_(arena, 64) {
}

bool
BackLinker::link(NodeId id, int layer, std::span<const ChosenLink> neighbours, float reach) {
    bool has_anchor = false;
    edit_.set_reach(reach);
    link_all(id, layer, neighbours, has_anchor);
    return has_anchor || anchor_on(layer, id, neighbours);
}

void
BackLinker::link_reached(NodeId id, int layer, std::span<const ChosenLink> neighbours,
                         float reach) {
    bool has_anchor = true;
    edit_.set_reach(reach);
    link_all(id, layer, neighbours, has_anchor);
}

void
BackLinker::link_all(NodeId id, int layer, std::span<const ChosenLink> neighbours,
                     bool& has_anchor) {
    handed_over_.clear();
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
        const ChosenLink& neighbour = neighbours[i];
        const bool needs_anchor = !has_anchor;
        // Fillers far down the list nearly always refuse a plain link.
        const bool is_far = i >= index_->geometry.m && neighbour.kind == core::LinkKind::kFiller;
        if (is_far && !needs_anchor)
            break;
        if (needs_anchor)
            has_anchor = link_to(id, layer, neighbour.node, LinkRole::kAnchor);
        // A list that has no place for one more anchor can still have one for a link.
        if (!is_far && !(needs_anchor && has_anchor))
            link_to(id, layer, neighbour.node, LinkRole::kPlain);
    }
}

std::span<const core::Candidate>
BackLinker::handed_over() {
    std::sort(handed_over_.begin(), handed_over_.end(), core::is_nearer);
    const core::Candidate* end = std::unique(
        handed_over_.begin(), handed_over_.end(),
        [](const core::Candidate& a, const core::Candidate& b) { return a.id == b.id; });
    handed_over_.truncate(static_cast<std::size_t>(end - handed_over_.begin()));
    return handed_over_.span();
}

bool
BackLinker::anchor_on(int layer, NodeId id, std::span<const ChosenLink> neighbours) {
    if (neighbours.empty())
        return false;
    for (const LinkRole role : {LinkRole::kAnchor, LinkRole::kLastAnchor}) {
        for (const ChosenLink& neighbour : neighbours)
            if (link_to(id, layer, neighbour.node, role))
                return true;
        if (anchor_behind(id, layer, role))
            return true;
    }
    return false;
}

bool
BackLinker::anchor_at(NodeId id, const core::Candidate& node) {
    return !node.is_dead && link_to(id, 0, node, LinkRole::kLastAnchor);
}

void
BackLinker::bridge(NodeId id, std::span<const core::Candidate> from) {
    for (const core::Candidate& near : from)
        if (!near.is_dead && near.id != id && link_to(id, 0, near, LinkRole::kLastAnchor))
            return;
}

// Where the lists of all neighbours have no place in this role, one of the anchored nodes, or of
// those anchored to them, has. At random, because neighbours may be anchored to each other.
bool
BackLinker::anchor_behind(NodeId id, int layer, LinkRole role) {
    for (int i = 0; i < kMostSteps && !edit_.near_new().empty(); ++i) {
        const std::span<const core::Candidate> anchored = edit_.near_new();
        const core::Candidate next = anchored[pg::random_bits() % anchored.size()];
        if (next.id != id && link_to(id, layer, next, role))
            return true;
    }
    return false;
}

// Where the new list leads on is written first, and the way back last, so that at every prefix the
// tree leads to the node behind and from it. It may be dead: others hang on it until vacuum comes.
bool
BackLinker::anchor_between(NodeId id, std::span<const ChosenLink> neighbours) {
    for (const ChosenLink& neighbour : neighbours) {
        CHECK_FOR_INTERRUPTS();
        if (!edit_.read(neighbour.node, 0))
            continue;
        const NodeId behind = edit_.put_between(id);
        if (behind == kNoNode)
            continue;
        bool leads_on = false;
        change_record(*index_, id, is_node, [&](std::uint8_t* record) {
            leads_on = link_list(record, index_->geometry, 0)
                           .put_kept(Link(behind, core::LinkKind::kAnchor));
        });
        if (!leads_on || write_list(neighbour.node.id, 0) != Outcome::kLinked)
            continue;
        change_parent(behind, neighbour.node.id, id);
        parent_ = neighbour.node.id;
        behind_ = behind;
        return true;
    }
    return false;
}

// A node that hangs on `before` hangs on `now`.
void
BackLinker::change_parent(NodeId id, NodeId before, NodeId now) {
    const Link way_back(before, core::LinkKind::kParent);
    change_record(
        *index_, id,
        [&](const std::uint8_t* record) {
            return is_node(record) && parent_of(links_of(record, index_->geometry, 0)) == before;
        },
        [&](std::uint8_t* record) {
            for (Link& link : link_list(record, index_->geometry, 0).span())
                if (link == way_back)
                    link = Link(now, core::LinkKind::kParent);
        });
}

// True when the neighbour now links to the node in this role.
bool
BackLinker::link_to(NodeId id, int layer, const core::Candidate& neighbour, LinkRole role) {
    Outcome outcome = Outcome::kChanged;
    for (int i = 0; outcome == Outcome::kChanged && i < kTries; ++i) {
        CHECK_FOR_INTERRUPTS();
        outcome = try_link(id, layer, neighbour, role);
    }
    if (role != LinkRole::kPlain && outcome == Outcome::kLinked)
        parent_ = neighbour.id;
    if (outcome == Outcome::kLinked)
        for (const core::Candidate& node : edit_.handed_over())
            handed_over_.push_back(node);
    return outcome == Outcome::kLinked;
}

BackLinker::Outcome
BackLinker::try_link(NodeId id, int layer, const core::Candidate& neighbour, LinkRole role) {
    if (!edit_.read(neighbour, layer))
        return Outcome::kGone;
    if (edit_.has(id, role))
        return Outcome::kLinked;
    if (!edit_.add(id, neighbour.distance, role))
        return Outcome::kKept;
    return write_list(neighbour.id, layer);
}

BackLinker::Outcome
BackLinker::write_list(NodeId neighbour, int layer) {
    Outcome outcome = Outcome::kGone;
    change_record(
        *index_, edit_.record(),
        [&](const std::uint8_t* record) {
            if (!holds_links(record, neighbour, layer) || (layer == 0 && !is_live_node(record)))
                return false;
            const bool is_same = edit_.is_unchanged(record);
            outcome = is_same ? Outcome::kLinked : Outcome::kChanged;
            return is_same;
        },
        [&](std::uint8_t* record) { edit_.apply(record); });
    return outcome;
}

}  // namespace vext::hnsw
