// See build.h.
//
// The rows of the table become points in memory until maintenance_work_mem is full; their graph is
// built at once and written in block order. What does not fit is then inserted row by row. The
// relation is logged whole at the end.

#include "hnsw/build.h"

#include "hnsw/create.h"
#include "hnsw/gather.h"
#include "hnsw/insert.h"
#include "hnsw/options.h"
#include "hnsw/parallel_build.h"
#include "hnsw/sample.h"

namespace vext::hnsw {

namespace {

// Points in the memory of this backend.
std::uint8_t*
allocate_chunk(void* state, std::uint32_t, std::size_t n_bytes) {
    return static_cast<core::Arena*>(state)->allocate_zeroed<std::uint8_t>(n_bytes).data();
}

// A build by this backend alone: when memory is full the graph is built, and rows that come later
// are inserted at once.
class SerialBuild {
   public:
    explicit SerialBuild(Index& index)
        : context_(
              AllocSetContextCreate(CurrentMemoryContext, "hnsw points", ALLOCSET_DEFAULT_SIZES)),
          arena_(pg::context_arena(context_)),
          member_(index, plan_batch(index, 1), {allocate_chunk, &arena_}, n_points_) {
        pg_atomic_init_u64(&n_points_, 0);
    }
    SerialBuild(const SerialBuild&) = delete;

    static void
    take_row(Relation, ItemPointer tid, Datum* values, bool* is_null, bool, void* state) {
        auto& build = *static_cast<SerialBuild*>(state);
        build.member_.with_row(*tid, values, is_null,
                               [&](const Tid& row, std::span<const float> vector) {
                                   if (!build.is_full_ && build.member_.add_point(row, vector))
                                       return;
                                   build.finish();
                                   build.member_.insert(row, vector);
                               });
    }

    void
    finish() {
        if (is_full_)
            return;
        is_full_ = true;
        BackendCrew crew(arena_);
        member_.build_graph(crew);
        MemoryContextDelete(context_);
    }

    double
    n_indexed() const {
        return member_.n_indexed();
    }

   private:
    MemoryContext context_;  // of points and what the crew shares; until the graph is written
    core::Arena arena_;
    pg_atomic_uint64 n_points_;
    BuildMember member_;
    bool is_full_ = false;
};

void
build_serially(Relation heap, Index& index, IndexInfo* info, IndexBuildResult& result) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    SerialBuild* build = arena.make<SerialBuild>(index);
    result.heap_tuples = table_index_build_scan(heap, index.relation, info, true, true,
                                                SerialBuild::take_row, build, nullptr);
    build->finish();
    result.index_tuples = build->n_indexed();
}

// How many workers to ask for: none for a temporary table, or where the rows would not fit
// maintenance_work_mem together.
int
count_workers(Relation heap, const Index& index) {
    if (RelationUsesLocalBuffers(index.relation))
        return 0;
    const int n_workers = pg::count_build_workers(heap, index.relation);
    if (n_workers <= 0)
        return 0;
    if (pg::estimate_rows(heap) > static_cast<double>(plan_batch(index, n_workers + 1).capacity))
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
    discard_gathered(RelationGetRelid(relation));
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw build", ALLOCSET_DEFAULT_SIZES);
    auto* result = static_cast<IndexBuildResult*>(palloc0(sizeof(IndexBuildResult)));
    begin_progress();
    pg::in_context(context, [&] {
        MetaPage meta = make_meta(relation);
        const float* centroid = sample_centroid(heap, relation, info, meta);
        meta.has_centroid = centroid != nullptr;
        write_first_pages(relation, MAIN_FORKNUM, meta, centroid);
        Index index = open_index(relation, pg::WalMode::kBuilding);
        report_phase(BuildPhase::kLoading);
        const int n_workers = count_workers(heap, index);
        if (n_workers == 0 || !build_in_parallel(heap, index, info, n_workers, *result))
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
