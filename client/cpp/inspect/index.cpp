#include "inspect/index.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "error.h"
#include "server/table.h"

namespace vext::client {

namespace {

/// What a name means: relations with an OID, kind and name; access method of an index.
constexpr const char* kFindRelation =
    "SELECT c.oid, c.relkind, coalesce(a.amname, ''), c.relname, c.oid::regclass::text "
    "FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam "
    "WHERE c.oid = $1::oid";

constexpr const char* kIndexesOf =
    "SELECT i.indexrelid, i.indexrelid::regclass::text "
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
    "JOIN pg_catalog.pg_am a ON a.oid = c.relam "
    "WHERE i.indrelid = $1::oid AND a.amname IN ('hnsw', 'ivfflat') ORDER BY 2";

constexpr const char* kIndex = R"(
SELECT format('%I.%I', cn.nspname, c.relname), c.relname,
       format('%I.%I', tn.nspname, t.relname), format('%I', tn.nspname), am.amname,
       format('%I.%I', ocn.nspname, oc.opcname), oc.opcname,
       format('OPERATOR(%I.%s)', opn.nspname, op.oprname), op.oprname,
       '(' || pg_get_indexdef(c.oid, 1, true) || ')',
       coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
       format_type(att.atttypid, att.atttypmod), att.atttypid,
       format('%I.%I', sn.nspname, send.proname),
       CASE coalesce(col.attstorage, att.attstorage) WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
            WHEN 'm' THEN 'main' ELSE 'extended' END,
       greatest(att.atttypmod, 0), i.indkey[0] = 0, i.indpred IS NOT NULL, i.indisvalid,
       coalesce(ext.extname, ''), coalesce(ext.extversion, ''),
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector_tools'),
       t.reltuples, pg_relation_size(c.oid),
       pg_relation_size(t.oid),
       CASE WHEN t.reltoastrelid <> 0 THEN pg_total_relation_size(t.reltoastrelid) ELSE 0 END
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_am am ON am.oid = c.relam
JOIN pg_opclass oc ON oc.oid = i.indclass[0]
JOIN pg_namespace ocn ON ocn.oid = oc.opcnamespace
JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amoppurpose = 'o'
JOIN pg_operator op ON op.oid = ao.amopopr
JOIN pg_namespace opn ON opn.oid = op.oprnamespace
JOIN pg_attribute att ON att.attrelid = c.oid AND att.attnum = 1
JOIN pg_type ty ON ty.oid = att.atttypid
JOIN pg_proc send ON send.oid = ty.typsend
JOIN pg_namespace sn ON sn.oid = send.pronamespace
LEFT JOIN pg_attribute col ON col.attrelid = t.oid AND col.attnum = i.indkey[0] AND col.attnum > 0
LEFT JOIN pg_depend d ON d.classid = 'pg_opclass'::regclass AND d.objid = oc.oid AND d.deptype = 'e'
    AND d.refclassid = 'pg_extension'::regclass
LEFT JOIN pg_extension ext ON ext.oid = d.refobjid
WHERE c.oid = $1::oid
LIMIT 1)";

std::vector<IndexOption>
options_of(Connection& connection, const std::string& oid) {
    const Result rows = connection.query(
        "SELECT o.option_name, o.option_value FROM pg_catalog.pg_class c, "
        "pg_catalog.pg_options_to_table(c.reloptions) o WHERE c.oid = $1::oid ORDER BY 1",
        {oid});
    std::vector<IndexOption> options;
    for (int row = 0; row < rows.n_rows(); row++)
        options.push_back({rows.string(row, 0), rows.string(row, 1)});
    return options;
}

std::string
metric_of(const std::string& operator_name) {
    static const std::map<std::string, std::string> kMetrics = {
        {"<->", "l2"}, {"<#>", "ip"},      {"<=>", "cosine"},
        {"<+>", "l1"}, {"<~>", "hamming"}, {"<%>", "jaccard"}};
    const auto found = kMetrics.find(operator_name);
    return found == kMetrics.end() ? operator_name : found->second;
}

Index
read_index(Connection& connection, const std::string& oid) {
    // Operators and casts of the query itself are the catalogue's.
    const Result row = connection.query(kIndex, {oid});
    if (row.n_rows() == 0)
        throw UsageError(fmt::format("index {} is not ordered by a distance", oid));
    Index index;
    index.oid = static_cast<std::uint32_t>(std::stoul(oid));
    index.name = row.string(0, 0);
    index.short_name = row.string(0, 1);
    index.table = row.string(0, 2);
    index.schema = row.string(0, 3);
    index.access_method = row.string(0, 4);
    index.operator_class = row.string(0, 5);
    index.class_name = row.string(0, 6);
    index.distance = row.string(0, 7);
    index.metric = metric_of(row.string(0, 8));
    index.expression = row.string(0, 9);
    index.predicate = row.string(0, 10);
    index.type = row.string(0, 11);
    index.type_oid = static_cast<std::uint32_t>(row.integer(0, 12));
    index.send_function = row.string(0, 13);
    index.storage = row.string(0, 14);
    index.n_dims = static_cast<int>(row.integer(0, 15));
    index.is_expression = row.boolean(0, 16);
    index.is_partial = row.boolean(0, 17);
    index.is_valid = row.boolean(0, 18);
    index.extension = row.string(0, 19);
    index.extension_version = row.string(0, 20);
    index.has_tools = row.boolean(0, 21);
    index.n_rows = row.number(0, 22);
    index.n_bytes = row.integer(0, 23);
    index.table_bytes = row.integer(0, 24);
    index.toast_bytes = row.integer(0, 25);
    index.options = options_of(connection, oid);
    return index;
}

}  // namespace

