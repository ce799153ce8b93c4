// The crews that build a batch (core/batch/crew.h): this backend alone, or with parallel workers.

#pragma once

#include <cstdint>

#include "core/batch/crew.h"
#include "hnsw/batch/progress.h"
#include "hnsw/batch/shared_areas.h"
#include "pg/parallel.h"

namespace vext::hnsw {

/// This backend alone, which can be cancelled between two tasks.
class BackendCrew : public core::SerialCrew {
   public:
    using core::SerialCrew::SerialCrew;

    template <typename Task>
    void
    for_each(std::size_t n_tasks, Task&& task) {
        for (std::size_t i = 0; i < n_tasks; ++i) {
            pause();
            progress_.reach(i, n_tasks);
            task(i);
        }
        progress_.end_loop();
    }

    template <typename Phase>
    void
    report(Phase phase, std::size_t n_points) {
        progress_.expect(phase, n_points);
    }

    static void
    pause() {
        CHECK_FOR_INTERRUPTS();
    }

   private:
    LoopProgress progress_;
};

/// What a parallel crew shares. Members are those who attached: the leader opens the gate when
/// their number is known.
struct CrewShared {
    ConditionVariable gate;
    pg_atomic_uint32 n_members;  ///< 0 until the gate is open
    Barrier barrier;
    pg_atomic_uint64 next_task[2];  ///< of the loops in turns
    SharedArea allocated;
    pg_atomic_uint32 n_making;  ///< members that ask for shared memory

    void init();
    void open_gate(int n);
    void wait_at_gate();
};

/// One member of a parallel crew. The leader is the backend that builds.
class ParallelCrew {
   public:
    /// Memory of its own from `arena`.
    ParallelCrew(CrewShared& shared, core::Arena& arena, bool is_leader)
        : shared_(&shared), areas_(arena, shared.n_making), is_leader_(is_leader) {}

    template <typename Task>
    void
    for_each(std::size_t n_tasks, Task&& task) {
        // The counter of the next loop is not in use: all have left the loop before this one.
        pg_atomic_uint64& next_task = shared_->next_task[n_loops_ & 1];
        if (is_leader_)
            pg_atomic_write_u64(&shared_->next_task[(n_loops_ + 1) & 1], 0);
        ++n_loops_;
        for (;;) {
            pause();
            const std::uint64_t i = pg_atomic_fetch_add_u64(&next_task, 1);
            if (i >= n_tasks)
                break;
            progress_.reach(i, n_tasks);
            task(static_cast<std::size_t>(i));
        }
        meet();
        progress_.end_loop();
    }

    template <typename Phase>
    void
    report(Phase phase, std::size_t n_points) {
        progress_.expect(phase, n_points);
    }

    template <typename Work>
    void
    alone(Work&& work) {
        if (is_leader_)
            work();
        meet();
    }

    void*
    allocate(std::size_t n_bytes) {
        if (is_leader_)
            shared_->allocated = areas_.make(n_bytes);
        meet();
        void* address = areas_.address(shared_->allocated);
        meet();
        return address;
    }

    /// Frees all that was allocated. Requires: nobody uses it any more, for all have met since.
    /// What was freed can be had again when all have met.
    void
    release() {
        areas_.release();
    }

    static void
    pause() {
        CHECK_FOR_INTERRUPTS();
    }

    void
    meet() {
        BarrierArriveAndWait(&shared_->barrier, PG_WAIT_EXTENSION);
    }

   private:
    CrewShared* shared_;
    SharedAreas areas_;
    bool is_leader_;
    std::uint32_t n_loops_ = 0;
    LoopProgress progress_;
};

static_assert(std::is_trivially_destructible_v<ParallelCrew>);

}  // namespace vext::hnsw
