// See parallel.h.
//
// The members are the leader and the workers that attached. Each scans its share of the table; the
// points lie in a shared area, in chunks that whoever comes first allocates. Whoever finds it full
// waits until all do, in the middle of their scans or behind them; then they insert the batch
// together (core/batch/crew.h) and go on. The last batch is the one that all meet for at the end of
// their scans.
//
// All this is done in a subtransaction: where shared memory runs out on the way, in whichever
// process, or workers do not come, its end takes back what the members hold, and one process begins
// anew.

#include "hnsw/build/parallel.h"

#include <algorithm>
#include <cstring>

#include "hnsw/options.h"
#include "pg/function.h"
#include "pg/library.h"
#include "pg/transaction.h"

namespace vext::hnsw {

namespace {

constexpr uint64 kKeyShared = 0xA000000000000001;
constexpr uint64 kKeyScan = 0xA000000000000002;
constexpr uint64 kKeyStamp = 0xA000000000000003;

// Tells one build of the module from another: a file that was replaced while the leader ran is not
// the leader's, and neither is what it has in shared memory.
constexpr uint64 kStamp = VEXT_BUILD_STAMP;

// Chunks grow with the memory: a server has only so many segments.
constexpr std::size_t kChunksOfMemory = 64;
constexpr std::size_t kMostChunks = 8192;

// Of a chunk: not made, being made by one member (all need the first one at the same time), or one
// more than its segment.
constexpr uint64 kBeingMade = 1;

struct BuildShared {
    Oid heap;
    Oid index;
    bool is_concurrent;
    BatchPlan plan;
    std::size_t most_chunk_bytes;
    CrewShared crew;
    pg_atomic_uint64 n_points;
    pg_atomic_uint32 n_scanning;           // members that are not at the end of their scans
    bool is_done;                          // as all know after a batch
    pg_atomic_uint64 chunks[kMostChunks];  // each in a segment of its own
    pg_atomic_uint64 n_heap_rows;
    pg_atomic_uint64 n_index_rows;
};

struct SharedChunks {
    BuildShared* shared;
    SharedAreas areas;
};

// The chunk in this process; whoever comes first makes it.
std::uint8_t*
shared_chunk(void* state, std::uint32_t number, std::size_t n_bytes) {
    auto& chunks = *static_cast<SharedChunks*>(state);
    if (number >= kMostChunks)
        elog(ERROR, "too many chunks of points");
    pg_atomic_uint64& place = chunks.shared->chunks[number];
    uint64 seen = pg_atomic_read_u64(&place);
    if (seen == 0 && pg_atomic_compare_exchange_u64(&place, &seen, kBeingMade)) {
        seen = kBeingMade + chunks.areas.make_large(n_bytes).segment;
        pg_atomic_exchange_u64(&place, seen);  // a barrier, too
    }
    while (seen == kBeingMade) {
        CHECK_FOR_INTERRUPTS();
        pg_usleep(100);
        seen = pg_atomic_read_u64(&place);
    }
    return chunks.areas.address({static_cast<dsm_handle>(seen - kBeingMade), 0});
}

std::size_t
most_chunk_bytes() {
    const std::size_t n_bytes = static_cast<std::size_t>(maintenance_work_mem) * 1024;
    return std::clamp(n_bytes / kChunksOfMemory, kUsualChunkBytes, core::kMostAreaBytes);
}

// One member's part; the same text for leader and workers.
struct Part {
    BuildShared* shared;
    BuildMember* member;
    ParallelCrew* crew;

    // All insert what waits in memory; false when that was the last batch.
    bool
    insert_batch() {
        crew->meet();
        member->insert_batch(*crew);
        crew->release();
        crew->alone([&] { shared->is_done = pg_atomic_read_u32(&shared->n_scanning) == 0; });
        return !shared->is_done;
    }

