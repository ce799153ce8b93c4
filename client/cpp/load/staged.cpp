// Several connections, all or nothing: each copies into an unlogged table of its own, then one
// transaction moves all rows into the target and drops those tables.
//
// A run that was killed leaves its stages behind, and the target untouched. Their names carry a
// number whose advisory lock the run held; the next run drops those whose lock is free.

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "error.h"
#include "load/copy_sink.h"
#include "load/load.h"

namespace vext::client {

namespace {

constexpr const char* kPrefix = "vector_bulk_stage_";
constexpr int kLockClass = 0x76627374;

class Stages {
   public:
    explicit Stages(LoadContext& context) : context_(context), schema_(context.plan.table.schema) {}

    /// After this no table of ours is left, or the next run drops it.
    ~Stages() {
        for (const std::string& name : names_)
            context_.connection.execute_cleanup("DROP TABLE IF EXISTS " + name);
    }

    void
    drop_left_over() {
        Connection& connection = context_.connection;
        const Result found = connection.query(
            fmt::format(
                "SELECT c.oid::regclass::text, (regexp_match(c.relname, '^{}(\\d+)_'))[1] "
                "FROM pg_catalog.pg_class c WHERE c.relkind = 'r' AND c.relpersistence = 'u' "
                "AND c.relnamespace = $1::regnamespace "
                "AND c.relname ~ '^{}\\d+_\\d+$' AND pg_catalog.pg_has_role(c.relowner, 'USAGE')",
                kPrefix, kPrefix),
            {schema_});
        for (int i = 0; i < found.n_rows(); ++i) {
            const std::string key = found.string(i, 1);
            if (!lock(key))
                continue;
            connection.execute("DROP TABLE IF EXISTS " + found.string(i, 0));
            connection.query(
                fmt::format("SELECT pg_catalog.pg_advisory_unlock({}, $1::int)", kLockClass),
                {key});
        }
    }

    /// Makes `n` tables with the plan's columns.
    void
    make(std::size_t n) {
        Connection& connection = context_.connection;
        std::string key;
        auto number = static_cast<unsigned>(
            std::chrono::steady_clock::now().time_since_epoch().count() ^ (getpid() << 8));
        do
            key = std::to_string(number++ & 0x7fffffff);
        while (!lock(key));
        std::string columns;
        std::string plain;
        for (const PlannedColumn& column : context_.plan.columns) {
            const std::string name = connection.quote_name(column.name);
            columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", name, column.type);
            // Out of line they would be written twice more.
            if (column.kind == ColumnType::kVector && column.n_dims > 0 && column.n_dims <= 1900)
                plain += fmt::format("{}ALTER COLUMN {} SET STORAGE PLAIN",
                                     plain.empty() ? "" : ", ", name);
        }
        for (std::size_t i = 0; i < n; ++i) {
            const std::string name = fmt::format("{}.{}{}_{}", schema_, kPrefix, key, i);
            connection.execute(fmt::format(
                "CREATE UNLOGGED TABLE {} ({}) WITH (autovacuum_enabled = off)", name, columns));
            names_.push_back(name);
            if (!plain.empty())
                connection.execute(fmt::format("ALTER TABLE {} {}", name, plain));
        }
    }

    const std::vector<std::string>&
    names() const {
        return names_;
    }

   private:
    bool
    lock(const std::string& key) {
        return context_.connection
            .query(fmt::format("SELECT pg_catalog.pg_try_advisory_lock({}, $1::int)", kLockClass),
                   {key})
            .boolean(0, 0);
    }

    LoadContext& context_;
    std::string schema_;
    std::vector<std::string> names_;
};

void
publish(LoadContext& context, const Stages& stages) {
    Connection& connection = context.connection;
    connection.execute("BEGIN");
    if (!context.plan.create.empty())
        connection.execute(context.plan.create);
    if (context.options.index_when == "before")
        build_wanted_index(context);
    const std::string columns = context.plan.column_list(connection);
    std::uint64_t n_done = 0;
    context.progress.begin("publishing", context.stats.vectors);
    for (const std::string& name : stages.names()) {
        n_done += connection
                      .execute(fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}",
                                           context.plan.table.name, columns, columns, name))
                      .n_affected();
        context.progress.set(n_done);
        connection.execute("DROP TABLE " + name);
    }
    context.progress.end();
    if (context.options.index_when == "after" && !context.options.index.is_concurrent)
        build_wanted_index(context);
    connection.execute("COMMIT");
}

}  // namespace

void
load_staged(LoadContext& context) {
    const LoadOptions& options = context.options;
    RejectLog rejects(input_names(context.inputs), options.max_errors, options.reject_file);
    Stages stages(context);
    try {
        stages.drop_left_over();
        stages.make(static_cast<std::size_t>(options.threads));
        std::vector<std::unique_ptr<Connection>> connections;
        std::vector<std::unique_ptr<CopySink>> copies;
        std::vector<Sink*> sinks;
        for (const std::string& name : stages.names()) {
            connections.push_back(std::make_unique<Connection>(options.connection.dsn));
            copies.push_back(std::make_unique<CopySink>(*connections.back(), context.plan, name,
                                                        context.inputs, true));
            sinks.push_back(copies.back().get());
        }
        pump(context, sinks, rejects);
        publish(context, stages);
    } catch (...) {
        context.connection.rollback();
        throw;
    }
    if (options.index_when == "after" && options.index.is_concurrent)
        build_wanted_index(context);
}

}  // namespace vext::client
