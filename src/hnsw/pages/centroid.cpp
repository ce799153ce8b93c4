// See centroid.h.

#include "hnsw/pages/centroid.h"

#include <algorithm>
#include <cmath>

#include "core/codec/coarseness.h"
#include "hnsw/opclass.h"
#include "hnsw/pages/slots.h"
#include "pg/drain_lock.h"
#include "pg/memory.h"
#include "pg/parallel.h"
#include "pg/random.h"
#include "types/checks.h"

namespace vext::hnsw {

namespace {

// Up to so many blocks are looked at, and at least so many rows of each; of few blocks more rows
// each. The mean of 128 rows is off by an eleventh of a standard deviation: vectors are longer by
// less than 0.5 % from there. More would fetch rows that lie out of line twice.
constexpr BlockNumber kMostSampledBlocks = 2000;
constexpr BlockNumber kLeastRowsOfBlock = 10;
constexpr BlockNumber kLeastSample = 128;

// Squared norm of the farthest centroid. Rows are judged before there is one: no vector may get too
// long for the index because it is measured from a point on the other side.
constexpr double kFarthestCentroid = 1e30;

// What a vector is multiplied by before it is measured from the centroid; 0 for one without a
// direction.
double
unit_factor(core::Metric metric, std::span<const float> vector) {
    if (metric != core::Metric::kCosine)
        return 1;
    double squared_norm = 0;
    for (const float value : vector)
        squared_norm += static_cast<double>(value) * value;
    return squared_norm > 0 ? 1 / std::sqrt(squared_norm) : 0;
}

struct Sample {
    CentroidSum sum;
    core::CoarsenessSample coarseness;
    core::Metric metric;
    std::span<float> scaled;
    BlockNumber n_most_of_block;
    BlockNumber step;  // one row of so many in a block
    BlockNumber n_rows_of_block;
    MemoryContext row_context;
};

// As the codec sees the vector: by cosine normalised.
void
add_as_coded(Sample& sample, std::span<const float> vector) {
    const double factor = unit_factor(sample.metric, vector);
    if (factor == 0)
        return;
    for (std::size_t i = 0; i < vector.size(); ++i)
        sample.scaled[i] = static_cast<float>(vector[i] * factor);
    sample.coarseness.add(sample.scaled, pg::random_bits());
}

void
add_to_sample(Relation index, ItemPointer, Datum* values, bool* is_null, bool, void* state) {
    auto& sample = *static_cast<Sample*>(state);
    if (is_null[0] || sample.n_rows_of_block == sample.n_most_of_block * sample.step ||
        sample.n_rows_of_block++ % sample.step != 0)
        return;
    pg::in_context(sample.row_context, [&] {
        const IndexedValue vector(index, values[0]);
        types::check_expected_dims(static_cast<std::int32_t>(sample.scaled.size()),
                                   vector.n_dims());
        sample.sum.add(vector.numbers());
        add_as_coded(sample, vector.numbers());
    });
    MemoryContextReset(sample.row_context);
}

// The pages first, then the metapage that names it.
void
write_centroid(Index& index, const float* centroid) {
    constexpr std::uint32_t kPerPage = kUsableSize / sizeof(float);
    for (std::uint32_t i = 0; i < index.geometry.centroid_blocks; ++i) {
        const std::uint32_t first = i * kPerPage;
        const std::uint32_t n = std::min<std::uint32_t>(kPerPage, index.meta.n_dims - first);
        pg::BlockSet blocks;
        blocks.add(1 + i);
        pg::with_change(
            index.relation, index.wal_mode, blocks, index.hints,
            [&](const pg::ChangedPages& pages) {
                return check_page_or_report(index, pages(1 + i), PageKind::kCentroid, 1 + i,
                                            false) &&
                       check_page_to_change(index, pages(1 + i), PageKind::kCentroid, 1 + i);
            },
            [&](const pg::ChangedPages& pages) {
                std::memcpy(pages(1 + i) + kPageHeaderSize, centroid + first, n * sizeof(float));
            });
    }
    change_meta(
        index, [](const MetaPage&) { return true; }, [](MetaPage& meta) { meta.has_centroid = 1; });
}

}  // namespace

CentroidSum::CentroidSum(core::Metric metric, std::size_t n_dims)
    : metric_(metric),
      sums_(pg::context_arena(CurrentMemoryContext).allocate_zeroed<double>(n_dims)) {
}

void
CentroidSum::add(std::span<const float> vector) {
    const double factor = unit_factor(metric_, vector);
    if (factor == 0)
        return;
    for (std::size_t i = 0; i < sums_.size(); ++i)
        sums_[i] += vector[i] * factor;
    ++n_vectors_;
}

float*
CentroidSum::mean() const {
    if (is_empty())
        return nullptr;
    auto* mean = static_cast<float*>(palloc(sizeof(float) * sums_.size()));
    double squared_norm = 0;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
        mean[i] = static_cast<float>(sums_[i] / static_cast<double>(n_vectors_));
        squared_norm += static_cast<double>(mean[i]) * mean[i];
    }
    if (!(squared_norm <= kFarthestCentroid))
        return nullptr;
    return mean;
}