    static void
    take_row(Relation, ItemPointer tid, Datum* values, bool* is_null, bool, void* state) {
        auto& part = *static_cast<Part*>(state);
        part.member->with_row(*tid, values, is_null,
                              [&](const Tid& row, std::span<const float> vector) {
                                  while (!part.member->add_point(row, vector))
                                      part.insert_batch();
                              });
    }
};

void
work(BuildShared& shared, Relation heap, Index& index, IndexInfo* info, ParallelTableScanDesc scan,
     bool is_leader) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    SharedChunks chunks = {&shared, SharedAreas(arena, shared.crew.n_making)};
    BuildMember* member = arena.make<BuildMember>(
        index, shared.plan, ChunkSource{shared_chunk, &chunks, shared.most_chunk_bytes},
        shared.n_points);
    ParallelCrew crew(shared.crew, arena, is_leader);
    Part part = {&shared, member, &crew};
    const double n_heap_rows =
        table_index_build_scan(heap, index.relation, info, true, is_leader, Part::take_row, &part,
                               pg::begin_parallel_scan(heap, scan));
    pg_atomic_fetch_sub_u32(&shared.n_scanning, 1);
    while (part.insert_batch()) {
    }
    chunks.areas.release();
    pg_atomic_fetch_add_u64(&shared.n_heap_rows, static_cast<int64>(n_heap_rows));
    pg_atomic_fetch_add_u64(&shared.n_index_rows, static_cast<int64>(member->n_indexed()));
}

BuildShared*
fill_shared(shm_toc* toc, Relation heap, const Index& index, const IndexInfo* info) {
    auto* shared = static_cast<BuildShared*>(shm_toc_allocate(toc, sizeof(BuildShared)));
    shared->heap = RelationGetRelid(heap);
    shared->index = RelationGetRelid(index.relation);
    shared->is_concurrent = info->ii_Concurrent;
    shared->most_chunk_bytes = most_chunk_bytes();
    shared->crew.init();
    pg_atomic_init_u64(&shared->n_points, 0);
    pg_atomic_init_u32(&shared->n_scanning, 0);
    for (pg_atomic_uint64& chunk : shared->chunks)
        pg_atomic_init_u64(&chunk, 0);
    pg_atomic_init_u64(&shared->n_heap_rows, 0);
    pg_atomic_init_u64(&shared->n_index_rows, 0);
    shm_toc_insert(toc, kKeyShared, shared);
    return shared;
}

// Raises 55000 in a worker whose module is not the leader's.
void
check_stamp(shm_toc* toc) {
    const void* stamp = shm_toc_lookup(toc, kKeyStamp, true);
    if (stamp == nullptr || std::memcmp(stamp, &kStamp, sizeof(kStamp)) != 0)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("the library of this session was replaced since it was loaded"),
                errhint("Connect again."));
}

// How far a build with workers has come, for whoever finds that it has failed.
struct Progress {
    BuildShared* shared;  // while it can be read
    bool has_workers;     // all have come
};

// Whether a build that failed was cut off by what only a build with workers needs.
bool
is_for_want_of_means(const Progress& progress, const ErrorData& error) {
    if (pg::is_of_cancel(error))
        return false;
    if (!progress.has_workers)
        return pg::is_of_failed_start(error) || pg::is_of_scarcity(error);
    return progress.shared != nullptr && pg_atomic_read_u32(&progress.shared->crew.n_making) > 0;
}

