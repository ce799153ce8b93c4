// CREATE INDEX with progress, which a second connection looks up while the first one builds.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "options/option.h"
#include "progress/progress.h"
#include "server/connection.h"
#include "server/table.h"

namespace vext::client {

struct IndexOptions {
    std::optional<std::int64_t> m;
    std::optional<std::int64_t> ef_construction;
    std::string metric;  ///< empty: that of the input's companion, else l2
    std::string name;    ///< empty: the server's choice
    bool is_concurrent = false;
    std::string maintenance_work_mem;
    std::int64_t threads = 0;

    /// -m, -e, --metric and the others, but not -t.
    void append_to(std::vector<Option>& options);
};

struct BuiltIndex {
    std::string name;  ///< quoted, with its schema
    double seconds = 0;
    std::uint64_t n_bytes = 0;
};

/// What is to be indexed: a column with vectors of a type of ours, or bits.
struct IndexTarget {
    std::string table;      ///< quoted
    std::string column;     ///< not quoted
    std::string base_type;  ///< vector, halfvec, sparsevec, bit
};

/// The operator class, with its schema. UsageError when the server has none for type and metric.
std::string find_operator_class(Connection& connection, const std::string& base_type,
                                const std::string& metric);

/// In the caller's transaction, if there is one. `dsn` is for the second connection.
BuiltIndex build_index(Connection& connection, const std::string& dsn, const IndexTarget& target,
                       const IndexOptions& options, Progress& progress);

/// An index of the access method hnsw on the column, valid, if there is one.
std::optional<std::string> find_index(Connection& connection, const IndexTarget& target);

}  // namespace vext::client
