// See plan.h.

#include "hnsw/batch/plan.h"

#include <algorithm>

#include "hnsw/batch/merge.h"
#include "hnsw/batch/point_store.h"
#include "hnsw/options.h"

namespace vext::hnsw {

namespace {

// Beside its record and what the graph takes, a point has ids for folding and writing.
constexpr std::size_t kIds = 8 * sizeof(std::uint32_t);

// What a member takes for the work of one row, and for what is small in joining a batch to a graph.
constexpr std::size_t kRowBytes = std::size_t{64} << 10;
constexpr std::size_t kMergeBytes = std::size_t{256} << 10;

// The largest number up to `most` that fits: what fits does so for all smaller ones. 0 fits.
template <typename Fits>
std::size_t
find_largest(std::size_t most, Fits&& fits) {
    std::size_t largest = 0;
    while (largest < most) {
        const std::size_t n = largest + (most - largest + 1) / 2;
        if (fits(n))
            largest = n;
        else
            most = n - 1;
    }
    return largest;
}

}  // namespace

BatchPlan
plan_batch(const Index& index, int n_members) {
    return plan_batch(index, {static_cast<std::size_t>(maintenance_work_mem) * 1024, n_members,
                              static_cast<std::size_t>(option_ef_construction(index.relation))});
}

BatchPlan
plan_batch(const Index& index, const BuildMeans& means) {
    BatchPlan plan = {};
    plan.options =
        core::batch_options(means.ef_construction, index.meta.rotation_seed, index.codec->kind());
    plan.ef_construction = link_beam_width(index, means.ef_construction);
    plan.shape = {index.meta.m, index.geometry.max_layer, index.geometry.m_above};
    const std::size_t record = PointStore::record_bytes(index);
    const auto fits = [&](std::size_t n, std::size_t per_member, std::size_t per_point) {
        per_member += core::graph_bytes_per_member(*index.codec, plan.options, plan.shape, n);
        per_point += record + kIds + core::graph_bytes_per_point(plan.options, plan.shape, n);
        return static_cast<std::size_t>(means.n_members) * per_member + n * per_point <=
               means.n_bytes;
    };
    plan.capacity = find_largest(std::min<std::size_t>(means.n_bytes / record, kMostBatch),
                                 [&](std::size_t n) { return fits(n, kRowBytes, 0); });
    const std::size_t merge = kMergeBytes + BatchMerger::bytes_per_member(index, plan);
    plan.later_capacity = find_largest(plan.capacity, [&](std::size_t n) {
        return fits(n, merge, BatchMerger::bytes_per_point(plan.shape));
    });
    return plan;
}

}  // namespace vext::hnsw
