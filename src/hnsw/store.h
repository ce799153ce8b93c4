// Finding room for records and writing them.
//
// Free slots are kind kFree below the metapage's mark. Pages that may have some are announced to
// the free-space map; the map is not logged, so it may be wrong either way: a full page is struck
// out when met, a forgotten slot is announced again by vacuum.

#pragma once

#include <cstdint>

#include "hnsw/index.h"

namespace vext::hnsw {

/// A free slot that was seen, not reserved: whoever writes checks again under the lock.
NodeId find_free_slot(Index& index);

/// Makes a slot free. Its version tells whoever remembers the id that the record is another one.
inline void
free_record(std::uint8_t* record) {
    head_of(record).kind = RecordKind::kFree;
    ++head_of(record).version;
}

/// Announces that the hot page `block` has a free slot.
void announce_free(const Index& index, std::uint32_t block);

/// Makes what was announced of the pages `first`..`end` - 1 known to sessions that have no page to
/// insert into yet: their search of the map begins at its upper levels.
void publish_free(const Index& index, std::uint32_t first, std::uint32_t end);

/// Adds an extent to the index, unless somebody else has raised the mark above `seen_n_slots`.
void add_extent(Index& index, std::uint32_t seen_n_slots);

/// Finds a free slot and calls `write(NodeId id, std::uint8_t* hot, std::uint8_t* cold)` to fill
/// it, as one WAL record; returns its id. `cold` is null when there is no cold tier or `with_cold`
/// is false. The record is zero but for its head, whose version must be kept.
template <typename Write>
NodeId write_new_record(Index& index, bool with_cold, Write&& write);

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
            if (!check_page_or_report(index, page, PageKind::kHot, place.block, true))
                return false;
            const std::uint8_t* record = page + place.offset;
            if (const char* problem = check_record(record, index.geometry, kNoNode))
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
            return static_cast<bool>(check(static_cast<const MetaPage&>(meta_of(pages))));
        },
        [&](const pg::ChangedPages& pages) { apply(meta_of(pages)); });
}

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
                if (!check_page_or_report(index, pages(place.block), PageKind::kHot, place.block,
                                          true))
                    return false;
                if (const char* problem =
                        check_record(pages(place.block) + place.offset, index.geometry, kNoNode))
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

template <typename Write>
NodeId
write_new_record(Index& index, bool with_cold, Write&& write) {
    const bool has_cold = with_cold && index.geometry.cold_bytes > 0;
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        const NodeId id = find_free_slot(index);
        const Place hot = index.geometry.hot_place(id);
        const Place cold = has_cold ? index.geometry.cold_place(id) : hot;
        pg::BlockSet blocks;
        blocks.add(hot.block);
        blocks.add(cold.block);
        const auto prepare_page = [](std::uint8_t* page, PageKind kind, std::uint32_t block) {
            if (trailer_of(page)->magic == 0)
                init_page(page, kind, block);
        };
        const bool is_written = pg::with_change(
            index.relation, index.wal_mode, blocks, index.hints,
            [&](const pg::ChangedPages& pages) {
                if (has_cold)
                    check_page_or_report(index, pages(cold.block), PageKind::kCold, cold.block,
                                         true);
                return !check_page_or_report(index, pages(hot.block), PageKind::kHot, hot.block,
                                             true) ||
                       head_of(static_cast<const std::uint8_t*>(pages(hot.block)) + hot.offset)
                               .kind == RecordKind::kFree;
            },
            [&](const pg::ChangedPages& pages) {
                prepare_page(pages(hot.block), PageKind::kHot, hot.block);
                std::uint8_t* record = pages(hot.block) + hot.offset;
                const std::uint16_t version = head_of(record).version;
                std::memset(record, 0, index.geometry.hot_bytes);
                head_of(record).version = version;
                std::uint8_t* cold_record = nullptr;
                if (has_cold) {
                    prepare_page(pages(cold.block), PageKind::kCold, cold.block);
                    cold_record = pages(cold.block) + cold.offset;
                }
                write(id, record, cold_record);
            });
        if (is_written)
            return id;
    }
}

}  // namespace vext::hnsw
