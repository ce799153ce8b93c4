#include "query/query.h"

#include <memory>

#include "commands/registry.h"

namespace vext::client {

Command
make_query_command() {
    auto query = std::make_shared<QueryOptions>();
    Command command;
    command.name = "query";
    command.summary = "Search for the nearest rows";
    command.description =
        "Prints the id and the distance of the nearest rows to each vector of a file, nearest "
        "first. "
        "With more than one vector, the number of the vector, counted from 1, comes first. The "
        "distance is that of the index, if the column has one.";
    std::vector<Option>& options = command.options;
    options.push_back({"-i,--index,--table",
                       "NAME",
                       "Table or hnsw index",
                       &query->target,
                       {},
                       INT64_MIN,
                       INT64_MAX,
                       true});
    options.push_back(
        {"-q,--query", "FILE", "Vectors to search for, in any format of load", &query->path});
    options.push_back({"--text", "VECTOR", "One vector to search for: '[1,2,3]'", &query->text});
    options.push_back({"-k,--k", "N", "Rows for each vector (10)", &query->k, {}, 1, 1000000});
    options.push_back({"-e,--ef-search",
                       "N",
                       "Candidates of a search by index (hnsw.ef_search)",
                       &query->ef_search,
                       {},
                       1,
                       1000});
    options.push_back({"--exact", "", "Compare with every row", &query->is_exact});
    options.push_back({"--metric",
                       "METRIC",
                       "Distance (that of the index, else l2)",
                       &query->metric,
                       {"l2", "ip", "cosine", "l1"}});
    options.push_back({"--column", "NAME", "Column of the vectors (the only one)", &query->column});
    options.push_back({"--id-column", "NAME", "Column that is printed (id)", &query->id_column});
    options.push_back(
        {"--output", "FORM", "Form of the lines (tsv)", &query->output, {"tsv", "json", "csv"}});
    query->input.append_to(options);
    query->connection.append_to(options);
    options.push_back(
        {"-v,--verbose", "", "Tell each statement, on standard error", &query->is_verbose});
    command.examples = {{"vector-bulk query -i items -q queries.npy -k 10 -e 100",
                         "The ten nearest rows to each vector of a file"},
                        {"vector-bulk query -i items --text '[1,2,3]' --exact --output json",
                         "The exact nearest rows to one vector, as JSON lines"}};
    command.run = [query] { return run_query(*query); };
    return command;
}

}  // namespace vext::client
