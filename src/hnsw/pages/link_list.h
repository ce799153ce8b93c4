// The links of a node on one layer, wherever they are kept: in the node's record (layer 0) or in
// its `links` record.

#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "hnsw/pages/index.h"

namespace vext::hnsw {

struct LinkList {
    std::uint8_t* count;
    Link* links;
    std::uint32_t capacity;

    std::span<Link>
    span() const {
        return {links, *count};
    }

    bool
    has(NodeId id) const {
        return std::any_of(links, links + *count,
                           [id](const Link& link) { return link.id() == id; });
    }

    /// Requires: there is room.
    void
    append(const Link& link) const {
        links[(*count)++] = link;
    }

    /// Whether a link that is to be kept has a place: its own, a free one, or that of another link
    /// that may be given up.
    bool
    has_place_for(NodeId id) const {
        return *count < capacity || std::any_of(links, links + *count, [id](const Link& link) {
            return link.id() == id || !core::is_kept(link.kind());
        });
    }

    /// Puts a link that may be given up into a free place, or that of the last filler; nothing
    /// where there is none, or the list has one to that node.
    void
    put_over_filler(const Link& link) const {
        if (has(link.id()))
            return;
        if (*count < capacity) {
            append(link);
            return;
        }
        for (std::uint32_t i = *count; i > 0; --i)
            if (links[i - 1].kind() == core::LinkKind::kFiller) {
                links[i - 1] = link;
                return;
            }
    }

    /// Makes a link that is to be kept stand in the list, in place of its last link that may be
    /// given up where there is no room; false when there is none.
    bool
    put_kept(const Link& kept) const {
        for (Link& link : span())
            if (link.id() == kept.id()) {
                link = kept;
                return true;
            }
        if (*count < capacity) {
            append(kept);
            return true;
        }
        for (std::uint32_t i = *count; i > 0; --i)
            if (!core::is_kept(links[i - 1].kind())) {
                links[i - 1] = kept;
                return true;
            }
        return false;
    }
};

/// Makes the list lead back to `parent`, and keep that link for as long as the parent lives. What
/// was the way back before is an ordinary link then. False when all places are of anchors.
inline bool
set_parent(const LinkList& list, NodeId parent) {
    if (!list.has_place_for(parent))
        return false;
    for (Link& link : list.span())
        if (link.kind() == core::LinkKind::kParent)
            link = Link(link.id(), core::LinkKind::kDiverse);
    return list.put_kept(Link(parent, core::LinkKind::kParent));
}

/// The way back of a list; kNoNode where there is none.
inline NodeId
parent_of(std::span<const Link> links) {
    for (const Link& link : links)
        if (link.kind() == core::LinkKind::kParent)
            return link.id();
    return kNoNode;
}

/// Requires: holds_links(record, ..., layer).
inline LinkList
link_list(std::uint8_t* record, const Geometry& geometry, int layer) {
    return {&count_of_links(record, layer), links_in(record, geometry, layer),
            geometry.max_links(layer)};
}

/// Calls `visit(NodeId)` for each link of the node `id` on `layer`, holding no lock. False when the
/// slot has no list of that layer, or is no longer of the `version` at which the node was seen.
template <typename Visit>
bool
for_each_link(Index& index, NodeId id, int layer, std::optional<std::uint16_t> version,
              Visit&& visit) {
    NodeId ids[2 * kMaxM];
    std::size_t n = 0;
    NodeId list_record = id;
    const auto is_seen = [version](const std::uint8_t* record) {
        return !version || head_of(record).version == *version;
    };
    if (layer > 0)
        list_record = with_record(index, id, [&](const std::uint8_t* record) {
            return is_node(record) && is_seen(record) ? node_of(record).links_id : kNoNode;
        });
    if (list_record == kNoNode)
        return false;
    const bool is_there = with_record(index, list_record, [&](const std::uint8_t* record) {
        if (!holds_links(record, id, layer) || (layer == 0 && !is_seen(record)))
            return false;
        for (const Link& link : links_of(record, index.geometry, layer))
            ids[n++] = link.id();
        return true;
    });
    for (std::size_t i = 0; i < n; ++i)
        visit(ids[i]);
    return is_there;
}

}  // namespace vext::hnsw
