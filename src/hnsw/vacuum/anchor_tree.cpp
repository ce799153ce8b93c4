// See anchor_tree.h and ../README.md, "Vacuum".

#include "hnsw/vacuum/anchor_tree.h"

#include <algorithm>

#include "hnsw/pages/link_list.h"
#include "hnsw/pages/page_walk.h"
#include "hnsw/pages/slots.h"

namespace vext::hnsw {

AnchorTree::AnchorTree(Index& index, const core::Bitmap& dead, Repairer& repairer,
                       core::Arena& arena)
    : index_(&index),
      dead_(&dead),
      repairer_(&repairer),
      settled_(arena, index.n_held),
      inside_(arena, index.n_held),
      page_ids_(arena, index.geometry.hot_per_page),
      steps_(arena, 1024),
      fresh_(arena, 1024),
      searched_(arena),
      links_(arena, index.geometry.max_links(0)),
      ways_(arena) {
}

AnchorTree::Top
AnchorTree::look() {
    Top top;
    for_each_hot_block(*index_, true, [&](BlockNumber block) {
        with_records_of(*index_, block, [&](NodeId id, const std::uint8_t* record) {
            if (!is_linked_node(record) || !settled_.covers(id))
                return;
            settled_.set(id);
            ++n_settled_;
            // A node whose insert was cut off has no links above layer 0.
            const int layer = node_of(record).links_id == kNoNode ? 0 : head_of(record).layer;
            if (layer > top.layer)
                top = {id, layer};
        });
    });
    return top;
}

NodeId
AnchorTree::find_roomiest() {
    NodeId roomiest = kNoNode;
    std::size_t least = index_->geometry.max_links(0);
    for_each_settled([&](NodeId id) {
        const std::size_t n_kept = count_kept(id);
        if (n_kept < least) {
            least = n_kept;
            roomiest = id;
        }
    });
    return roomiest;
}

void
AnchorTree::begin_at(NodeId root) {
    root_ = root;
    n_outside_ = n_settled_;
    is_full_ = false;
    inside_.clear_all();
    ways_.clear();
    if (is_outside(root))
        come_in(root);
    else if (inside_.covers(root))
        inside_.set(root);
    take_in(root, kNoNode);
}

bool
AnchorTree::grow(NodeId root) {
    if (root == kNoNode)
        return n_settled_ == 0;
    begin_at(root);
    const std::uint32_t most = index_->geometry.max_links(0);
    for (const std::uint32_t most_anchors : {most / 2, most})
        if (n_outside_ > 0)
            for_each_settled([&](NodeId id) {
                if (inside_.has(id))
                    grow_from(id, most_anchors);
            });
    // What no list leads to, first what has places for others; each may lead to others.
    for (const std::uint32_t most_kept : {1U, most})
        if (n_outside_ > 0)
            for_each_settled([&](NodeId id) {
                if (is_full_ || !is_outside(id) || count_kept(id) > most_kept)
                    return;
                fresh_.clear();
                grow_by_search(id);
                grow_by_fresh(most);
            });
    return n_outside_ == 0;
}

// Calls `visit(NodeId)` for each settled node that is still alive, holding no lock.
template <typename Visit>
void
AnchorTree::for_each_settled(Visit&& visit) {
    for_each_hot_block(*index_, true, [&](BlockNumber block) {
        page_ids_.clear();
        with_records_of(*index_, block, [&](NodeId id, const std::uint8_t* record) {
            if (is_settled(id) && is_live_node(record))
                page_ids_.push_back(id);
        });
        for (std::size_t i = 0; i < page_ids_.size(); ++i)
            visit(page_ids_[i]);
    });
}

// How many links of a node's list are kept.
std::size_t
AnchorTree::count_kept(NodeId id) {
    read_list(id);
    return static_cast<std::size_t>(std::count_if(
        links_.begin(), links_.end(), [](const Link& link) { return core::is_kept(link.kind()); }));
}

// Makes links_ the list of a node, none when it is gone; whether it is alive.
bool
AnchorTree::read_list(NodeId id) {
    links_.clear();
    return with_record(*index_, id, [&](const std::uint8_t* record) {
        if (!is_node(record))
            return false;
        for (const Link& link : links_of(record, index_->geometry, 0))
            links_.push_back(link);
        return is_live_node(record);
    });
}

void
AnchorTree::come_in(NodeId id) {
    inside_.set(id);
    --n_outside_;
    fresh_.push_back(id);
}

// Walks over anchors from a node that was hung on `parent`; what hangs below it comes in with it.
void
AnchorTree::take_in(NodeId id, NodeId parent) {
    steps_.clear();
    steps_.push_back({id, parent});
    while (!steps_.is_empty()) {
        pg::delay_vacuum();
        const Step step = steps_.back();
        steps_.pop_back();
        if (!read_list(step.id))
            continue;
        if (step.id != id) {
            if (!is_outside(step.id) || (parent_of(links_.span()) != step.parent &&
                                         (!hang(step.id, step.parent) || !read_list(step.id))))
                continue;
            come_in(step.id);
        }
        for (const Link& link : links_.span())
            if (link.kind() == core::LinkKind::kAnchor && is_outside(link.id()))
                steps_.push_back({link.id(), step.id});
    }
}

// Finds the way to each node from what is inside, over links that are kept, through dead nodes too:
// as far as can be, over links that lead both ways, since a node can give up the link back.
void
AnchorTree::find_ways() {
    ways_.reserve(settled_.size());
    for (std::size_t i = 0; i < settled_.size(); ++i)
        ways_.push_back(kNoNode);
    for (const bool both_ways : {true, false}) {
        for (const NodeId id : core::ids_below(settled_.size()))
            if (way_to(id) != kNoNode || (settled_.has(id) && inside_.has(id)))
                follow_ways(id, both_ways);
    }
}

void
AnchorTree::follow_ways(NodeId from, bool both_ways) {
    const auto leads_to = [this](NodeId id) {
        return std::any_of(links_.begin(), links_.end(), [id](const Link& link) {
            return link.id() == id && core::is_kept(link.kind());
        });
    };
    steps_.clear();
    steps_.push_back({from, kNoNode});
    while (!steps_.is_empty()) {
        pg::delay_vacuum();
        const Step step = steps_.back();
        steps_.pop_back();
        if (step.id != from && way_to(step.id) != kNoNode)
            continue;
        read_list(step.id);
        if (step.id != from) {
            if (both_ways && !leads_to(step.parent))
                continue;
            ways_[number_of(step.id)] = step.parent;
        }
        for (const Link& link : links_.span())
            if (core::is_kept(link.kind()) && settled_.covers(link.id()) &&
                way_to(link.id()) == kNoNode && !inside_.has(link.id()))
                steps_.push_back({link.id(), step.id});
    }
}

// Whether the list of `id`, a node outside, can do without the link once `id` hangs on the root. A
// node that came after the others may be reached by it alone.
bool
AnchorTree::may_give_up(NodeId id, const Link& link) const {
    if (!core::is_kept(link.kind()))
        return true;
    const NodeId to = link.id();
    if (!is_settled(to) && !is_dead(to))
        return false;
    return (is_settled(to) && inside_.has(to)) || (!ways_.is_empty() && way_to(to) != id);
}

// Makes `parent` the parent of a node outside. The old one stays linked by an anchor, unless it is
// inside already or has to give way. False when no link may be given up.
bool
AnchorTree::hang(NodeId id, NodeId parent) {
    return change_record(
        *index_, id,
        [&](const std::uint8_t* record) {
            if (!is_live_node(record))
                return false;
            const std::span<const Link> links = links_of(record, index_->geometry, 0);
            return links.size() < index_->geometry.max_links(0) ||
                   std::any_of(links.begin(), links.end(), [&](const Link& link) {
                       return link.id() == parent || may_give_up(id, link);
                   });
        },
        [&](std::uint8_t* record) {
            const LinkList list = link_list(record, index_->geometry, 0);
            for (Link& link : list.span())
                if (link.kind() == core::LinkKind::kParent)
                    link = Link(link.id(), is_dead(link.id()) || is_outside(link.id())
                                               ? core::LinkKind::kAnchor
                                               : core::LinkKind::kDiverse);
            const Link back(parent, core::LinkKind::kParent);
            if (list.put_kept(back))
                return;
            const auto given_up =
                std::find_if(list.span().begin(), list.span().end(),
                             [&](const Link& link) { return may_give_up(id, link); });
            if (given_up != list.span().end())
                *given_up = back;
        });
}

// Takes in what a node inside leads to, and what that leads to in turn.
void
AnchorTree::grow_from(NodeId id, std::uint32_t most_anchors) {
    fresh_.clear();
    grow_at(id, most_anchors);
    grow_by_fresh(most_anchors);
}

void
AnchorTree::grow_by_fresh(std::uint32_t most_anchors) {
    while (!fresh_.is_empty()) {
        const NodeId next = fresh_.back();
        fresh_.pop_back();
        grow_at(next, most_anchors);
    }
}

// Takes in what the node links to, while it has fewer anchors than that.
void
AnchorTree::grow_at(NodeId id, std::uint32_t most_anchors) {
    if (n_outside_ == 0 || !read_list(id))
        return;
    NodeId outside[2 * kMaxM];
    std::size_t n = 0;
    std::uint32_t n_anchors = 0;
    for (const Link& link : links_.span()) {
        if (is_outside(link.id()))
            outside[n++] = link.id();
        else if (link.kind() == core::LinkKind::kAnchor)
            ++n_anchors;
    }
    for (std::size_t i = 0; i < n && n_anchors < most_anchors; ++i) {
        if (!is_outside(outside[i]) || !make_anchor(id, outside[i]) || !hang(outside[i], id))
            continue;
        ++n_anchors;
        come_in(outside[i]);
        take_in(outside[i], id);
    }
}

// Turns the link to another node into an anchor, if it is still there.
bool
AnchorTree::make_anchor(NodeId id, NodeId to) {
    const auto is_link = [to](const Link& link) { return link.id() == to; };
    return change_record(
        *index_, id,
        [&](const std::uint8_t* record) {
            if (!is_live_node(record))
                return false;
            const std::span<const Link> links = links_of(record, index_->geometry, 0);
            return std::any_of(links.begin(), links.end(), is_link);
        },
        [&](std::uint8_t* record) {
            const LinkList list = link_list(record, index_->geometry, 0);
            *std::find_if(list.span().begin(), list.span().end(), is_link) =
                Link(to, core::LinkKind::kAnchor);
        });
}

// Hangs a node on what a search for it finds inside. One whose places are all of links that others
// are reached by waits until one of those, tried in its stead, is inside.
void
AnchorTree::grow_by_search(NodeId id) {
    NodeId next = id;
    while (is_outside(id) && next != kNoNode) {
        CHECK_FOR_INTERRUPTS();
        const NodeId parent = repairer_->anchor(next, inside_, root_);
        is_full_ = parent == kNoNode;
        if (is_full_)
            return;
        if (hang(next, parent)) {
            come_in(next);
            searched_.push_back(next);
            take_in(next, parent);
            next = id;
        } else if (ways_.is_empty()) {
            find_ways();
        } else {
            next = find_child(next);
        }
    }
}

// A node outside that is reached by way of this one; kNoNode when there is none.
NodeId
AnchorTree::find_child(NodeId id) {
    if (read_list(id))
        for (const Link& link : links_.span())
            if (is_outside(link.id()) && way_to(link.id()) == id)
                return link.id();
    return kNoNode;
}

}  // namespace vext::hnsw
