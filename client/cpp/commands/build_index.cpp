#include <chrono>
#include <memory>

#include "commands/registry.h"
#include "error.h"
#include "index/build.h"
#include "load/load.h"
#include "server/extension.h"

namespace vext::client {

namespace {

/// Without inputs; with inputs it is a load with --index after.
int
run_build(const LoadOptions& options) {
    Connection::set_verbose(options.report.is_verbose);
    Connection connection(options.connection.dsn);
    const Table table = require_table(connection, options.plan.table);
    const TableColumn& column = require_vector_column(table, options.plan.column);
    if (options.recall_sample > 0)
        require_function(connection, "hnsw_recall");
    if (!column.is_vector() && column.base_type != "bit")
        throw UsageError("the column \"" + column.name + "\" is of type " + column.type +
                         ", not of vectors");
    Progress progress(options.report.progress_kind());
    IndexOptions index = options.index;
    index.threads = options.threads;
    BulkBuildStats stats;
    stats.command = "build-index";
    stats.table = table.name;
    stats.dimension = column.n_dims;
    const BuiltIndex built =
        build_index(connection, options.connection.dsn, {table.name, column.name, column.base_type},
                    index, progress);
    stats.index = built.name;
    stats.index_seconds = stats.elapsed = built.seconds;
    stats.vectors = static_cast<std::uint64_t>(
        connection
            .query("SELECT count(" + connection.quote_name(column.name) + ") FROM " + table.name)
            .integer(0, 0));
    measure_sizes(connection, stats);
    if (options.recall_sample > 0)
        measure_recall(connection, built.name, options.recall_sample, stats);
    print_summary(stats, options.report);
    return static_cast<int>(ExitCode::kDone);
}

}  // namespace

Command
make_build_index_command() {
    auto load = std::make_shared<LoadOptions>();
    load->command = "build-index";
    load->index_when = "after";
    Command command;
    command.name = "build-index";
    command.summary = "Build an hnsw index, with progress";
    command.description =
        "Builds the index of a table's vectors. With -i, files are loaded first, and the table is "
        "made "
        "when it does not exist; rows and index come in one transaction.";
    std::vector<Option>& options = command.options;
    options.push_back({"-i,--input,INPUT", "FILE", "Files to load first", &load->paths});
    options.push_back({"--table,-o,--output",
                       "TABLE",
                       "The table, as SQL writes it",
                       &load->plan.table,
                       {},
                       INT64_MIN,
                       INT64_MAX,
                       true});
    options.push_back({"--column", "NAME", "Column of the vectors (the only one of the table)",
                       &load->plan.column});
    options.push_back({"--type",
                       "TYPE",
                       "Type of the vectors of a new table (vector)",
                       &load->plan.type,
                       {"vector", "halfvec", "sparsevec", "bit"}});
    options.push_back(
        {"--ids", "FILE", "Ids of the rows: raw unsigned 64-bit numbers", &load->ids});
    load->input.append_to(options);
    load->index.append_to(options);
    options.push_back({"-t,--threads",
                       "N",
                       "Processes of the build, and connections of a load (0: as the "
                       "server is set, one connection)",
                       &load->threads,
                       {},
                       0,
                       64});
    load->append_recall_to(options);
    load->connection.append_to(options);
    load->report.append_to(options);
    command.examples = {{"vector-bulk build-index --table items --metric cosine -m 24 -e 100",
                         "Index the vectors of a table"},
                        {"vector-bulk build-index -i embeddings.npy -o items -m 32 -e 200 -t 8",
                         "From a file to a table with an index"}};
    command.prints_afterwards = true;
    command.run = [load] {
        if (load->paths.empty())
            return run_build(*load);
        load->plan.is_create_if_missing = true;
        return run_load(*load);
    };
    return command;
}

}  // namespace vext::client
