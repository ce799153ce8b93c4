// What the command line says about inputs.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "options/option.h"

namespace vext::client {

struct InputOptions {
    std::string format = "auto";
    std::optional<std::int64_t> dimension;
    bool is_bits = false;  ///< |u1 holds packed bits
    // CSV
    bool has_no_header = false;
    std::string delimiter;  ///< empty: a comma, or a tab for .tsv
    std::string quote = "\"";
    std::string null_text;
    std::string encoding = "UTF8";

    /// -f, -d, and those of CSV and JSONL.
    void append_to(std::vector<Option>& options);
    /// The one byte that they stand for; UsageError when it is none.
    char delimiter_of(const std::string& path) const;
    char quote_char() const;
};

}  // namespace vext::client
