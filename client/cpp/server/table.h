// A table of the server and its columns.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/connection.h"

namespace vext::client {

struct TableColumn {
    std::string name;
    std::string type;  ///< as SQL writes it: "vector(3)", "bigint"
    std::string
        base_type;         ///< name of the type in the catalogue, beneath domains: "vector", "int8"
    bool is_in_catalogue;  ///< the base type is the server's own
    std::uint32_t type_oid;  ///< of the base type
    std::size_t n_dims;      ///< of vectors, from the type modifier; 0: any
    bool is_required;        ///< NOT NULL
    bool has_default;        ///< a default, an identity
    bool is_generated;

    bool
    is_vector() const {
        return !is_in_catalogue &&
               (base_type == "vector" || base_type == "halfvec" || base_type == "sparsevec");
    }
};

struct Table {
    std::string name;    ///< quoted, with its schema
    std::string schema;  ///< quoted
    std::string relation;
    std::vector<TableColumn> columns;

    const TableColumn* find(const std::string& column) const;
    /// "id, title, embedding"
    std::string column_names() const;
};

/// The relation of a name as in SQL, or with capitals without its quotes; nothing where there is
/// none, or the name is no name.
std::optional<std::string> find_oid(Connection& connection, const std::string& name);

/// `name` as for find_oid.
std::optional<Table> find_table(Connection& connection, const std::string& name);
/// UsageError when there is none.
Table require_table(Connection& connection, const std::string& name);

/// The column of that name; without a name the only one with vectors. UsageError when there is
/// none.
const TableColumn& require_vector_column(const Table& table, const std::string& column);

/// `schema.name` as SQL reads it, split and without quotes; the schema may be empty.
struct SplitName {
    std::string schema;
    std::string name;
};
SplitName split_name(Connection& connection, const std::string& name);

}  // namespace vext::client
