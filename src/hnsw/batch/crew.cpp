// See crew.h.

#include "hnsw/batch/crew.h"

namespace vext::hnsw {

void
CrewShared::init() {
    ConditionVariableInit(&gate);
    pg_atomic_init_u32(&n_members, 0);
    pg_atomic_init_u64(&next_task[0], 0);
    pg_atomic_init_u64(&next_task[1], 0);
    allocated = {DSM_HANDLE_INVALID, 0};
    pg_atomic_init_u32(&n_making, 0);
}

void
CrewShared::open_gate(int n) {
    BarrierInit(&barrier, n);
    pg_write_barrier();  // who sees the number sees what was prepared before it
    pg_atomic_write_u32(&n_members, static_cast<uint32>(n));
    ConditionVariableBroadcast(&gate);
}

void
CrewShared::wait_at_gate() {
    ConditionVariablePrepareToSleep(&gate);
    while (pg_atomic_read_u32(&n_members) == 0)
        ConditionVariableSleep(&gate, PG_WAIT_EXTENSION);
    ConditionVariableCancelSleep();
    pg_read_barrier();
}

}  // namespace vext::hnsw
