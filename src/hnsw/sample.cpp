// See sample.h.

#include "hnsw/sample.h"

#include <cmath>

#include "pg/memory.h"
#include "pg/random.h"
#include "types/checks.h"
#include "types/vector.h"

namespace vext::hnsw {

namespace {

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
        types::check_expected_dims(static_cast<std::int32_t>(sample.n_dims),
                                   vector.values().size());
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

}  // namespace

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
    // A concurrent build reads by a snapshot: then there is no choice of what is visible.
    const bool any_visible = !info->ii_Concurrent;
    while (blocks.has_more()) {
        CHECK_FOR_INTERRUPTS();
        sample.n_rows_of_block = 0;
        table_index_build_range_scan(heap, index, info, false, any_visible, false, blocks.next(), 1,
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

}  // namespace vext::hnsw
