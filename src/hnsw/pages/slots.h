// Finding room for records and writing them.
//
// Free slots are kind kFree below the metapage's mark. Pages that may have some are announced to
// the free-space map; the map is not logged, so it may be wrong either way: a full page is struck
// out when met, a forgotten slot is announced again by vacuum.

#pragma once

#include <algorithm>
#include <cstdint>

#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// A free slot that was seen, not reserved: whoever writes checks again under the lock.
NodeId find_free_slot(Index& index);

/// Announces that the hot page `block` has a free slot.
void announce_free(const Index& index, std::uint32_t block);

/// Makes what was announced of the pages `first`..`end` - 1 known to sessions that have no page to
/// insert into yet: their search of the map begins at its upper levels.
void publish_free(const Index& index, std::uint32_t first, std::uint32_t end);

/// Adds an extent to the index, unless somebody else has added one since `index` was read: the
/// first one that the file does not hold whole, else one behind the mark. Returns its first block.
BlockNumber add_extent(Index& index);

/// Finds up to `n` free slots of one page, at least one, and calls `write(NodeId id, std::uint8_t*
/// hot, std::uint8_t* cold)` to fill each, all as one WAL record; returns how many were filled.
/// `cold` is null when there is no cold tier or `with_cold` is false. A record is zero but for its
/// head, whose version must be kept.
template <typename Write>
std::size_t write_new_records(Index& index, bool with_cold, std::size_t n, Write&& write);

/// As write_new_records for one slot; returns its id.
template <typename Write>
NodeId
write_new_record(Index& index, bool with_cold, Write&& write) {
    NodeId written = kNoNode;
    write_new_records(index, with_cold, 1, [&](NodeId id, std::uint8_t* hot, std::uint8_t* cold) {
        written = id;
        write(id, hot, cold);
    });
    return written;
}

/// Writes a record for the links of node `id` on the layers 1..layer, which `fill(std::uint8_t*
/// record)` fills, and makes the node point to it.
template <typename Fill>
void give_links_record(Index& index, NodeId id, int layer, Fill&& fill);

/// Calls `check(const std::uint8_t* record)` under an exclusive lock and, if it returns true,
/// `apply(std::uint8_t* record)`, as one WAL record. Returns what `check` returned.
template <typename Check, typename Apply>
bool
change_record(Index& index, NodeId id, Check&& check, Apply&& apply) {
    check_id(index, id);
    const Place place = index.geometry.hot_place(id);
    pg::BlockSet blocks;
    blocks.add(place.block);
    return pg::with_change(
        index.relation, index.wal_mode, blocks, index.hints,
        [&](const pg::ChangedPages& pages) {
            const std::uint8_t* page = pages(place.block);
            if (!check_page_to_change(index, page, PageKind::kHot, place.block))
                return false;
            const std::uint8_t* record = page + place.offset;
            if (const char* problem = check_record(record, index.geometry))
                report_damage(index.relation, place.block, problem);
            return static_cast<bool>(check(record));
        },
        [&](const pg::ChangedPages& pages) { apply(pages(place.block) + place.offset); });
}

/// Calls `check(const MetaPage&)` under the metapage's exclusive lock and, if it returns true,
/// `apply(MetaPage&)`, as one WAL record. Returns what `check` returned.
template <typename Check, typename Apply>
bool
change_meta(Index& index, Check&& check, Apply&& apply) {
    pg::BlockSet blocks;
    blocks.add(kMetaBlock);
    const auto meta_of = [](const pg::ChangedPages& pages) -> MetaPage& {
        return *reinterpret_cast<MetaPage*>(pages(kMetaBlock) + kPageHeaderSize);
    };
    return pg::with_change(
        index.relation, index.wal_mode, blocks, index.hints,
        [&](const pg::ChangedPages& pages) {
            return check_page_to_change(index, pages(kMetaBlock), PageKind::kMeta, kMetaBlock) &&
                   static_cast<bool>(check(static_cast<const MetaPage&>(meta_of(pages))));
        },
        [&](const pg::ChangedPages& pages) { apply(meta_of(pages)); });
}

/// Has the metapage say that a clean-up is due. Called before a row is taken away.
void announce_clean_up(Index& index);

/// As change_record, for two records at once: `check` and `apply` get both.
template <typename Check, typename Apply>
bool
change_two_records(Index& index, NodeId first, NodeId second, Check&& check, Apply&& apply) {
    check_id(index, first);
    check_id(index, second);
    const Place places[] = {index.geometry.hot_place(first), index.geometry.hot_place(second)};
    pg::BlockSet blocks;
    for (const Place& place : places)
        blocks.add(place.block);
    return pg::with_change(
        index.relation, index.wal_mode, blocks, index.hints,
        [&](const pg::ChangedPages& pages) {
            for (const Place& place : places) {
                if (!check_page_to_change(index, pages(place.block), PageKind::kHot, place.block))
                    return false;
                if (const char* problem =
                        check_record(pages(place.block) + place.offset, index.geometry))
                    report_damage(index.relation, place.block, problem);
            }
            return static_cast<bool>(
                check(static_cast<const std::uint8_t*>(pages(places[0].block) + places[0].offset),
                      static_cast<const std::uint8_t*>(pages(places[1].block) + places[1].offset)));
        },
        [&](const pg::ChangedPages& pages) {
            apply(pages(places[0].block) + places[0].offset,
                  pages(places[1].block) + places[1].offset);
        });
}

