#include "server/extension.h"

#include <fmt/format.h>

#include "error.h"

namespace vext::client {

namespace {

/// With the catalogue, its class and its column of names and schema filled in.
std::string
member_query(const char* catalogue, const char* name_column, const char* schema_column) {
    return fmt::format(
        "SELECT e.extname, quote_ident(n.nspname) || '.' || quote_ident(o.{1}), o.oid "
        "FROM pg_catalog.{0} o "
        "JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.{0}'::regclass AND d.objid = o.oid "
        "AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e' "
        "JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid "
        "JOIN pg_catalog.pg_namespace n ON n.oid = o.{2} "
        "WHERE o.{1} = $1 AND e.extname IN ('vector_ext', 'vector', 'vector_tools') LIMIT 1",
        catalogue, name_column, schema_column);
}

}  // namespace

std::optional<ExtensionType>
find_type(Connection& connection, const std::string& type) {
    const Result found =
        connection.query(member_query("pg_type", "typname", "typnamespace"), {type});
    if (found.n_rows() == 0)
        return std::nullopt;
    return ExtensionType{found.string(0, 0), found.string(0, 1),
                         static_cast<std::uint32_t>(found.integer(0, 2))};
}

std::optional<std::string>
find_function(Connection& connection, const std::string& function) {
    const Result found =
        connection.query(member_query("pg_proc", "proname", "pronamespace"), {function});
    if (found.n_rows() == 0)
        return std::nullopt;
    return found.string(0, 1);
}

bool
is_foreign(Connection& connection, const std::string& index) {
    const std::optional<std::string> function = find_function(connection, "hnsw_is_foreign");
    return function && connection.query(fmt::format("SELECT {}($1::regclass)", *function), {index})
                           .boolean(0, 0);
}

ExtensionType
require_type(Connection& connection, const std::string& type) {
    if (std::optional<ExtensionType> found = find_type(connection, type))
        return *found;
    const Result extensions = connection.query(
        "SELECT extname || ' ' || extversion FROM pg_catalog.pg_extension "
        "WHERE extname IN ('vector_ext', 'vector')");
    if (extensions.n_rows() == 0)
        throw UsageError(
            fmt::format("the database has no type {}: no extension for vectors is installed", type),
            "CREATE EXTENSION vector_ext;");
    throw UsageError(fmt::format("the database has no type {}: {} does not provide it", type,
                                 extensions.text(0, 0)));
}

std::string
require_function(Connection& connection, const std::string& function) {
    if (std::optional<std::string> found = find_function(connection, function))
        return *found;
    const std::optional<ExtensionType> type = find_type(connection, "vector");
    throw UsageError(
        fmt::format("this needs the function {} of vector_ext, which the database does not "
                    "have",
                    function),
        type && type->extension == "vector" ? "CREATE EXTENSION vector_tools;"
                                            : "CREATE EXTENSION vector_ext;");
}

}  // namespace vext::client
