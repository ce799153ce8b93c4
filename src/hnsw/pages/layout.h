// The index file: blocks, pages and the fields of records. Free of the server, so that the decoder
// can be fuzzed; docs/on_disk_format.md has the pictures. record.h has the views of a record.
//
// On-disk promise: little-endian, fixed-size records addressed by arithmetic. A change here bumps
// kFormatVersion.
//
//   block 0                metapage
//   block 1 .. c           centroid, float32 per dimension; none for bits and sparse
//   then extents           `hot_blocks` pages of hot records, `cold_blocks` pages of cold ones

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "core/codec/codec.h"
#include "core/graph/candidate.h"
#include "core/graph/link.h"
#include "core/metric.h"
#include "hnsw/limits.h"

namespace vext::hnsw {

using core::kNoNode;
using core::NodeId;

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

inline constexpr std::uint32_t kPageSize = 8192;
inline constexpr std::uint32_t kPageHeaderSize = 24;
inline constexpr std::uint32_t kFormatVersion = 3;
inline constexpr std::uint32_t kMetaMagic = 0x58455648;  // "HVEX"
inline constexpr std::uint16_t kPageMagic = 0x4856;      // "VH"
inline constexpr std::uint32_t kMetaBlock = 0;

enum class PageKind : std::uint16_t { kMeta = 1, kCentroid = 2, kHot = 3, kCold = 4 };

/// The last eight bytes of every page: a page that was swapped or came from elsewhere shows.
struct PageTrailer {
    std::uint16_t magic;
    PageKind kind;
    std::uint32_t block;
};
static_assert(sizeof(PageTrailer) == 8);

inline constexpr std::uint32_t kUsableSize = kPageSize - kPageHeaderSize - sizeof(PageTrailer);

struct MetaPage {
    std::uint32_t magic;
    std::uint32_t version;
    core::Metric metric;
    core::CodecKind codec;
    std::uint16_t n_dims_low;
    std::uint16_t m;
    std::uint8_t has_inline_error;
    std::uint8_t has_centroid;
    std::uint16_t code_bytes;
    std::uint16_t residual_bytes;
    std::uint16_t needs_clean_up;  ///< rows were removed and the graph was not mended since: 0 or 1
    std::uint16_t n_dims_high;     ///< of sparse vectors alone
    std::uint64_t rotation_seed;
    NodeId entry_node;  ///< kNoNode while the graph is empty
    std::int32_t entry_layer;
    std::uint32_t n_slots;     ///< high-water mark: ids below it have their pages
    std::uint32_t lock_epoch;  ///< inserters hold the drain lock of its lowest bit

    std::uint32_t
    n_dims() const {
        return static_cast<std::uint32_t>(n_dims_high) << 16 | n_dims_low;
    }
    void
    set_n_dims(std::uint32_t n_dims) {
        n_dims_low = static_cast<std::uint16_t>(n_dims);
        n_dims_high = static_cast<std::uint16_t>(n_dims >> 16);
    }
    bool
    is_sparse() const {
        return codec == core::CodecKind::kSparse;
    }
    /// Entries that a code has room for; 0 unless is_sparse().
    std::size_t
    n_entries() const {
        return is_sparse() ? core::n_sparse_entries(n_dims(), code_bytes) : 0;
    }
};
static_assert(sizeof(MetaPage) == 48 && offsetof(MetaPage, rotation_seed) == 24);

enum class RecordKind : std::uint8_t { kFree = 0, kNode = 1, kLinks = 2, kTids = 3 };

inline constexpr std::uint8_t kFlagDead = 1;      ///< no row left: walked, never returned
inline constexpr std::uint8_t kFlagLinked = 2;    ///< back-links were made
inline constexpr std::uint8_t kFlagAppended = 4;  ///< a row joined since vacuum last looked

/// A heap row: block and line pointer, as the server's ItemPointerData. Position 0 is none.
struct Tid {
    std::uint16_t block_high;
    std::uint16_t block_low;
    std::uint16_t position;

