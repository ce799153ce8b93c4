// See store.h.

#include "hnsw/store.h"

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
            if (head_of(page + kPageHeaderSize + i * index.geometry.hot_bytes).kind ==
                RecordKind::kFree)
                return first + i;
        return kNoNode;
    });
}

// Of a promoted standby, or after the machine crashed, the file may end within an extent: pages
// that were never written to are not logged. Then cold pages of hot ones that are there may be
// missing.
bool
is_usable_block(const Index& index, BlockNumber block) {
    const Geometry& geometry = index.geometry;
    if (!geometry.is_hot_block(block))
        return false;
    const std::uint32_t extent = (block - geometry.first_block) / geometry.blocks_per_extent();
    const BlockNumber end = geometry.first_block + (extent + 1) * geometry.blocks_per_extent();
    return end <= geometry.n_blocks_for(index.meta.n_slots) &&
           end <= RelationGetNumberOfBlocks(index.relation);
}

}  // namespace

NodeId
find_free_slot(Index& index) {
    BlockNumber block = RelationGetTargetBlock(index.relation);
    if (block == InvalidBlockNumber)
        block = GetPageWithFreeSpace(index.relation, kFreeSpace);
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        if (block == InvalidBlockNumber) {
            const std::uint32_t seen = index.meta.n_slots;
            add_extent(index, seen);
            block = index.geometry.n_blocks_for(seen);
        }
        if (is_usable_block(index, block)) {
            const NodeId id = first_free_slot(index, block);
            if (id != kNoNode) {
                RelationSetTargetBlock(index.relation, block);
                return id;
            }
        } else if (block >= index.geometry.n_blocks_for(index.meta.n_slots)) {
            // Another backend announced it after we read the mark.
            const std::uint32_t seen = index.meta.n_slots;
            if (refresh_meta(index).n_slots > seen)
                continue;
        }
        RelationSetTargetBlock(index.relation, InvalidBlockNumber);
        block = RecordAndGetPageWithFreeSpace(index.relation, block, 0, kFreeSpace);
    }
}

void
fill_node(const Index& index, const NodeContent& content, std::uint8_t* record,
          std::uint8_t* cold) {
    NodeRecord& node = node_of(record);
    node.head.kind = RecordKind::kNode;
    node.head.layer = static_cast<std::uint8_t>(content.layer);
    node.tid = content.tid;
    node.tids_head = kNoNode;
    node.links_id = kNoNode;
    const VectorContent& vector = content.vector;
    node.factor = vector.header.factor;
    node.offset = vector.header.offset;
    node.hash = vector.hash;
    if (index.meta.has_inline_error != 0)
        std::memcpy(record + sizeof(NodeRecord), &vector.header.error, sizeof(float));
    std::memcpy(record + index.geometry.code_offset, vector.code, index.meta.code_bytes);
    if (cold != nullptr)
        std::memcpy(cold, vector.residual.data(), vector.residual.size());
}

void
announce_free(const Index& index, std::uint32_t block) {
    RecordPageWithFreeSpace(index.relation, block, kFreeSpace);
}

void
publish_free(const Index& index, std::uint32_t first, std::uint32_t end) {
    FreeSpaceMapVacuumRange(index.relation, first, end);
}

void
add_extent(Index& index, std::uint32_t seen_n_slots) {
    // Also an index that this transaction makes: parallel workers build it.
    const bool is_shared = !RelationUsesLocalBuffers(index.relation);
    if (is_shared)
        LockRelationForExtension(index.relation, ExclusiveLock);
    if (refresh_meta(index).n_slots == seen_n_slots) {
        const std::uint32_t n_slots = seen_n_slots + index.geometry.slots_per_extent();
        if (n_slots < seen_n_slots || n_slots > kMostSlots)
            ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("index \"%s\" is full", RelationGetRelationName(index.relation)));
        // Blocks may be there already: a crash came before the mark was written.
        const BlockNumber n_wanted = index.geometry.n_blocks_for(n_slots);
        BlockNumber n_blocks = RelationGetNumberOfBlocks(index.relation);
        for (; n_blocks < n_wanted; ++n_blocks)
            ReleaseBuffer(
                ReadBufferExtended(index.relation, MAIN_FORKNUM, P_NEW, RBM_NORMAL, nullptr));
        change_meta(
            index, [](const MetaPage&) { return true; },
            [&](MetaPage& meta) { meta.n_slots = n_slots; });
        index.meta.n_slots = n_slots;
        index.hints = pg::BufferHints::of(index.relation, n_blocks);
        const std::uint32_t first = index.geometry.n_blocks_for(seen_n_slots);
        for (std::uint32_t i = 0; i < index.geometry.hot_blocks; ++i)
            announce_free(index, first + i);
        publish_free(index, first, first + index.geometry.hot_blocks);
    }
    if (is_shared)
        UnlockRelationForExtension(index.relation, ExclusiveLock);
}

}  // namespace vext::hnsw
