// See vacuum.h.
//
// The metapage says that a clean-up is due from before the first row is removed until the clean-up
// is done, so that the next vacuum makes up for one that was interrupted.

#include "hnsw/vacuum/vacuum.h"

#include "hnsw/pages/chain.h"
#include "hnsw/pages/foreign.h"
#include "hnsw/pages/page_walk.h"
#include "hnsw/pages/slots.h"
#include "hnsw/vacuum/clean_up.h"
#include "pg/table_bounds.h"

namespace vext::hnsw {

namespace {

struct DeadRow {
    std::uint16_t slot;
    std::uint16_t place;
};

// One run of ambulkdelete.
struct Deletion {
    IndexBulkDeleteCallback callback;
    void* callback_state;
    pg::TableBounds bounds;
    core::Array<DeadRow> dead;  // of a page
    core::Array<Tid> doubtful;  // of a page: the table must be asked about them
    IndexBulkDeleteResult* stats;
};

Relation
open_table(Relation index) {
    // Whoever deletes from an index has locked its table.
    return table_open(index->rd_index->indrelid, NoLock);
}

// Removes the rows of one page that the callback names; false, with nothing removed, if there are
// some and the metapage does not yet say so.
bool
delete_rows_of(Index& index, BlockNumber block, Deletion& deletion) {
    const Geometry& geometry = index.geometry;
    core::Array<DeadRow>& dead = deletion.dead;
    const NodeId first = geometry.first_id_of(block);
    pg::BlockSet blocks;
    blocks.add(block);
    double n_kept = 0;
    dead.clear();
    deletion.doubtful.clear();
    pg::with_change(
        index.relation, index.wal_mode, blocks, index.hints,
        [&](const pg::ChangedPages& pages) {
            const std::uint8_t* page = pages(block);
            if (!check_page_to_change(index, page, PageKind::kHot, block))
                return false;
            for_each_record(index, page, block, [&](NodeId id, const std::uint8_t* record) {
                const std::span<const Tid> rows = rows_of(record, geometry);
                for (std::size_t place = 0; place < rows.size(); ++place) {
                    if (!rows[place].is_valid())
                        continue;
                    ItemPointerData pointer = to_item_pointer(rows[place]);
                    if (!deletion.bounds.surely_hold(pointer))
                        deletion.doubtful.push_back(rows[place]);
                    if (deletion.callback(&pointer, deletion.callback_state))
                        dead.push_back(
                            {static_cast<std::uint16_t>(number_of(id) - number_of(first)),
                             static_cast<std::uint16_t>(place)});
                    else
                        n_kept += 1;
                }
            });
            return !dead.is_empty() && index.meta.needs_clean_up != 0;
        },
        [&](const pg::ChangedPages& pages) {
            for (const DeadRow& row : dead.span()) {
                std::uint8_t* record = hot_record(pages(block), geometry, row.slot);
                rows_of(record, geometry)[row.place] = kNoTid;
            }
        });
    for (const Tid& tid : deletion.doubtful.span())
        if (!deletion.bounds.hold(to_item_pointer(tid)))
            report_damage(index.relation, block, "a row lies beyond the table");
    if (!dead.is_empty() && index.meta.needs_clean_up == 0)
        return false;
    deletion.stats->tuples_removed += static_cast<double>(dead.size());
    deletion.stats->num_index_tuples += n_kept;
    return true;
}

}  // namespace

IndexBulkDeleteResult*
delete_rows(IndexVacuumInfo* info, IndexBulkDeleteResult* stats, IndexBulkDeleteCallback callback,
            void* callback_state) {
    if (stats == nullptr)
        stats = static_cast<IndexBulkDeleteResult*>(palloc0(sizeof(IndexBulkDeleteResult)));
    if (is_foreign(info->index)) {
        retire(info->index);
        return stats;
    }
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw delete", ALLOCSET_DEFAULT_SIZES);
    pg::in_context(context, [&] {
        Index index = open_index(info->index);
        core::Arena arena = pg::context_arena(context);
        const Relation table = open_table(info->index);
        Deletion deletion = {callback,
                             callback_state,
                             pg::TableBounds(table),
                             core::Array<DeadRow>(arena, kUsableSize / sizeof(Tid)),
                             core::Array<Tid>(arena, kUsableSize / sizeof(Tid)),
                             stats};
        stats->num_index_tuples = 0;
        for_each_hot_block(index, true, [&](BlockNumber block) {
            while (!delete_rows_of(index, block, deletion))
                announce_clean_up(index);
        });
        table_close(table, NoLock);
        stats->num_pages = RelationGetNumberOfBlocks(info->index);
    });
    MemoryContextDelete(context);
    return stats;
}

IndexBulkDeleteResult*
clean_up(IndexVacuumInfo* info, IndexBulkDeleteResult* stats) {
    if (info->analyze_only || is_foreign(info->index))
        return stats;
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw clean-up", ALLOCSET_DEFAULT_SIZES);
    const bool is_due = pg::in_context(context, [&] {
        Index index = open_index(info->index);
        if (index.meta.needs_clean_up == 0)
            return false;
        clean_up_graph(index);
        return true;
    });
    if (is_due && stats == nullptr) {
        // No row was removed this time, so none were counted.
        stats = static_cast<IndexBulkDeleteResult*>(palloc0(sizeof(IndexBulkDeleteResult)));
        stats->num_index_tuples = info->num_heap_tuples;
        stats->estimated_count = true;
    }
    if (stats != nullptr)
        stats->num_pages = RelationGetNumberOfBlocks(info->index);
    MemoryContextDelete(context);
    return stats;
}

}  // namespace vext::hnsw
