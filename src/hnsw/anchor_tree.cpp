// See anchor_tree.h and README.md, "Vacuum".

#include "hnsw/anchor_tree.h"

#include <algorithm>

#include "hnsw/link_list.h"
#include "hnsw/page_walk.h"
#include "hnsw/store.h"

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
      links_(arena, index.geometry.max_links(0)) {
}

AnchorTree::Top
AnchorTree::look() {
    Top top;
    for_each_hot_block(*index_, true, [&](BlockNumber block) {
        with_records_of(*index_, block, [&](NodeId id, const std::uint8_t* record) {
            if (!is_linked_node(record) || id >= settled_.size())
                return;
            settled_.set(id);
            ++n_outside_;
            // A node whose insert was cut off has no links above layer 0.
            const int layer = node_of(record).links_id == kNoNode ? 0 : head_of(record).layer;
            if (layer > top.layer)
                top = {id, layer};
        });
    });
    return top;
}

bool
AnchorTree::grow() {
    const NodeId entry = refresh_meta(*index_).entry_node;
    if (entry == kNoNode)
        return true;
    if (is_outside(entry))
        come_in(entry);
    else if (entry < inside_.size())
        inside_.set(entry);
    take_in(entry, kNoNode);
    const std::uint32_t most = index_->geometry.max_links(0);
    for (const std::uint32_t most_anchors : {most / 2, most})
        if (n_outside_ > 0)
            for_each_settled([&](NodeId id) {
                if (inside_.has(id))
                    grow_from(id, most_anchors);
            });
    // What no list leads to; each may lead to others.
    bool is_whole = true;
    if (n_outside_ > 0)
        for_each_settled([&](NodeId id) {
            if (!is_outside(id))
                return;
            fresh_.clear();
            is_whole &= grow_by_search(id);
            grow_by_fresh(most);
        });
    return is_whole;
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

bool
AnchorTree::read_list(NodeId id) {
    links_.clear();
    return with_record(*index_, id, [&](const std::uint8_t* record) {
        if (!is_live_node(record))
            return false;
        for (const Link& link : links_of(record, index_->geometry, 0))
            links_.push_back(link);
        return true;
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
            if (!is_outside(step.id) ||
                (parent_of(links_.span()) != step.parent &&
                 (!hang(step.id, step.parent, false) || !read_list(step.id))))
                continue;
            come_in(step.id);
        }
        for (const Link& link : links_.span())
            if (link.kind() == core::LinkKind::kAnchor && is_outside(link.id()))
                steps_.push_back({link.id(), step.id});
    }
}

// Makes `parent` the parent of a node outside. The old one stays linked by an anchor, unless it is
// inside already. False when all places are of links that are kept; links to dead nodes may give
// way where `drops_dead`.
bool
AnchorTree::hang(NodeId id, NodeId parent, bool drops_dead) {
    const auto is_needed = [&](const Link& link) {
        return core::is_kept(link.kind()) && !(drops_dead && is_dead(link.id()));
    };
    return change_record(
        *index_, id,
        [&](const std::uint8_t* record) {
            if (!is_live_node(record))
                return false;
            const std::span<const Link> links = links_of(record, index_->geometry, 0);
            return links.size() < index_->geometry.max_links(0) ||
                   std::any_of(links.begin(), links.end(), [&](const Link& link) {
                       return link.id() == parent || !is_needed(link);
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
            const auto dead = std::find_if(list.span().begin(), list.span().end(),
                                           [&](const Link& link) { return !is_needed(link); });
            if (dead != list.span().end())
                *dead = back;
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
        if (!is_outside(outside[i]) || !make_anchor(id, outside[i]) || !hang(outside[i], id, false))
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

// Hangs a node on what a search for it finds inside. One whose places are all of anchors hangs on
// what is anchored there: then that is tried in its stead, and takes it in as its own.
bool
AnchorTree::grow_by_search(NodeId id) {
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        const NodeId parent = repairer_->anchor(id, inside_);
        if (parent == kNoNode)
            return false;
        NodeId child = kNoNode;
        if (read_list(id))
            for (const Link& link : links_.span())
                if (link.kind() == core::LinkKind::kAnchor && is_outside(link.id()))
                    child = link.id();
        if (hang(id, parent, child == kNoNode)) {
            come_in(id);
            searched_.push_back(id);
            take_in(id, parent);
            return true;
        }
        if (child == kNoNode)
            return false;
        id = child;
    }
}

}  // namespace vext::hnsw
