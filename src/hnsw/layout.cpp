// See layout.h.

#include "hnsw/layout.h"

#include <algorithm>

namespace vext::hnsw {

namespace {

// The server's page header, as far as we set it: LSN 8, checksum 2, flags 2, lower 2, upper 2,
// special 2, size and layout version 2, prune xid 4. Lower and upper meet, because generic WAL
// takes what lies between them for unused.
constexpr std::uint32_t kLowerOffset = 12;
constexpr std::uint16_t kLayoutVersion = 4;
constexpr std::uint16_t kSpecial = kPageSize - sizeof(PageTrailer);
constexpr std::uint16_t kHeaderFields[] = {kSpecial, kSpecial, kSpecial,
                                           kPageSize | kLayoutVersion};

constexpr std::uint32_t kMostExtentBlocks = 12;

constexpr std::uint32_t
round_up(std::uint32_t value, std::uint32_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

// Chooses the extent with the fewest blocks that wastes at most 3 % of its cold slots, or wastes
// least.
void
choose_extent(Geometry& geometry) {
    if (geometry.cold_bytes == 0) {
        geometry.hot_blocks = 4;
        geometry.cold_blocks = 0;
        return;
    }
    double least_waste = 2;
    for (std::uint32_t hot = 1; hot < kMostExtentBlocks; ++hot) {
        const std::uint32_t n_slots = hot * geometry.hot_per_page;
        const std::uint32_t cold = (n_slots + geometry.cold_per_page - 1) / geometry.cold_per_page;
        if (hot > 1 && hot + cold > kMostExtentBlocks)
            break;
        const double waste = 1.0 - static_cast<double>(n_slots) / (cold * geometry.cold_per_page);
        if (waste < least_waste) {
            least_waste = waste;
            geometry.hot_blocks = hot;
            geometry.cold_blocks = cold;
        }
        if (waste <= 0.03)
            break;
    }
}

const char*
check_links(const Link* links, std::uint32_t n, std::uint32_t n_slots) {
    for (std::uint32_t i = 0; i < n; ++i)
        if (links[i].id() >= n_slots)
            return "a link points beyond the index";
    return nullptr;
}

// On the layers above 0 nothing is the way back to a parent.
const char*
check_layer_links(const Link* links, std::uint32_t n, std::uint32_t n_slots) {
    for (std::uint32_t i = 0; i < n; ++i)
        if (links[i].kind() == core::LinkKind::kParent)
            return "a link is of an unknown kind";
    return check_links(links, n, n_slots);
}

const char*
check_optional_id(NodeId id, std::uint32_t n_slots) {
    return id == kNoNode || id < n_slots ? nullptr : "a record points beyond the index";
}

const char*
check_node(const std::uint8_t* record, const Geometry& geometry, std::uint32_t n_slots) {
    const auto& node = *reinterpret_cast<const NodeRecord*>(record);
    if (node.head.layer > geometry.max_layer)
        return "a node's layer is out of range";
    if (node.head.n_links > geometry.max_links(0))
        return "a node's link count is out of range";
    if (const char* problem = check_optional_id(node.tids_head, n_slots))
        return problem;
    if (const char* problem = check_optional_id(node.links_id, n_slots))
        return problem;
    return check_links(node_links(record, geometry), node.head.n_links, n_slots);
}

const char*
check_upper_links(const std::uint8_t* record, const Geometry& geometry, std::uint32_t n_slots) {
    const auto& links = *reinterpret_cast<const LinksRecord*>(record);
    if (links.head.layer < 1 || links.head.layer > geometry.max_layer)
        return "a links record's layer count is out of range";
    if (links.reserved != 0)
        return "a links record's unused bytes are in use";
    if (links.owner >= n_slots)
        return "a links record's owner is beyond the index";
    for (int layer = 1; layer <= links.head.layer; ++layer) {
        if (links.counts[layer - 1] > geometry.m)
            return "a links record's count is out of range";
        if (const char* problem = check_layer_links(layer_links(record, geometry, layer),
                                                    links.counts[layer - 1], n_slots))
            return problem;
    }
    return nullptr;
}

const char*
check_tids(const std::uint8_t* record, std::uint32_t n_slots) {
    const auto& tids = *reinterpret_cast<const TidsRecord*>(record);
    if (tids.owner >= n_slots)
        return "a tids record's owner is beyond the index";
    return check_optional_id(tids.next, n_slots);
}

}  // namespace

Geometry
make_geometry(const RecordSizes& sizes) {
    Geometry geometry = {};
    geometry.m = sizes.m;
    geometry.links_offset = sizeof(NodeRecord) + (sizes.has_inline_error ? sizeof(float) : 0);
    geometry.code_offset =
        geometry.links_offset + 2 * sizes.m * static_cast<std::uint32_t>(sizeof(Link));
    geometry.hot_bytes = round_up(geometry.code_offset + sizes.code_bytes, 4);
    geometry.cold_bytes = round_up(sizes.residual_bytes, 4);
    if (geometry.hot_bytes > kUsableSize || geometry.cold_bytes > kUsableSize)
        return {};
    geometry.hot_per_page = kUsableSize / geometry.hot_bytes;
    geometry.cold_per_page = geometry.cold_bytes == 0 ? 0 : kUsableSize / geometry.cold_bytes;
    choose_extent(geometry);
    const std::uint32_t per_page = kUsableSize / sizeof(float);
    geometry.centroid_blocks = (sizes.n_dims + per_page - 1) / per_page;
    geometry.first_block = 1 + geometry.centroid_blocks;
    geometry.tids_per_record = (geometry.hot_bytes - sizeof(TidsRecord)) / sizeof(Tid);
    geometry.max_layer = std::min<std::int32_t>(
        static_cast<std::int32_t>((geometry.hot_bytes - sizeof(LinksRecord)) /
                                  (sizes.m * sizeof(Link))),
        kMaxLayers);
    return geometry;
}

void
init_page(std::uint8_t* page, PageKind kind, std::uint32_t block) {
    std::memset(page, 0, kPageSize);
    std::memcpy(page + kLowerOffset, kHeaderFields, sizeof(kHeaderFields));
    const PageTrailer trailer = {kPageMagic, kind, block};
    std::memcpy(page + kSpecial, &trailer, sizeof(trailer));
}

bool
is_zero_page(const std::uint8_t* page) {
    const auto* words = reinterpret_cast<const std::uint64_t*>(page);
    return std::all_of(words, words + kPageSize / sizeof(std::uint64_t),
                       [](std::uint64_t word) { return word == 0; });
}

const char*
check_page(const std::uint8_t* page, PageKind kind, std::uint32_t block) {
    const PageTrailer& trailer = *trailer_of(page);
    if (trailer.magic != kPageMagic)
        return "the page has no hnsw mark";
    if (trailer.kind != kind)
        return "the page is of another kind";
    if (trailer.block != block)
        return "the page belongs to another block";
    return nullptr;
}

const char*
check_page_header(const std::uint8_t* page) {
    if (std::memcmp(page + kLowerOffset, kHeaderFields, sizeof(kHeaderFields)) != 0)
        return "the page's header is out of range";
    return nullptr;
}

const char*
check_meta(const MetaPage& meta) {
    if (meta.magic != kMetaMagic)
        return "the metapage has no hnsw mark";
    if (meta.metric > core::Metric::kL1 || meta.codec > core::CodecKind::kPlain8)
        return "the metapage names an unknown metric or codec";
    if (meta.needs_clean_up > 1 || meta.has_centroid > 1 || meta.has_inline_error > 1)
        return "the metapage's flags are out of range";
    if (meta.m < kMinM || meta.m > kMaxM || meta.n_dims == 0)
        return "the metapage's sizes are out of range";
    const core::CodecSizes sizes = core::codec_sizes(meta.codec, meta.n_dims);
    if ((meta.metric == core::Metric::kL1) != (meta.codec == core::CodecKind::kPlain8) ||
        sizes.code_bytes != meta.code_bytes || sizes.residual_bytes != meta.residual_bytes ||
        sizes.has_inline_error != (meta.has_inline_error != 0))
        return "the metapage's sizes are not its codec's";
    const Geometry geometry = geometry_of(meta);
    if (geometry.hot_per_page == 0 || meta.n_slots > kMostSlots ||
        meta.n_slots % geometry.slots_per_extent() != 0)
        return "the metapage's sizes do not fit each other";
    if (meta.entry_node == kNoNode)
        return nullptr;
    if (meta.entry_node >= meta.n_slots)
        return "the entry point is beyond the index";
    if (meta.entry_layer < 0 || meta.entry_layer > geometry.max_layer)
        return "the entry point's layer is out of range";
    return nullptr;
}

const char*
check_record(const std::uint8_t* record, const Geometry& geometry, std::uint32_t n_slots) {
    switch (reinterpret_cast<const RecordHead*>(record)->kind) {
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

}  // namespace vext::hnsw
