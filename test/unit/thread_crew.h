// A crew of threads (core/batch/crew.h), so that unit tests see what does not hold among several.

#pragma once

#include <atomic>
#include <barrier>
#include <cstddef>
#include <thread>
#include <vector>

#include "core/batch/crew.h"
#include "test_arena.h"

namespace vext::test {

class ThreadCrew {
   public:
    /// What the members share; `arena` gives what they allocate.
    struct Shared {
        Shared(core::Arena& crew_arena, std::size_t n_members)
            : arena(&crew_arena), barrier(static_cast<std::ptrdiff_t>(n_members)) {}

        core::Arena* arena;
        std::barrier<> barrier;
        std::atomic<std::size_t> next_task{0};
        void* allocated = nullptr;
    };

    ThreadCrew(Shared& shared, bool is_leader) : shared_(&shared), is_leader_(is_leader) {}

    /// Runs work(crew, member) for each of `n_members`, each in a thread of its own.
    template <typename Work>
    static void
    run(core::Arena& arena, std::size_t n_members, Work&& work) {
        Shared shared(arena, n_members);
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < n_members; ++i)
            threads.emplace_back([&shared, &work, i] {
                ThreadCrew crew(shared, i == 0);
                work(crew, i);
            });
        for (std::thread& thread : threads)
            thread.join();
    }

    template <typename Task>
    void
    for_each(std::size_t n_tasks, Task&& task) {
        if (is_leader_)
            shared_->next_task = 0;
        meet();
        for (std::size_t i; (i = shared_->next_task.fetch_add(1)) < n_tasks;)
            task(i);
        meet();
    }

    template <typename Work>
    void
    alone(Work&& work) {
        if (is_leader_)
            work();
        meet();
    }

    static void
    pause() {}

    template <typename Phase>
    static void
    report(Phase, std::size_t) {}

    void*
    allocate(std::size_t n_bytes) {
        if (is_leader_)
            shared_->allocated = shared_->arena->allocate_zeroed<std::uint8_t>(n_bytes).data();
        meet();
        void* allocated = shared_->allocated;
        meet();
        return allocated;
    }

   private:
    void
    meet() {
        shared_->barrier.arrive_and_wait();
    }

    Shared* shared_;
    bool is_leader_;
};

}  // namespace vext::test
