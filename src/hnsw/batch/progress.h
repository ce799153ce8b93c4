// What pg_stat_progress_create_index shows of a build, and how long each phase of it took.
//
// Beside these, the server's parameters 17 and 18 hold for hnsw_build_progress what part of the
// build is done, which never falls, and when it began.
//
// Only the backend that builds reports; its parallel workers run the same text and are silent.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/batch/crew.h"
#include "pg/index_am.h"

namespace vext::hnsw {

/// Phases in their order within a build. All but the first come again for each layer or batch.
enum class BuildPhase : std::uint8_t {
    kInitializing = PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE,
    kLoading,
    kPartitioning,
    kLinking,
    kSelecting,
    kWriting,
};

inline constexpr BuildPhase
phase_of(core::Phase phase) {
    switch (phase) {
        case core::Phase::kPartitioning:
            return BuildPhase::kPartitioning;
        case core::Phase::kLinking:
            return BuildPhase::kLinking;
        case core::Phase::kSelecting:
            break;
    }
    return BuildPhase::kSelecting;
}

/// Begins to measure time; the phase is kInitializing.
void begin_progress();

/// Enters a phase over `n_tuples`, of which `n_done` are done; 0 where their number is not known.
void report_phase(BuildPhase phase, std::size_t n_tuples = 0, std::size_t n_done = 0);

/// How many tuples of the phase are done.
void report_done(std::size_t n_done);

/// Rows come into the index one by one as the table is read.
void report_single_row();

/// No phase is shown any more, as of a batch that has come in while a command goes on.
void report_no_phase();

/// How many phases this backend has entered so far.
std::uint64_t n_phases_reported();

/// Logs at DEBUG1 how long each phase took since begin_progress().
void log_phase_times(Relation index);

/// Callback of the access method.
char* build_phase_name(int64 phase);

/// Reports the tasks of a crew's loops as shares of the tuples that they are done for.
class LoopProgress {
   public:
    /// The next loop belongs to `phase` and is for `n_tuples`.
    void
    expect(BuildPhase phase, std::size_t n_tuples) {
        n_tuples_ = n_tuples;
        report_phase(phase, n_tuples);
    }
    void
    expect(core::Phase phase, std::size_t n_tuples) {
        expect(phase_of(phase), n_tuples);
    }

    void
    reach(std::size_t task, std::size_t n_tasks) const {
        if (n_tuples_ > 0 && n_tasks > 0)
            report_done(n_tuples_ * std::min(task, n_tasks) / n_tasks);
    }

    void
    end_loop() {
        reach(1, 1);
        n_tuples_ = 0;
    }

   private:
    std::size_t n_tuples_ = 0;
};

}  // namespace vext::hnsw
