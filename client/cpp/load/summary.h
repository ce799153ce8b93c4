// What a load says at its end, on standard output.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "options/groups.h"
#include "server/connection.h"

namespace vext::client {

/// Counts of an upsert.
struct MergeCounts {
    std::uint64_t inserted = 0;
    std::uint64_t updated = 0;
    std::uint64_t unchanged = 0;
    std::uint64_t skipped = 0;
};

struct BulkBuildStats {
    std::string command;
    std::string table;          ///< quoted
    std::uint64_t vectors = 0;  ///< loaded by this run, or indexed
    std::size_t dimension = 0;
    double elapsed = 0;  ///< seconds, from the first byte read to the last commit
    std::uint64_t rejected = 0;
    std::uint64_t loaded_before = 0;  ///< by earlier runs of the import
    std::optional<MergeCounts> merged;
    std::string index;  ///< quoted; empty: none was built
    double index_seconds = 0;
    std::optional<double> recall;  ///< if asked
    std::int64_t recall_sample = 0;
    std::uint64_t table_bytes = 0;
    std::uint64_t index_bytes = 0;
    std::string reject_file;

    double
    rate() const {
        return elapsed > 0 ? static_cast<double>(vectors) / elapsed : 0;
    }
};

/// Asks the server for the sizes.
void measure_sizes(Connection& connection, BulkBuildStats& stats);

/// Searches for rows of the table by the index, and compares with exact search.
void measure_recall(Connection& connection, const std::string& index, std::int64_t sample,
                    BulkBuildStats& stats);

/// Nothing when quiet, unless JSON is wanted.
void print_summary(const BulkBuildStats& stats, const ReportOptions& report);

std::string summary_json(const BulkBuildStats& stats);
std::string summary_text(const BulkBuildStats& stats);

}  // namespace vext::client
