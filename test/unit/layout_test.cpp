// The layout of the index file: where records lie, and that every wrong field is seen.

#include "hnsw/pages/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace vext::hnsw {
namespace {

using core::CodecKind;
using core::LinkKind;
using core::Metric;

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine,
                               Metric::kL1, Metric::kHamming,      Metric::kJaccard};

MetaPage
meta_for(Metric metric, std::uint32_t n_dims, std::uint32_t m) {
    MetaPage meta = {};
    meta.magic = kMetaMagic;
    meta.version = kFormatVersion;
    meta.metric = metric;
    meta.codec = core::codec_for(metric, n_dims);
    meta.set_n_dims(n_dims);
    meta.m = static_cast<std::uint16_t>(m);
    const core::CodecSizes sizes = core::codec_sizes(meta.codec, n_dims);
    meta.has_inline_error = sizes.has_inline_error;
    meta.code_bytes = static_cast<std::uint16_t>(sizes.code_bytes);
    meta.residual_bytes = static_cast<std::uint16_t>(sizes.residual_bytes);
    meta.entry_node = kNoNode;
    return meta;
}

Geometry
geometry_for(Metric metric, std::uint32_t n_dims, std::uint32_t m) {
    return geometry_of(meta_for(metric, n_dims, m));
}

/// Calls `visit(name, meta, geometry)` for sizes all over what an index can have.
template <typename Visit>
void
for_each_geometry(Visit&& visit) {
    for (const Metric metric : kMetrics) {
        for (const std::uint32_t n_dims : {1u, 2u, 3u, 16u, 32u, 33u, 64u, 128u, 256u, 257u, 384u,
                                           768u, 1000u, 1024u, 1536u, 2000u, 3072u, 4096u, 8000u}) {
            for (const std::uint32_t m : {2u, 3u, 5u, 16u, 37u, 64u, 100u}) {
                const MetaPage meta = meta_for(metric, n_dims, m);
                const Geometry geometry = geometry_of(meta);
                const std::string name = "metric " + std::to_string(static_cast<int>(metric)) +
                                         " dims " + std::to_string(n_dims) + " m " +
                                         std::to_string(m);
                SCOPED_TRACE(name);
                if (geometry.hot_per_page > 0)
                    visit(meta, geometry);
                else
                    EXPECT_TRUE(metric == Metric::kL1 && n_dims > 8124 - 8 * m);
            }
        }
    }
}

TEST(Layout, RecordsHoldTheirParts) {
    for_each_geometry([](const MetaPage& meta, const Geometry& geometry) {
        EXPECT_GE(geometry.links_offset, sizeof(NodeRecord) + 4 * meta.has_inline_error);
        EXPECT_GE(geometry.code_offset, geometry.links_offset + geometry.max_links(0) * 4);
        EXPECT_GE(geometry.hot_bytes, geometry.code_offset + meta.code_bytes);
        EXPECT_GE(geometry.cold_bytes, meta.residual_bytes);
        EXPECT_EQ(geometry.cold_bytes == 0, meta.residual_bytes == 0);
        // Floats and ids are read in place.
        EXPECT_EQ(geometry.hot_bytes % 4, 0u);
        EXPECT_EQ(geometry.cold_bytes % 4, 0u);
        EXPECT_EQ(geometry.links_offset % 4, 0u);
        EXPECT_EQ(geometry.code_offset % 4, 0u);
        EXPECT_EQ(geometry.max_links(0), 2u * meta.m);
        EXPECT_LE(geometry.max_links(1), meta.m);
        EXPECT_GE(geometry.max_links(1), std::min<std::uint32_t>(meta.m, 3));
        // Enough layers for many nodes, or too few links for them.
        EXPECT_TRUE(std::pow(2 * meta.m, geometry.max_layer) >= 1 << 16 ||
                    geometry.max_links(1) <= 3)
            << meta.m << ' ' << geometry.max_layer;
        // The other records use the same slots.
        EXPECT_GE(geometry.max_layer, 1);
        EXPECT_LE(geometry.max_layer, kMaxLayers);
        EXPECT_LE(sizeof(LinksRecord) + static_cast<std::uint32_t>(geometry.max_layer) *
                                            geometry.m_above * sizeof(Link),
                  geometry.hot_bytes);
        EXPECT_GE(geometry.tids_per_record, 1u);
        EXPECT_LE(sizeof(TidsRecord) + geometry.tids_per_record * sizeof(Tid), geometry.hot_bytes);
    });
}

