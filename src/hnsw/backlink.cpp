// See backlink.h.

#include "hnsw/backlink.h"

#include <algorithm>
#include <limits>

#include "hnsw/link_list.h"
#include "hnsw/store.h"
#include "pg/random.h"

namespace vext::hnsw {

namespace {

// Decisions taken anew after the list changed in between.
constexpr int kTries = 3;

// Nodes asked for a place behind neighbours whose lists are full of anchors.
constexpr int kMostSteps = 100;

}  // namespace

BackLinker::BackLinker(Index& index, PageGraph& graph, core::Arena& arena)
    : index_(&index),
      graph_(&graph),
      node_query_(index.codec->allocate_query(arena)),
      node_graph_(index, node_query_),
      seen_(arena, index.geometry.max_links(0)),
      links_(arena, index.geometry.max_links(0)),
      ids_(arena, index.geometry.max_links(0)),
      to_base_(arena, index.geometry.max_links(0)),
      to_new_(arena, index.geometry.max_links(0)),
      rated_(arena, index.geometry.max_links(0)),
      code_(arena.allocate<std::uint8_t>(index.meta.code_bytes)) {
}

bool
BackLinker::link(NodeId id, int layer, std::span<const ChosenLink> neighbours) {
    bool has_anchor = false;
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
        // Fillers far down the list nearly always refuse.
        const ChosenLink& neighbour = neighbours[i];
        if (i >= index_->geometry.m && neighbour.kind == core::LinkKind::kFiller && has_anchor)
            break;
        if (layer == 0 && !has_anchor)
            has_anchor = link_to(id, 0, neighbour.node, Role::kAnchor);
        else
            link_to(id, layer, neighbour.node, Role::kPlain);
    }
    return layer > 0 || has_anchor || anchor(id, neighbours);
}

bool
BackLinker::anchor(NodeId id, std::span<const ChosenLink> neighbours) {
    for (const Role role : {Role::kAnchor, Role::kLastAnchor})
        for (const ChosenLink& neighbour : neighbours)
            if (link_to(id, 0, neighbour.node, role))
                return true;
    return anchor_behind(id);
}

// The lists of all neighbours are full of anchors: one of the anchored nodes, or of those anchored
// to them, has a place. At random, because neighbours may be anchored to each other.
bool
BackLinker::anchor_behind(NodeId id) {
    for (int i = 0; i < kMostSteps && !to_new_.is_empty(); ++i) {
        const core::Candidate next = to_new_[pg::random_bits() % to_new_.size()];
        if (next.id != id && link_to(id, 0, next, Role::kLastAnchor))
            return true;
    }
    return false;
}

// True when the neighbour now links to the node in this role.
bool
BackLinker::link_to(NodeId id, int layer, const core::Candidate& neighbour, Role role) {
    Outcome outcome = Outcome::kChanged;
    for (int i = 0; outcome == Outcome::kChanged && i < kTries; ++i) {
        CHECK_FOR_INTERRUPTS();
        outcome = try_link(id, layer, neighbour, role);
    }
    return outcome == Outcome::kLinked;
}

BackLinker::Outcome
BackLinker::try_link(NodeId id, int layer, const core::Candidate& neighbour, Role role) {
    const NodeId list_record = read_list(neighbour, layer);
    if (list_record == kNoNode)
        return Outcome::kGone;
    for (Link& link : seen_.span())
        if (link.id() == id && (role == Role::kPlain || link.kind() == core::LinkKind::kAnchor))
            return Outcome::kLinked;
    rate_links();
    if (!decide(id, layer, neighbour.distance, role))
        return Outcome::kKept;
    return write_list(neighbour.id, layer, list_record);
}

