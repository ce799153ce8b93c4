#include "load/summary.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "server/extension.h"
#include "streams.h"

namespace vext::client {

namespace {

constexpr int kRecallK = 10;
constexpr int kRecallEf = 40;

}  // namespace

void
measure_sizes(Connection& connection, BulkBuildStats& stats) {
    stats.table_bytes = static_cast<std::uint64_t>(
        connection.query("SELECT pg_catalog.pg_table_size($1::regclass)", {stats.table})
            .integer(0, 0));
    if (!stats.index.empty())
        stats.index_bytes = static_cast<std::uint64_t>(
            connection.query("SELECT pg_catalog.pg_relation_size($1::regclass)", {stats.index})
                .integer(0, 0));
}

void
measure_recall(Connection& connection, const std::string& index, std::int64_t sample,
               BulkBuildStats& stats) {
    const std::string function = require_function(connection, "hnsw_recall");
    const Result found = connection.query(
        fmt::format("SELECT recall FROM {}($1::regclass, {}, '{{{}}}', $2::integer)", function,
                    kRecallK, kRecallEf),
        {index, std::to_string(sample)});
    stats.recall = found.number(0, 0);
    stats.recall_sample = sample;
}

std::string
summary_json(const BulkBuildStats& stats) {
    nlohmann::ordered_json object = {{"command", stats.command},
                                     {"table", stats.table},
                                     {"vectors", stats.vectors},
                                     {"dimension", stats.dimension},
                                     {"elapsed", stats.elapsed},
                                     {"rate", stats.rate()},
                                     {"rejected", stats.rejected},
                                     {"loaded_before", stats.loaded_before},
                                     {"table_bytes", stats.table_bytes},
                                     {"index", nullptr},
                                     {"index_bytes", stats.index_bytes},
                                     {"index_elapsed", stats.index_seconds},
                                     {"recall", nullptr}};
    if (!stats.index.empty())
        object["index"] = stats.index;
    if (stats.recall)
        object["recall"] = *stats.recall;
    if (stats.merged) {
        object["inserted"] = stats.merged->inserted;
        object["updated"] = stats.merged->updated;
        object["unchanged"] = stats.merged->unchanged;
        object["skipped"] = stats.merged->skipped;
    }
    return object.dump();
}

std::string
summary_text(const BulkBuildStats& stats) {
    std::string text = fmt::format("{} vectors", with_thousands(stats.vectors));
    if (stats.dimension > 0)
        text += fmt::format(" of {} dimensions", stats.dimension);
    text += fmt::format(" in {:.2f} s: {} vectors/s\n", stats.elapsed,
                        with_thousands(static_cast<std::uint64_t>(stats.rate())));
    if (stats.merged)
        text += fmt::format(
            "  inserted {}, updated {}, unchanged {}, skipped {}\n",
            with_thousands(stats.merged->inserted), with_thousands(stats.merged->updated),
            with_thousands(stats.merged->unchanged), with_thousands(stats.merged->skipped));
    if (stats.loaded_before > 0)
        text += fmt::format("  {} rows were loaded by earlier runs\n",
                            with_thousands(stats.loaded_before));
    if (stats.rejected > 0)
        text += fmt::format("  {} rows rejected{}\n", with_thousands(stats.rejected),
                            stats.reject_file.empty() ? "" : ", see " + stats.reject_file);
    text += fmt::format("  table {}: {}\n", stats.table, human_bytes(stats.table_bytes));
    if (!stats.index.empty())
        text += fmt::format("  index {}: {}, built in {:.2f} s\n", stats.index,
                            human_bytes(stats.index_bytes), stats.index_seconds);
    if (stats.recall)
        text += fmt::format("  recall@{} {:.3f} at ef_search {}, of {} rows searched for\n",
                            kRecallK, *stats.recall, kRecallEf, stats.recall_sample);
    return text;
}

void
print_summary(const BulkBuildStats& stats, const ReportOptions& report) {
    if (report.wants_json())
        print("{}\n", summary_json(stats));
    else if (!report.is_quiet)
        print("{}", summary_text(stats));
}

}  // namespace vext::client
