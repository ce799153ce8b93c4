#include "query/query.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/text/vector_wire.h"
#include "error.h"
#include "input/open.h"
#include "input/vector_field.h"
#include "server/extension.h"
#include "server/table.h"
#include "streams.h"

namespace vext::client {

namespace {

/// What is searched.
struct Target {
    std::string table;
    std::string column;
    std::string base_type;
    std::string metric;
    std::string id;
    std::size_t n_dims;
};

std::string
operator_of(const std::string& metric) {
    static constexpr std::array<std::pair<const char*, const char*>, 6> kOperators = {
        {{"l2", "<->"},
         {"ip", "<#>"},
         {"cosine", "<=>"},
         {"l1", "<+>"},
         {"hamming", "<~>"},
         {"jaccard", "<%>"}}};
    for (const auto& [name, symbol] : kOperators)
        if (metric == name)
            return symbol;
    throw UsageError(fmt::format("unknown metric \"{}\"", metric));
}

/// An hnsw index by its name: its table, column and metric.
bool
resolve_index(Connection& connection, const std::string& name, Target& target) {
    const Result found = connection.query(
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(t.relname), a.attname, o.opcname "
        "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_catalog.pg_class t ON t.oid = i.indrelid "
        "JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace "
        "JOIN pg_catalog.pg_am m ON m.oid = c.relam "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] "
        "JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0] "
        "WHERE c.oid = $1::oid AND m.amname IN ('hnsw', 'ivfflat')",
        {find_oid(connection, name)});
    if (found.n_rows() == 0)
        return false;
    target.table = found.string(0, 0);
    target.column = found.string(0, 1);
    // vector_cosine_ops
    const std::string operator_class = found.string(0, 2);
    const std::size_t start = operator_class.find('_') + 1;
    target.metric = operator_class.substr(start, operator_class.rfind('_') - start);
    return true;
}

/// The metric of the column's index, when it has one; l2 otherwise.
std::string
metric_of_column(Connection& connection, const Target& target) {
    const Result found = connection.query(
        "SELECT i.indexrelid::regclass::text FROM pg_catalog.pg_index i "
        "JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_catalog.pg_am m ON m.oid = c.relam "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "WHERE i.indrelid = $1::regclass AND a.attname = $2 AND m.amname IN ('hnsw', 'ivfflat') "
        "AND i.indisvalid",
        {target.table, target.column});
    Target index;
    if (found.n_rows() == 1 && resolve_index(connection, found.string(0, 0), index))
        return index.metric;
    if (found.n_rows() > 1)
        throw UsageError(
            fmt::format("{} has {} indexes on \"{}\"", target.table, found.n_rows(), target.column),
            "-i names one of them, or --metric says the distance");
    return "l2";
}

Target
resolve(Connection& connection, const QueryOptions& options) {
    Target target;
    const bool is_index = resolve_index(connection, options.target, target);
    const Table table = require_table(connection, is_index ? target.table : options.target);
    const TableColumn& column =
        require_vector_column(table, is_index ? target.column : options.column);
    target.table = table.name;
    target.column = column.name;
    target.base_type = column.base_type;
    target.n_dims = column.n_dims;
    if (!options.metric.empty())
        target.metric = options.metric;
    else if (!is_index)
        target.metric = metric_of_column(connection, target);
    const std::string id = options.id_column.empty() ? "id" : options.id_column;
    if (table.find(id) == nullptr) {
        if (!options.id_column.empty())
            throw UsageError(fmt::format("{} has no column \"{}\"", table.name, id),
                             "it has: " + table.column_names());
        target.id = "ctid";
    } else {
        target.id = connection.quote_name(id);
    }
    return target;
}

/// Prints rows; the query's number comes first when there is more than one query.
class Printer {
   public:
    explicit Printer(const std::string& output) : output_(output) {}

    void
    add(std::uint64_t query, const Result& rows) {
        if (query == 2)
            has_numbers_ = true;
        // The first query's rows wait until it is known whether there is a second one.
        if (query == 2)
            flush_first();
        for (int i = 0; i < rows.n_rows(); ++i) {
            if (query == 1)
                first_.emplace_back(rows.string(i, 0), rows.string(i, 1));
            else
                line(query, rows.string(i, 0), rows.string(i, 1));
        }
    }

    void
    end() {
        flush_first();
    }

   private:
    void
    flush_first() {
        if (output_ == "csv" && !is_begun_)
            print("{}id,distance\n", has_numbers_ ? "query," : "");
        is_begun_ = true;
        for (const auto& [id, distance] : first_)
            line(1, id, distance);
        first_.clear();
    }