TEST(Layout, PlacesLieWithinPagesAndDoNotOverlap) {
    for_each_geometry([](const MetaPage& meta, const Geometry& geometry) {
        std::set<std::pair<std::uint32_t, std::uint32_t>> hot, cold;
        std::set<std::uint32_t> hot_blocks, cold_blocks;
        const std::uint32_t n = 3 * geometry.slots_per_extent();
        for (const NodeId id : core::ids_below(n)) {
            const Place place = geometry.hot_place(id);
            ASSERT_GE(place.offset, kPageHeaderSize);
            ASSERT_LE(place.offset + geometry.hot_bytes, kPageHeaderSize + kUsableSize);
            ASSERT_EQ((place.offset - kPageHeaderSize) % geometry.hot_bytes, 0u);
            ASSERT_TRUE(hot.emplace(place.block, place.offset).second);
            ASSERT_TRUE(geometry.is_hot_block(place.block));
            ASSERT_EQ(geometry.first_id_of(place.block) +
                          (place.offset - kPageHeaderSize) / geometry.hot_bytes,
                      id);
            ASSERT_LT(place.block, geometry.n_blocks_for(n));
            hot_blocks.insert(place.block);
            if (geometry.cold_bytes == 0)
                continue;
            const Place residual = geometry.cold_place(id);
            ASSERT_GE(residual.offset, kPageHeaderSize);
            ASSERT_LE(residual.offset + geometry.cold_bytes, kPageHeaderSize + kUsableSize);
            ASSERT_EQ((residual.offset - kPageHeaderSize) % geometry.cold_bytes, 0u);
            ASSERT_TRUE(cold.emplace(residual.block, residual.offset).second);
            ASSERT_FALSE(geometry.is_hot_block(residual.block));
            ASSERT_LT(residual.block, geometry.n_blocks_for(n));
            // Locked in this order.
            ASSERT_GT(residual.block, place.block);
            cold_blocks.insert(residual.block);
        }
        // Every block behind the centroid is of one tier, and in use.
        EXPECT_EQ(hot_blocks.size(), 3 * geometry.hot_blocks);
        EXPECT_EQ(cold_blocks.size(), 3 * geometry.cold_blocks);
        EXPECT_EQ(geometry.first_block + hot_blocks.size() + cold_blocks.size(),
                  geometry.n_blocks_for(n));
        EXPECT_EQ(*hot_blocks.begin(), geometry.first_block);
        EXPECT_EQ(geometry.first_block, 1 + geometry.centroid_blocks);
        if (meta.codec == CodecKind::kBits)
            EXPECT_EQ(geometry.centroid_blocks, 0u);
        else
            EXPECT_GE(geometry.centroid_blocks * kUsableSize, meta.n_dims() * sizeof(float));
        EXPECT_FALSE(geometry.is_hot_block(geometry.first_block - 1));
        EXPECT_FALSE(geometry.is_hot_block(kMetaBlock));
        EXPECT_EQ(geometry.n_blocks_for(0), geometry.first_block);
    });
}

TEST(Layout, SlotsOfAFileAreThoseOfItsHotPages) {
    for_each_geometry([](const MetaPage&, const Geometry& geometry) {
        EXPECT_EQ(geometry.n_slots_of(0), 0u);
        std::uint64_t n_slots = 0;
        const std::uint32_t n_blocks = geometry.n_blocks_for(3 * geometry.slots_per_extent());
        for (std::uint32_t block = 0; block < n_blocks; ++block) {
            n_slots += geometry.is_hot_block(block) ? geometry.hot_per_page : 0;
            ASSERT_EQ(geometry.n_slots_of(block + 1), n_slots) << block;
        }
        EXPECT_LE(geometry.n_slots_of(0xfffffffe), 0xfffffffeULL * geometry.hot_per_page);
        EXPECT_GT(geometry.n_slots_of(0xfffffffe), n_slots);
    });
}