TableSample
sample_table(Relation heap, Relation index, IndexInfo* info, const MetaPage& meta) {
    const BlockNumber n_blocks = RelationGetNumberOfBlocks(heap);
    if (!core::is_rotated(meta.codec))
        return {};
    const BlockNumber n_most_of_block =
        std::max(kLeastRowsOfBlock, kLeastSample / std::max<BlockNumber>(n_blocks, 1));
    const double rows_of_block = pg::estimate_rows(heap) / std::max<BlockNumber>(n_blocks, 1);
    const auto step = static_cast<BlockNumber>(
        std::clamp(rows_of_block / n_most_of_block, 1.0, double{MaxHeapTuplesPerPage}));
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    Sample sample = {CentroidSum(meta.metric, meta.n_dims),
                     core::CoarsenessSample(arena, meta.n_dims),
                     meta.metric,
                     arena.allocate<float>(meta.n_dims),
                     n_most_of_block,
                     step,
                     0,
                     nullptr};
    sample.row_context =
        AllocSetContextCreate(CurrentMemoryContext, "hnsw sample", ALLOCSET_DEFAULT_SIZES);
    // A concurrent build reads by a snapshot: then there is no choice of what is visible.
    const bool any_visible = !info->ii_Concurrent;
    auto look_at = [&](BlockNumber block) {
        CHECK_FOR_INTERRUPTS();
        sample.n_rows_of_block = 0;
        table_index_build_range_scan(heap, index, info, false, any_visible, false, block, 1,
                                     add_to_sample, &sample, nullptr);
    };
    pg::BlockSample blocks(n_blocks, kMostSampledBlocks);
    while (blocks.has_more())
        look_at(blocks.next());
    // A partial index can have its rows in few blocks.
    for (BlockNumber block = 0; block < n_blocks && sample.sum.is_empty(); ++block)
        look_at(block);
    MemoryContextDelete(sample.row_context);
    const float* centroid = sample.sum.mean();
    const bool is_clumped =
        centroid != nullptr &&
        sample.coarseness.measure({centroid, meta.n_dims}) > core::kCoarseFor4Bits;
    return {centroid, is_clumped};
}

bool
lacks_centroid(const Index& index) {
    return index.meta.n_slots == 0 && index.meta.has_centroid == 0 &&
           core::is_rotated(index.meta.codec);
}

void
give_centroid(Index& index, const CentroidSum& first_rows) {
    const float* centroid = first_rows.mean();
    if (centroid == nullptr)
        return;
    pg::lock_drain_exclusive(index.relation);
    refresh_meta(index);
    if (lacks_centroid(index)) {
        write_centroid(index, centroid);
        refresh_meta(index);
    }
    pg::unlock_drain_exclusive(index.relation);
}

}  // namespace vext::hnsw
