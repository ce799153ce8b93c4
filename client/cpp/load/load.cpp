#include "load/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "error.h"
#include "input/open.h"
#include "load/copy_sink.h"
#include "load/imports.h"
#include "server/extension.h"

namespace vext::client {

namespace {

std::vector<std::unique_ptr<Input>>
open_inputs(const LoadOptions& options) {
    if (options.paths.empty())
        throw UsageError("no input is given", "a file, or - for standard input");
    if (!options.ids.empty() && options.paths.size() > 1)
        throw UsageError("--ids goes with one input");
    std::vector<std::unique_ptr<Input>> inputs;
    for (const std::string& path : options.paths)
        inputs.push_back(open_input(path, options.input, options.ids));
    return inputs;
}

/// What cannot go together is said before anything is opened.
void
check_options(const LoadOptions& options) {
    const bool has_import = !options.import_id.empty();
    if (has_import && !options.on_conflict.empty())
        throw UsageError("--import-id and --on-conflict do not go together");
    if (has_import)
        for (const std::string& path : options.paths)
            identify(path);
    if (options.index.is_concurrent && options.index_when == "before")
        throw UsageError("--concurrently goes with --index after");
    if (options.on_conflict.empty() && (!options.key.empty() || !options.merge.empty()))
        throw UsageError("--key and --merge need --on-conflict");
    if (options.plan.is_create && !options.on_conflict.empty())
        throw UsageError("--create: in a new table there is nothing to merge with");
}

/// What the server lacks is said before anything is loaded.
void
check_type(Connection& connection, const LoadOptions& options) {
    if (options.plan.type != "bit" && (options.plan.is_create || options.plan.type != "vector"))
        require_type(connection, options.plan.type);
}

std::size_t
dimension_of(const Plan& plan, const std::vector<std::unique_ptr<Input>>& inputs) {
    if (plan.vector().n_dims > 0)
        return plan.vector().n_dims;
    if (inputs.front()->n_dims())
        return *inputs.front()->n_dims();
    const FieldSource& source = plan.sources.front()[plan.vector_column];
    return source.is_counter ? 0 : inputs.front()->columns()[source.field].n_dims;
}

/// Into a table that others see rows come by one connection: those that another one had written
/// elsewhere would be written a second time, for as much work as a COPY.
bool
may_be_by_several(const LoadOptions& options, const Plan& plan) {
    return options.threads > 1 && !plan.create.empty() && options.index_when != "before";
}

/// For --recall-sample: the index that the table has already, if it has one. UsageError where there
/// will be none, or no function that measures.
std::optional<std::string>
index_to_judge(Connection& connection, const Plan& plan, const LoadOptions& options) {
    if (options.recall_sample == 0)
        return std::nullopt;
    require_function(connection, "hnsw_recall");
    std::optional<std::string> found;
    if (plan.create.empty()) {
        const PlannedColumn& vector = plan.vector();
        found = find_index(connection,
                           {plan.table.name, vector.name, plan.table.find(vector.name)->base_type});
    }
    if (!found && options.index_when == "none")
        throw UsageError("--recall-sample needs an index, and the table will have none",
                         "--index after builds one");
    return found;
}

}  // namespace

void
LoadOptions::append_recall_to(std::vector<Option>& options) {
    options.push_back({"--recall-sample",
                       "ROWS",
                       "Measure the recall of the index at the end, by as many rows (0: do not)",
                       &recall_sample,
                       {},
                       0,
                       1000000});
}

std::vector<std::string>
input_names(const std::vector<std::unique_ptr<Input>>& inputs) {
    std::vector<std::string> names;
    for (const std::unique_ptr<Input>& input : inputs)
        names.push_back(input->name());
    return names;
}

PipelineCounts
pump(LoadContext& context, const std::vector<Sink*>& sinks, RejectLog& rejects,
     const std::vector<std::vector<RowRange>>& done) {
    std::uint64_t n_rows = 0;
    std::uint64_t n_stored = 0;
    bool is_counted = true;
    for (const std::unique_ptr<Input>& input : context.inputs) {
        is_counted = is_counted && input->n_rows().has_value();
        n_rows += input->n_rows().value_or(0);
        n_stored += input->n_stored();
    }
    PipelineOptions options;
    options.n_encoders = std::max<std::size_t>(
        sinks.size(), std::min<std::size_t>(4, std::thread::hardware_concurrency()));
    options.done = done;
    options.on_piece = [&](const Encoded& piece) { rejects.add(piece); };
    // Rows where the files tell how many there are, else the files' bytes.
    options.on_tick = [&](const PipelineCounts& counts) {
        context.progress.set(is_counted ? counts.n_sent + counts.n_skipped : counts.n_stored_read,
                             counts.n_rejected);
    };
    context.progress.begin(context.options.is_dry_run ? "reading" : "loading",
                           is_counted ? n_rows : n_stored, is_counted ? "rows" : "bytes");
    const PipelineCounts counts = run_pipeline(context.inputs, context.plan, sinks, options);
    options.on_tick(counts);
    context.progress.end();
    rejects.flush();
    context.stats.vectors = counts.n_sent;
    context.stats.rejected = rejects.n_rejects();
    context.stats.loaded_before = counts.n_skipped;
    return counts;
}

void
build_wanted_index(LoadContext& context) {
    const PlannedColumn& vector = context.plan.vector();
    const TableColumn* column = context.plan.table.find(vector.name);
    IndexOptions options = context.options.index;
    options.threads = context.options.threads;
    if (options.metric.empty())
        options.metric = context.inputs.front()->metric();
    const BuiltIndex built = build_index(context.connection, context.options.connection.dsn,
                                         {context.plan.table.name, vector.name, column->base_type},
                                         options, context.progress);
    context.stats.index = built.name;
    context.stats.index_seconds = built.seconds;
}

void
load_straight(LoadContext& context) {
    Connection& connection = context.connection;
    const LoadOptions& options = context.options;
    RejectLog rejects(input_names(context.inputs), options.max_errors, options.reject_file);
    try {
        connection.execute("BEGIN");
        if (!context.plan.create.empty())
            connection.execute(context.plan.create);
        if (options.index_when == "before")
            build_wanted_index(context);
        CopySink sink(connection, context.plan, context.plan.table.name, context.inputs, false);
        pump(context, {&sink}, rejects);
        if (options.index_when == "after" && !options.index.is_concurrent)
            build_wanted_index(context);
        connection.execute("COMMIT");
    } catch (...) {
        connection.rollback();
        throw;
    }
    if (options.index_when == "after" && options.index.is_concurrent)
        build_wanted_index(context);
}

int
run_load(LoadOptions& options) {
    check_options(options);
    Connection::set_verbose(options.report.is_verbose);
    options.input.is_bits = options.plan.type == "bit";
    options.plan.has_ids = !options.ids.empty();
    options.plan.n_dims = options.input.dimension;
    std::vector<std::unique_ptr<Input>> inputs = open_inputs(options);
    Connection connection(options.connection.dsn);
    check_type(connection, options);
    // A run that goes on finds the table that the first one made.
    const bool may_exist = !options.import_id.empty() || options.plan.is_create_if_missing;
    if (may_exist && (options.plan.is_create || options.plan.is_create_if_missing))
        options.plan.is_create = !find_table(connection, options.plan.table).has_value();
    Plan plan = make_plan(connection, inputs, options.plan);
    if (options.index_when != "none")
        find_operator_class(
            connection, plan.table.find(plan.vector().name)->base_type,
            options.index.metric.empty() ? inputs.front()->metric() : options.index.metric);
    const std::optional<std::string> old_index = index_to_judge(connection, plan, options);
    Progress progress(options.report.progress_kind());
    BulkBuildStats stats;
    stats.command = options.command;
    stats.table = plan.table.name;
    stats.dimension = dimension_of(plan, inputs);
    stats.reject_file = options.reject_file;
    LoadContext context = {options, inputs, plan, connection, progress, stats};

    const auto start = std::chrono::steady_clock::now();
    if (options.is_dry_run) {
        estimate_load(context);
        return static_cast<int>(stats.rejected > 0 ? ExitCode::kDoneWithRejects : ExitCode::kDone);
    }
    if (!options.import_id.empty())
        load_import(context);
    else if (!options.on_conflict.empty())
        load_by_merge(context);
    else if (may_be_by_several(options, plan))
        load_by_several(context);
    else
        load_straight(context);
    stats.elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    measure_sizes(connection, stats);
    if (options.recall_sample > 0)
        measure_recall(connection, stats.index.empty() ? *old_index : stats.index,
                       options.recall_sample, stats);
    print_summary(stats, options.report);
    return static_cast<int>(stats.rejected > 0 ? ExitCode::kDoneWithRejects : ExitCode::kDone);
}

}  // namespace vext::client
