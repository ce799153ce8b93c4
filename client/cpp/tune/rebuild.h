// What the index would give if it were built with other options: built on a copy of the table, or
// of a sample of it, that goes with the transaction.

#pragma once

#include <string>
#include <vector>

#include "inspect/index.h"
#include "tune/searches.h"

namespace vext::client {

struct BuildOptions {
    int m, ef_construction;

    bool operator==(const BuildOptions&) const = default;
};

struct Rebuild {
    BuildOptions options;
    bool is_current = false;  ///< those of the index itself
    double seconds = 0;
    std::int64_t n_bytes = 0;
    std::vector<Setting> settings;
};

/// The options of words like "m=8,16" and "ef_construction=64,128": each of the one with each of
/// the other, where a word is missing the current value; those of the index first. Leaves out what
/// no index can have (ef_construction below 2 m). Throws a UsageError.
std::vector<BuildOptions> parse_rebuild(const std::vector<std::string>& words,
                                        BuildOptions current);

/// m and ef_construction of an index, defaults where they were not given.
BuildOptions build_options_of(const Index& index);

/// A copy of what is indexed, that goes with the transaction.
struct Copy {
    SearchTarget target;  ///< its index is still to be made
    std::int64_t n_rows = 0;
};

/// Makes the copy, of about `n_rows` rows without the queries' own.
Copy copy_sample(Connection& connection, const Index& index, const QuerySet& queries,
                 std::int64_t n_rows, std::int64_t seed);

/// Which indexes to build, and how each is measured.
struct RebuildPlan {
    std::vector<BuildOptions> options;
    Sweep sweep;
    Progress& progress;
};

/// Builds each index on the copy and measures it by `queries`, none of which is a row of the copy.
std::vector<Rebuild> measure_rebuilds(Connection& connection, const Index& index, const Copy& copy,
                                      const QuerySet& queries, const RebuildPlan& plan);

/// Where an index searches, for Searches.
SearchTarget target_of(const Index& index);

}  // namespace vext::client
