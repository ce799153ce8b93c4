// See build.h.
//
// The rows of the table become points in memory until maintenance_work_mem is full; their graph is
// built at once and written in block order. What does not fit is then inserted row by row. The
// relation is logged whole at the end.

#include "hnsw/build.h"

#include <algorithm>

#include "core/hash.h"
#include "hnsw/batch_writer.h"
#include "hnsw/create.h"
#include "hnsw/insert.h"
#include "hnsw/options.h"
#include "hnsw/sample.h"
#include "types/vector.h"

namespace vext::hnsw {

namespace {

constexpr int64 kPhaseLoading = PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE + 1;
constexpr int64 kPhaseLinking = kPhaseLoading + 1;
constexpr int64 kPhaseWriting = kPhaseLoading + 2;

void
report_phase(int64 phase) {
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, phase);
}

// Fewer points than this are not worth a batch.
constexpr std::size_t kSmallestBatch = 64;

// This backend alone, which can be cancelled between two tasks.
class BackendCrew : public core::SerialCrew {
   public:
    using core::SerialCrew::SerialCrew;

    template <typename Task>
    void
    for_each(std::size_t n_tasks, Task&& task) {
        for (std::size_t i = 0; i < n_tasks; ++i) {
            CHECK_FOR_INTERRUPTS();
            task(i);
        }
    }
};

// Chunks of points in the memory of this backend.
std::uint8_t*
allocate_chunk(void* state, std::uint32_t, std::size_t n_bytes) {
    return static_cast<core::Arena*>(state)->allocate_zeroed<std::uint8_t>(n_bytes).data();
}

class Build {
   public:
    Build(Index& index, std::size_t ef_construction);

    static void
    take_row(Relation, ItemPointer tid, Datum* values, bool* is_null, bool, void* state) {
        if (!is_null[0])
            static_cast<Build*>(state)->add_row(*tid, values[0]);
    }

    void
    finish() {
        if (inserter_ == nullptr)
            write_batch();
    }

    double
    n_indexed() const {
        return n_indexed_;
    }

   private:
    void add_row(const ItemPointerData& tid, Datum value);
    bool add_point(std::span<const float> vector, const Tid& tid);
    void write_batch();

    Index* index_;
    std::size_t ef_construction_;
    core::BatchOptions options_;
    core::GraphShape shape_;
    MemoryContext batch_context_;
    core::Arena batch_arena_;
    core::Prepared prepared_;
    PointStore* store_;
    std::size_t n_points_ = 0;
    Inserter* inserter_ = nullptr;  // once the batch is written
    MemoryContext row_context_;
    double n_indexed_ = 0;
};

// How many points can be built at once in maintenance_work_mem.
std::size_t
batch_capacity(const Index& index, const core::BatchOptions& options,
               const core::GraphShape& shape) {
    const std::size_t n_bytes = static_cast<std::size_t>(maintenance_work_mem) * 1024;
    const std::size_t largest_group = std::max(core::kMostLeaders, options.largest_leaf());
    const std::size_t fixed =
        core::GroupPairs::bytes_needed(*index.codec, largest_group, 64) + (std::size_t{1} << 20);
    if (n_bytes <= fixed)
        return 0;
    const std::size_t per_point =
        PointStore::record_bytes(index) +
        core::graph_bytes_per_point(options, shape, n_bytes / PointStore::record_bytes(index)) +
        3 * sizeof(std::uint32_t) * 2;
    return std::min<std::size_t>((n_bytes - fixed) / per_point, kMostSlots / 2);
}

Build::Build(Index& index, std::size_t ef_construction)
    : index_(&index),
      ef_construction_(ef_construction),
      options_(core::batch_options(ef_construction, index.meta.rotation_seed)),
      shape_({index.meta.m, index.geometry.max_layer}),
      batch_context_(
          AllocSetContextCreate(CurrentMemoryContext, "hnsw batch", ALLOCSET_DEFAULT_SIZES)),
      batch_arena_(pg::context_arena(batch_context_)),
      prepared_(index.codec->allocate_prepared(batch_arena_)),
      row_context_(
          AllocSetContextCreate(CurrentMemoryContext, "hnsw build row", ALLOCSET_DEFAULT_SIZES)) {
    store_ = pg::in_context(batch_context_, [&] {
        return batch_arena_.make<PointStore>(index, batch_capacity(index, options_, shape_),
                                             ChunkSource{allocate_chunk, &batch_arena_});
    });
}

void
Build::add_row(const ItemPointerData& tid, Datum value) {
    pg::in_context(row_context_, [&] {
        const types::VectorArgument vector(value);
        const std::span<const float> values = vector.values();
        if (inserter_ == nullptr && n_points_ == store_->capacity())
            write_batch();
        if (inserter_ != nullptr)
            inserter_->insert(values, to_tid(tid));
        else if (!add_point(values, to_tid(tid)))
            return;
        n_indexed_ += 1;
    });
    MemoryContextReset(row_context_);
    pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(n_indexed_));
}

