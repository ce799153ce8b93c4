// See slots.h.

#include "hnsw/pages/slots.h"

namespace vext::hnsw {

namespace {

// What the free-space map is told of a page with a free slot; the map's unit is coarse, so one
// value stands for all.
constexpr Size kFreeSpace = BLCKSZ / 2;

// The first free slot of a hot page, or kNoNode.
NodeId
first_free_slot(const Index& index, std::uint32_t block) {
    return pg::with_page(index.relation, block, index.hints, [&](const std::uint8_t* page) {
        const NodeId first = index.geometry.first_id_of(block);
        if (!check_page_or_report(index, page, PageKind::kHot, block, true))
            return first;
        for (std::uint32_t i = 0; i < index.geometry.hot_per_page; ++i)
            if (head_of(hot_record(page, index.geometry, i)).kind == RecordKind::kFree)
                return first + i;
        return kNoNode;
    });
}

// The slots below the mark whose extents the file holds whole. Of a promoted standby, or after the
// machine crashed, the file may end within an extent: pages that were never written to are not
// logged. Then cold pages of hot ones that are there may be missing.
std::uint32_t
count_usable_slots(const Index& index) {
    const Geometry& geometry = index.geometry;
    const std::uint32_t n_extents =
        (index.n_blocks - geometry.first_block) / geometry.blocks_per_extent();
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(
        index.meta.n_slots, std::uint64_t{n_extents} * geometry.slots_per_extent()));
}

bool
is_usable_block(const Index& index, BlockNumber block) {
    return block < index.geometry.n_blocks_for(count_usable_slots(index)) &&
           index.geometry.is_hot_block(block);
}

// Behind the mark there is nothing, or pages that a crash kept from being counted: all zero, since
// nothing is written to a page before the mark is above it.
void
check_beyond_mark(const Index& index, BlockNumber n_blocks) {
    for (BlockNumber block = index.geometry.n_blocks_for(index.meta.n_slots); block < n_blocks;
         ++block)
        if (!pg::with_page(index.relation, block, index.hints, is_zero_page))
            report_damage(index.relation, block, "a page beyond the mark is in use");
}

}  // namespace

NodeId
find_free_slot(Index& index) {
    BlockNumber block = RelationGetTargetBlock(index.relation);
    if (block == InvalidBlockNumber)
        block = GetPageWithFreeSpace(index.relation, kFreeSpace);
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        if (block == InvalidBlockNumber)
            block = add_extent(index);
        if (is_usable_block(index, block)) {
            const NodeId id = first_free_slot(index, block);
            if (id != kNoNode) {
                RelationSetTargetBlock(index.relation, block);
                return id;
            }
        } else {
            // Another backend announced it after we read the mark?
            refresh_meta(index);
            if (is_usable_block(index, block))
                continue;
        }
        RelationSetTargetBlock(index.relation, InvalidBlockNumber);
        block = RecordAndGetPageWithFreeSpace(index.relation, block, 0, kFreeSpace);
    }
}

void
announce_clean_up(Index& index) {
    change_meta(
        index, [](const MetaPage&) { return true; },
        [](MetaPage& meta) { meta.needs_clean_up = 1; });
    refresh_meta(index);
}

void
announce_free(const Index& index, std::uint32_t block) {
    RecordPageWithFreeSpace(index.relation, block, kFreeSpace);
}

void
publish_free(const Index& index, std::uint32_t first, std::uint32_t end) {
    FreeSpaceMapVacuumRange(index.relation, first, end);
}

BlockNumber
add_extent(Index& index) {
    const Geometry& geometry = index.geometry;
    const std::uint32_t seen = count_usable_slots(index);
    const BlockNumber first = geometry.n_blocks_for(seen);
    // Also an index that this transaction makes: parallel workers build it.
    const bool is_shared = !RelationUsesLocalBuffers(index.relation);
    if (is_shared)
        LockRelationForExtension(index.relation, ExclusiveLock);
    refresh_meta(index);
    if (count_usable_slots(index) == seen) {
        const std::uint32_t n_slots = seen + geometry.slots_per_extent();
        const bool is_behind_mark = seen == index.meta.n_slots;
        if (n_slots > kMostSlots)
            ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("index \"%s\" is full", RelationGetRelationName(index.relation)));
        // Blocks may be there already: a crash came before the mark was written.
        const BlockNumber n_wanted = geometry.n_blocks_for(n_slots);
        index.n_blocks = RelationGetNumberOfBlocks(index.relation);
        if (is_behind_mark)
            check_beyond_mark(index, std::min(index.n_blocks, n_wanted));
        for (; index.n_blocks < n_wanted; ++index.n_blocks)
            ReleaseBuffer(
                ReadBufferExtended(index.relation, MAIN_FORKNUM, P_NEW, RBM_NORMAL, nullptr));
        if (is_behind_mark)
            change_meta(
                index, [](const MetaPage&) { return true; },
                [&](MetaPage& meta) { meta.n_slots = n_slots; });
        refresh_meta(index);
        for (std::uint32_t i = 0; i < geometry.hot_blocks; ++i)
            announce_free(index, first + i);
        publish_free(index, first, first + geometry.hot_blocks);
    }
    if (is_shared)
        UnlockRelationForExtension(index.relation, ExclusiveLock);
    return first;
}

}  // namespace vext::hnsw
