// One member of a build: takes rows of the table as points, then helps to build and write their
// graph.

#pragma once

#include <cstdint>
#include <span>

#include "core/batch/batch_graph.h"
#include "hnsw/batch_writer.h"
#include "hnsw/crew.h"
#include "hnsw/insert.h"
#include "hnsw/point_store.h"
#include "pg/row_spill.h"
#include "types/vector.h"

namespace vext::hnsw {

/// Points of a batch, at most.
inline constexpr std::size_t kMostBatch = kMostSlots / 2;

/// What a batch is built with, the same for all members.
struct BatchPlan {
    core::BatchOptions options;
    core::GraphShape shape;
    std::size_t capacity;  ///< points that fit maintenance_work_mem
};

/// What a build may use, and what is asked of it.
struct BuildMeans {
    std::size_t n_bytes;  ///< as maintenance_work_mem
    int n_members;
    std::size_t ef_construction;
};

/// Reads no page: metapage, geometry and codec of `index` suffice.
BatchPlan plan_batch(const Index& index, const BuildMeans& means);

/// By the settings and the options of an index that exists.
BatchPlan plan_batch(const Index& index, int n_members);

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

    /// Keeps the row for insert_put_aside().
    void put_aside(const Tid& tid, std::span<const float> vector);

    /// Builds the graph of all points and writes it. Called by all members at once, when no more
    /// points are added.
    template <typename Crew>
    void build_graph(Crew& crew);

    /// Inserts a row, or those put aside, into the graph that was written.
    void insert(const Tid& tid, std::span<const float> vector);
    void insert_put_aside();

    double
    n_indexed() const {
        return n_indexed_;
    }

   private:
    Index* index_;
    BatchPlan plan_;
    MemoryContext context_;
    core::Arena arena_;
    core::Prepared prepared_;
    PointStore store_;
    pg_atomic_uint64* n_points_;
    pg::RowSpill spill_;
    MemoryContext row_context_;
    Inserter* inserter_ = nullptr;
    double n_indexed_ = 0;
};

template <typename Take>
void
BuildMember::with_row(const ItemPointerData& tid, const Datum* values, const bool* is_null,
                      Take&& take) {
    if (is_null[0])
        return;
    pg::in_context(row_context_, [&] {
        const types::VectorArgument vector(values[0]);
        take(to_tid(tid), vector.values());
    });
    MemoryContextReset(row_context_);
    report_done(static_cast<std::size_t>(n_indexed_));
}

template <typename Crew>
void
BuildMember::build_graph(Crew& crew) {
    const auto n_points = static_cast<std::size_t>(
        std::min<std::uint64_t>(pg_atomic_read_u64(n_points_), plan_.capacity));
    if (n_points == 0)
        return;
    report_phase(BuildPhase::kPartitioning);
    MemoryContext context =
        AllocSetContextCreate(context_, "hnsw batch graph", ALLOCSET_DEFAULT_SIZES);
    pg::in_context(context, [&] {
        core::Arena arena = pg::context_arena(context);
        const auto all = core::allocate_shared<std::uint32_t>(crew, n_points);
        const auto n_members = core::allocate_shared<std::uint32_t>(crew, 1);
        crew.alone([&] {
            n_members[0] = static_cast<std::uint32_t>(store_.fold_equal(n_points, all).size());
        });
        const core::PointView points = store_.view(n_points);
        const core::BatchGraph graph = core::build_batch_graph(
            crew, arena, points, all.first(n_members[0]), plan_.options, plan_.shape);
        crew.report(BuildPhase::kWriting, n_members[0]);
        BatchWriter* writer = arena.make<BatchWriter>(*index_, store_, graph);
        crew.alone([&] { writer->extend_file(); });
        crew.for_each(writer->n_extents(), [&](std::size_t extent) {
            writer->write_extent(static_cast<std::uint32_t>(extent));
        });
        crew.alone([&] { writer->finish(); });
    });
    MemoryContextDelete(context);
    refresh_meta(*index_);
    report_phase(BuildPhase::kLoading, 0, static_cast<std::size_t>(n_indexed_));
}

}  // namespace vext::hnsw