TEST(Layout, ExtentsAreSmallAndWasteLittle) {
    for_each_geometry([](const MetaPage&, const Geometry& geometry) {
        if (geometry.cold_bytes == 0) {
            EXPECT_EQ(geometry.cold_blocks, 0u);
            EXPECT_LE(geometry.hot_blocks, 4u);
            return;
        }
        // One hot page may need more cold ones.
        if (geometry.hot_blocks > 1) {
            EXPECT_LE(geometry.blocks_per_extent(), 12u);
        }
        EXPECT_GE(geometry.cold_blocks * geometry.cold_per_page, geometry.slots_per_extent());
        EXPECT_LT((geometry.cold_blocks - 1) * geometry.cold_per_page, geometry.slots_per_extent());
    });
}

TEST(Layout, BlocksOfTheLargestIndexAreNumbers) {
    for_each_geometry([](const MetaPage&, const Geometry& geometry) {
        const NodeId last{kMostSlots - 1 - (kMostSlots - 1) % geometry.slots_per_extent()};
        const std::uint64_t block = geometry.first_block + std::uint64_t{number_of(last)} /
                                                               geometry.slots_per_extent() *
                                                               geometry.blocks_per_extent();
        if (block > 0xfffffffe)
            return;  // the server's limit comes first
        EXPECT_EQ(geometry.hot_place(last).block, block);
        EXPECT_EQ(geometry.first_id_of(geometry.hot_place(last).block), last);
    });
}

TEST(Layout, SizesAreThoseOfTheDesign) {
    const Geometry geometry = geometry_for(Metric::kL2, 768, 16);
    EXPECT_EQ(geometry.hot_bytes, 544u);
    EXPECT_EQ(geometry.hot_per_page, 15u);
    EXPECT_EQ(geometry.cold_bytes, 780u);
    EXPECT_EQ(geometry.cold_per_page, 10u);
    const struct {
        std::uint32_t n_dims;
        double n_bytes;
    } kTable[] = {{128, 293}, {384, 766}, {768, 1365}, {1024, 1853}, {1536, 2662}, {3072, 6144}};
    for (const auto& [n_dims, n_bytes] : kTable) {
        for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
            const Geometry sized = geometry_for(metric, n_dims, 16);
            const double per_vector = static_cast<double>(kPageSize) * sized.blocks_per_extent() /
                                      sized.slots_per_extent();
            EXPECT_LE(per_vector, 1.04 * n_bytes) << n_dims;
        }
    }
}

TEST(Layout, ReachesTheDimensionsItPromises) {
    for (const std::uint32_t m : {2u, 16u, 100u}) {
        for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine})
            EXPECT_GT(geometry_for(metric, 8000, m).hot_per_page, 0u);
        EXPECT_GT(geometry_for(Metric::kL1, 8124 - 8 * m, m).hot_per_page, 0u);
        EXPECT_EQ(geometry_for(Metric::kL1, 8124 - 8 * m + 1, m).hot_per_page, 0u);
    }
    EXPECT_EQ(geometry_for(Metric::kL2, 16000, 16).hot_per_page, 0u);
    for (const Metric metric : {Metric::kHamming, Metric::kJaccard}) {
        EXPECT_EQ(geometry_for(metric, 64000, 16).hot_per_page, 1u);
        EXPECT_GT(geometry_for(metric, 58624, 100).hot_per_page, 0u);
        EXPECT_EQ(geometry_for(metric, 58625, 100).hot_per_page, 0u);
    }
}

// --- pages ---

using Page = std::vector<std::uint8_t>;

Page
new_page(PageKind kind, std::uint32_t block) {
    Page page(kPageSize, 0xab);
    init_page(page.data(), kind, block);
    return page;
}

