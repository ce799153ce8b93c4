#include "index/build.h"

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <memory>

#include "error.h"

namespace vext::client {

namespace {

std::string
index_sql(const Connection& connection, const IndexTarget& target, const IndexOptions& options,
          const std::string& operator_class) {
    std::string sql = "CREATE INDEX";
    if (options.is_concurrent)
        sql += " CONCURRENTLY";
    if (!options.name.empty())
        sql += " " + connection.quote_name(options.name);
    sql += fmt::format(" ON {} USING hnsw ({} {})", target.table,
                       connection.quote_name(target.column), operator_class);
    std::string with;
    if (options.m)
        with += fmt::format("m = {}", *options.m);
    if (options.ef_construction)
        with += fmt::format("{}ef_construction = {}", with.empty() ? "" : ", ",
                            *options.ef_construction);
    return with.empty() ? sql : sql + " WITH (" + with + ")";
}

void
set_for_build(Connection& connection, const IndexOptions& options) {
    // LOCAL where there is a transaction, which may be rolled back.
    const char* scope = connection.is_in_transaction() ? "LOCAL" : "SESSION";
    if (!options.maintenance_work_mem.empty())
        connection.execute(fmt::format("SET {} maintenance_work_mem = {}", scope,
                                       connection.quote_literal(options.maintenance_work_mem)));
    if (options.threads > 0)
        connection.execute(fmt::format("SET {} max_parallel_maintenance_workers = {}", scope,
                                       options.threads - 1));
}

/// Shows what the server says about the build of the backend `pid`.
class BuildWatch {
   public:
    BuildWatch(const std::string& dsn, int pid, Progress& progress)
        : pid_(pid), progress_(progress) {
        try {
            connection_ = std::make_unique<Connection>(dsn);
        } catch (const ConnectionError&) {
            // The build goes on without being watched.
        }
    }

    void
    look() {
        if (!connection_)
            return;
        try {
            const Result found = connection_->query(
                "SELECT phase, CASE WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END, "
                "CASE WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END, "
                "tuples_total > 0 FROM pg_catalog.pg_stat_progress_create_index WHERE pid = $1",
                {std::to_string(pid_)});
            if (found.n_rows() > 0)
                show(found);
        } catch (const ServerError&) {
        } catch (const ConnectionError&) {
            connection_.reset();
        }
    }

   private:
    void
    show(const Result& found) {
        std::string phase = found.string(0, 0);
        if (const std::size_t colon = phase.find(": "); colon != std::string::npos)
            phase.erase(0, colon + 2);
        const auto total = static_cast<std::uint64_t>(found.integer(0, 2));
        if (phase != phase_ || total != total_) {
            phase_ = phase;
            total_ = total;
            progress_.step(phase, total, found.boolean(0, 3) ? "rows" : "blocks");
        }
        progress_.set(static_cast<std::uint64_t>(found.integer(0, 1)));
    }

    int pid_;
    Progress& progress_;
    std::unique_ptr<Connection> connection_;
    std::string phase_;
    std::uint64_t total_ = 0;
};

}  // namespace

void
IndexOptions::append_to(std::vector<Option>& options) {
    options.push_back(
        {"-m,--max-connections", "N", "Links of a node of the index (16)", &m, {}, 2, 100});
    options.push_back({"-e,--ef-construction",
                       "N",
                       "Candidates looked at for a node's links (64)",
                       &ef_construction,
                       {},
                       4,
                       1000});
    options.push_back({"--metric",
                       "METRIC",
                       "Distance that the index orders by (l2)",
                       &metric,
                       {"l2", "ip", "cosine", "l1", "hamming", "jaccard"}});
    options.push_back({"--index-name", "NAME", "Name of the index (the server's choice)", &name});
    options.push_back({"--concurrently", "", "Build the index while others write, after the commit",
                       &is_concurrent});
    options.push_back({"--maintenance-work-mem", "SIZE",
                       "Memory of the build, as the server takes it: 1GB", &maintenance_work_mem});
}

std::string
find_operator_class(Connection& connection, const std::string& base_type,
                    const std::string& metric) {
    const std::string name = base_type + "_" + (metric.empty() ? "l2" : metric) + "_ops";
    const Result found = connection.query(
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.opcname) FROM pg_catalog.pg_opclass "
        "c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace "
        "JOIN pg_catalog.pg_am a ON a.oid = c.opcmethod "
        "WHERE c.opcname = $1 AND a.amname = 'hnsw'",
        {name});
    if (found.n_rows() == 0)
        throw UsageError(
            fmt::format("the database has no hnsw index for {} by {} (operator class {})",
                        base_type, metric.empty() ? "l2" : metric, name));
    return found.string(0, 0);
}

BuiltIndex
build_index(Connection& connection, const std::string& dsn, const IndexTarget& target,
            const IndexOptions& options, Progress& progress) {
    const std::string operator_class =
        find_operator_class(connection, target.base_type, options.metric);
    set_for_build(connection, options);
    const std::string sql = index_sql(connection, target, options, operator_class);
    const auto start = std::chrono::steady_clock::now();
    progress.begin("index", 0);
    std::future<void> build =
        std::async(std::launch::async, [&connection, &sql] { connection.execute(sql); });
    BuildWatch watch(dsn, connection.backend_pid(), progress);
    while (build.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
        try {
            watch.look();
        } catch (const Interrupted&) {
            // The build hears of it, too, and says so.
            build.wait();
        }
    }
    build.get();
    progress.end();
    BuiltIndex built;
    built.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const Result found = connection.query(
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), pg_relation_size(c.oid) "
        "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE i.indrelid = $1::regclass ORDER BY c.oid DESC LIMIT 1",
        {target.table});
    built.name = found.string(0, 0);
    built.n_bytes = static_cast<std::uint64_t>(found.integer(0, 1));
    return built;
}

std::optional<std::string>
find_index(Connection& connection, const IndexTarget& target) {
    const Result found = connection.query(
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) "
        "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_am a ON a.oid = c.relam "
        "JOIN pg_catalog.pg_attribute t ON t.attrelid = i.indrelid AND t.attnum = i.indkey[0] "
        "WHERE i.indrelid = $1::regclass AND a.amname = 'hnsw' AND t.attname = $2 AND i.indisvalid "
        "ORDER BY c.oid DESC LIMIT 1",
        {target.table, target.column});
    if (found.n_rows() == 0)
        return std::nullopt;
    return found.string(0, 0);
}

}  // namespace vext::client
