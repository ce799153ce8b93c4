#include "tune/rebuild.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <sstream>

#include "error.h"

namespace vext::client {

namespace {

constexpr int kDefaultM = 16, kDefaultEfConstruction = 64;  // of both extensions

std::vector<int>
parse_list(const std::string& word, const std::string& list, int least, int most) {
    std::vector<int> values;
    std::istringstream stream(list);
    for (std::string item; std::getline(stream, item, ',');) {
        std::size_t end = 0;
        int value = 0;
        try {
            value = std::stoi(item, &end);
        } catch (const std::exception&) {
            end = 0;
        }
        if (end == 0 || end != item.size() || value < least || value > most)
            throw UsageError(fmt::format("--rebuild {}: expected numbers from {} to {}, not \"{}\"",
                                         word, least, most, item));
        values.push_back(value);
    }
    if (values.empty())
        throw UsageError(fmt::format("--rebuild {}: expected a list of numbers", word));
    return values;
}

/// A condition that leaves these rows out.
std::string
without_rows(const std::vector<std::string>& rows) {
    if (rows.empty())
        return "";
    std::string list;
    for (const std::string& tid : rows)
        list += (list.empty() ? "" : ",") + ('"' + tid + '"');
    return fmt::format("AND ctid <> ALL ('{{{}}}'::tid[])", list);
}

int
number_of(const Index& index, const char* option, int otherwise) {
    const auto value = index.option(option);
    return value ? std::stoi(*value) : otherwise;
}

}  // namespace

std::vector<BuildOptions>
parse_rebuild(const std::vector<std::string>& words, BuildOptions current) {
    std::vector<int> m = {current.m}, ef_construction = {current.ef_construction};
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const std::string list = equals == std::string::npos ? "" : word.substr(equals + 1);
        if (name == "m")
            m = parse_list(word, list, 2, 100);
        else if (name == "ef_construction")
            ef_construction = parse_list(word, list, 4, 1000);
        else
            throw UsageError(
                fmt::format("--rebuild: expected m=... or ef_construction=..., not "
                            "\"{}\"",
                            word));
    }
    std::vector<BuildOptions> found = {current};
    for (int one : m)
        for (int other : ef_construction) {
            const BuildOptions options = {one, other};
            if (other >= 2 * one && std::find(found.begin(), found.end(), options) == found.end())
                found.push_back(options);
        }
    return found;
}

BuildOptions
build_options_of(const Index& index) {
    return {number_of(index, "m", kDefaultM),
            number_of(index, "ef_construction", kDefaultEfConstruction)};
}

SearchTarget
target_of(const Index& index) {
    return {index.table,      index.expression, index.predicate,
            index.distance,   index.type,       index.type_oid,
            index.short_name, index.is_ours(),  index.is_expression && index.is_partial};
}

Copy
copy_sample(Connection& connection, const Index& index, const QuerySet& queries,
            std::int64_t n_rows, std::int64_t seed) {
    const bool may_create =
        connection
            .query(
                "SELECT pg_catalog.has_schema_privilege(relnamespace, 'CREATE') "
                "FROM pg_catalog.pg_class WHERE oid = $1::regclass",
                {index.table})
            .boolean(0, 0);
    const std::string name = fmt::format("vector_bulk_tune_{}", connection.backend_pid());
    // A temporary table is searched through buffers of its own, and built without workers: only
    // where no other may be made.
    const std::string table = may_create ? index.schema + "." + name : "pg_temp." + name;
    connection.execute(
        fmt::format("CREATE {} TABLE {} (v {}); ALTER TABLE {} ALTER v SET STORAGE {}",
                    may_create ? "UNLOGGED" : "TEMP", table, index.type, table, index.storage));
    const std::string part =
        index.n_rows > static_cast<double>(n_rows)
            ? fmt::format("TABLESAMPLE BERNOULLI ({:.6f}) REPEATABLE ({})",
                          100 * static_cast<double>(n_rows) / index.n_rows, seed)
            : "";
    const std::string others = without_rows(queries.own);
    Copy copy;
    copy.n_rows = static_cast<std::int64_t>(
        connection
            .execute(
                fmt::format("INSERT INTO {} SELECT v FROM (SELECT {} AS v FROM {} {} WHERE {} {}"
                            " OFFSET 0) s WHERE v IS NOT NULL",
                            table, index.expression, index.table, part, index.predicate, others))
            .n_affected());
    connection.execute("ANALYZE " + table);
    copy.target = target_of(index);
    copy.target.table = table;
    copy.target.expression = "v";
    copy.target.predicate = "true";
    copy.target.is_guarded = false;
    copy.target.index = name + "_v";
    return copy;
}

std::vector<Rebuild>
measure_rebuilds(Connection& connection, const Index& index, const Copy& copy,
                 const QuerySet& queries, const RebuildPlan& plan) {
    const SearchTarget& target = copy.target;
    const BuildOptions current = build_options_of(index);
    Searches searches(connection, target, queries, plan.sweep.k, plan.progress);
    searches.find_exact();
    std::vector<Rebuild> rebuilds;
    for (const BuildOptions& option : plan.options) {
        // A savepoint that is rolled back frees the index's files at once.
        connection.execute("SAVEPOINT built");
        plan.progress.begin(
            fmt::format("building with m {}, ef_construction {}", option.m, option.ef_construction),
            0, "indexes");
        const auto start = std::chrono::steady_clock::now();
        connection.execute(
            fmt::format("CREATE INDEX {} ON {} USING {} (v {}) WITH (m = {}, ef_construction = {})",
                        target.index, target.table, index.access_method, index.operator_class,
                        option.m, option.ef_construction));
        Rebuild rebuild{.options = option, .is_current = option == current, .settings = {}};
        rebuild.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        plan.progress.end();
        const Result built = connection.query(
            "SELECT c.oid, pg_catalog.pg_relation_size(c.oid) FROM pg_catalog.pg_class c "
            "JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid "
            "WHERE i.indrelid = $1::regclass",
            {target.table});
        rebuild.n_bytes = built.integer(0, 1);
        searches.use_index(static_cast<std::uint32_t>(built.integer(0, 0)));
        rebuild.settings =
            measure_settings(searches, plan.sweep, queries.wire.size(), plan.progress);
        rebuilds.push_back(std::move(rebuild));
        connection.execute("ROLLBACK TO SAVEPOINT built; RELEASE SAVEPOINT built");
    }
    return rebuilds;
}

}  // namespace vext::client
