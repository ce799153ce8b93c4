// Parallel workers that share memory.

#pragma once

#include <sys/statvfs.h>

#include <algorithm>
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
#include "storage/dsm.h"
#include "storage/dsm_impl.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/rel.h"
#include "utils/wait_event.h"
}

namespace vext::pg {

/// Bytes that dynamic shared memory can still take, as far as that can be told.
inline std::uint64_t
shared_memory_room() {
    const char* folder = dynamic_shared_memory_type == DSM_IMPL_POSIX  ? "/dev/shm"
                         : dynamic_shared_memory_type == DSM_IMPL_MMAP ? PG_DYNSHMEM_DIR
                                                                       : nullptr;
    struct statvfs room;
    if (folder == nullptr || statvfs(folder, &room) != 0)
        return std::numeric_limits<std::uint64_t>::max();
    return static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
}

/// A zeroed segment of dynamic shared memory, of so many bytes and no more.
inline dsm_segment*
make_segment(std::size_t n_bytes) {
    dsm_segment* segment = dsm_create(n_bytes, 0);
    if (min_dynamic_shared_memory > 0)  // may have been another's; else it is new to the system
        std::memset(dsm_segment_address(segment), 0, n_bytes);
    return segment;
}

/// The segment in this process. Requires: a process that is attached to it stays so meanwhile.
inline dsm_segment*
attach_segment(dsm_handle handle) {
    dsm_segment* segment = dsm_attach(handle);
    if (segment == nullptr)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("could not map dynamic shared memory segment"));
    return segment;
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

/// What the views of progress show of this backend's command: the end of a subtransaction that
/// failed takes it away.
struct ReportedProgress {
    ProgressCommandType command;
    Oid target;
    int64 values[PGSTAT_NUM_PROGRESS_PARAM];
};

inline ReportedProgress
save_progress() {
    ReportedProgress progress = {};
    if (MyBEEntry == nullptr)
        return progress;
    progress.command = MyBEEntry->st_progress_command;
    progress.target = MyBEEntry->st_progress_command_target;
    std::copy_n(MyBEEntry->st_progress_param, PGSTAT_NUM_PROGRESS_PARAM, progress.values);
    return progress;
}

inline void
restore_progress(const ReportedProgress& progress) {
    if (progress.command == PROGRESS_COMMAND_INVALID)
        return;
    pgstat_progress_start_command(progress.command, progress.target);
    for (int i = 0; i < PGSTAT_NUM_PROGRESS_PARAM; ++i)
        pgstat_progress_update_param(i, progress.values[i]);
}

/// Whether `error` says that parallel workers could not be started.
inline bool
is_of_failed_start(const ErrorData& error) {
    return error.sqlerrcode == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
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
