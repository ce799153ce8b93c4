// The bytes of a record: views of its fields, how each kind begins, and whether it decodes. Nothing
// else knows what lies where. Free of the server, as layout.h.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/codec/code.h"
#include "hnsw/pages/layout.h"

namespace vext::hnsw {

/// More slots than any index has: ids are not held against the mark.
inline constexpr std::uint32_t kAnyNumberOfSlots = 0xffffffff;

/// Null when a hot record decodes: kinds, counts and layers in range, ids below `n_slots`. All that
/// follows requires it, and the record's kind.
const char* check_record(const std::uint8_t* record, const Geometry& geometry,
                         std::uint32_t n_slots = kAnyNumberOfSlots);

/// The record in slot `i` of a hot page.
inline std::uint8_t*
hot_record(std::uint8_t* page, const Geometry& geometry, std::uint32_t i) {
    return page + kPageHeaderSize + i * geometry.hot_bytes;
}
inline const std::uint8_t*
hot_record(const std::uint8_t* page, const Geometry& geometry, std::uint32_t i) {
    return page + kPageHeaderSize + i * geometry.hot_bytes;
}

/// The record in slot `i` of a cold page.
inline std::uint8_t*
cold_record(std::uint8_t* page, const Geometry& geometry, std::uint32_t i) {
    return page + kPageHeaderSize + i * geometry.cold_bytes;
}

inline RecordHead&
head_of(std::uint8_t* record) {
    return *reinterpret_cast<RecordHead*>(record);
}
inline const RecordHead&
head_of(const std::uint8_t* record) {
    return *reinterpret_cast<const RecordHead*>(record);
}
inline NodeRecord&
node_of(std::uint8_t* record) {
    return *reinterpret_cast<NodeRecord*>(record);
}
inline const NodeRecord&
node_of(const std::uint8_t* record) {
    return *reinterpret_cast<const NodeRecord*>(record);
}
inline LinksRecord&
links_record(std::uint8_t* record) {
    return *reinterpret_cast<LinksRecord*>(record);
}
inline const LinksRecord&
links_record(const std::uint8_t* record) {
    return *reinterpret_cast<const LinksRecord*>(record);
}
inline TidsRecord&
tids_record(std::uint8_t* record) {
    return *reinterpret_cast<TidsRecord*>(record);
}
inline const TidsRecord&
tids_record(const std::uint8_t* record) {
    return *reinterpret_cast<const TidsRecord*>(record);
}

// Of what kind; false for null.
inline bool
is_node(const std::uint8_t* record) {
    return record != nullptr && head_of(record).kind == RecordKind::kNode;
}

inline bool
is_live_node(const std::uint8_t* record) {
    return is_node(record) && (head_of(record).flags & kFlagDead) == 0;
}

/// Whether the record is that of a live node that others may rely on.
inline bool
is_linked_node(const std::uint8_t* record) {
    return is_live_node(record) && (head_of(record).flags & kFlagLinked) != 0;
}

/// The node that a links or tids record belongs to.
inline NodeId
owner_of(const std::uint8_t* record) {
    static_assert(offsetof(LinksRecord, owner) == offsetof(TidsRecord, owner));
    return tids_record(record).owner;
}

/// Whether `record`, which may be null, holds further rows of `owner`.
inline bool
holds_rows(const std::uint8_t* record, NodeId owner) {
    return record != nullptr && head_of(record).kind == RecordKind::kTids &&
           owner_of(record) == owner;
}

/// Whether `record`, which may be null, holds the links of `owner` on `layer`: the node itself or
/// its links record.
inline bool
holds_links(const std::uint8_t* record, NodeId owner, int layer) {
    if (layer == 0)
        return is_node(record);
    return record != nullptr && head_of(record).kind == RecordKind::kLinks &&
           owner_of(record) == owner && head_of(record).layer >= layer;
}

/// The links of a record on `layer`: as many as `count_of_links` says are in use.
inline Link*
links_in(std::uint8_t* record, const Geometry& geometry, int layer) {
    const std::size_t offset = layer == 0
                                   ? geometry.links_offset
                                   : sizeof(LinksRecord) + static_cast<std::size_t>(layer - 1) *
                                                               geometry.m_above * sizeof(Link);
    return reinterpret_cast<Link*>(record + offset);
}

inline std::uint8_t&
count_of_links(std::uint8_t* record, int layer) {
    return layer == 0 ? head_of(record).n_links : links_record(record).counts[layer - 1];
}

inline std::span<const Link>
links_of(const std::uint8_t* record, const Geometry& geometry, int layer) {
    auto* bytes = const_cast<std::uint8_t*>(record);
    return {links_in(bytes, geometry, layer), count_of_links(bytes, layer)};
}

/// The places for rows of one record: a node's own, or those of a tids record. Those that are free
/// hold kNoTid.
inline std::span<Tid>
rows_of(std::uint8_t* record, const Geometry& geometry) {
    if (head_of(record).kind == RecordKind::kNode)
        return {&node_of(record).tid, 1};
    if (head_of(record).kind == RecordKind::kTids)
        return {reinterpret_cast<Tid*>(record + sizeof(TidsRecord)), geometry.tids_per_record};
    return {};
}

inline std::span<const Tid>
rows_of(const std::uint8_t* record, const Geometry& geometry) {
    return rows_of(const_cast<std::uint8_t*>(record), geometry);
}

inline bool
has_rows(const std::uint8_t* record, const Geometry& geometry) {
    return std::ranges::any_of(rows_of(record, geometry), &Tid::is_valid);
}

/// A node's code, of `geometry.code_bytes`.
inline const std::uint8_t*
code_of(const std::uint8_t* record, const Geometry& geometry) {
    return record + geometry.code_offset;
}

/// The codec's view of a node's floats.
inline core::CodeHeader
code_header(const std::uint8_t* record, const Geometry& geometry) {
    const NodeRecord& node = node_of(record);
    core::CodeHeader header = {node.factor, node.offset, 0};
    if (geometry.error_offset != 0)
        std::memcpy(&header.error, record + geometry.error_offset, sizeof(float));
    return header;
}

/// Copies the codec's view of a node and its code, of which `code` has the size.
inline void
copy_code(const std::uint8_t* record, const Geometry& geometry, core::CodeHeader& header,
          std::span<std::uint8_t> code) {
    header = code_header(record, geometry);
    std::memcpy(code.data(), code_of(record, geometry), code.size());
}

/// Everything an index knows of a vector.
struct VectorContent {
    std::uint32_t hash;
    core::CodeHeader header;
    const std::uint8_t* code;
    std::span<const std::uint8_t> residual;
};

/// What a node's record holds beside its links.
struct NodeContent {
    int layer;
    Tid tid;
    VectorContent vector;
};

// How a record begins. Requires: it is zero but for its head's version.

/// Not linked yet; `cold` gets the residual and may be null.
void init_node(const NodeContent& content, const Geometry& geometry, std::uint8_t* record,
               std::uint8_t* cold);

/// For the links of node `owner` on the layers 1..layer: none yet.
void init_links(std::uint8_t* record, NodeId owner, int layer);

/// For further rows of node `owner`, in front of the record `next` of that version: none yet.
void init_tids(std::uint8_t* record, NodeId owner, NodeId next, std::uint16_t next_version);

/// Makes a slot free. Its version tells whoever remembers the id that the record is another one.
inline void
free_record(std::uint8_t* record) {
    head_of(record).kind = RecordKind::kFree;
    ++head_of(record).version;
}

}  // namespace vext::hnsw
