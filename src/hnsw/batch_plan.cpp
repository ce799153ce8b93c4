// See batch_plan.h.

#include "hnsw/batch_plan.h"

#include <algorithm>

#include "hnsw/batch_merge.h"
#include "hnsw/options.h"
#include "hnsw/point_store.h"

namespace vext::hnsw {

BatchPlan
plan_batch(const Index& index, int n_members) {
    return plan_batch(index, {static_cast<std::size_t>(maintenance_work_mem) * 1024, n_members,
                              static_cast<std::size_t>(option_ef_construction(index.relation))});
}

BatchPlan
plan_batch(const Index& index, const BuildMeans& means) {
    BatchPlan plan = {};
    plan.options = core::batch_options(means.ef_construction, index.meta.rotation_seed);
    plan.ef_construction = link_beam_width(index, means.ef_construction);
    plan.shape = {index.meta.m, index.geometry.max_layer};
    const std::size_t largest_group = std::max(core::kMostLeaders, plan.options.largest_leaf());
    // Each member has buffers of its own.
    const std::size_t fixed =
        static_cast<std::size_t>(means.n_members) *
        (core::GroupPairs::bytes_needed(*index.codec, largest_group, 64) + (std::size_t{1} << 20));
    if (means.n_bytes <= fixed)
        return plan;
    const std::size_t record = PointStore::record_bytes(index);
    // Beside its record and the lists of the graph a point takes the ids of folding and writing.
    constexpr std::size_t kIds = 6 * sizeof(std::uint32_t);
    const std::size_t per_point =
        record + core::graph_bytes_per_point(plan.options, plan.shape, means.n_bytes / record) +
        kIds;
    const std::size_t n_bytes = means.n_bytes - fixed;
    plan.capacity = std::min<std::size_t>(n_bytes / per_point, kMostBatch);
    plan.later_capacity =
        std::min(plan.capacity, n_bytes / (per_point + BatchMerger::bytes_per_point(plan.shape)));
    return plan;
}

}  // namespace vext::hnsw
