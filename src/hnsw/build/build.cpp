// See build.h.
//
// The rows of the table become points in memory until maintenance_work_mem is full; the graph of
// the first batch is built at once and written in block order, later batches join it. The relation
// is logged whole at the end.

#include "hnsw/build/build.h"

#include <algorithm>

#include "hnsw/build/parallel.h"
#include "hnsw/gather/gather.h"
#include "hnsw/graph/inserter.h"
#include "hnsw/options.h"
#include "hnsw/pages/centroid.h"
#include "hnsw/pages/create.h"

namespace vext::hnsw {

namespace {

// A build by this backend alone.
class SerialBuild {
   public:
    explicit SerialBuild(Index& index)
        : plan_(plan_batch(index, 1)),
          context_(
              AllocSetContextCreate(CurrentMemoryContext, "hnsw points", ALLOCSET_DEFAULT_SIZES)),
          arena_(pg::context_arena(context_)),
          member_(index, plan_, chunks_of(arena_), n_points_) {
        pg_atomic_init_u64(&n_points_, 0);
    }
    SerialBuild(const SerialBuild&) = delete;

    static void
    take_row(Relation, ItemPointer tid, Datum* values, bool* is_null, bool, void* state) {
        auto& build = *static_cast<SerialBuild*>(state);
        build.member_.with_row(
            *tid, values, is_null,
            [&](const Tid& row, std::span<const float> vector) { build.take(row, vector); });
    }

    /// Inserts what waits in memory.
    void
    insert_batch() {
        MemoryContext context =
            AllocSetContextCreate(context_, "hnsw crew", ALLOCSET_DEFAULT_SIZES);
        core::Arena arena = pg::context_arena(context);
        BackendCrew crew(arena);
        member_.insert_batch(crew);
        MemoryContextDelete(context);
    }

    double
    n_indexed() const {
        return member_.n_indexed();
    }

   private:
    void
    take(const Tid& row, std::span<const float> vector) {
        if (plan_.later_capacity < kSmallestBatch) {
            report_single_row();
            return member_.insert(row, vector);
        }
        if (member_.add_point(row, vector))
            return;
        insert_batch();
        member_.add_point(row, vector);
    }

    BatchPlan plan_;
    MemoryContext context_;  // of the points
    core::Arena arena_;
    pg_atomic_uint64 n_points_;
    BuildMember member_;
};

void
build_serially(Relation heap, Index& index, IndexInfo* info, IndexBuildResult& result) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    SerialBuild* build = arena.make<SerialBuild>(index);
    result.heap_tuples = table_index_build_scan(heap, index.relation, info, true, true,
                                                SerialBuild::take_row, build, nullptr);
    build->insert_batch();
    result.index_tuples = build->n_indexed();
}

// Workers take of the memory that a batch needs; it should not get smaller than this for their
// sake.
constexpr std::size_t kSmallestParallelBatch = 5000;

// How many workers to ask for: none for a temporary table, fewer where memory is scarce.
int
count_workers(Relation heap, const Index& index) {
    if (RelationUsesLocalBuffers(index.relation))
        return 0;
    int n_workers = pg::count_build_workers(heap, index.relation);
    const double smallest = std::clamp(pg::estimate_rows(heap), static_cast<double>(kSmallestBatch),
                                       static_cast<double>(kSmallestParallelBatch));
    while (n_workers > 0 &&
           static_cast<double>(plan_batch(index, n_workers + 1).later_capacity) < smallest)
        --n_workers;
    if (n_workers <= 0)
        return 0;
    const std::uint64_t n_bytes = static_cast<std::uint64_t>(maintenance_work_mem) * 1024;
    if (pg::shared_memory_room() < n_bytes) {
        ereport(NOTICE,
                errmsg("building index \"%s\" without parallel workers",
                       RelationGetRelationName(index.relation)),
                errdetail("Shared memory has less room than maintenance_work_mem."),
                errhint("Enlarge /dev/shm or lower maintenance_work_mem."));
        return 0;
    }
    return n_workers;
}

}  // namespace

IndexBuildResult*
build_index(Relation heap, Relation relation, IndexInfo* info) {
    if (RelationGetNumberOfBlocks(relation) != 0)
        elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(relation));
    discard_gathered(relation);
    if (is_of_lists(relation) && RelationGetNumberOfBlocks(heap) > 0)
        ereport(NOTICE,
                errmsg("ivfflat index \"%s\" is built as a graph, as hnsw has them",
                       RelationGetRelationName(relation)),
                errdetail("Option lists has no effect on what is built."));
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw build", ALLOCSET_DEFAULT_SIZES);
    auto* result = static_cast<IndexBuildResult*>(palloc0(sizeof(IndexBuildResult)));
    begin_progress();
    pg::in_context(context, [&] {
        MetaPage meta = make_meta(relation);
        const TableSample sample = sample_table(heap, relation, info, meta);
        meta.has_centroid = sample.centroid != nullptr;
        if (sample.is_clumped)
            take_finer_codec(meta);
        if (sample.n_entries > 0)
            take_entries(meta, sample.n_entries);
        write_first_pages(relation, MAIN_FORKNUM, meta, sample.centroid);
        Index index = open_index(relation, pg::WalMode::kBuilding);
        report_phase(BuildPhase::kLoading);
        const int n_workers = count_workers(heap, index);
        ParallelOutcome outcome = ParallelOutcome::kNoWorkers;
        if (n_workers > 0)
            outcome = build_in_parallel(heap, index, info, n_workers, *result);
        if (outcome == ParallelOutcome::kCutOff) {
            pg::empty_file(relation);
            write_first_pages(relation, MAIN_FORKNUM, meta, sample.centroid);
            index = open_index(relation, pg::WalMode::kBuilding);
            report_phase(BuildPhase::kLoading);
        }
        if (outcome != ParallelOutcome::kBuilt)
            build_serially(heap, index, info, *result);
        report_phase(BuildPhase::kWriting);
        pg::log_whole_relation(relation);
        log_phase_times(relation);
    });
    MemoryContextDelete(context);
    return result;
}

void
build_empty(Relation index) {
    write_first_pages(index, INIT_FORKNUM, make_meta(index), nullptr);
}

}  // namespace vext::hnsw
