// `tune`: recall, time and pages of an index over ef_search, beside exact search, with a report.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands/registry.h"
#include "error.h"
#include "inspect/index.h"
#include "options/groups.h"
#include "server/extension.h"
#include "streams.h"
#include "tune/present.h"
#include "tune/queries.h"
#include "tune/rebuild.h"

namespace vext::client {

namespace {

struct TuneOptions {
    ConnectionOptions connection;
    ReportOptions report;
    std::string index, queries, html, output = "text";
    std::int64_t k = 10, sample = 100, rebuild_rows = 100'000, seed = 1;
    double recall = 0.95;
    std::vector<std::string> ef, rebuild;
};

std::vector<int>
parse_ef(const std::vector<std::string>& lists, std::int64_t k) {
    std::vector<int> values;
    for (const std::string& list : lists)
        for (std::size_t at = 0; at <= list.size();) {
            const std::size_t comma = std::min(list.find(',', at), list.size());
            const std::string word = list.substr(at, comma - at);
            std::size_t end = 0;
            int value = 0;
            try {
                value = std::stoi(word, &end);
            } catch (const std::exception&) {
                end = 0;
            }
            if (end == 0 || end != word.size() || value < 1 || value > 1000)
                throw UsageError(
                    fmt::format("--ef: expected numbers from 1 to 1000, not \"{}\"", word));
            if (value < k)
                throw UsageError(
                    fmt::format("--ef {}: a search returns no more rows than "
                                "ef_search, and --k asks for {}",
                                value, k));
            values.push_back(value);
            at = comma + 1;
        }
    return values;
}

/// What a session has that sets nothing: the index's option, or else the setting.
int
ef_search_now(Connection& connection, const Index& index) {
    const Result row = connection.query(
        "SELECT setting, source FROM pg_catalog.pg_settings WHERE name = 'hnsw.ef_search'");
    if (row.n_rows() == 0)
        return 0;
    const auto option = index.option("ef_search");
    if (row.string(0, 1) == "default" && option && *option != "0")
        return std::stoi(*option);
    return static_cast<int>(row.integer(0, 0));
}

/// Facts of the server and of the index's parts.
void
describe(Connection& connection, TuneResult& result) {
    const Result row = connection.query(
        "SELECT pg_catalog.format('%I', pg_catalog.current_database()), "
        "pg_catalog.current_setting('server_version'), "
        "pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers'))");
    result.database = row.string(0, 0);
    result.server = "PostgreSQL " + row.string(0, 1) + ", " + result.index.extension + " " +
                    result.index.extension_version;
    result.shared_buffers = row.number(0, 2);
    if (const auto info = find_function(connection, "hnsw_info")) {
        const Result bytes = connection.query(
            fmt::format("SELECT hot_bytes, cold_bytes FROM {}($1::regclass)", *info),
            {result.index.name});
        result.hot_bytes = bytes.integer(0, 0);
        result.cold_bytes = bytes.integer(0, 1);
    }
}

QuerySet
gather_queries(Connection& connection, const Index& index, const TuneOptions& options) {
    QuerySet queries = options.queries.empty()
                           ? sample_queries(connection, index, options.sample, options.seed)
                           : read_queries(connection, index, options.queries, options.sample);
    if (queries.wire.empty())
        throw UsageError("there are no queries: " + queries.source);
    return queries;
}

void
measure(Connection& connection, const TuneOptions& options, Progress& progress,
        TuneResult& result) {
    // Exact searches and those by the index see the same rows.
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    QuerySet queries = gather_queries(connection, result.index, options);
    result.queries = queries.source;
    result.n_queries = queries.wire.size();
    Searches searches(connection, target_of(result.index), queries, result.k, progress);
    result.ef_now = ef_search_now(connection, result.index);
    searches.find_exact();
    result.exact = searches.exact_times();
    searches.use_index(result.index.oid);
    result.round_trip = searches.round_trip();
    result.settings = measure_settings(
        searches, {parse_ef(options.ef, options.k), result.k, options.recall, result.ef_now},
        result.n_queries, progress);
    result.chosen = choose(result.settings, options.recall);
    connection.execute("COMMIT");
    if (options.rebuild.empty())
        return;

    connection.execute("BEGIN");
    const Copy copy =
        copy_sample(connection, result.index, queries, options.rebuild_rows, options.seed);
    result.n_copied = copy.n_rows;
    queries.own.clear();  // they are not in the copy
    result.rebuilds =
        measure_rebuilds(connection, result.index, copy, queries,
                         {parse_rebuild(options.rebuild, build_options_of(result.index)),
                          {{}, result.k, options.recall},
                          progress});
    connection.execute("ROLLBACK");
}

std::string
command_line(const TuneOptions& options) {
    std::string line = fmt::format("vector-bulk tune --index {} --k {} --recall {}", options.index,
                                   options.k, options.recall);
    if (!options.queries.empty())
        line += " --queries " + options.queries;
    line += fmt::format(" --sample {}", options.sample);
    if (options.queries.empty())
        line += fmt::format(" --seed {}", options.seed);
    for (const std::string& list : options.ef)
        line += " --ef " + list;
    if (!options.rebuild.empty())
        line += " --rebuild";
    for (const std::string& word : options.rebuild)
        line += " " + word;
    return line;
}

void
write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file)
        throw InputError("could not write " + path);
}

