// `load` and `upsert`: from options to loaded rows.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "index/build.h"
#include "input/options.h"
#include "load/pipeline.h"
#include "load/plan.h"
#include "load/rejects.h"
#include "load/summary.h"
#include "options/groups.h"

namespace vext::client {

struct LoadOptions {
    std::string command = "load";
    std::vector<std::string> paths;
    InputOptions input;
    PlanOptions plan;
    std::string ids;
    IndexOptions index;
    std::string index_when = "none";  ///< none, before, after
    ConnectionOptions connection;
    ReportOptions report;
    std::int64_t threads = 0;         ///< connections; 0: one
    std::int64_t batch_size = 10000;  ///< rows of a chunk of an import
    std::string import_id;
    std::int64_t max_errors = 0;
    std::string reject_file;
    bool is_dry_run = false;
    std::int64_t recall_sample = 0;  ///< rows; 0: recall is not measured
    // upsert
    std::string on_conflict;  ///< empty: COPY without a stage
    std::vector<std::string> key;
    std::string merge;
    std::string duplicates = "error";

    void append_recall_to(std::vector<Option>& options);
};

/// Runs the command; returns its exit code.
int run_load(LoadOptions& options);

/// The dispatch by how rows come in; each returns with everything committed.
struct LoadContext {
    LoadOptions& options;
    std::vector<std::unique_ptr<Input>>& inputs;
    Plan& plan;
    Connection& connection;
    Progress& progress;
    BulkBuildStats& stats;
};
void load_straight(LoadContext& context);
void load_by_several(LoadContext& context);
void load_import(LoadContext& context);
void load_by_merge(LoadContext& context);
void estimate_load(LoadContext& context);

/// What they share.
PipelineCounts pump(LoadContext& context, const std::vector<Sink*>& sinks, RejectLog& rejects,
                    const std::vector<std::vector<RowRange>>& done = {});
std::vector<std::string> input_names(const std::vector<std::unique_ptr<Input>>& inputs);
void build_wanted_index(LoadContext& context);

}  // namespace vext::client