TEST(Page, IsWhatItWasMadeAs) {
    for (const PageKind kind :
         {PageKind::kMeta, PageKind::kCentroid, PageKind::kHot, PageKind::kCold}) {
        for (const std::uint32_t block : {0u, 1u, 77u, 0xfffffffeu}) {
            const Page page = new_page(kind, block);
            EXPECT_EQ(check_page(page.data(), kind, block), nullptr);
            EXPECT_NE(check_page(page.data(), kind, block + 1), nullptr);
            for (const PageKind other :
                 {PageKind::kMeta, PageKind::kCentroid, PageKind::kHot, PageKind::kCold}) {
                if (other != kind) {
                    EXPECT_NE(check_page(page.data(), other, block), nullptr);
                }
            }
            EXPECT_FALSE(is_zero_page(page.data()));
            for (std::uint32_t i = 0; i < kUsableSize; ++i)
                ASSERT_EQ(page[kPageHeaderSize + i], 0) << i;
        }
    }
}

TEST(Page, HasNoHole) {
    const Page page = new_page(PageKind::kHot, 5);
    std::uint16_t lower = 0, upper = 0, special = 0, size_and_version = 0;
    std::memcpy(&lower, &page[12], 2);
    std::memcpy(&upper, &page[14], 2);
    std::memcpy(&special, &page[16], 2);
    std::memcpy(&size_and_version, &page[18], 2);
    EXPECT_EQ(lower, upper);
    EXPECT_EQ(upper, special);
    EXPECT_EQ(special, kPageSize - sizeof(PageTrailer));
    EXPECT_EQ(size_and_version, kPageSize | 4);
}

TEST(Page, EveryOtherHeaderIsSeen) {
    Page page = new_page(PageKind::kHot, 5);
    EXPECT_EQ(check_page_header(page.data()), nullptr);
    for (std::size_t i = 12; i < 20; ++i) {
        page[i] ^= 0x10;
        EXPECT_NE(check_page_header(page.data()), nullptr) << i;
        page[i] ^= 0x10;
    }
    // What others set: place in the log, checksum, flags, the oldest row to prune.
    for (const std::size_t i : {0, 8, 10, 20})
        page[i] ^= 1;
    EXPECT_EQ(check_page_header(page.data()), nullptr);
}

TEST(Page, IsZeroOnlyWithEveryByteZero) {
    Page page(kPageSize, 0);
    EXPECT_TRUE(is_zero_page(page.data()));
    EXPECT_NE(check_page(page.data(), PageKind::kHot, 0), nullptr);
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{4095},
                                static_cast<std::size_t>(kPageSize - 1)}) {
        page[i] = 1;
        EXPECT_FALSE(is_zero_page(page.data()));
        page[i] = 0;
    }
}

// --- the metapage ---

TEST(Meta, OfEverySoundIndexPasses) {
    for_each_geometry([](MetaPage meta, const Geometry& geometry) {
        EXPECT_EQ(check_meta(meta), nullptr);
        meta.n_slots = 5 * geometry.slots_per_extent();
        meta.entry_node = NodeId{meta.n_slots - 1};
        meta.entry_layer = geometry.max_layer;
        EXPECT_EQ(check_meta(meta), nullptr);
    });
}

TEST(Meta, BitsHaveTheirOwnMetricsAndNoCentroid) {
    const MetaPage sound = meta_for(Metric::kHamming, 256, 16);
    ASSERT_EQ(check_meta(sound), nullptr);
    MetaPage meta = sound;
    meta.has_centroid = 1;
    EXPECT_NE(check_meta(meta), nullptr);
    meta = sound;
    meta.metric = Metric::kL2;
    EXPECT_NE(check_meta(meta), nullptr);
    meta = sound;
    meta.set_n_dims(64001);
    EXPECT_NE(check_meta(meta), nullptr);
}

