// See record.h.

#include "hnsw/pages/record.h"

namespace vext::hnsw {

namespace {

const char*
check_links(std::span<const Link> links, std::uint32_t n_slots) {
    for (const Link& link : links)
        if (number_of(link.id()) >= n_slots)
            return "a link points beyond the index";
    return nullptr;
}

// On the layers above 0 nothing is the way back to a parent.
const char*
check_upper_layer(std::span<const Link> links, std::uint32_t n_slots) {
    for (const Link& link : links)
        if (link.kind() == core::LinkKind::kParent)
            return "a link is of an unknown kind";
    return check_links(links, n_slots);
}

const char*
check_optional_id(NodeId id, std::uint32_t n_slots) {
    return id == kNoNode || number_of(id) < n_slots ? nullptr : "a record points beyond the index";
}

const char*
check_node(const std::uint8_t* record, const Geometry& geometry, std::uint32_t n_slots) {
    const NodeRecord& node = node_of(record);
    if (node.head.layer > geometry.max_layer)
        return "a node's layer is out of range";
    if (node.head.n_links > geometry.max_links(0))
        return "a node's link count is out of range";
    if (const char* problem = check_optional_id(node.tids_head, n_slots))
        return problem;
    if (const char* problem = check_optional_id(node.links_id, n_slots))
        return problem;
    return check_links(links_of(record, geometry, 0), n_slots);
}

const char*
check_upper_links(const std::uint8_t* record, const Geometry& geometry, std::uint32_t n_slots) {
    const LinksRecord& links = links_record(record);
    if (links.head.layer < 1 || links.head.layer > geometry.max_layer)
        return "a links record's layer count is out of range";
    if (links.reserved != 0)
        return "a links record's unused bytes are in use";
    if (number_of(links.owner) >= n_slots)
        return "a links record's owner is beyond the index";
    for (int layer = 1; layer <= links.head.layer; ++layer) {
        if (links.counts[layer - 1] > geometry.m_above)
            return "a links record's count is out of range";
        if (const char* problem = check_upper_layer(links_of(record, geometry, layer), n_slots))
            return problem;
    }
    return nullptr;
}

const char*
check_tids(const std::uint8_t* record, std::uint32_t n_slots) {
    const TidsRecord& tids = tids_record(record);
    if (number_of(tids.owner) >= n_slots)
        return "a tids record's owner is beyond the index";
    return check_optional_id(tids.next, n_slots);
}

}  // namespace

const char*
check_record(const std::uint8_t* record, const Geometry& geometry, std::uint32_t n_slots) {
    switch (head_of(record).kind) {
        case RecordKind::kFree:
            return nullptr;
        case RecordKind::kNode:
            return check_node(record, geometry, n_slots);
        case RecordKind::kLinks:
            return check_upper_links(record, geometry, n_slots);
        case RecordKind::kTids:
            return check_tids(record, n_slots);
    }
    return "a record is of an unknown kind";
}

void
init_node(const NodeContent& content, const Geometry& geometry, std::uint8_t* record,
          std::uint8_t* cold) {
    NodeRecord& node = node_of(record);
    node.head.kind = RecordKind::kNode;
    node.head.layer = static_cast<std::uint8_t>(content.layer);
    node.tid = content.tid;
    node.tids_head = kNoNode;
    node.links_id = kNoNode;
    const VectorContent& vector = content.vector;
    node.factor = vector.header.factor;
    node.offset = vector.header.offset;
    node.hash = vector.hash;
    if (geometry.error_offset != 0)
        std::memcpy(record + geometry.error_offset, &vector.header.error, sizeof(float));
    std::memcpy(record + geometry.code_offset, vector.code, geometry.code_bytes);
    if (cold != nullptr)
        std::memcpy(cold, vector.residual.data(), vector.residual.size());
}

void
init_links(std::uint8_t* record, NodeId owner, int layer) {
    LinksRecord& links = links_record(record);
    links.head.kind = RecordKind::kLinks;
    links.head.layer = static_cast<std::uint8_t>(layer);
    links.owner = owner;
}

void
init_tids(std::uint8_t* record, NodeId owner, NodeId next, std::uint16_t next_version) {
    TidsRecord& tids = tids_record(record);
    tids.head.kind = RecordKind::kTids;
    tids.owner = owner;
    tids.next = next;
    tids.next_version = next_version;
}

}  // namespace vext::hnsw
