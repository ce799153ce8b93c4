#include "tune/queries.h"

#include <fmt/format.h>

#include "error.h"
#include "tune/query_file.h"

namespace vext::client {

namespace {

int
digit_of(char c) {
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/// The bytes of a bytea in hexadecimal: "\x0102".
std::vector<std::uint8_t>
from_hex(std::string_view text) {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 2; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(digit_of(text[i]) * 16 + digit_of(text[i + 1])));
    return bytes;
}

QuerySet
query_table(Connection& connection, const Index& index, const std::string& name, std::int64_t n) {
    const Result column = connection.query(
        "SELECT format('%I.%I', n.nspname, c.relname), pg_catalog.quote_ident(a.attname) "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "AND NOT a.attisdropped AND a.atttypid = $2::oid "
        "WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind IN ('r', 'm', 'v', 'f', 'p') "
        "ORDER BY a.attnum LIMIT 1",
        {name, std::to_string(index.type_oid)});
    if (column.n_rows() == 0)
        throw UsageError(fmt::format("there is no file and no table \"{}\" of queries", name));
    const std::string table = column.string(0, 0);
    if (column.is_null(0, 1))
        throw UsageError(fmt::format("table \"{}\" has no column of type {}", name, index.type));
    if (table == index.table)
        throw UsageError(fmt::format("{} is the table that is searched", table),
                         "leave --queries out: then rows are sampled, each left out of its own "
                         "answer");
    const Result rows =
        connection.query(fmt::format("SELECT {0}({1}) FROM {2} WHERE {1} IS NOT NULL LIMIT {3}",
                                     index.send_function, column.string(0, 1), table, n));
    QuerySet queries;
    for (int row = 0; row < rows.n_rows(); row++)
        queries.wire.push_back(from_hex(rows.text(row, 0)));
    queries.source = fmt::format("{} rows of {}", queries.wire.size(), table);
    return queries;
}

}  // namespace

QuerySet
sample_queries(Connection& connection, const Index& index, std::int64_t n, std::int64_t seed) {
    connection.execute(
        fmt::format("SET LOCAL synchronize_seqscans = off; "
                    "SELECT pg_catalog.setseed({})",
                    static_cast<double>(seed % 1000) / 1000));
    const Result rows = connection.query(fmt::format(
        "SELECT {}(v), own FROM (SELECT v, own FROM (SELECT {} AS v, ctid AS own FROM {} WHERE {} "
        "OFFSET 0) s WHERE v IS NOT NULL ORDER BY pg_catalog.random() LIMIT {}) t",
        index.send_function, index.expression, index.table, index.predicate, n));
    QuerySet queries;
    for (int row = 0; row < rows.n_rows(); row++) {
        queries.wire.push_back(from_hex(rows.text(row, 0)));
        queries.own.push_back(rows.string(row, 1));
    }
    queries.source =
        fmt::format("{} rows of the table, each left out of its own answer", queries.wire.size());
    return queries;
}

QuerySet
read_queries(Connection& connection, const Index& index, const std::string& file_or_table,
             std::int64_t n) {
    if (!is_file(file_or_table))
        return query_table(connection, index, file_or_table, n);
    QuerySet queries;
    // The server turns the text form of any type into its wire form.
    const std::string sql = fmt::format("SELECT {}($1::{})", index.send_function, index.type);
    for (const std::string& vector : read_vector_texts(file_or_table, index.n_dims, n))
        queries.wire.push_back(from_hex(connection.query(sql, {vector}).text(0, 0)));
    queries.source = fmt::format("{} vectors of the file {}", queries.wire.size(), file_or_table);
    return queries;
}

}  // namespace vext::client
