// The links of a node on one layer, wherever they are kept: in the node's record (layer 0) or in
// its `links` record.

#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "hnsw/index.h"

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

    /// Makes an anchor stand in the list, in place of its last other link where there is no room.
    void
    put_anchor(const Link& anchor) const {
        for (Link& link : span())
            if (link.id() == anchor.id()) {
                link = anchor;
                return;
            }
        if (*count < capacity)
            return append(anchor);
        for (std::uint32_t i = *count; i > 0; --i)
            if (links[i - 1].kind() != core::LinkKind::kAnchor) {
                links[i - 1] = anchor;
                return;
            }
    }
};

/// Whether `record` holds the links of `owner` on `layer`: the node itself or its links record.
inline bool
holds_links(const std::uint8_t* record, NodeId owner, int layer) {
    if (layer == 0)
        return is_node(record);
    if (record == nullptr || head_of(record).kind != RecordKind::kLinks)
        return false;
    const auto& links = *reinterpret_cast<const LinksRecord*>(record);
    return links.owner == owner && links.head.layer >= layer;
}

/// Requires: holds_links(record, ..., layer).
inline LinkList
link_list(std::uint8_t* record, const Geometry& geometry, int layer) {
    if (layer == 0)
        return {&head_of(record).n_links, node_links(record, geometry), geometry.max_links(0)};
    return {&reinterpret_cast<LinksRecord*>(record)->counts[layer - 1],
            layer_links(record, geometry, layer), geometry.m};
}

inline std::span<const Link>
links_of(const std::uint8_t* record, const Geometry& geometry, int layer) {
    if (layer == 0)
        return {node_links(record, geometry), head_of(record).n_links};
    return {layer_links(record, geometry, layer),
            reinterpret_cast<const LinksRecord*>(record)->counts[layer - 1]};
}

/// Calls `visit(NodeId)` for each link of the node `id` on `layer`, holding no lock.
template <typename Visit>
void
for_each_link(Index& index, NodeId id, int layer, Visit&& visit) {
    NodeId ids[2 * kMaxM];
    std::size_t n = 0;
    NodeId list_record = id;
    if (layer > 0)
        list_record = with_record(index, id, [](const std::uint8_t* record) {
            return is_node(record) ? node_of(record).links_id : kNoNode;
        });
    if (list_record == kNoNode)
        return;
    with_record(index, list_record, [&](const std::uint8_t* record) {
        if (holds_links(record, id, layer))
            for (const Link& link : links_of(record, index.geometry, layer))
                ids[n++] = link.id();
    });
    for (std::size_t i = 0; i < n; ++i)
        visit(ids[i]);
}

}  // namespace vext::hnsw