bool
build_with_workers(Relation heap, Index& index, IndexInfo* info, int n_workers,
                   IndexBuildResult& result, Progress& progress) {
    EnterParallelMode();
    ParallelContext* context =
        CreateParallelContext(pg::library_path(reinterpret_cast<const void*>(vext_build_worker)),
                              "vext_build_worker", n_workers);
    const Snapshot snapshot =
        info->ii_Concurrent ? RegisterSnapshot(GetTransactionSnapshot()) : SnapshotAny;
    const Size scan_size = table_parallelscan_estimate(heap, snapshot);
    shm_toc_estimate_chunk(&context->estimator, sizeof(BuildShared));
    shm_toc_estimate_chunk(&context->estimator, scan_size);
    shm_toc_estimate_chunk(&context->estimator, sizeof(kStamp));
    shm_toc_estimate_keys(&context->estimator, 3);
    InitializeParallelDSM(context);
    const auto end = [&] {
        progress.shared = nullptr;
        DestroyParallelContext(context);
        if (IsMVCCSnapshot(snapshot))
            UnregisterSnapshot(snapshot);
        ExitParallelMode();
    };
    if (context->seg == nullptr) {  // no shared memory was to be had
        end();
        return false;
    }
    void* stamp = shm_toc_allocate(context->toc, sizeof(kStamp));
    std::memcpy(stamp, &kStamp, sizeof(kStamp));
    shm_toc_insert(context->toc, kKeyStamp, stamp);
    BuildShared* shared = fill_shared(context->toc, heap, index, info);
    auto* scan = static_cast<ParallelTableScanDesc>(shm_toc_allocate(context->toc, scan_size));
    table_parallelscan_initialize(heap, scan, snapshot);
    shm_toc_insert(context->toc, kKeyScan, scan);
    LaunchParallelWorkers(context);
    if (context->nworkers_launched == 0) {
        end();
        return false;
    }
    shared->plan = plan_batch(index, context->nworkers_launched + 1);
    pg_atomic_write_u32(&shared->n_scanning, static_cast<uint32>(context->nworkers_launched + 1));
    WaitForParallelWorkersToAttach(context);
    progress = {shared, true};
    shared->crew.open_gate(context->nworkers_launched + 1);
    work(*shared, heap, index, info, scan, true);
    WaitForParallelWorkersToFinish(context);
    result.heap_tuples = static_cast<double>(pg_atomic_read_u64(&shared->n_heap_rows));
    result.index_tuples = static_cast<double>(pg_atomic_read_u64(&shared->n_index_rows));
    end();
    return true;
}

}  // namespace

ParallelOutcome
build_in_parallel(Relation heap, Index& index, IndexInfo* info, int n_workers,
                  IndexBuildResult& result) {
    Progress progress = {};
    bool is_built = false;
    const pg::ReportedProgress reported = pg::save_progress();
    const ErrorData* error = nullptr;
    const bool has_ended = pg::try_in_subtransaction(
        [&] {
            pg::share_transaction_id();
            is_built = build_with_workers(heap, index, info, n_workers, result, progress);
        },
        [&](const ErrorData& data) { return is_for_want_of_means(progress, data); }, &error);
    if (has_ended)
        return is_built ? ParallelOutcome::kBuilt : ParallelOutcome::kNoWorkers;
    pg::restore_progress(reported);
    // Made anew for the next scan: what ran in them was cut off.
    info->ii_ExpressionsState = NIL;
    info->ii_PredicateState = nullptr;
    ereport(NOTICE,
            errmsg("building index \"%s\" without parallel workers",
                   RelationGetRelationName(index.relation)),
            errdetail("With them it failed: %s", error->message),
            errhint("Enlarge /dev/shm or lower maintenance_work_mem."));
    return ParallelOutcome::kCutOff;
}

}  // namespace vext::hnsw

VEXT_EXPORT void
vext_build_worker(dsm_segment*, shm_toc* toc) {
    using namespace vext;
    hnsw::check_stamp(toc);
    auto& shared = *static_cast<hnsw::BuildShared*>(shm_toc_lookup(toc, hnsw::kKeyShared, false));
    auto* scan = static_cast<ParallelTableScanDesc>(shm_toc_lookup(toc, hnsw::kKeyScan, false));
    const LOCKMODE heap_lock = shared.is_concurrent ? ShareUpdateExclusiveLock : ShareLock;
    const LOCKMODE index_lock = shared.is_concurrent ? RowExclusiveLock : AccessExclusiveLock;
    const Relation heap = table_open(shared.heap, heap_lock);
    const Relation relation = index_open(shared.index, index_lock);
    shared.crew.wait_at_gate();
    hnsw::Index index = hnsw::open_index(relation, pg::WalMode::kBuilding);
    IndexInfo* info = BuildIndexInfo(relation);
    info->ii_Concurrent = shared.is_concurrent;
    hnsw::work(shared, heap, index, info, scan, false);
    index_close(relation, index_lock);
    table_close(heap, heap_lock);
}
