#include "server/table.h"

#include <fmt/format.h>

#include "error.h"

namespace vext::client {

namespace {

constexpr const char* kColumns =
    "WITH RECURSIVE base AS ("
    "  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS typmod FROM pg_catalog.pg_attribute a "
    "  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped "
    "  UNION ALL "
    "  SELECT b.attnum, t.typbasetype, CASE WHEN b.typmod < 0 THEN t.typtypmod ELSE b.typmod END "
    "  FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd') "
    "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), t.typname, "
    "t.typnamespace = 'pg_catalog'::regnamespace, t.oid, b.typmod, "
    "a.attnotnull, a.atthasdef AND a.attgenerated = '' OR a.attidentity <> '', "
    "a.attgenerated <> '' "
    "FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd' "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.attnum "
    "ORDER BY a.attnum";

}  // namespace

const TableColumn*
Table::find(const std::string& column) const {
    for (const TableColumn& candidate : columns)
        if (candidate.name == column)
            return &candidate;
    return nullptr;
}

std::string
Table::column_names() const {
    std::string names;
    for (const TableColumn& column : columns)
        names += (names.empty() ? "" : ", ") + column.name;
    return names;
}

std::optional<std::string>
find_oid(Connection& connection, const std::string& name) {
    for (const char* expression : {"pg_catalog.to_regclass($1)::oid",
                                   "pg_catalog.to_regclass(pg_catalog.quote_ident($1))::oid"}) {
        try {
            const Result found = connection.query(fmt::format("SELECT {}", expression), {name});
            if (!found.is_null(0, 0))
                return found.string(0, 0);
        } catch (const ServerError& error) {
            // A name that cannot be read as one: perhaps it can with quotes around it.
            if (error.sqlstate() != "42602" && error.sqlstate() != "42601")
                throw;
        }
    }
    return std::nullopt;
}

std::optional<Table>
find_table(Connection& connection, const std::string& name) {
    const std::optional<std::string> oid = find_oid(connection, name);
    if (!oid)
        return std::nullopt;
    const Result relation = connection.query(
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), quote_ident(n.nspname), "
        "c.relname, c.relkind IN ('r', 'p') FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid",
        {oid});
    if (relation.n_rows() == 0)
        return std::nullopt;
    if (!relation.boolean(0, 3))
        throw UsageError(fmt::format("{} is not a table", relation.text(0, 0)));
    Table table = {relation.string(0, 0), relation.string(0, 1), relation.string(0, 2), {}};
    const Result columns = connection.query(kColumns, {oid});
    for (int i = 0; i < columns.n_rows(); ++i) {
        TableColumn column;
        column.name = columns.string(i, 0);
        column.type = columns.string(i, 1);
        column.base_type = columns.string(i, 2);
        column.is_in_catalogue = columns.boolean(i, 3);
        column.type_oid = static_cast<std::uint32_t>(columns.integer(i, 4));
        const std::int64_t typmod = columns.integer(i, 5);
        column.n_dims = typmod > 0 ? static_cast<std::size_t>(typmod) : 0;
        column.is_required = columns.boolean(i, 6);
        column.has_default = columns.boolean(i, 7);
        column.is_generated = columns.boolean(i, 8);
        table.columns.push_back(column);
    }
    return table;
}

Table
require_table(Connection& connection, const std::string& name) {
    if (std::optional<Table> table = find_table(connection, name))
        return *table;
    const Result database = connection.query("SELECT current_database()");
    throw UsageError(
        fmt::format("there is no table \"{}\" in the database \"{}\"", name, database.text(0, 0)));
}

const TableColumn&
require_vector_column(const Table& table, const std::string& column) {
    if (!column.empty()) {
        const TableColumn* found = table.find(column);
        if (found == nullptr)
            throw UsageError(fmt::format("{} has no column \"{}\"", table.name, column),
                             "it has: " + table.column_names());
        return *found;
    }
    const TableColumn* found = nullptr;
    for (const TableColumn& candidate : table.columns) {
        if (!candidate.is_vector())
            continue;
        if (found != nullptr)
            throw UsageError(fmt::format("{} has vectors in more than one column: {}, {}",
                                         table.name, found->name, candidate.name),
                             "--column says which one");
        found = &candidate;
    }
    if (found == nullptr)
        throw UsageError(fmt::format("{} has no column of vectors", table.name),
                         "it has: " + table.column_names());
    return *found;
}

SplitName
split_name(Connection& connection, const std::string& name) {
    try {
        const Result parts = connection.query(
            "SELECT p[1], p[2], cardinality(p) FROM pg_catalog.parse_ident($1) p", {name});
        if (parts.integer(0, 2) == 1)
            return {"", parts.string(0, 0)};
        if (parts.integer(0, 2) == 2)
            return {parts.string(0, 0), parts.string(0, 1)};
    } catch (const ServerError& error) {
        if (error.sqlstate() != "22023")
            throw;
    }
    throw UsageError(fmt::format("\"{}\" is not the name of a table", name),
                     "write it as SQL does: items, app.items, \"Items\"");
}

}  // namespace vext::client
