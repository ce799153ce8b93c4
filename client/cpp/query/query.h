// `query`: the nearest rows to vectors of a file.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "input/options.h"
#include "options/groups.h"

namespace vext::client {

struct QueryOptions {
    std::string target;  ///< a table or an index
    std::string column;
    std::string id_column;
    std::string path;
    std::string text;  ///< one vector, in place of a file
    InputOptions input;
    std::int64_t k = 10;
    std::optional<std::int64_t> ef_search;
    std::string metric;
    bool is_exact = false;
    std::string output = "tsv";
    ConnectionOptions connection;
    bool is_verbose = false;
};

int run_query(const QueryOptions& options);

}  // namespace vext::client
