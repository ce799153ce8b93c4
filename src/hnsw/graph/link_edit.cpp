// See link_edit.h.

#include "hnsw/graph/link_edit.h"

#include <algorithm>
#include <limits>

#include "hnsw/pages/link_list.h"

namespace vext::hnsw {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

LinkEdit::LinkEdit(Index& index, PageGraph& graph, core::Arena& arena)
    : index_(&index),
      graph_(&graph),
      owner_query_(index.codec->allocate_query(arena)),
      owner_graph_(index, owner_query_),
      before_(arena, index.geometry.max_links(0)),
      after_(arena, index.geometry.max_links(0)),
      rated_(arena, index.geometry.max_links(0)),
      ids_(arena, index.geometry.max_links(0)),
      measured_(arena, index.geometry.max_links(0)),
      handed_over_(arena, index.geometry.max_links(0)),
      code_(arena.allocate<std::uint8_t>(index.meta.code_bytes)) {
}

bool
LinkEdit::read(const core::Candidate& neighbour, int layer) {
    owner_ = neighbour.id;
    record_ = neighbour.id;
    layer_ = layer;
    before_.clear();
    handed_over_.clear();
    core::CodeHeader header = {};
    const auto take_links = [&](const std::uint8_t* record) {
        for (const Link& link : links_of(record, index_->geometry, layer))
            before_.push_back(link);
    };
    const bool is_live = with_record(*index_, neighbour.id, [&](const std::uint8_t* record) {
        if (!is_live_node(record) || head_of(record).version != neighbour.version)
            return false;
        is_owner_linked_ = (head_of(record).flags & kFlagLinked) != 0;
        copy_code(record, index_->geometry, header, code_);
        if (layer == 0)
            take_links(record);
        else
            record_ = node_of(record).links_id;
        return true;
    });
    if (!is_live || record_ == kNoNode)
        return false;
    if (layer > 0) {
        const bool is_held = with_record(*index_, record_, [&](const std::uint8_t* record) {
            if (!holds_links(record, neighbour.id, layer))
                return false;
            take_links(record);
            return true;
        });
        if (!is_held)
            return false;
    }
    index_->codec->query_from_code(header, code_.data(), owner_query_);
    rate_base();
    return true;
}

bool
LinkEdit::has(NodeId id, LinkRole role) const {
    return std::any_of(before_.begin(), before_.end(), [&](const Link& link) {
        return link.id() == id &&
               (role == LinkRole::kPlain || link.kind() == core::LinkKind::kAnchor);
    });
}

// Calls `set(RatedLink&, float distance)` for each link; a node that is dead or gone is infinitely
// far.
template <typename Set>
void
LinkEdit::measure(PageGraph& graph, Set&& set) {
    ids_.clear();
    for (const Link& link : after_.span())
        ids_.push_back(link.id());
    measured_.clear();
    graph.measure(ids_.span(), measured_);
    std::size_t next = 0;  // measured_ is in the order of the list
    for (std::size_t i = 0; i < after_.size(); ++i) {
        const bool is_there = next < measured_.size() && measured_[next].id == after_[i].id();
        set(rated_[i], is_there && !measured_[next].is_dead ? measured_[next].distance : kInfinity);
        next += is_there;
    }
}

// A link to a node that is dead or gone counts as the farthest of fillers, unless it is kept:
// others may be reached through a dead node until vacuum has mended the lists around it.
void
LinkEdit::rate_base() {
    after_.clear();
    rated_.clear();
    for (const Link& link : before_.span()) {
        after_.push_back(link);
        rated_.push_back({0, 0, link.kind()});
    }
    measure(owner_graph_, [](core::RatedLink& rated, float distance) {
        rated.to_base = distance;
        if (distance == kInfinity && !core::is_kept(rated.kind))
            rated.kind = core::LinkKind::kFiller;
    });
}

void
LinkEdit::rate_new() {
    measure(*graph_, [](core::RatedLink& rated, float distance) { rated.to_new = distance; });
}

bool
LinkEdit::add(NodeId id, float distance, LinkRole role) {
    const std::size_t capacity = index_->geometry.max_links(layer_);
    const float margin = core::occlusion_margin(layer_);
    const bool is_anchor = role != LinkRole::kPlain;
    rate_new();
    handed_over_.clear();
    if (is_anchor && (!is_owner_linked_ ||
                      (role == LinkRole::kAnchor &&
                       count_anchors() >= core::n_most_anchors(index_->meta.metric, capacity))))
        return false;
    const auto present = std::find_if(after_.begin(), after_.end(),
                                      [id](const Link& link) { return link.id() == id; });
    auto position = static_cast<std::size_t>(present - after_.begin());
    core::LinkKind kind = core::LinkKind::kAnchor;
    if (present != after_.end()) {
        // A plain link becomes the anchor. The way back stays one: it is kept as well.
        if (is_anchor && rated_[position].kind == core::LinkKind::kParent)
            return false;
    } else if (position < capacity) {
        kind = core::rate_link(rated_.span(), distance, margin);
        hand_over(position, distance);
        after_.push_back({});
        rated_.push_back({});
    } else {
        const core::Replacement replacement =
            is_anchor ? core::replace_by_anchor(rated_.span(), distance, margin)
                      : core::replace_link(rated_.span(), distance, margin);
        if (replacement.position == core::Replacement::kNobody)
            return false;
        position = static_cast<std::size_t>(replacement.position);
        kind = replacement.kind;
        hand_over(position, distance);
    }
    rated_[position] = {distance, 0, is_anchor ? core::LinkKind::kAnchor : kind};
    after_[position] = Link(id, rated_[position].kind);
    for (std::size_t i = 0; i < after_.size(); ++i)
        after_[i] = Link(after_[i].id(), rated_[i].kind);
    return true;
}

NodeId
LinkEdit::put_between(NodeId id) {
    std::size_t farthest = after_.size();
    for (std::size_t i = 0; i < after_.size(); ++i) {
        if (after_[i].id() == id)
            return kNoNode;
        if (rated_[i].kind == core::LinkKind::kAnchor &&
            (farthest == after_.size() || rated_[i].to_base > rated_[farthest].to_base))
            farthest = i;
    }
    if (!is_owner_linked_ || farthest == after_.size())
        return kNoNode;
    const NodeId behind = after_[farthest].id();
    after_[farthest] = Link(id, core::LinkKind::kAnchor);
    return behind;
}

// `given_up` is the position of the link that gives way, if one does. after_ still has the kinds of
// links as they were, rated_ as they are now.
void
LinkEdit::hand_over(std::size_t given_up, float new_to_base) {
    std::size_t next = 0;  // measured_ is in the order of the list
    for (std::size_t i = 0; i < after_.size() && next < measured_.size(); ++i) {
        const core::Candidate& node = measured_[next];
        if (node.id != after_[i].id())
            continue;
        ++next;
        const bool was_diverse = after_[i].kind() == core::LinkKind::kDiverse;
        const core::RatedLink& rated = rated_[i];
        const bool is_occluded = core::is_kept(rated.kind)
                                     ? new_to_base < rated.to_base && rated.to_new < rated.to_base
                                     : was_diverse && rated.kind == core::LinkKind::kFiller;
        const bool is_given_up = i == given_up && was_diverse;
        const bool is_cut_off = (i == given_up || is_occluded) && node.distance > reach_;
        if (!node.is_dead && (is_given_up || is_cut_off))
            handed_over_.push_back(node);
    }
}

std::size_t
LinkEdit::count_anchors() const {
    return static_cast<std::size_t>(std::count_if(
        rated_.begin(), rated_.end(),
        [](const core::RatedLink& link) { return link.kind == core::LinkKind::kAnchor; }));
}

bool
LinkEdit::is_unchanged(const std::uint8_t* record) const {
    const std::span<const Link> now = links_of(record, index_->geometry, layer_);
    return std::equal(now.begin(), now.end(), before_.begin(), before_.end());
}

void
LinkEdit::apply(std::uint8_t* record) const {
    const LinkList list = link_list(record, index_->geometry, layer_);
    *list.count = 0;
    for (const Link& link : after_.span())
        list.append(link);
}

}  // namespace vext::hnsw
