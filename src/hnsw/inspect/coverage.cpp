// See coverage.h.

#include "hnsw/inspect/coverage.h"

#include <algorithm>

#include "hnsw/opclass.h"
#include "hnsw/pages/page_walk.h"
#include "pg/owner.h"
#include "pg/row_visibility.h"

namespace vext::hnsw {

namespace {

// The rows of the index, in order, each once.
void
collect_entries(Index& index, core::Array<Tid>& entries) {
    for_each_hot_block(index, false, [&](BlockNumber block) {
        with_records_of(index, block, [&](NodeId, const std::uint8_t* record) {
            for (const Tid& tid : rows_of(record, index.geometry))
                if (tid.is_valid())
                    entries.push_back(tid);
        });
    });
    std::sort(entries.begin(), entries.end(), is_before);
    Tid* const end = std::unique(entries.begin(), entries.end());
    entries.truncate(static_cast<std::size_t>(end - entries.begin()));
}

class TableCount {
   public:
    TableCount(Index& index, core::Array<Tid>& entries, Coverage& coverage)
        : index_(&index),
          entries_(&entries),
          coverage_(&coverage),
          arena_(pg::context_arena(CurrentMemoryContext)),
          scratch_(index.codec->allocate_prepared(arena_)),
          row_context_(AllocSetContextCreate(CurrentMemoryContext, "hnsw coverage row",
                                             ALLOCSET_DEFAULT_SIZES)) {}

    static void
    take_row(Relation, ItemPointer tid, Datum* values, bool* is_null, bool, void* state) {
        CHECK_FOR_INTERRUPTS();
        static_cast<TableCount*>(state)->count_row(to_tid(*tid), values[0], is_null[0]);
    }

    std::int64_t
    n_taken() const {
        return n_taken_;
    }

   private:
    void
    count_row(const Tid& tid, Datum value, bool is_null) {
        ++n_taken_;
        if (std::binary_search(entries_->begin(), entries_->end(), tid, is_before))
            ++coverage_->n_indexed;
        else if (is_null)
            ++coverage_->n_nulls;
        else if (has_no_direction(value))
            ++coverage_->n_zeros;
        else
            ++coverage_->n_missing;
    }

    bool
    has_no_direction(Datum value) {
        bool is_zero = false;
        pg::in_context(row_context_, [&] {
            const IndexedValue vector(index_->relation, value);
            is_zero = vector.n_dims() == index_->meta.n_dims() &&
                      index_->codec->judge(vector.numbers().data(), scratch_) ==
                          core::PrepareStatus::kZeroVector;
        });
        MemoryContextReset(row_context_);
        return is_zero;
    }

    Index* index_;
    core::Array<Tid>* entries_;
    Coverage* coverage_;
    core::Arena arena_;
    core::Prepared scratch_;
    MemoryContext row_context_;
    std::int64_t n_taken_ = 0;
};

static_assert(std::is_trivially_destructible_v<TableCount>);

std::int64_t
count_dead(Relation table, Snapshot snapshot, const core::Array<Tid>& entries) {
    std::int64_t n_dead = 0;
    pg::RowVisibility rows(table, snapshot);
    for (const Tid& tid : entries.span()) {
        CHECK_FOR_INTERRUPTS();
        bool is_dead = false;
        n_dead += !rows.has(to_item_pointer(tid), &is_dead) && is_dead ? 1 : 0;
    }
    rows.close();
    return n_dead;
}

}  // namespace

Coverage
measure_coverage(Relation relation) {
    Coverage coverage = {};
    const Relation table =
        table_open(IndexGetRelation(RelationGetRelid(relation), false), AccessShareLock);
    // Taken before the index is read: what it sees was inserted before.
    const Snapshot snapshot = RegisterSnapshot(GetTransactionSnapshot());
    Index index = open_index(relation);
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    core::Array<Tid> entries(arena);
    collect_entries(index, entries);
    coverage.n_entries = static_cast<std::int64_t>(entries.size());

    pg::as_owner(table, [&] {
        IndexInfo* info = BuildIndexInfo(relation);
        info->ii_Concurrent = true;  // reads by a snapshot, not all that is there
        TableCount* count = arena.make<TableCount>(index, entries, coverage);
        const TableScanDesc scan = table_beginscan_strat(table, snapshot, 0, nullptr, true, true);
        const double n_rows = table_index_build_scan(table, relation, info, true, false,
                                                     TableCount::take_row, count, scan);
        coverage.n_table_rows = static_cast<std::int64_t>(n_rows);
        coverage.n_outside = coverage.n_table_rows - count->n_taken();
    });
    coverage.n_dead = count_dead(table, snapshot, entries);
    UnregisterSnapshot(snapshot);
    table_close(table, AccessShareLock);
    return coverage;
}

}  // namespace vext::hnsw
