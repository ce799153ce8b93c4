// `check`: what hnsw_check finds wrong with an index, or with every index of the database.

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "commands/registry.h"
#include "error.h"
#include "inspect/index.h"
#include "options/groups.h"
#include "report/text_table.h"
#include "server/extension.h"
#include "streams.h"

namespace vext::client {

namespace {

struct CheckOptions {
    ConnectionOptions connection;
    std::vector<std::string> indexes;
    std::string output = "text";
    bool is_deep = false, is_all = false, is_verbose = false;
};

struct Findings {
    std::string index;
    Result rows;      ///< block, node, problem, severity
    bool is_foreign;  ///< passed over by searches, which miss nothing
    int n_damage = 0;
};

Findings
check(Connection& connection, const std::string& name, bool is_deep) {
    const Index index = find_index(connection, name);
    const std::string function = require_function(connection, "hnsw_check");
    if (is_foreign(connection, index.name))
        return {index.name,
                connection.query("SELECT NULL::bigint, NULL::bigint, "
                                 "'the index was made by pgvector and is not used', 'quality'"),
                true};
    Findings findings{index.name,
                      connection.query(fmt::format("SELECT block, node, problem, severity "
                                                   "FROM {}($1::regclass, $2::boolean)",
                                                   function),
                                       {index.name, is_deep ? "true" : "false"}),
                      false};
    for (int row = 0; row < findings.rows.n_rows(); row++)
        findings.n_damage += findings.rows.text(row, 3) == "damage" ? 1 : 0;
    return findings;
}

nlohmann::json
to_json(const Findings& findings) {
    nlohmann::json list = nlohmann::json::array();
    for (int row = 0; row < findings.rows.n_rows(); row++) {
        nlohmann::json finding = {{"block", nullptr}, {"node", nullptr}};
        for (int column = 0; column < 2; column++)
            if (!findings.rows.is_null(row, column))
                finding[column == 0 ? "block" : "node"] = findings.rows.integer(row, column);
        finding["problem"] = findings.rows.string(row, 2);
        finding["severity"] = findings.rows.string(row, 3);
        list.push_back(finding);
    }
    return {{"index", findings.index}, {"findings", list}, {"damage", findings.n_damage}};
}

std::string
to_text(const Findings& findings, bool is_deep) {
    const int n = findings.rows.n_rows();
    if (n == 0)
        return fmt::format("{}: sound{}\n", findings.index,
                           is_deep ? ", and as its table says" : "");
    std::string text = fmt::format("{}: {} finding{}, {} of them damage\n", findings.index, n,
                                   n == 1 ? "" : "s", findings.n_damage);
    report::Table table;
    table.head = {"severity", "problem", "block", "node"};
    table.n_left = 2;
    for (int row = 0; row < n; row++)
        table.rows.push_back({findings.rows.string(row, 3), findings.rows.string(row, 2),
                              findings.rows.string(row, 0), findings.rows.string(row, 1)});
    text += report::to_text(table);
    text += findings.is_foreign
                ? fmt::format("REINDEX INDEX CONCURRENTLY {}; makes it ours.\n", findings.index)
            : findings.n_damage > 0
                ? fmt::format("Rows can be lost or wrong: REINDEX INDEX {};\n", findings.index)
                : fmt::format("Searches may miss rows; REINDEX INDEX {}; makes it anew.\n",
                              findings.index);
    return text;
}

int
run(const CheckOptions& options) {
    Connection::set_verbose(options.is_verbose);
    if (options.indexes.empty() && !options.is_all)
        throw UsageError("no index is named", "--all checks every hnsw index of the database");
    Connection connection(options.connection.dsn);
    const auto names = options.is_all ? all_indexes(connection) : options.indexes;
    ExitCode code = ExitCode::kDone;
    nlohmann::json list = nlohmann::json::array();
    for (const std::string& name : names) {
        const Findings findings = check(connection, name, options.is_deep);
        if (options.output == "json")
            list.push_back(to_json(findings));
        else
            print("{}", to_text(findings, options.is_deep));
        if (findings.n_damage > 0)
            code = ExitCode::kStopped;
        else if (findings.rows.n_rows() > 0 && code == ExitCode::kDone)
            code = ExitCode::kDoneWithRejects;
    }
    if (options.output == "json")
        print("{}\n", list.dump(2));
    return static_cast<int>(code);
}

}  // namespace

Command
make_check_command() {
    auto options = std::make_shared<CheckOptions>();
    Command command;
    command.name = "check";
    command.summary = "Verify an index";
    command.description =
        "Ends with 0 when the index is sound, 1 when searches may miss rows, 2 when it is damaged. "
        "Needs an index of vector_ext, and works beside readers and writers.";
    command.options.push_back({"-i,--index,INDEX", "INDEX",
                               "The index, or a table with one hnsw index; may be repeated",
                               &options->indexes});
    command.options.push_back({"--all", "", "Every hnsw index of the database", &options->is_all});
    command.options.push_back({"--deep", "", "Compare with the table too", &options->is_deep});
    command.options.push_back({"--output",
                               "KIND",
                               "How findings are printed (text)",
                               &options->output,
                               {"text", "json"}});
    command.options.push_back(
        {"-v,--verbose", "", "Tell each statement, on standard error", &options->is_verbose});
    options->connection.append_to(command.options);
    command.examples.push_back({"vector-bulk check --all --deep", "Verify every index thoroughly"});
    command.run = [options] { return run(*options); };
    return command;
}

}  // namespace vext::client
