// An open index: its metapage as last read, the sizes and the codec that follow from it, and access
// to single records.
//
// Invariant: at most one page of the index is locked at a time, or several in ascending block order
// with all pins taken first (pg/page.h, pg/wal.h); nothing here keeps a lock or a pin.

#pragma once

#include <cstdint>
#include <span>

#include "core/codec/codec.h"
#include "hnsw/pages/record.h"
#include "pg/compat.h"
#include "pg/index_am.h"
#include "pg/memory.h"
#include "pg/page.h"
#include "pg/wal.h"

namespace vext::hnsw {

struct Index {
    Relation relation;
    MetaPage meta;
    Geometry geometry;
    BlockNumber n_blocks;  ///< of the file, when it was last asked: a file in use only grows
    std::uint32_t n_held;  ///< ids below it are below the mark, and their hot pages in the file
    const core::Codec* codec;
    pg::BufferHints* hints;  ///< null for temporary relations
    pg::WalMode wal_mode;
    Snapshot snapshot_at_risk;  ///< of a scan (pg/compat.h), or null
    bool codec_has_centroid;    ///< as the metapage said when the codec was made

    /// An empty index got its centroid since: codes and queries of this codec are not its own.
    bool
    has_stale_codec() const {
        return codec_has_centroid != (meta.has_centroid != 0);
    }
};

/// Opens the index that exists in `relation`, until the current context is reset or deleted.
Index open_index(Relation relation, pg::WalMode wal_mode = pg::WalMode::kLogged);

/// Whether the relation's file is, or is a copy of, that of the index of this rotation seed.
bool has_seed(Relation relation, std::uint64_t seed);

/// Opens an index again that was opened in this transaction, and closed since: the same file, or a
/// copy of it.
void reopen_index(Index& index, Relation relation);

/// The codec of an index with this metapage and centroid (n_dims floats), in the current context.
const core::Codec* make_codec(const MetaPage& meta, const float* centroid);

/// Reads the metapage again; returns it.
const MetaPage& refresh_meta(Index& index);

/// Raises XX002 with the block and a hint to reindex.
[[noreturn]] void report_damage(Relation relation, std::uint32_t block, const char* problem);

/// Raises XX002 unless the page is of this kind or, where `may_be_zero`, all zero; returns whether
/// it holds anything.
bool check_page_or_report(const Index& index, const std::uint8_t* page, PageKind kind,
                          std::uint32_t block, bool may_be_zero);

/// As check_page_or_report with `may_be_zero`, for a page that is about to be changed.
bool check_page_to_change(const Index& index, const std::uint8_t* page, PageKind kind,
                          std::uint32_t block);

/// Raises XX002 unless `id` has a page by what mark and file are now.
void check_id_again(Index& index, NodeId id);

/// Makes sure that `id` has a page, reading the metapage again if it must.
inline void
check_id(Index& index, NodeId id) {
    if (number_of(id) >= index.n_held)
        check_id_again(index, id);
}

/// Makes sure that the cold page of a node is in the file.
void check_cold_block(Index& index, std::uint32_t block);

/// Raises "snapshot too old" if a scan may miss rows because the page has changed.
inline void
check_age(const Index& index, const std::uint8_t* page) {
    if (index.snapshot_at_risk != nullptr)
        pg::check_snapshot(index.snapshot_at_risk, index.relation, page);
}

/// Calls `look(const std::uint8_t* record)` with the decoded, checked hot record of `id` under a
/// share lock; the record is null where its page is still all zero.
template <typename Look>
auto
with_record(Index& index, NodeId id, Look&& look) {
    check_id(index, id);
    const Place place = index.geometry.hot_place(id);
    return pg::with_page(index.relation, place.block, index.hints, [&](const std::uint8_t* page) {
        check_age(index, page);
        if (!check_page_or_report(index, page, PageKind::kHot, place.block, true))
            return look(static_cast<const std::uint8_t*>(nullptr));
        const std::uint8_t* record = page + place.offset;
        // Others may have raised the mark since we read it, so ids are only held against it when
        // they look wrong (check_id).
        if (const char* problem = check_record(record, index.geometry))
            report_damage(index.relation, place.block, problem);
        return look(record);
    });
}

inline Tid
to_tid(const ItemPointerData& pointer) {
    return {pointer.ip_blkid.bi_hi, pointer.ip_blkid.bi_lo, pointer.ip_posid};
}
inline ItemPointerData
to_item_pointer(const Tid& tid) {
    ItemPointerData pointer;
    pointer.ip_blkid.bi_hi = tid.block_high;
    pointer.ip_blkid.bi_lo = tid.block_low;
    pointer.ip_posid = tid.position;
    return pointer;
}

}  // namespace vext::hnsw
