// See layout.h.

#include "hnsw/pages/layout.h"

#include <algorithm>
#include <cmath>

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

// Small records hold many links of few layers, or fewer of more: as many layers as a large graph
// has, since groups of nodes that lie far apart are told from each other by the layers (README.md).
void
choose_layers(Geometry& geometry) {
    constexpr double kLargeGraph = 1 << 16;
    constexpr std::uint32_t kFewestLinks = 3;
    const auto n_links =
        static_cast<std::uint32_t>((geometry.hot_bytes - sizeof(LinksRecord)) / sizeof(Link));
    const double n_layers = std::ceil(std::log(kLargeGraph) / std::log(2 * geometry.m));
    const std::uint32_t n_shared = n_links / static_cast<std::uint32_t>(n_layers);
    geometry.m_above = std::clamp(n_shared, std::min(geometry.m, kFewestLinks), geometry.m);
    geometry.max_layer =
        std::min(static_cast<std::int32_t>(n_links / geometry.m_above), kMaxLayers);
}

}  // namespace

Geometry
make_geometry(const RecordSizes& sizes) {
    Geometry geometry = {};
    geometry.m = sizes.m;
    geometry.error_offset = sizes.has_inline_error ? sizeof(NodeRecord) : 0;
    geometry.links_offset = sizeof(NodeRecord) + (sizes.has_inline_error ? sizeof(float) : 0);
    geometry.code_offset =
        geometry.links_offset + 2 * sizes.m * static_cast<std::uint32_t>(sizeof(Link));
    geometry.code_bytes = sizes.code_bytes;
    geometry.hot_bytes = round_up(geometry.code_offset + sizes.code_bytes, 4);
    geometry.cold_bytes = round_up(sizes.residual_bytes, 4);
    if (geometry.hot_bytes > kUsableSize || geometry.cold_bytes > kUsableSize)
        return {};
    geometry.hot_per_page = kUsableSize / geometry.hot_bytes;
    geometry.cold_per_page = geometry.cold_bytes == 0 ? 0 : kUsableSize / geometry.cold_bytes;
    choose_extent(geometry);
    const std::uint32_t per_page = kUsableSize / sizeof(float);
    geometry.centroid_blocks = (sizes.n_centroid + per_page - 1) / per_page;
    geometry.first_block = 1 + geometry.centroid_blocks;
    geometry.tids_per_record = (geometry.hot_bytes - sizeof(TidsRecord)) / sizeof(Tid);
    choose_layers(geometry);
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
    if (meta.metric > core::Metric::kJaccard || meta.codec > core::CodecKind::kSparse)
        return "the metapage names an unknown metric or codec";
    if (meta.needs_clean_up > 1 || meta.has_centroid > 1 || meta.has_inline_error > 1)
        return "the metapage's flags are out of range";
    if (!core::has_centroid(meta.codec) && meta.has_centroid != 0)
        return "the metapage names a centroid that the codec has not";
    if (meta.m < kMinM || meta.m > kMaxM || meta.n_dims() == 0 ||
        (meta.is_sparse() ? meta.n_entries() == 0 : meta.n_dims_high != 0) ||
        meta.n_dims() > static_cast<std::uint32_t>(core::kMaxSparseDims))
        return "the metapage's sizes are out of range";
    const core::CodecSizes sizes = core::codec_sizes(meta.codec, meta.n_dims(), meta.n_entries());
    if (!core::serves(meta.codec, meta.metric) || sizes.code_bytes != meta.code_bytes ||
        sizes.residual_bytes != meta.residual_bytes ||
        sizes.has_inline_error != (meta.has_inline_error != 0))
        return "the metapage's sizes are not its codec's";
    const Geometry geometry = geometry_of(meta);
    if (geometry.hot_per_page == 0 || meta.n_slots > kMostSlots ||
        meta.n_slots % geometry.slots_per_extent() != 0)
        return "the metapage's sizes do not fit each other";
    if (meta.entry_node == kNoNode)
        return nullptr;
    if (number_of(meta.entry_node) >= meta.n_slots)
        return "the entry point is beyond the index";
    if (meta.entry_layer < 0 || meta.entry_layer > geometry.max_layer)
        return "the entry point's layer is out of range";
    return nullptr;
}

}  // namespace vext::hnsw