/// Calls `check(const std::uint8_t* page)` on a hot page under an exclusive lock and, if it returns
/// true, `apply(std::uint8_t* page)`, as one WAL record. Returns what `check` returned.
template <typename Check, typename Apply>
bool
change_page(Index& index, std::uint32_t block, Check&& check, Apply&& apply) {
    pg::BlockSet blocks;
    blocks.add(block);
    return pg::with_change(
        index.relation, index.wal_mode, blocks, index.hints,
        [&](const pg::ChangedPages& pages) {
            const std::uint8_t* page = pages(block);
            return check_page_to_change(index, page, PageKind::kHot, block) &&
                   static_cast<bool>(check(page));
        },
        [&](const pg::ChangedPages& pages) { apply(pages(block)); });
}

template <typename Write>
std::size_t
write_new_records(Index& index, bool with_cold, std::size_t n, Write&& write) {
    const Geometry& geometry = index.geometry;
    const bool has_cold = with_cold && geometry.cold_bytes > 0;
    const auto is_free = [&](const std::uint8_t* hot_page, NodeId id) {
        return head_of(hot_page + geometry.hot_place(id).offset).kind == RecordKind::kFree;
    };
    std::size_t n_written = 0;
    while (n_written == 0) {
        CHECK_FOR_INTERRUPTS();
        const NodeId first = find_free_slot(index);
        const std::uint32_t hot_block = geometry.hot_place(first).block;
        // As many slots as `n`, used ones among them, whose pages one change can take.
        const NodeId page_end = geometry.first_id_of(hot_block) + geometry.hot_per_page;
        NodeId end = first + std::min<std::size_t>(n, number_of(page_end) - number_of(first));
        pg::BlockSet blocks;
        blocks.add(hot_block);
        for (NodeId id = first; has_cold && id < end; id = id + 1) {
            const std::uint32_t block = geometry.cold_place(id).block;
            if (blocks.position(block) < 0 && blocks.size() == pg::kMostPagesOfChange)
                end = id;
            else
                blocks.add(block);
        }
        pg::with_change(
            index.relation, index.wal_mode, blocks, index.hints,
            [&](const pg::ChangedPages& pages) {
                for (int i = 0; i < blocks.size(); ++i)
                    if (blocks[i] != hot_block)
                        check_page_to_change(index, pages(blocks[i]), PageKind::kCold, blocks[i]);
                const std::uint8_t* page = pages(hot_block);
                if (!check_page_to_change(index, page, PageKind::kHot, hot_block))
                    return true;
                for (const NodeId id : core::IdRange(first, end))
                    if (is_free(page, id))
                        return true;
                return false;
            },
            [&](const pg::ChangedPages& pages) {
                for (int i = 0; i < blocks.size(); ++i) {
                    std::uint8_t* page = pages(blocks[i]);
                    if (trailer_of(page)->magic == 0)
                        init_page(page, blocks[i] == hot_block ? PageKind::kHot : PageKind::kCold,
                                  blocks[i]);
                }
                for (const NodeId id : core::IdRange(first, end)) {
                    if (!is_free(pages(hot_block), id))
                        continue;
                    std::uint8_t* record = pages(hot_block) + geometry.hot_place(id).offset;
                    const std::uint16_t version = head_of(record).version;
                    std::memset(record, 0, geometry.hot_bytes);
                    head_of(record).version = version;
                    std::uint8_t* cold = nullptr;
                    if (has_cold)
                        cold =
                            pages(geometry.cold_place(id).block) + geometry.cold_place(id).offset;
                    write(id, record, cold);
                    ++n_written;
                }
            });
    }
    return n_written;
}

template <typename Fill>
void
give_links_record(Index& index, NodeId id, int layer, Fill&& fill) {
    const NodeId links_id =
        write_new_record(index, false, [&](NodeId, std::uint8_t* record, std::uint8_t*) {
            init_links(record, id, layer);
            fill(record);
        });
    change_record(
        index, id, [](const std::uint8_t* record) { return is_node(record); },
        [&](std::uint8_t* record) {
            node_of(record).links_id = links_id;
            head_of(record).layer = static_cast<std::uint8_t>(layer);
        });
}

}  // namespace vext::hnsw