    void
    line(std::uint64_t query, const std::string& id, const std::string& distance) const {
        if (output_ == "json") {
            nlohmann::ordered_json object;
            if (has_numbers_)
                object["query"] = query;
            const bool is_number = !id.empty() && id.size() < 19 &&
                                   id.find_first_not_of("0123456789") == std::string::npos;
            if (is_number)
                object["id"] = std::stoll(id);
            else
                object["id"] = id;
            object["distance"] = nlohmann::json::parse(distance, nullptr, false);
            if (object["distance"].is_discarded())
                object["distance"] = nullptr;  // NaN is no JSON
            print("{}\n", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
            return;
        }
        const char separator = output_ == "csv" ? ',' : '\t';
        const std::string number = has_numbers_ ? fmt::format("{}{}", query, separator) : "";
        const bool is_quoted = output_ == "csv" && id.find_first_of(",\"\n\r") != std::string::npos;
        std::string shown = id;
        if (is_quoted) {
            for (std::size_t at = 0; (at = shown.find('"', at)) != std::string::npos; at += 2)
                shown.insert(at, 1, '"');
            shown = '"' + shown + '"';
        }
        print("{}{}{}{}\n", number, shown, separator, distance);
    }

    std::string output_;
    bool has_numbers_ = false;
    bool is_begun_ = false;
    std::vector<std::pair<std::string, std::string>> first_;
};

class Searcher {
   public:
    Searcher(Connection& connection, const Target& target, const QueryOptions& options)
        : connection_(connection), type_(require_type(connection, "vector")) {
        if (target.base_type != "vector")
            throw UsageError(
                fmt::format("query searches columns of type vector, not {}", target.base_type));
        const std::string schema = type_.name.substr(0, type_.name.rfind('.'));
        const std::string column = connection.quote_name(target.column);
        const std::string distance =
            fmt::format("{} OPERATOR({}.{}) $1", column, schema, operator_of(target.metric));
        sql_ = fmt::format("SELECT {}::text, ({})::float8 FROM {} ORDER BY {} LIMIT {}", target.id,
                           distance, target.table, distance, options.k);
        // The library defines the settings.
        connection.query(fmt::format("SELECT NULL::{}", type_.name));
        if (options.is_exact)
            connection.execute("SET enable_indexscan = off");
        if (options.ef_search)
            connection.execute(fmt::format("SET hnsw.ef_search = {}", *options.ef_search));
    }

    Result
    search(std::span<const float> values) {
        message_.resize(core::wire_size(values.size()));
        core::encode_vector(values, message_);
        return connection_.query_binary(sql_, message_, type_.oid);
    }

   private:
    Connection& connection_;
    ExtensionType type_;
    std::string sql_;
    std::vector<std::uint8_t> message_;
};

void
each_query(const QueryOptions& options, const Target& target,
           const std::function<void(std::span<const float>)>& search) {
    VectorReader reader;
    const auto judge = [&](const VectorReader::Outcome& read, const std::string& place) {
        std::optional<Problem> problem =
            read.problem ? read.problem : judge_vector(read.values, target.n_dims);
        if (problem)
            throw InputError(fmt::format("{}: {}", place, problem->message));
        search(read.values);
    };
    if (!options.text.empty()) {
        judge(reader.read(options.text), "--text");
        return;
    }
    const std::unique_ptr<Input> input = open_input(options.path, options.input);
    const std::size_t field = find_vector_field(*input, target.column);
    const std::unique_ptr<RowDecoder> decoder = input->make_decoder();
    Piece piece;
    while (input->next(piece)) {
        decoder->decode(piece, [&](const Row& row) {
            const std::string place = place_of(*input, row);
            if (row.problem)
                throw InputError(fmt::format("{}: {}", place, row.problem->message));
            judge(reader.read(row.fields[field]), place);
        });
    }
}

}  // namespace

int
run_query(const QueryOptions& options) {
    if (options.path.empty() == options.text.empty())
        throw UsageError("one of -q FILE and --text VECTOR says what to search for");
    Connection::set_verbose(options.is_verbose);
    Connection connection(options.connection.dsn);
    const Target target = resolve(connection, options);
    Searcher searcher(connection, target, options);
    Printer printer(options.output);
    std::uint64_t n_queries = 0;
    each_query(options, target, [&](std::span<const float> values) {
        printer.add(++n_queries, searcher.search(values));
        check_printed();
    });
    printer.end();
    return static_cast<int>(ExitCode::kDone);
}

}  // namespace vext::client