// False for a vector that is not indexed.
bool
Build::add_point(std::span<const float> vector, const Tid& tid) {
    if (!prepare_vector(*index_, vector, prepared_))
        return false;
    const auto i = static_cast<std::uint32_t>(n_points_++);
    index_->codec->encode(prepared_, store_->header(i), store_->code(i),
                          index_->meta.residual_bytes == 0 ? nullptr : store_->residual(i));
    store_->row(i) = {core::hash_vector(vector.data(), vector.size()), tid, 0, kNoNode};
    return true;
}

// Builds the graph of the points taken so far and writes it; further rows are inserted.
void
Build::write_batch() {
    if (n_points_ > 0) {
        report_phase(kPhaseLinking);
        pg::in_context(batch_context_, [&] {
            BackendCrew crew(batch_arena_);
            const std::span<std::uint32_t> members =
                store_->fold_equal(n_points_, batch_arena_.allocate<std::uint32_t>(n_points_));
            const core::BatchGraph graph = core::build_batch_graph(
                crew, batch_arena_, store_->view(n_points_), members, options_, shape_);
            report_phase(kPhaseWriting);
            BatchWriter* writer = batch_arena_.make<BatchWriter>(*index_, *store_, graph);
            writer->extend_file();
            for (std::uint32_t i = 0; i < writer->n_extents(); ++i)
                writer->write_extent(i);
            writer->finish();
        });
    }
    MemoryContextDelete(batch_context_);
    report_phase(kPhaseLoading);
    MemoryContext context = MemoryContextGetParent(row_context_);
    inserter_ = pg::in_context(context, [&] {
        core::Arena arena = pg::context_arena(context);
        return arena.make<Inserter>(*index_, ef_construction_);
    });
}

}  // namespace

IndexBuildResult*
build_index(Relation heap, Relation index, IndexInfo* info) {
    if (RelationGetNumberOfBlocks(index) != 0)
        elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw build", ALLOCSET_DEFAULT_SIZES);
    auto* result = static_cast<IndexBuildResult*>(palloc0(sizeof(IndexBuildResult)));
    pg::in_context(context, [&] {
        MetaPage meta = make_meta(index);
        const float* centroid = sample_centroid(heap, index, info, meta);
        meta.has_centroid = centroid != nullptr;
        write_first_pages(index, MAIN_FORKNUM, meta, centroid);

        Index opened = open_index(index, pg::WalMode::kBuilding);
        core::Arena arena = pg::context_arena(context);
        Build* build =
            arena.make<Build>(opened, static_cast<std::size_t>(option_ef_construction(index)));
        report_phase(kPhaseLoading);
        result->heap_tuples =
            table_index_build_scan(heap, index, info, true, true, Build::take_row, build, nullptr);
        build->finish();
        result->index_tuples = build->n_indexed();
        pg::log_whole_relation(index);
    });
    MemoryContextDelete(context);
    return result;
}

void
build_empty(Relation index) {
    write_first_pages(index, INIT_FORKNUM, make_meta(index), nullptr);
}

char*
build_phase_name(int64 phase) {
    // The server's signature lacks a const: it only copies the text.
    switch (phase) {
        case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
            return const_cast<char*>("initializing");
        case kPhaseLoading:
            return const_cast<char*>("loading tuples");
        case kPhaseLinking:
            return const_cast<char*>("linking");
        case kPhaseWriting:
            return const_cast<char*>("writing");
        default:
            return nullptr;
    }
}

}  // namespace vext::hnsw
