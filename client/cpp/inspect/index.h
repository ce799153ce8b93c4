// An index, as the catalogue tells it. Functions of the extension are looked up as members of the
// extension that owns the index's operator class, wherever its schema is and whatever search_path
// says; what only vector_ext has is simply not found beside pgvector.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/connection.h"

namespace vext::client {

struct IndexOption {
    std::string name, value;
};

struct Index {
    std::uint32_t oid;
    std::string name;            ///< qualified and quoted, ready for SQL
    std::string short_name;      ///< as it was given to CREATE INDEX
    std::string table;           ///< qualified and quoted
    std::string schema;          ///< of the table, quoted
    std::string access_method;   ///< "hnsw"
    std::string operator_class;  ///< qualified and quoted
    std::string class_name;      ///< of the operator class, alone
    std::string distance;        ///< "OPERATOR(public.<->)"
    std::string metric;      ///< "l2", "ip", "cosine", "l1", "hamming", "jaccard", or the operator
    std::string expression;  ///< "(v)", what is indexed
    std::string predicate;   ///< of a partial index, or "true"
    std::string type;        ///< "vector(784)"
    std::uint32_t type_oid;
    std::string send_function;  ///< of the type, qualified: value to wire form
    std::string storage;        ///< of the column: "plain", "external", ...
    int n_dims;                 ///< 0 where the type does not tell
    bool is_expression;
    bool is_partial;
    bool is_valid;
    std::vector<IndexOption> options;  ///< as given in WITH
    std::string extension;             ///< that owns the operator class, or empty
    std::string extension_version;
    bool has_tools;  ///< the server has our vector_tools, so that its extension vector is ours
    double n_rows;   ///< as the planner estimates, of the table; below zero: unknown
    std::int64_t n_bytes;  ///< of the index
    std::int64_t table_bytes, toast_bytes;

    std::optional<std::string> option(const std::string& name) const;
    bool
    is_ours() const {
        return extension == "vector_ext" || (extension == "vector" && has_tools);
    }
};

/// The index of this name, or the only hnsw index of the table of this name. Throws a UsageError
/// that lists what could be meant.
Index find_index(Connection& connection, const std::string& name);

/// All valid or invalid hnsw indexes of the database that this session may look at.
std::vector<std::string> all_indexes(Connection& connection);

/// "L2", "inner product", "cosine", ... for people.
std::string metric_title(const std::string& metric);

}  // namespace vext::client