int
run(const TuneOptions& options) {
    if (!(options.recall > 0 && options.recall <= 1))
        throw UsageError(fmt::format("--recall: expected a share up to 1, not {}", options.recall));
    parse_ef(options.ef, options.k);
    parse_rebuild(options.rebuild, {16, 64});
    Connection::set_verbose(options.report.is_verbose);
    Connection connection(options.connection.dsn);
    Progress progress(options.report.progress_kind());
    TuneResult result;
    result.index = find_index(connection, options.index);
    if (!result.index.is_valid)
        throw Error(ExitCode::kStopped, result.index.name + " is not valid", "REINDEX the index");
    if (!options.html.empty())
        write_file(options.html, "");  // tells at once that it cannot be written
    result.k = static_cast<int>(options.k);
    result.wanted = options.recall;
    result.command = command_line(options);
    result.when = fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(std::time(nullptr)));
    describe(connection, result);
    measure(connection, options, progress, result);
    if (!options.html.empty())
        write_file(options.html, report::render(to_page(result)));
    if (options.output == "json")
        print("{}\n", to_json(result).dump(2));
    else
        print("{}", to_text(result));
    return static_cast<int>(result.chosen < 0 ? ExitCode::kDoneWithRejects : ExitCode::kDone);
}

}  // namespace

Command
make_tune_command() {
    auto options = std::make_shared<TuneOptions>();
    Command command;
    command.name = "tune";
    command.summary = "Measure recall and time of an index, and propose its ef_search";
    command.description =
        "Searches the index with growing ef_search and compares what it finds with exact search: "
        "recall, time, pages. The queries are rows of the table, chosen at random and each left "
        "out "
        "of its own answer, or given. Nothing is changed; --rebuild builds indexes with other "
        "options on a copy that goes away again. Works with any hnsw index, also pgvector's. Ends "
        "with 1 when no ef_search reaches the recall.";
    auto& list = command.options;
    list.push_back({"-i,--index,INDEX",
                    "INDEX",
                    "The index, or a table with one hnsw index",
                    &options->index,
                    {},
                    INT64_MIN,
                    INT64_MAX,
                    true});
    list.push_back({"-q,--queries", "FILE|TABLE", "Queries: a file of vectors, or a table",
                    &options->queries});
    list.push_back({"--sample", "N", "How many queries (100)", &options->sample, {}, 2, 100'000});
    list.push_back({"-k,--k", "N", "Neighbours of a query (10)", &options->k, {}, 1, 1000});
    list.push_back({"--recall", "R", "The recall to reach (0.95)", &options->recall});
    list.push_back(
        {"--ef", "LIST", "Values of ef_search to measure instead of a ladder", &options->ef});
    list.push_back({"--html", "FILE", "Write a report, one HTML file", &options->html});
    list.push_back({"--rebuild,OPTIONS", "OPTIONS",
                    "Measure other builds too: m=8,16,32 ef_construction=64,128",
                    &options->rebuild});
    list.push_back({"--rebuild-rows",
                    "N",
                    "Rows of the table that these are built on (100000)",
                    &options->rebuild_rows,
                    {},
                    100,
                    INT64_MAX});
    list.push_back({"--seed", "N", "Of the random choice (1)", &options->seed});
    list.push_back({"--output",
                    "KIND",
                    "How the result is printed (text)",
                    &options->output,
                    {"text", "json"}});
    options->connection.append_to(list);
    options->report.append_to(list);
    command.examples.push_back({"vector-bulk tune items_v_idx --html report.html",
                                "Sample 100 rows, print a table, write the report"});
    command.examples.push_back({"vector-bulk tune items -q queries.npy --recall 0.99",
                                "Find the ef_search for a recall of 0.99 of these queries"});
    command.run = [options] { return run(*options); };
    return command;
}

}  // namespace vext::client
