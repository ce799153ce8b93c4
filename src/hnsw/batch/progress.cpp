// See progress.h.

#include "hnsw/batch/progress.h"

#include "pg/parallel.h"
#include "pg/progress.h"

namespace vext::hnsw {

namespace {

constexpr const char* kNames[] = {"initializing", "loading tuples", "partitioning",
                                  "linking",      "selecting",      "writing"};
constexpr std::size_t kFirst = static_cast<std::size_t>(BuildPhase::kInitializing);

static_assert(kFirst + std::size(kNames) == static_cast<std::size_t>(BuildPhase::kWriting) + 1);

// A backend builds one index at a time.
struct Times {
    std::size_t phase;
    TimestampTz since;
    TimestampTz spent[std::size(kNames)];
};
constinit Times times = {};

// Parameters that CREATE INDEX leaves alone.
constexpr int kDone = 17;   // in ten thousandths
constexpr int kSince = 18;  // a TimestampTz

// What part of a build is done. Each batch is for the rows of a part of the table.
struct Share {
    double begun;    ///< part of the table whose rows came with earlier batches
    double reached;  ///< the most so far
    std::size_t n_tuples;
    int64 shown;
};
constinit Share share = {};
constinit std::uint64_t n_phases = 0;

double
scanned_part() {
    const int64 n_blocks = pg::shown_value(PROGRESS_SCAN_BLOCKS_TOTAL);
    return n_blocks <= 0
               ? 1.0
               : std::min(1.0, static_cast<double>(pg::shown_value(PROGRESS_SCAN_BLOCKS_DONE)) /
                                   static_cast<double>(n_blocks));
}

// How far a batch is when `part` of a phase of its lowest layer is done, of 200,000 rows of 768
// dimensions; upper layers, which are small, come after and show no more than they were.
double
part_of_batch(BuildPhase phase, double part) {
    switch (phase) {
        case BuildPhase::kInitializing:
        case BuildPhase::kLoading:
            return 0;
        case BuildPhase::kPartitioning:
            return 0.05 + 0.1 * part;
        case BuildPhase::kLinking:
            return 0.15 + 0.45 * part;
        case BuildPhase::kSelecting:
            return 0.6 + 0.3 * part;
        case BuildPhase::kWriting:
            return 0.9 + 0.1 * part;
    }
    return 0;
}

void
show_reached() {
    const auto shown = static_cast<int64>(10000 * share.reached);
    if (shown != share.shown)
        pgstat_progress_update_param(kDone, shown);
    share.shown = shown;
}

void
show_share(std::size_t n_done) {
    if (!pg::is_shown_as(PROGRESS_COMMAND_CREATE_INDEX))
        return;
    const auto phase = static_cast<BuildPhase>(times.phase + kFirst);
    const double part = share.n_tuples == 0
                            ? 0
                            : static_cast<double>(std::min(n_done, share.n_tuples)) /
                                  static_cast<double>(share.n_tuples);
    const double batch = scanned_part() - share.begun;
    share.reached = std::max(share.reached, share.begun + batch * part_of_batch(phase, part));
    show_reached();
}

void
enter(std::size_t phase) {
    const TimestampTz now = GetCurrentTimestamp();
    times.spent[times.phase] += now - times.since;
    times.phase = phase;
    times.since = now;
}

}  // namespace

void
begin_progress() {
    times = {};
    times.since = GetCurrentTimestamp();
    share = {};
    if (pg::is_shown_as(PROGRESS_COMMAND_CREATE_INDEX)) {
        constexpr int kParameters[] = {kDone, kSince, PROGRESS_SCAN_BLOCKS_TOTAL};
        const int64 values[] = {0, times.since, 0};
        pgstat_progress_update_multi_param(lengthof(kParameters), kParameters, values);
    }
    report_phase(BuildPhase::kInitializing);
}

void
report_phase(BuildPhase phase, std::size_t n_tuples, std::size_t n_done) {
    if (IsParallelWorker())
        return;
    ++n_phases;
    if (phase == BuildPhase::kLoading)
        share.begun = n_done == 0 ? 0 : scanned_part();
    enter(static_cast<std::size_t>(phase) - kFirst);
    share.n_tuples = n_tuples;
    constexpr int kParameters[] = {PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_TUPLES_TOTAL,
                                   PROGRESS_CREATEIDX_TUPLES_DONE};
    const int64 values[] = {static_cast<int64>(phase), static_cast<int64>(n_tuples),
                            static_cast<int64>(n_done)};
    pgstat_progress_update_multi_param(lengthof(kParameters), kParameters, values);
    show_share(n_done);
}

void
report_done(std::size_t n_done) {
    if (IsParallelWorker())
        return;
    pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(n_done));
    show_share(n_done);
}

void
report_single_row() {
    if (IsParallelWorker() || !pg::is_shown_as(PROGRESS_COMMAND_CREATE_INDEX))
        return;
    // In the first block the server counts all of them as done.
    if (const double part = scanned_part(); part < 1)
        share.reached = std::max(share.reached, part);
    show_reached();
}

void
report_no_phase() {
    constexpr int kParameters[] = {PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_TUPLES_TOTAL,
                                   PROGRESS_CREATEIDX_TUPLES_DONE};
    const int64 values[] = {0, 0, 0};
    pgstat_progress_update_multi_param(lengthof(kParameters), kParameters, values);
}

std::uint64_t
n_phases_reported() {
    return n_phases;
}

void
log_phase_times(Relation index) {
    if (!message_level_is_interesting(DEBUG1))
        return;
    enter(times.phase);
    StringInfoData list;
    initStringInfo(&list);
    for (std::size_t i = 0; i < std::size(kNames); ++i)
        appendStringInfo(&list, "%s%s %.3f s", i == 0 ? "" : ", ", kNames[i],
                         static_cast<double>(times.spent[i]) / USECS_PER_SEC);
    ereport(DEBUG1,
            errmsg_internal("built index \"%s\": %s", RelationGetRelationName(index), list.data));
    pfree(list.data);
}

char*
build_phase_name(int64 phase) {
    const auto i = static_cast<std::size_t>(phase) - kFirst;
    // The server's signature lacks a const: it only copies the text.
    return i < std::size(kNames) ? const_cast<char*>(kNames[i]) : nullptr;
}

}  // namespace vext::hnsw
