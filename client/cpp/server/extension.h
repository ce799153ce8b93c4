// The extension that the vector type comes from, and its functions: found by the extension they
// belong to, not by search_path.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/connection.h"

namespace vext::client {

struct ExtensionType {
    std::string extension;  ///< vector_ext, or vector
    std::string name;       ///< quoted, with its schema
    std::uint32_t oid;
};

/// The type vector, halfvec or sparsevec, if an extension of the database has it.
std::optional<ExtensionType> find_type(Connection& connection, const std::string& type);

/// A function's quoted name with its schema, if an extension of ours has it.
std::optional<std::string> find_function(Connection& connection, const std::string& function);

/// Whether pgvector made the file of an index that is now in a database of ours, which passes it
/// over until REINDEX.
bool is_foreign(Connection& connection, const std::string& index);

/// As find_type and find_function, with a UsageError that says what is missing.
ExtensionType require_type(Connection& connection, const std::string& type);
std::string require_function(Connection& connection, const std::string& function);

}  // namespace vext::client
