// Building an index with parallel workers.

#pragma once

#include "hnsw/build/member.h"

namespace vext::hnsw {

enum class ParallelOutcome : std::uint8_t {
    kBuilt,
    kNoWorkers,  ///< none could be had; nothing was done
    kCutOff,     ///< for want of memory or of workers; the file may hold anything
};

/// Builds the index from all rows of the table with the help of up to `n_workers` workers. `index`
/// is open and empty; the result's counts are set. Says by a NOTICE that it was cut off.
ParallelOutcome build_in_parallel(Relation heap, Index& index, IndexInfo* info, int n_workers,
                                  IndexBuildResult& result);

}  // namespace vext::hnsw

extern "C" void vext_build_worker(dsm_segment* segment, shm_toc* toc);
