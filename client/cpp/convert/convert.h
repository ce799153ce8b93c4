// `convert`: from any format that can be read to one that can be written.

#pragma once

#include <cstdint>
#include <string>

#include "input/options.h"
#include "options/groups.h"

namespace vext::client {

struct ConvertOptions {
    std::string input_path;
    std::string output_path;
    std::string to;  ///< empty: by the ending of the output
    InputOptions input;
    std::string column;
    std::string id_column;
    std::string ids;
    std::int64_t id_start = 0;
    std::string metric;
    ReportOptions report;
};

int run_convert(const ConvertOptions& options);

}  // namespace vext::client
