// What a batch is built with.

#pragma once

#include <cstddef>

#include "core/batch/batch_graph.h"
#include "core/batch/options.h"
#include "hnsw/index.h"

namespace vext::hnsw {

/// The same for all members of a crew.
struct BatchPlan {
    core::BatchOptions options;
    core::GraphShape shape;
    std::size_t ef_construction;
    std::size_t capacity;  ///< points that fit the memory
};

}  // namespace vext::hnsw