    bool
    is_valid() const {
        return position != 0;
    }
    bool operator==(const Tid&) const = default;
};
static_assert(sizeof(Tid) == 6);
inline constexpr Tid kNoTid = {0, 0, 0};

/// In the order of the table.
constexpr bool
is_before(const Tid& a, const Tid& b) {
    if (a.block_high != b.block_high)
        return a.block_high < b.block_high;
    if (a.block_low != b.block_low)
        return a.block_low < b.block_low;
    return a.position < b.position;
}

using core::Link;

inline constexpr std::uint32_t kMostSlots = Link::kMostIds;

/// What every hot slot begins with; a freed slot keeps its version.
struct RecordHead {
    RecordKind kind;
    std::uint8_t layer;  ///< node: its top layer; links: layers held; else 0
    std::uint8_t flags;
    std::uint8_t n_links;
    std::uint16_t version;
};
static_assert(sizeof(RecordHead) == 6);

struct NodeRecord {
    RecordHead head;
    Tid tid;
    NodeId tids_head;
    NodeId links_id;
    float factor;
    float offset;
    std::uint32_t hash;
    // then: float error (codecs with an inline error), Link links[2 m], the code
};
static_assert(sizeof(NodeRecord) == 32 && offsetof(NodeRecord, tids_head) == 12);

/// Links of one node on the layers above 0: room for `m_above` a layer, layer 1 first.
struct LinksRecord {
    RecordHead head;
    std::uint16_t reserved;
    NodeId owner;
    std::uint8_t counts[kMaxLayers];
    // then: Link links[head.layer][m_above]
};
static_assert(sizeof(LinksRecord) == 28);

/// Further rows whose vector equals the owner's.
struct TidsRecord {
    RecordHead head;
    std::uint16_t next_version;  ///< of the record `next`
    NodeId owner;
    NodeId next;
    // then: Tid tids[tids_per_record]; places of removed rows are kNoTid
};
static_assert(sizeof(TidsRecord) == 16);

static_assert(std::is_trivially_copyable_v<NodeRecord> && std::is_trivially_copyable_v<MetaPage>);

/// Where a record lies.
struct Place {
    std::uint32_t block;
    std::uint32_t offset;  ///< bytes from the start of the page
};

/// All sizes and places that follow from metric, codec, dimensions and m.
struct Geometry {
    std::uint32_t m;
    std::uint32_t hot_bytes;
    std::uint32_t cold_bytes;    ///< 0: no cold tier
    std::uint32_t error_offset;  ///< in a node's record; 0: codes have no error there
    std::uint32_t links_offset;
    std::uint32_t code_offset;
    std::uint32_t code_bytes;
    std::uint32_t hot_per_page;
    std::uint32_t cold_per_page;
    std::uint32_t hot_blocks;   ///< of an extent
    std::uint32_t cold_blocks;  ///< of an extent
    std::uint32_t first_block;  ///< of the first extent
    std::uint32_t centroid_blocks;
    std::uint32_t tids_per_record;
    std::uint32_t m_above;   ///< most links of a node on each layer above 0
    std::int32_t max_layer;  ///< highest layer whose links fit a record

    std::uint32_t
    slots_per_extent() const {
        return hot_blocks * hot_per_page;
    }
    std::uint32_t
    blocks_per_extent() const {
        return hot_blocks + cold_blocks;
    }
    std::uint32_t
    n_blocks_for(std::uint32_t n_slots) const {
        return first_block + n_slots / slots_per_extent() * blocks_per_extent();
    }
    bool
    is_hot_block(std::uint32_t block) const {
        return block >= first_block && (block - first_block) % blocks_per_extent() < hot_blocks;
    }
    /// Requires: is_hot_block(block). The id of the page's first slot.
    NodeId
    first_id_of(std::uint32_t block) const {
        const std::uint32_t i = block - first_block;
        return NodeId{i / blocks_per_extent() * slots_per_extent() +
                      i % blocks_per_extent() * hot_per_page};
    }
    /// The slots of all hot pages among the first `n_blocks` blocks.
    std::uint64_t
    n_slots_of(std::uint32_t n_blocks) const {
        const std::uint32_t n = n_blocks > first_block ? n_blocks - first_block : 0;
        const std::uint32_t of_last = n % blocks_per_extent();
        return std::uint64_t{n / blocks_per_extent()} * slots_per_extent() +
               (of_last < hot_blocks ? of_last : hot_blocks) * hot_per_page;
    }
    Place
    hot_place(NodeId id) const {
        const std::uint32_t in_extent = number_of(id) % slots_per_extent();
        return {first_block_of(id) + in_extent / hot_per_page,
                kPageHeaderSize + in_extent % hot_per_page * hot_bytes};
    }
    Place
    cold_place(NodeId id) const {
        const std::uint32_t in_extent = number_of(id) % slots_per_extent();
        return {first_block_of(id) + hot_blocks + in_extent / cold_per_page,
                kPageHeaderSize + in_extent % cold_per_page * cold_bytes};
    }
    std::uint32_t
    max_links(int layer) const {
        return layer == 0 ? 2 * m : m_above;
    }

   private:
    // Of the extent that holds the id.
    std::uint32_t
    first_block_of(NodeId id) const {
        return first_block + number_of(id) / slots_per_extent() * blocks_per_extent();
    }
};

/// What the geometry follows from.
struct RecordSizes {
    std::uint32_t n_centroid;  ///< floats of the centroid
    std::uint32_t m;
    std::uint32_t code_bytes;
    std::uint32_t residual_bytes;
    bool has_inline_error;
};

/// The geometry of an index; hot_per_page is 0 where a record does not fit a page.
Geometry make_geometry(const RecordSizes& sizes);

inline Geometry
geometry_of(const MetaPage& meta) {
    const std::uint32_t n_centroid = core::has_centroid(meta.codec) ? meta.n_dims() : 0;
    return make_geometry(
        {n_centroid, meta.m, meta.code_bytes, meta.residual_bytes, meta.has_inline_error != 0});
}

inline const PageTrailer*
trailer_of(const std::uint8_t* page) {
    return reinterpret_cast<const PageTrailer*>(page + kPageSize - sizeof(PageTrailer));
}

/// Bytes of an empty page: header fields of the server, kind and block.
void init_page(std::uint8_t* page, PageKind kind, std::uint32_t block);

bool is_zero_page(const std::uint8_t* page);

/// Null when the page is what it should be; else the reason.
const char* check_page(const std::uint8_t* page, PageKind kind, std::uint32_t block);

/// Null when the server's page header is as init_page made it; else the reason. What a header
/// leaves out of a page is lost with the page's next change.
const char* check_page_header(const std::uint8_t* page);

/// Null when the metapage's fields are possible together; else the reason.
const char* check_meta(const MetaPage& meta);

}  // namespace vext::hnsw
