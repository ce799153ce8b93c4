// See index.h.

#include "hnsw/index.h"

#include "core/codec/rotation.h"
#include "hnsw/codec_cache.h"
#include "hnsw/options.h"
#include "types/distance.h"

namespace vext::hnsw {

namespace {

constexpr int kDistanceSupport = 1;
constexpr int kNormSupport = 2;

MetaPage
read_meta(Relation relation, pg::BufferHints* hints, Snapshot snapshot_at_risk = nullptr) {
    const auto meta = pg::with_page(relation, kMetaBlock, hints, [&](const std::uint8_t* page) {
        if (snapshot_at_risk != nullptr)
            pg::check_snapshot(snapshot_at_risk, relation, page);
        if (const char* problem = check_page(page, PageKind::kMeta, kMetaBlock))
            report_damage(relation, kMetaBlock, problem);
        MetaPage copy;
        std::memcpy(&copy, page + kPageHeaderSize, sizeof(copy));
        return copy;
    });
    if (meta.magic == kMetaMagic && meta.version != kFormatVersion)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("index \"%s\" has format version %u, but this vector_ext reads version %u",
                       RelationGetRelationName(relation), meta.version, kFormatVersion),
                errhint("REINDEX the index."));
    if (const char* problem = check_meta(meta))
        report_damage(relation, kMetaBlock, problem);
    return meta;
}

}  // namespace

core::Metric
metric_of(Relation relation) {
    const PGFunction distance = index_getprocinfo(relation, 1, kDistanceSupport)->fn_addr;
    if (distance == vext_vector_l2_squared_distance)
        return core::Metric::kL2;
    if (distance == vext_l1_distance)
        return core::Metric::kL1;
    if (distance == vext_vector_negative_inner_product)
        return OidIsValid(index_getprocid(relation, 1, kNormSupport)) ? core::Metric::kCosine
                                                                      : core::Metric::kInnerProduct;
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
            errmsg("distance function of operator class is not supported by hnsw"));
    pg_unreachable();
}

const core::Codec*
make_codec(const MetaPage& meta, const float* centroid) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    const bool is_rotated =
        meta.codec == core::CodecKind::kScalar4 || meta.codec == core::CodecKind::kScalar8;
    core::Rotation* rotation = nullptr;
    if (is_rotated)
        rotation = arena.make<core::Rotation>(arena, meta.n_dims, meta.rotation_seed);
    return arena.make<core::Codec>(meta.codec, meta.metric, meta.n_dims,
                                   is_rotated ? centroid : nullptr, rotation);
}

Index
open_index(Relation relation, pg::WalMode wal_mode) {
    check_settings_defined();
    Index index = {};
    index.relation = relation;
    index.wal_mode = wal_mode;
    index.meta = read_meta(relation, pg::BufferHints::of(relation, 1));
    // A column may have lost its dimensions since; the index keeps to its own.
    const std::int32_t n_dims = TupleDescAttr(RelationGetDescr(relation), 0)->atttypmod;
    if (index.meta.metric != metric_of(relation) || (n_dims >= 0 && index.meta.n_dims != n_dims))
        report_damage(relation, kMetaBlock, "the metapage is not of this index's definition");
    index.geometry = geometry_of(index.meta);
    index.hints = pg::BufferHints::of(relation, index.geometry.n_blocks_for(index.meta.n_slots));
    index.codec = find_codec(relation, index.meta, index.hints);
    index.codec_has_centroid = index.meta.has_centroid != 0;
    return index;
}

bool
has_seed(Relation relation, std::uint64_t seed) {
    return RelationGetNumberOfBlocks(relation) > 0 &&
           read_meta(relation, pg::BufferHints::of(relation, 1)).rotation_seed == seed;
}

void
reopen_index(Index& index, Relation relation) {
    index.relation = relation;
    index.hints = pg::BufferHints::of(relation, RelationGetNumberOfBlocks(relation));
    refresh_meta(index);
}

const MetaPage&
refresh_meta(Index& index) {
    const MetaPage fresh = read_meta(index.relation, index.hints, index.snapshot_at_risk);
    if (fresh.rotation_seed != index.meta.rotation_seed || fresh.n_dims != index.meta.n_dims)
        report_damage(index.relation, kMetaBlock, "the metapage has changed its identity");
    if (fresh.n_slots != index.meta.n_slots)
        index.hints =
            pg::BufferHints::of(index.relation, index.geometry.n_blocks_for(fresh.n_slots));
    index.meta = fresh;
    return index.meta;
}

void
report_damage(Relation relation, std::uint32_t block, const char* problem) {
    ereport(ERROR, errcode(ERRCODE_INDEX_CORRUPTED),
            errmsg("index \"%s\" is damaged at block %u: %s", RelationGetRelationName(relation),
                   block, problem),
            errhint("REINDEX the index."));
    pg_unreachable();
}

bool
check_page_or_report(const Index& index, const std::uint8_t* page, PageKind kind,
                     std::uint32_t block, bool may_be_zero) {
    const char* problem = check_page(page, kind, block);
    if (problem == nullptr)
        return true;
    if (may_be_zero && trailer_of(page)->magic == 0 && is_zero_page(page))
        return false;
    report_damage(index.relation, block, problem);
}

void
check_id(Index& index, NodeId id) {
    if (id < index.meta.n_slots)
        return;
    refresh_meta(index);
    if (id >= index.meta.n_slots)
        report_damage(index.relation, kMetaBlock, "a link points beyond the index");
}

}  // namespace vext::hnsw