TEST(Meta, SparseVectorsHaveAnyDimensionsAndEntriesByTheirCodes) {
    for (const std::uint32_t n_dims : {1u, 30522u, 65536u, 65537u, 1'000'000'000u}) {
        MetaPage sound = meta_for(Metric::kL2, 3, 16);
        sound.set_n_dims(n_dims);
        sound.codec = CodecKind::kSparse;
        sound.has_inline_error = 1;
        const auto set_entries = [](MetaPage& meta, std::size_t n) {
            const core::CodecSizes sizes = core::codec_sizes(CodecKind::kSparse, meta.n_dims(), n);
            meta.code_bytes = static_cast<std::uint16_t>(sizes.code_bytes);
        };
        set_entries(sound, 100);
        EXPECT_EQ(sound.n_dims(), n_dims);
        EXPECT_EQ(sound.n_entries(), 100u);
        EXPECT_EQ(geometry_of(sound).centroid_blocks, 0u);
        for (const Metric metric : kMetrics) {
            sound.metric = metric;
            EXPECT_EQ(check_meta(sound) == nullptr, !core::is_of_bits(metric));
        }
        sound.metric = Metric::kL1;
        ASSERT_EQ(check_meta(sound), nullptr);
        MetaPage meta = sound;
        meta.has_centroid = 1;
        EXPECT_NE(check_meta(meta), nullptr);
        meta = sound;
        set_entries(meta, 0);
        EXPECT_NE(check_meta(meta), nullptr);
        meta = sound;
        set_entries(meta, 2000);
        EXPECT_NE(check_meta(meta), nullptr);
        meta = sound;
        meta.code_bytes += 1;
        EXPECT_NE(check_meta(meta), nullptr);
        meta = sound;
        meta.set_n_dims(1'000'000'001);
        EXPECT_NE(check_meta(meta), nullptr);
    }
}

TEST(Meta, EveryWrongFieldIsSeen) {
    MetaPage sound = meta_for(Metric::kL2, 768, 16);
    const Geometry geometry = geometry_of(sound);
    sound.n_slots = 10 * geometry.slots_per_extent();
    sound.entry_node = NodeId{7};
    sound.entry_layer = 1;
    ASSERT_EQ(check_meta(sound), nullptr);
    const auto expect_seen = [&](const char* field, auto&& change) {
        MetaPage meta = sound;
        change(meta);
        EXPECT_NE(check_meta(meta), nullptr) << field;
    };
    expect_seen("magic", [](MetaPage& meta) { meta.magic ^= 1; });
    expect_seen("metric", [](MetaPage& meta) { meta.metric = static_cast<Metric>(6); });
    expect_seen("metric of another codec", [](MetaPage& meta) { meta.metric = Metric::kL1; });
    expect_seen("metric of bits", [](MetaPage& meta) { meta.metric = Metric::kHamming; });
    expect_seen("codec", [](MetaPage& meta) { meta.codec = static_cast<CodecKind>(6); });
    for (const CodecKind codec : {CodecKind::kExact, CodecKind::kScalar8, CodecKind::kPlain8,
                                  CodecKind::kBits, CodecKind::kSparse})
        expect_seen("codec of other sizes", [&](MetaPage& meta) { meta.codec = codec; });
    expect_seen("n_dims", [](MetaPage& meta) { meta.set_n_dims(0); });
    expect_seen("n_dims of other sizes", [](MetaPage& meta) { meta.set_n_dims(800); });
    expect_seen("n_dims of sparse vectors", [](MetaPage& meta) { meta.set_n_dims(65536 + 768); });
    expect_seen("m", [](MetaPage& meta) { meta.m = 1; });
    expect_seen("m", [](MetaPage& meta) { meta.m = 101; });
    expect_seen("inline error", [](MetaPage& meta) { meta.has_inline_error = 1; });
    expect_seen("code bytes", [](MetaPage& meta) { meta.code_bytes += 8; });
    expect_seen("code bytes", [](MetaPage& meta) { meta.code_bytes = 65535; });
    expect_seen("residual bytes", [](MetaPage& meta) { meta.residual_bytes = 0; });
    expect_seen("residual bytes", [](MetaPage& meta) { meta.residual_bytes = 65535; });
    expect_seen("n_slots", [](MetaPage& meta) { meta.n_slots += 1; });
    expect_seen("n_slots", [&](MetaPage& meta) {
        meta.n_slots = kMostSlots / geometry.slots_per_extent() * geometry.slots_per_extent() +
                       geometry.slots_per_extent();
    });
    expect_seen("entry node", [](MetaPage& meta) { meta.entry_node = NodeId{meta.n_slots}; });
    expect_seen("entry layer", [](MetaPage& meta) { meta.entry_layer = -1; });
    expect_seen("entry layer", [&](MetaPage& meta) { meta.entry_layer = geometry.max_layer + 1; });
}

// --- records ---

/// A hot record of its exact size on the heap, so that a read beyond it is seen.
class Record {
   public:
    explicit Record(const Geometry& geometry, RecordKind kind)
        : bytes_(geometry.hot_bytes), geometry_(geometry) {
        head().kind = kind;
    }

    RecordHead&
    head() {
        return head_of(bytes_.data());
    }
    NodeRecord&
    node() {
        return node_of(bytes_.data());
    }
    LinksRecord&
    links() {
        return links_record(bytes_.data());
    }
    TidsRecord&
    tids() {
        return tids_record(bytes_.data());
    }
    std::uint8_t*
    bytes() {
        return bytes_.data();
    }
    const char*
    check(std::uint32_t n_slots = kSlots) const {
        return check_record(bytes_.data(), geometry_, n_slots);
    }

    static constexpr std::uint32_t kSlots = 1000;

   private:
    std::vector<std::uint8_t> bytes_;
    Geometry geometry_;
};

/// A Link of any bits, also of a kind that there is not.
Link
raw_link(std::uint32_t bits) {
    return std::bit_cast<Link>(bits);
}

Record
full_node(const Geometry& geometry) {
    Record record(geometry, RecordKind::kNode);
    record.head().layer = static_cast<std::uint8_t>(geometry.max_layer);
    record.head().n_links = static_cast<std::uint8_t>(geometry.max_links(0));
    record.node().tids_head = kNoNode;
    record.node().links_id = NodeId{12};
    for (std::uint32_t i = 0; i < geometry.max_links(0); ++i)
        links_in(record.bytes(), geometry, 0)[i] = Link(NodeId{i}, static_cast<LinkKind>(i % 4));
    return record;
}

Record
full_links(const Geometry& geometry) {
    Record record(geometry, RecordKind::kLinks);
    record.head().layer = static_cast<std::uint8_t>(geometry.max_layer);
    record.links().owner = NodeId{999};
    for (int layer = 1; layer <= geometry.max_layer; ++layer) {
        record.links().counts[layer - 1] = static_cast<std::uint8_t>(geometry.m_above);
        for (std::uint32_t i = 0; i < geometry.m_above; ++i)
            links_in(record.bytes(), geometry, layer)[i] = Link(NodeId{i}, LinkKind::kDiverse);
    }
    return record;
}

TEST(Record, SoundOnesPass) {
    for_each_geometry([](const MetaPage&, const Geometry& geometry) {
        EXPECT_EQ(Record(geometry, RecordKind::kFree).check(), nullptr);
        EXPECT_EQ(full_node(geometry).check(), nullptr);
        EXPECT_EQ(full_links(geometry).check(), nullptr);
        Record tids(geometry, RecordKind::kTids);
        tids.tids().owner = NodeId{3};
        tids.tids().next = kNoNode;
        for (std::uint32_t i = 0; i < geometry.tids_per_record; ++i)
            rows_of(tids.bytes(), geometry)[i] = {1, 2, 3};
        EXPECT_EQ(tids.check(), nullptr);
        tids.tids().next = NodeId{999};
        EXPECT_EQ(tids.check(), nullptr);
    });
}

TEST(Record, EveryWrongFieldOfANodeIsSeen) {
    for_each_geometry([](const MetaPage&, const Geometry& geometry) {
        const auto expect_seen = [&](const char* field, auto&& change) {
            Record record = full_node(geometry);
            change(record);
            EXPECT_NE(record.check(), nullptr) << field;
        };
        for (int kind = 4; kind < 256; ++kind)
            expect_seen("kind", [&](Record& record) {
                record.head().kind = static_cast<RecordKind>(kind);
            });
        expect_seen("layer", [](Record& record) { ++record.head().layer; });
        expect_seen("layer", [](Record& record) { record.head().layer = 255; });
        expect_seen("link count", [](Record& record) { ++record.head().n_links; });
        expect_seen("link count", [](Record& record) { record.head().n_links = 255; });
        expect_seen("chain",
                    [](Record& record) { record.node().tids_head = NodeId{Record::kSlots}; });
        expect_seen("links record",
                    [](Record& record) { record.node().links_id = NodeId{1u << 31}; });
        for (const std::uint32_t i : {0u, geometry.max_links(0) - 1}) {
            expect_seen("link", [&](Record& record) {
                links_in(record.bytes(), geometry, 0)[i] =
                    Link(NodeId{Record::kSlots}, LinkKind::kFiller);
            });
        }
        // What lies behind the count is not looked at.
        Record record = full_node(geometry);
        --record.head().n_links;
        links_in(record.bytes(), geometry, 0)[record.head().n_links] = raw_link(0xffffffff);
        EXPECT_EQ(record.check(), nullptr);
    });
}

TEST(Record, EveryWrongFieldOfUpperLinksIsSeen) {
    for_each_geometry([](const MetaPage&, const Geometry& geometry) {
        const auto expect_seen = [&](const char* field, auto&& change) {
            Record record = full_links(geometry);
            change(record);
            EXPECT_NE(record.check(), nullptr) << field;
        };
        expect_seen("layer", [](Record& record) { record.head().layer = 0; });
        expect_seen("layer", [](Record& record) { ++record.head().layer; });
        expect_seen("layer", [](Record& record) { record.head().layer = 255; });
        expect_seen("owner", [](Record& record) { record.links().owner = NodeId{Record::kSlots}; });
        expect_seen("owner", [](Record& record) { record.links().owner = kNoNode; });
        for (int layer = 1; layer <= geometry.max_layer; ++layer) {
            expect_seen("count", [&](Record& record) { ++record.links().counts[layer - 1]; });
            expect_seen("link", [&](Record& record) {
                links_in(record.bytes(), geometry, layer)[geometry.m_above - 1] =
                    Link(NodeId{Record::kSlots}, LinkKind::kDiverse);
            });
            expect_seen("link kind", [&](Record& record) {
                links_in(record.bytes(), geometry, layer)[0] = raw_link(3u << 30);
            });
        }
    });
}

TEST(Record, EveryWrongFieldOfTidsIsSeen) {
    const Geometry geometry = geometry_for(Metric::kL2, 40, 16);
    Record record(geometry, RecordKind::kTids);
    record.tids().owner = NodeId{5};
    record.tids().next = NodeId{6};
    ASSERT_EQ(record.check(), nullptr);
    record.tids().owner = NodeId{Record::kSlots};
    EXPECT_NE(record.check(), nullptr);
    record.tids().owner = kNoNode;
    EXPECT_NE(record.check(), nullptr);
    record.tids().owner = NodeId{5};
    record.tids().next = NodeId{Record::kSlots};
    EXPECT_NE(record.check(), nullptr);
}

TEST(Record, LinksKeepIdAndKind) {
    for (const std::uint32_t number : {0u, 1u, 12345u, kMostSlots - 1, kMostSlots}) {
        const NodeId id{number};
        for (const LinkKind kind : {LinkKind::kDiverse, LinkKind::kFiller, LinkKind::kAnchor}) {
            const Link link(id, kind);
            EXPECT_EQ(link.id(), id);
            EXPECT_EQ(link.kind(), kind);
        }
    }
}

}  // namespace
}  // namespace vext::hnsw