std::optional<std::string>
Index::option(const std::string& wanted) const {
    for (const IndexOption& option : options)
        if (option.name == wanted)
            return option.value;
    return std::nullopt;
}

Index
find_index(Connection& connection, const std::string& name) {
    const std::optional<std::string> oid = find_oid(connection, name);
    if (!oid)
        throw UsageError(fmt::format("there is no index or table \"{}\"", name));
    const Result found = connection.query(kFindRelation, {*oid});
    const std::string kind = found.string(0, 1), method = found.string(0, 2);
    if (kind == "i") {
        if (method != "hnsw" && method != "ivfflat")
            throw UsageError(
                fmt::format("\"{}\" is not an hnsw index but a {} index", name, method));
        return read_index(connection, found.string(0, 0));
    }
    if (kind == "I") {
        const Result parts = connection.query(
            "SELECT i.inhrelid::regclass::text FROM pg_catalog.pg_inherits i "
            "WHERE i.inhparent = $1::oid ORDER BY 1 LIMIT 5",
            {found.string(0, 0)});
        std::vector<std::string> names;
        for (int row = 0; row < parts.n_rows(); row++)
            names.push_back(parts.string(row, 0));
        throw UsageError(fmt::format("\"{}\" is the index of a partitioned table", name),
                         fmt::format("name that of a partition: {}", fmt::join(names, ", ")));
    }
    const Result indexes = connection.query(kIndexesOf, {found.string(0, 0)});
    if (indexes.n_rows() == 0)
        throw UsageError(fmt::format("\"{}\" has no hnsw index", name));
    if (indexes.n_rows() > 1) {
        std::vector<std::string> names;
        for (int row = 0; row < indexes.n_rows(); row++)
            names.push_back(indexes.string(row, 1));
        throw UsageError(fmt::format("\"{}\" has {} hnsw indexes", name, indexes.n_rows()),
                         fmt::format("name one of them: {}", fmt::join(names, ", ")));
    }
    return read_index(connection, indexes.string(0, 0));
}

std::vector<std::string>
all_indexes(Connection& connection) {
    const Result rows = connection.query(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_am a ON a.oid = c.relam "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE a.amname IN ('hnsw', 'ivfflat') AND c.relkind = 'i' "
        "AND (c.relpersistence <> 't' OR c.relnamespace = pg_catalog.pg_my_temp_schema()) "
        "ORDER BY 1");
    std::vector<std::string> names;
    for (int row = 0; row < rows.n_rows(); row++)
        names.push_back(rows.string(row, 0));
    return names;
}

std::string
metric_title(const std::string& metric) {
    static const std::map<std::string, std::string> kTitles = {
        {"l2", "Euclidean"}, {"ip", "inner product"}, {"cosine", "cosine"},
        {"l1", "taxicab"},   {"hamming", "Hamming"},  {"jaccard", "Jaccard"}};
    const auto found = kTitles.find(metric);
    return found == kTitles.end() ? metric : found->second;
}

}  // namespace vext::client
