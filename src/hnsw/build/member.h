// One member of a build: takes rows of the table as points, and, when memory is full or the table
// at its end, helps to insert them as a batch.

#pragma once

#include <cstdint>
#include <span>

#include "core/batch/batch_graph.h"
#include "core/hash.h"
#include "hnsw/batch/crew.h"
#include "hnsw/batch/merge.h"
#include "hnsw/batch/plan.h"
#include "hnsw/batch/point_store.h"
#include "hnsw/batch/writer.h"
#include "hnsw/graph/inserter.h"
#include "hnsw/opclass.h"
#include "hnsw/pages/column.h"

namespace vext::hnsw {

class BuildMember {
   public:
    /// Memory from the current context. `n_points` counts the points of all members.
    BuildMember(Index& index, const BatchPlan& plan, ChunkSource chunks,
                pg_atomic_uint64& n_points);
    BuildMember(const BuildMember&) = delete;

    /// Calls `take(tid, vector)` for a row of a table scan, in memory that is then reset; not for
    /// NULL.
    template <typename Take>
    void with_row(const ItemPointerData& tid, const Datum* values, const bool* is_null,
                  Take&& take);

    /// Makes the row a point, unless it is not indexed (prepare_vector). False when there is no
    /// room.
    bool add_point(const Tid& tid, std::span<const float> vector);

    /// Inserts all points into the index and makes room for others. Called by all members at once,
    /// while nobody adds points.
    template <typename Crew>
    void insert_batch(Crew& crew);

    /// Inserts a row at once, where no batch is worth it.
    void insert(const Tid& tid, std::span<const float> vector);

    double
    n_indexed() const {
        return n_indexed_;
    }

   private:
    template <typename Crew>
    void build_graph(Crew& crew, std::size_t n_points);

    Index* index_;
    BatchPlan plan_;
    MemoryContext context_;
    core::Arena arena_;
    core::Prepared prepared_;
    PointStore store_;
    pg_atomic_uint64* n_points_;
    MemoryContext row_context_;
    Inserter* inserter_ = nullptr;
    double n_indexed_ = 0;
    bool is_first_ = true;
    std::uint64_t n_batches_ = 0;
};

template <typename Take>
void
BuildMember::with_row(const ItemPointerData& tid, const Datum* values, const bool* is_null,
                      Take&& take) {
    if (is_null[0])
        return;
    pg::in_context(row_context_, [&] {
        const IndexedValue vector(index_->relation, values[0]);
        check_column_dims(index_->relation, vector.n_dims());
        take(to_tid(tid), vector.numbers());
    });
    MemoryContextReset(row_context_);
    report_done(static_cast<std::size_t>(n_indexed_));
}

template <typename Crew>
void
BuildMember::insert_batch(Crew& crew) {
    const auto n_points = static_cast<std::size_t>(std::min<std::uint64_t>(
        pg_atomic_read_u64(n_points_), is_first_ ? plan_.capacity : plan_.later_capacity));
    if (n_points == 0)
        return;
    MemoryContext context =
        AllocSetContextCreate(context_, "hnsw batch graph", ALLOCSET_DEFAULT_SIZES);
    pg::in_context(context, [&] {
        if (is_first_) {
            build_graph(crew, n_points);
        } else {
            core::Arena arena = pg::context_arena(context);
            const Batch batch = {
                &store_, n_points, core::mix64(plan_.options.seed + n_batches_), {}};
            arena.make<BatchMerger>(*index_, plan_, batch)->merge(crew);
        }
    });
    MemoryContextDelete(context);
    is_first_ = false;
    ++n_batches_;
    refresh_meta(*index_);
    crew.alone([&] { pg_atomic_write_u64(n_points_, 0); });
    report_phase(BuildPhase::kLoading, 0, static_cast<std::size_t>(n_indexed_));
}

// Makes the graph of an empty index.
template <typename Crew>
void
BuildMember::build_graph(Crew& crew, std::size_t n_points) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    crew.report(BuildPhase::kPartitioning, n_points);
    const auto distinct = core::allocate_shared<core::Point>(crew, n_points);
    const auto n_distinct = core::allocate_shared<std::size_t>(crew, 1);
    crew.alone([&] { n_distinct[0] = store_.fold_equal(n_points, distinct); });
    const core::BatchTask task = {store_.view(n_points), distinct.first(n_distinct[0]),
                                  plan_.options, plan_.shape};
    const core::BatchGraph graph = core::build_batch_graph(crew, arena, task);
    crew.report(BuildPhase::kWriting, n_distinct[0]);
    BatchWriter* writer = arena.make<BatchWriter>(*index_, store_, graph);
    crew.alone([&] { writer->extend_file(); });
    crew.for_each(writer->n_extents(), [&](std::size_t extent) {
        writer->write_extent(static_cast<std::uint32_t>(extent));
    });
    crew.alone([&] { writer->finish(); });
}

}  // namespace vext::hnsw
