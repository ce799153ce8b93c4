// Building an index with parallel workers.

#pragma once

#include "hnsw/build_member.h"

namespace vext::hnsw {

/// Builds the index from all rows of the table with the help of up to `n_workers` workers. False,
/// with nothing done, when no worker could be had. `index` is open and empty; the result's counts
/// are set.
bool build_in_parallel(Relation heap, Index& index, IndexInfo* info, int n_workers,
                       IndexBuildResult& result);

}  // namespace vext::hnsw

extern "C" void vext_build_worker(dsm_segment* segment, shm_toc* toc);
