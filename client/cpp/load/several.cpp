// A new table by several connections, all or nothing.
//
// All of them copy into the table under another name, each in a transaction of its own. It gets its
// name in the last transaction, which also builds the index.
//
// A run that was killed leaves such a table behind. Its name carries a number whose advisory lock
// the run held; the next run drops those whose lock is free.

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

class UnnamedTable {
   public:
    explicit UnnamedTable(LoadContext& context)
        : context_(context), schema_(context.plan.table.schema) {}

    /// After this no table of ours is left, or the next run drops it.
    ~UnnamedTable() {
        if (!relation_.empty())
            context_.connection.execute_cleanup("DROP TABLE IF EXISTS " + name());
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

    void
    make() {
        Connection& connection = context_.connection;
        const std::string relation = fmt::format("{}{}_0", kPrefix, take_key());
        connection.execute("BEGIN");
        connection.execute(context_.plan.create);
        connection.execute(
            fmt::format("ALTER TABLE {} RENAME TO {}", context_.plan.table.name, relation));
        connection.execute("COMMIT");
        relation_ = relation;
    }

    /// Gives it its own name, which it keeps when the transaction commits.
    void
    rename() {
        context_.connection.execute(
            fmt::format("ALTER TABLE {} RENAME TO {}", name(),
                        context_.connection.quote_name(context_.plan.table.relation)));
    }

    std::string
    name() const {
        return schema_ + "." + relation_;
    }

   private:
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
    std::string relation_;
};

void
fill(LoadContext& context, const std::string& table, RejectLog& rejects) {
    std::vector<std::unique_ptr<Connection>> connections;
    std::vector<std::unique_ptr<CopySink>> copies;
    std::vector<Sink*> sinks;
    for (std::int64_t i = 0; i < context.options.threads; ++i) {
        connections.push_back(std::make_unique<Connection>(context.options.connection.dsn));
        copies.push_back(std::make_unique<CopySink>(*connections.back(), context.plan, table,
                                                    context.inputs, true));
        sinks.push_back(copies.back().get());
    }
    pump(context, sinks, rejects);
}

}  // namespace

void
load_by_several(LoadContext& context) {
    const LoadOptions& options = context.options;
    RejectLog rejects(input_names(context.inputs), options.max_errors, options.reject_file);
    UnnamedTable table(context);
    try {
        table.drop_left_over();
        table.make();
        fill(context, table.name(), rejects);
        context.connection.execute("BEGIN");
        table.rename();
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
