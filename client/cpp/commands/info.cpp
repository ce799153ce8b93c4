// `info`: facts about an index, or about every hnsw index of the database.

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "commands/registry.h"
#include "error.h"
#include "inspect/facts.h"
#include "options/groups.h"
#include "report/text_table.h"
#include "streams.h"

namespace vext::client {

namespace {

struct InfoOptions {
    ConnectionOptions connection;
    std::vector<std::string> indexes;
    std::string output = "text";
    bool is_verbose = false;
};

int
run(const InfoOptions& options) {
    Connection::set_verbose(options.is_verbose);
    Connection connection(options.connection.dsn);
    std::vector<std::string> names = options.indexes;
    if (names.empty())
        names = all_indexes(connection);
    if (names.empty())
        throw UsageError("there is no hnsw index in this database");
    nlohmann::json list = nlohmann::json::array();
    for (std::size_t i = 0; i < names.size(); i++) {
        const IndexFacts facts = read_facts(connection, find_index(connection, names[i]));
        if (options.output == "json")
            list.push_back(to_json(facts));
        else
            print("{}{}\n{}", i == 0 ? "" : "\n", facts.index.name,
                  report::to_text(for_people(facts)));
    }
    if (options.output == "json")
        print("{}\n", (names.size() == 1 && !options.indexes.empty() ? list[0] : list).dump(2));
    return static_cast<int>(ExitCode::kDone);
}

}  // namespace

Command
make_info_command() {
    auto options = std::make_shared<InfoOptions>();
    Command command;
    command.name = "info";
    command.summary = "Tell what an index is and holds";
    command.description =
        "Without an index, all hnsw indexes of the database. An index of pgvector is told of as "
        "far "
        "as the catalogue knows it.";
    command.options.push_back({"-i,--index,INDEX", "INDEX",
                               "The index, or a table with one hnsw index; may be repeated",
                               &options->indexes});
    command.options.push_back(
        {"--output", "KIND", "How facts are printed (text)", &options->output, {"text", "json"}});
    command.options.push_back(
        {"-v,--verbose", "", "Tell each statement, on standard error", &options->is_verbose});
    options->connection.append_to(command.options);
    command.examples.push_back({"vector-bulk info items_v_idx", "Facts of one index"});
    command.run = [options] { return run(*options); };
    return command;
}

}  // namespace vext::client
