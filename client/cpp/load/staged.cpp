// Several connections, all or nothing.
//
// - A new table is filled under another name by all connections, and gets its own in the
// transaction
//   that builds the index.
// - Into a table that exists one connection copies straight, in the transaction that counts. Each
// of
//   the others copies into an unlogged table of its own, whose rows that transaction takes at last.
//
// A run that was killed leaves such tables behind, and the target untouched. Their names carry a
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
        for (const std::string& name : relations_)
            context_.connection.execute_cleanup("DROP TABLE IF EXISTS " + full(name));
    }

    void
    drop_left_over() {
        Connection& connection = context_.connection;
        const Result found = connection.query(
            fmt::format(
                "SELECT c.oid::regclass::text, (regexp_match(c.relname, '^{}(\\d+)_'))[1] "
                "FROM pg_catalog.pg_class c WHERE c.relkind = 'r' AND c.relpersistence <> 't' "
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

    /// Makes `n` unlogged tables with the plan's columns.
    void
    make(std::size_t n) {
        Connection& connection = context_.connection;
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
        const std::string key = take_key();
        for (std::size_t i = 0; i < n; ++i) {
            const std::string relation = fmt::format("{}{}_{}", kPrefix, key, i);
            connection.execute(
                fmt::format("CREATE UNLOGGED TABLE {} ({}) WITH (autovacuum_enabled = off)",
                            full(relation), columns));
            relations_.push_back(relation);
            if (!plain.empty())
                connection.execute(fmt::format("ALTER TABLE {} {}", full(relation), plain));
        }
    }

    /// Makes the new table, under a name of ours.
    void
    make_target() {
        Connection& connection = context_.connection;
        const Table& target = context_.plan.table;
        const std::string relation = fmt::format("{}{}_0", kPrefix, take_key());
        connection.execute("BEGIN");
        connection.execute(context_.plan.create);
        connection.execute(fmt::format("ALTER TABLE {} RENAME TO {}", target.name, relation));
        connection.execute("COMMIT");
        relations_.push_back(relation);
    }

    /// Gives it its own name, which it keeps when the transaction commits.
    void
    rename_target() {
        context_.connection.execute(
            fmt::format("ALTER TABLE {} RENAME TO {}", full(relations_.front()),
                        context_.connection.quote_name(context_.plan.table.relation)));
    }

    std::vector<std::string>
    names() const {
        std::vector<std::string> names;
        for (const std::string& relation : relations_)
            names.push_back(full(relation));
        return names;
    }

   private:
    std::string
    full(const std::string& relation) const {
        return schema_ + "." + relation;
    }

    /// A number that no other run has.
    std::string
    take_key() {
        auto number = static_cast<unsigned>(
            std::chrono::steady_clock::now().time_since_epoch().count() ^ (getpid() << 8));
        std::string key;
        do
            key = std::to_string(number++ & 0x7fffffff);
        while (!lock(key));
        return key;
    }

    bool
    lock(const std::string& key) {
        return context_.connection
            .query(fmt::format("SELECT pg_catalog.pg_try_advisory_lock({}, $1::int)", kLockClass),
                   {key})
            .boolean(0, 0);
    }

    LoadContext& context_;
    std::string schema_;
    std::vector<std::string> relations_;  ///< without their schema
};

/// Connections that copy and commit, each into one of the tables.
class Copies {
   public:
    explicit Copies(LoadContext& context) : context_(context) {}

    void
    add(const std::string& table) {
        connections_.push_back(std::make_unique<Connection>(context_.options.connection.dsn));
        add(*connections_.back(), table, true);
    }
    void
    add(Connection& connection, const std::string& table, bool commits) {
        copies_.push_back(
            std::make_unique<CopySink>(connection, context_.plan, table, context_.inputs, commits));
        sinks_.push_back(copies_.back().get());
    }
    const std::vector<Sink*>&
    sinks() const {
        return sinks_;
    }
    /// Rows that were copied by others than the first one.
    std::uint64_t
    n_aside() const {
        std::uint64_t n = 0;
        for (std::size_t i = 1; i < copies_.size(); ++i)
            n += copies_[i]->stream().n_sent();
        return n;
    }

   private:
    LoadContext& context_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<std::unique_ptr<CopySink>> copies_;
    std::vector<Sink*> sinks_;
};

/// In the transaction that copied straight.
void
take_rows(LoadContext& context, const Stages& stages, std::uint64_t n_rows) {
    Connection& connection = context.connection;
    const std::string columns = context.plan.column_list(connection);
    context.progress.begin("publishing", n_rows);
    std::uint64_t n_done = 0;
    for (const std::string& name : stages.names()) {
        n_done += connection
                      .execute(fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}",
                                           context.plan.table.name, columns, columns, name))
                      .n_affected();
        context.progress.set(n_done);
        connection.execute("DROP TABLE " + name);
    }
    context.progress.end();
}

void
fill_new_table(LoadContext& context, Stages& stages, RejectLog& rejects) {
    stages.make_target();
    Copies copies(context);
    for (std::int64_t i = 0; i < context.options.threads; ++i)
        copies.add(stages.names().front());
    pump(context, copies.sinks(), rejects);
    context.connection.execute("BEGIN");
    stages.rename_target();
}

void
fill_table(LoadContext& context, Stages& stages, RejectLog& rejects) {
    Connection& connection = context.connection;
    stages.make(static_cast<std::size_t>(context.options.threads) - 1);
    connection.execute("BEGIN");
    if (!context.plan.create.empty())
        connection.execute(context.plan.create);
    if (context.options.index_when == "before")
        build_wanted_index(context);
    Copies copies(context);
    copies.add(connection, context.plan.table.name, false);
    for (const std::string& name : stages.names())
        copies.add(name);
    pump(context, copies.sinks(), rejects);
    take_rows(context, stages, copies.n_aside());
}

}  // namespace

void
load_staged(LoadContext& context) {
    const LoadOptions& options = context.options;
    RejectLog rejects(input_names(context.inputs), options.max_errors, options.reject_file);
    Stages stages(context);
    try {
        stages.drop_left_over();
        if (!context.plan.create.empty() && options.index_when != "before")
            fill_new_table(context, stages, rejects);
        else
            fill_table(context, stages, rejects);
        if (options.index_when == "after" && !options.index.is_concurrent)
            build_wanted_index(context);
        context.connection.execute("COMMIT");
    } catch (...) {
        context.connection.rollback();
        throw;
    }
    if (options.index_when == "after" && options.index.is_concurrent)
        build_wanted_index(context);
}

}  // namespace vext::client
