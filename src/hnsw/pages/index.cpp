// See index.h.

#include "hnsw/pages/index.h"

#include <algorithm>

#include "core/codec/rotation.h"
#include "hnsw/opclass.h"
#include "hnsw/options.h"
#include "hnsw/pages/codec_cache.h"
#include "hnsw/pages/foreign.h"

namespace vext::hnsw {

namespace {

// How many extents the mark can be ahead of the file. Extending is not logged, so extents that were
// added and not written to yet may be missing: one for each insert that was cut off there, and the
// server has no more backends than this.
constexpr std::uint32_t kMostMissingExtents = 1U << 18;

MetaPage
read_meta(Relation relation, pg::BufferHints* hints, Snapshot snapshot_at_risk = nullptr) {
    const auto meta = pg::with_page(relation, kMetaBlock, hints, [&](const std::uint8_t* page) {
        if (snapshot_at_risk != nullptr)
            pg::check_snapshot(snapshot_at_risk, relation, page);
        refuse_foreign(relation, page);
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

// Holds the mark, as just read, against the file. Memory and time may depend on what comes of it.
void
measure_file(Index& index) {
    const Geometry& geometry = index.geometry;
    const BlockNumber n_marked = geometry.n_blocks_for(index.meta.n_slots);
    // Asking the file takes a call of the system; what it had for an earlier search it still has.
    if (index.hints != nullptr && index.hints->n_blocks >= n_marked)
        index.n_blocks = index.hints->n_blocks;
    if (n_marked > index.n_blocks) {
        index.n_blocks = RelationGetNumberOfBlocks(index.relation);
        if (index.n_blocks < geometry.first_block)
            report_damage(index.relation, kMetaBlock, "the file ends within the centroid");
    }
    if (n_marked > index.n_blocks &&
        n_marked - index.n_blocks > kMostMissingExtents * geometry.blocks_per_extent())
        report_damage(index.relation, kMetaBlock, "the mark is far beyond the end of the file");
    index.n_held = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(index.meta.n_slots, geometry.n_slots_of(index.n_blocks)));
    index.hints = pg::BufferHints::of(index.relation, std::min(n_marked, index.n_blocks));
    if (index.hints != nullptr)
        index.hints->n_blocks = index.n_blocks;
}

}  // namespace

const core::Codec*
make_codec(const MetaPage& meta, const float* centroid) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    const bool is_rotated = core::is_rotated(meta.codec);
    core::Rotation* rotation = nullptr;
    if (is_rotated)
        rotation = arena.make<core::Rotation>(arena, meta.n_dims(), meta.rotation_seed);
    return arena.make<core::Codec>(meta.codec, meta.metric, meta.n_dims(),
                                   is_rotated ? centroid : nullptr, rotation, meta.n_entries());
}

Index
open_index(Relation relation, pg::WalMode wal_mode) {
    check_settings_defined();
    Index index = {};
    index.relation = relation;
    index.wal_mode = wal_mode;
    index.hints = pg::BufferHints::of(relation, 1);
    index.meta = read_meta(relation, index.hints);
    // A column may have lost its dimensions since; the index keeps to its own.
    const std::int32_t n_dims = TupleDescAttr(RelationGetDescr(relation), 0)->atttypmod;
    if (index.meta.metric != metric_of(relation) ||
        index.meta.is_sparse() != has_sparse_values(relation) ||
        (n_dims >= 0 && index.meta.n_dims() != static_cast<std::uint32_t>(n_dims)))
        report_damage(relation, kMetaBlock, "the metapage is not of this index's definition");
    index.geometry = geometry_of(index.meta);
    measure_file(index);
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
    index.hints = pg::BufferHints::of(relation, 1);
    index.n_blocks = 0;
    refresh_meta(index);
    measure_file(index);
}

const MetaPage&
refresh_meta(Index& index) {
    const MetaPage fresh = read_meta(index.relation, index.hints, index.snapshot_at_risk);
    if (fresh.rotation_seed != index.meta.rotation_seed || fresh.n_dims() != index.meta.n_dims() ||
        fresh.codec != index.meta.codec || fresh.code_bytes != index.meta.code_bytes)
        report_damage(index.relation, kMetaBlock, "the metapage has changed its identity");
    const bool is_measured = fresh.n_slots == index.meta.n_slots && fresh.n_slots == index.n_held;
    index.meta = fresh;
    if (!is_measured)
        measure_file(index);
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

bool
check_page_to_change(const Index& index, const std::uint8_t* page, PageKind kind,
                     std::uint32_t block) {
    if (!check_page_or_report(index, page, kind, block, true))
        return false;
    if (const char* problem = check_page_header(page))
        report_damage(index.relation, block, problem);
    return true;
}

void
check_id_again(Index& index, NodeId id) {
    refresh_meta(index);
    if (number_of(id) >= index.n_held)
        report_damage(index.relation, kMetaBlock, "a link points beyond the index");
}

void
check_cold_block(Index& index, std::uint32_t block) {
    if (block < index.n_blocks)
        return;
    index.n_blocks = RelationGetNumberOfBlocks(index.relation);
    if (block >= index.n_blocks)
        report_damage(index.relation, block, "a node's cold page is beyond the end of the file");
}

}  // namespace vext::hnsw
