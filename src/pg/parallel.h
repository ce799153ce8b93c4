// Parallel workers that share memory.

#pragma once

#include <sys/statvfs.h>

#include <cstddef>
#include <cstdint>
#include <limits>

#include "pg/canary.h"
#include "pg/server.h"

extern "C" {
#include "access/parallel.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "optimizer/planner.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/barrier.h"
#include "storage/condition_variable.h"
#include "storage/dsm_impl.h"
#include "utils/dsa.h"
#include "utils/rel.h"
#include "utils/wait_event.h"
}

namespace vext::pg {

/// Bytes that shared memory can still take, as far as that can be told.
inline std::uint64_t
shared_memory_room() {
    struct statvfs room;
    if (dynamic_shared_memory_type != DSM_IMPL_POSIX || statvfs("/dev/shm", &room) != 0)
        return std::numeric_limits<std::uint64_t>::max();
    return static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
}

/// Zeroed memory that the processes attached to `area` share, between canaries.
inline dsa_pointer
allocate_shared(dsa_area* area, std::size_t n_bytes) {
    const dsa_pointer block =
        dsa_allocate_extended(area, n_bytes + kAroundArea, DSA_ALLOC_HUGE | DSA_ALLOC_ZERO);
    put_canaries(dsa_get_address(area, block), n_bytes);
    return block;
}

/// What was allocated, in this process.
inline std::uint8_t*
shared_address(dsa_area* area, dsa_pointer block) {
    return static_cast<std::uint8_t*>(dsa_get_address(area, block)) + kCanaryBytes;
}

/// The workers a build of `index` may ask for: none where the planner advises against any, else
/// what the table's parallel_workers or max_parallel_maintenance_workers allow.
inline int
count_build_workers(Relation heap, Relation index) {
    if (plan_create_index_workers(RelationGetRelid(heap), RelationGetRelid(index)) == 0)
        return 0;
    const int wanted = RelationGetParallelWorkers(heap, -1);
    return wanted < 0 ? max_parallel_maintenance_workers
                      : std::min(wanted, max_parallel_maintenance_workers);
}

/// The rows a table is thought to have.
inline double
estimate_rows(Relation table) {
    BlockNumber n_pages = 0;
    double n_rows = 0;
    double all_visible = 0;
    estimate_rel_size(table, nullptr, &n_pages, &n_rows, &all_visible);
    return n_rows;
}

}  // namespace vext::pg
