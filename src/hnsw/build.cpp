// See build.h.

#include "hnsw/build.h"

#include <algorithm>
#include <cmath>

#include "hnsw/create.h"
#include "hnsw/insert.h"
#include "hnsw/options.h"
#include "pg/random.h"
#include "types/vector.h"

namespace vext::hnsw {

namespace {

constexpr int64 kPhaseLoading = PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE + 1;

// A centroid is worth having from this many rows on; up to so many blocks and rows of a block are
// looked at.
constexpr std::size_t kSmallestSample = 1000;
constexpr BlockNumber kMostSampledBlocks = 2000;
constexpr int kRowsPerSampledBlock = 10;

// The mean of a sample of the table's vectors.
struct Sample {
    core::Metric metric;
    std::size_t n_dims;
    double* sums;
    std::size_t n_rows;
    int n_rows_of_block;
    MemoryContext row_context;
};

void
add_to_sample(Relation, ItemPointer, Datum* values, bool* is_null, bool, void* state) {
    auto& sample = *static_cast<Sample*>(state);
    if (is_null[0] || sample.n_rows_of_block == kRowsPerSampledBlock)
        return;
    ++sample.n_rows_of_block;
    pg::in_context(sample.row_context, [&] {
        const types::VectorArgument vector(values[0]);
        double squared_norm = 1;
        if (sample.metric == core::Metric::kCosine) {
            squared_norm = 0;
            for (const float value : vector.values())
                squared_norm += static_cast<double>(value) * value;
        }
        if (squared_norm > 0) {
            const double factor = 1 / std::sqrt(squared_norm);
            for (std::size_t i = 0; i < sample.n_dims; ++i)
                sample.sums[i] += vector.values()[i] * factor;
            ++sample.n_rows;
        }
    });
    MemoryContextReset(sample.row_context);
}

// The centroid of a sample, or null where the table is too small for one.
float*
sample_centroid(Relation heap, Relation index, IndexInfo* info, const MetaPage& meta) {
    const BlockNumber n_blocks = RelationGetNumberOfBlocks(heap);
    if (meta.codec != core::CodecKind::kScalar4 && meta.codec != core::CodecKind::kScalar8)
        return nullptr;
    Sample sample = {meta.metric, meta.n_dims, nullptr, 0, 0, nullptr};
    sample.sums = static_cast<double*>(palloc0(sizeof(double) * meta.n_dims));
    sample.row_context =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw sample", ALLOCSET_DEFAULT_SIZES);
    pg::BlockSample blocks(n_blocks, kMostSampledBlocks);
    while (blocks.has_more()) {
        CHECK_FOR_INTERRUPTS();
        sample.n_rows_of_block = 0;
        table_index_build_range_scan(heap, index, info, false, true, false, blocks.next(), 1,
                                     add_to_sample, &sample, nullptr);
    }
    MemoryContextDelete(sample.row_context);
    if (sample.n_rows < kSmallestSample)
        return nullptr;
    auto* centroid = static_cast<float*>(palloc(sizeof(float) * meta.n_dims));
    for (std::size_t i = 0; i < sample.n_dims; ++i) {
        centroid[i] = static_cast<float>(sample.sums[i] / static_cast<double>(sample.n_rows));
        if (!std::isfinite(centroid[i]))
            return nullptr;
    }
    return centroid;
}

struct Build {
    Inserter* inserter;
    MemoryContext row_context;
    double n_indexed;
};

void
add_row(Relation, ItemPointer tid, Datum* values, bool* is_null, bool, void* state) {
    auto& build = *static_cast<Build*>(state);
    if (is_null[0])
        return;
    pg::in_context(build.row_context, [&] {
        const types::VectorArgument vector(values[0]);
        build.inserter->insert(vector.values().data(), to_tid(*tid));
    });
    MemoryContextReset(build.row_context);
    build.n_indexed += 1;
    pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
                                 static_cast<int64>(build.n_indexed));
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
        Build build = {};
        core::Arena arena = pg::context_arena(context);
        build.inserter =
            arena.make<Inserter>(opened, static_cast<std::size_t>(option_ef_construction(index)));
        build.row_context =
            AllocSetContextCreate(context, "hnsw build row", ALLOCSET_DEFAULT_SIZES);
        pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseLoading);
        result->heap_tuples =
            table_index_build_scan(heap, index, info, true, true, add_row, &build, nullptr);
        result->index_tuples = build.n_indexed;
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
        default:
            return nullptr;
    }
}

namespace {

// What the inserts of one statement share; lives as long as its IndexInfo.
struct InsertState {
    Index index;
    Inserter* inserter;
    MemoryContext row_context;
};

InsertState&
insert_state(Relation index, IndexInfo* info) {
    if (info->ii_AmCache == nullptr) {
        pg::in_context(info->ii_Context, [&] {
            core::Arena arena = pg::context_arena(info->ii_Context);
            auto* state = arena.make<InsertState>();
            state->index = open_index(index);
            state->inserter = arena.make<Inserter>(
                state->index, static_cast<std::size_t>(option_ef_construction(index)));
            state->row_context =
                AllocSetContextCreate(info->ii_Context, "hnsw insert row", ALLOCSET_DEFAULT_SIZES);
            info->ii_AmCache = state;
        });
    }
    return *static_cast<InsertState*>(info->ii_AmCache);
}

}  // namespace

bool
insert_row(Relation index, Datum* values, bool* is_null, ItemPointer tid, Relation,
           IndexUniqueCheck, bool, IndexInfo* info) {
    if (is_null[0])
        return false;
    InsertState& state = insert_state(index, info);
    pg::in_context(state.row_context, [&] {
        const types::VectorArgument vector(values[0]);
        state.inserter->insert(vector.values().data(), to_tid(*tid));
    });
    MemoryContextReset(state.row_context);
    return false;
}

}  // namespace vext::hnsw