// Reads the neighbour's code into node_query_ and its list into seen_; returns the record that
// holds the list, or kNoNode when the neighbour is no live node of that version any more.
NodeId
BackLinker::read_list(const core::Candidate& neighbour, int layer) {
    NodeId list_record = neighbour.id;
    core::CodeHeader header = {};
    seen_.clear();
    const auto take_links = [&](const std::uint8_t* record) {
        for (const Link& link : links_of(record, index_->geometry, layer))
            seen_.push_back(link);
    };
    const bool is_live = with_record(*index_, neighbour.id, [&](const std::uint8_t* record) {
        if (!is_live_node(record) || head_of(record).version != neighbour.version)
            return false;
        header = code_header(record, *index_);
        std::memcpy(code_.data(), record + index_->geometry.code_offset, code_.size());
        if (layer == 0)
            take_links(record);
        else
            list_record = node_of(record).links_id;
        return true;
    });
    if (!is_live || list_record == kNoNode)
        return kNoNode;
    if (layer > 0) {
        const bool is_held = with_record(*index_, list_record, [&](const std::uint8_t* record) {
            if (!holds_links(record, neighbour.id, layer))
                return false;
            take_links(record);
            return true;
        });
        if (!is_held)
            return kNoNode;
    }
    index_->codec->query_from_code(header, code_.data(), node_query_);
    return list_record;
}

// Fills links_ and rated_ with what was read. A link to a node that is dead or gone counts as the
// farthest of fillers.
void
BackLinker::rate_links() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    ids_.clear();
    for (const Link& link : seen_.span())
        ids_.push_back(link.id());
    to_base_.clear();
    to_new_.clear();
    node_graph_.measure(ids_.span(), to_base_);
    graph_->measure(ids_.span(), to_new_);
    links_.clear();
    rated_.clear();
    std::size_t base = 0;  // both are in the order of seen_, without nodes that are gone
    std::size_t other = 0;
    for (const Link& link : seen_.span()) {
        const bool has_base = base < to_base_.size() && to_base_[base].id == link.id();
        const bool has_other = other < to_new_.size() && to_new_[other].id == link.id();
        core::RatedLink rated = {kInfinity, kInfinity, core::LinkKind::kFiller};
        if (has_base && has_other && !to_base_[base].is_dead)
            rated = {to_base_[base].distance, to_new_[other].distance, link.kind()};
        links_.push_back(link);
        rated_.push_back(rated);
        base += has_base;
        other += has_other;
    }
}

// Makes links_ the list with a link to the new node; false when the new node is not to be linked.
bool
BackLinker::decide(NodeId id, int layer, float distance, Role role) {
    const std::size_t capacity = index_->geometry.max_links(layer);
    const bool is_anchor = role != Role::kPlain;
    if (role == Role::kAnchor && count_anchors() >= capacity / 2)
        return false;
    const auto present = std::find_if(links_.begin(), links_.end(),
                                      [id](const Link& link) { return link.id() == id; });
    auto position = static_cast<std::size_t>(present - links_.begin());
    core::LinkKind kind = core::LinkKind::kAnchor;
    if (present != links_.end()) {
        // A plain link becomes the anchor.
    } else if (position < capacity) {
        kind = core::rate_link(rated_.span(), distance);
        links_.push_back({});
    } else {
        const core::Replacement replacement = is_anchor
                                                  ? core::replace_by_anchor(rated_.span(), distance)
                                                  : core::replace_link(rated_.span(), distance);
        if (replacement.position == core::Replacement::kNobody)
            return false;
        position = static_cast<std::size_t>(replacement.position);
        kind = replacement.kind;
    }
    for (std::size_t i = 0; i < rated_.size(); ++i)
        links_[i] = Link(links_[i].id(), rated_[i].kind);
    links_[position] = Link(id, is_anchor ? core::LinkKind::kAnchor : kind);
    return true;
}

std::size_t
BackLinker::count_anchors() const {
    return static_cast<std::size_t>(std::count_if(
        rated_.begin(), rated_.end(),
        [](const core::RatedLink& link) { return link.kind == core::LinkKind::kAnchor; }));
}

BackLinker::Outcome
BackLinker::write_list(NodeId neighbour, int layer, NodeId list_record) {
    Outcome outcome = Outcome::kGone;
    change_record(
        *index_, list_record,
        [&](const std::uint8_t* record) {
            if (!holds_links(record, neighbour, layer) || (layer == 0 && !is_live_node(record)))
                return false;
            const std::span<const Link> now = links_of(record, index_->geometry, layer);
            const bool is_same = std::equal(now.begin(), now.end(), seen_.begin(), seen_.end());
            outcome = is_same ? Outcome::kLinked : Outcome::kChanged;
            return is_same;
        },
        [&](std::uint8_t* record) {
            const LinkList list = link_list(record, index_->geometry, layer);
            *list.count = 0;
            for (const Link& link : links_.span())
                list.append(link);
        });
    return outcome;
}

}  // namespace vext::hnsw
