// What a batch is built with, and how many rows it may have.

#pragma once

#include <cstddef>

#include "core/batch/batch_graph.h"
#include "core/batch/options.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// Points of a batch, at most.
inline constexpr std::size_t kMostBatch = kMostSlots / 2;

/// Rows fewer than this are better inserted one by one.
inline constexpr std::size_t kSmallestBatch = 64;

/// The same for all members of a crew.
struct BatchPlan {
    core::BatchOptions options;
    core::GraphShape shape;
    std::size_t ef_construction;
    std::size_t capacity;        ///< points that fit the memory, into an empty index
    std::size_t later_capacity;  ///< into a graph that exists; never more
};

/// What a batch may use, and what is asked of it.
struct BuildMeans {
    std::size_t n_bytes;  ///< as maintenance_work_mem
    int n_members;
    std::size_t ef_construction;
};

/// Reads no page: metapage, geometry and codec of `index` suffice.
BatchPlan plan_batch(const Index& index, const BuildMeans& means);

/// By the settings and the options of an index that exists.
BatchPlan plan_batch(const Index& index, int n_members);

}  // namespace vext::hnsw
