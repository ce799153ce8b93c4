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

}  // namespace vext::hnsw
