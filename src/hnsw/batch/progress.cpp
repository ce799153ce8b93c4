// See progress.h.

#include "hnsw/batch/progress.h"

#include "pg/parallel.h"

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
    report_phase(BuildPhase::kInitializing);
}

void
report_phase(BuildPhase phase, std::size_t n_tuples, std::size_t n_done) {
    if (IsParallelWorker())
        return;
    enter(static_cast<std::size_t>(phase) - kFirst);
    constexpr int kParameters[] = {PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_TUPLES_TOTAL,
                                   PROGRESS_CREATEIDX_TUPLES_DONE};
    const int64 values[] = {static_cast<int64>(phase), static_cast<int64>(n_tuples),
                            static_cast<int64>(n_done)};
    pgstat_progress_update_multi_param(lengthof(kParameters), kParameters, values);
}

void
report_done(std::size_t n_done) {
    if (!IsParallelWorker())
        pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(n_done));
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
