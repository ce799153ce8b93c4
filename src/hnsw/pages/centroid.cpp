// See centroid.h.

#include "hnsw/pages/centroid.h"

#include <algorithm>
#include <cmath>

#include "core/codec/coarseness.h"
#include "hnsw/opclass.h"
#include "hnsw/pages/row_sample.h"
#include "hnsw/pages/slots.h"
#include "pg/drain_lock.h"
#include "pg/memory.h"
#include "pg/random.h"
#include "types/checks.h"

namespace vext::hnsw {

namespace {

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
};

// As the codec sees the vector: by cosine normalised. False for one without a direction.
bool
add_to_sample(void* state, const IndexedValue& vector) {
    auto& sample = *static_cast<Sample*>(state);
    types::check_expected_dims(static_cast<std::int32_t>(sample.scaled.size()), vector.n_dims());
    sample.sum.add(vector.numbers());
    const double factor = unit_factor(sample.metric, vector.numbers());
    if (factor == 0)
        return false;
    for (std::size_t i = 0; i < sample.scaled.size(); ++i)
        sample.scaled[i] = static_cast<float>(vector.numbers()[i] * factor);
    sample.coarseness.add(sample.scaled, pg::random_bits());
    return true;
}

// How many rows have how many entries.
struct EntryCounts {
    std::span<std::uint32_t> n_rows;

    static bool
    add(void* state, const IndexedValue& vector) {
        const std::size_t n = core::unpack_sparse(vector.numbers().data()).size();
        ++static_cast<EntryCounts*>(state)->n_rows[n];
        return true;
    }
};

// So many entries that 99 of 100 rows have no more; 0 without rows.
std::size_t
sample_entries(Relation heap, Relation index, IndexInfo* info) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    EntryCounts counts = {arena.allocate_zeroed<std::uint32_t>(core::kMaxSparseEntries + 1)};
    const std::size_t n_rows = sample_rows(heap, index, info, EntryCounts::add, &counts);
    std::size_t n_larger = 0;
    std::size_t n = core::kMaxSparseEntries;
    while (n > 0 && n_larger + counts.n_rows[n] <= n_rows / 100)
        n_larger += counts.n_rows[n--];
    return n;
}

// The pages first, then the metapage that names it.
void
write_centroid(Index& index, const float* centroid) {
    constexpr std::uint32_t kPerPage = kUsableSize / sizeof(float);
    for (std::uint32_t i = 0; i < index.geometry.centroid_blocks; ++i) {
        const std::uint32_t first = i * kPerPage;
        const std::uint32_t n = std::min<std::uint32_t>(kPerPage, index.meta.n_dims() - first);
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
    if (!(squared_norm <= core::kMostCentroidNorm))
        return nullptr;
    return mean;
}

TableSample
sample_table(Relation heap, Relation index, IndexInfo* info, const MetaPage& meta) {
    if (meta.is_sparse())
        return {.n_entries = sample_entries(heap, index, info)};
    if (!core::is_rotated(meta.codec))
        return {};
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    Sample sample = {CentroidSum(meta.metric, meta.n_dims()),
                     core::CoarsenessSample(arena, meta.n_dims()), meta.metric,
                     arena.allocate<float>(meta.n_dims())};
    sample_rows(heap, index, info, add_to_sample, &sample);
    const float* centroid = sample.sum.mean();
    const bool is_clumped =
        centroid != nullptr &&
        sample.coarseness.measure({centroid, meta.n_dims()}) > core::kCoarseFor4Bits;
    return {.centroid = centroid, .is_clumped = is_clumped, .n_entries = 0};
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
