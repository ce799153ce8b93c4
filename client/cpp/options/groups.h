// Options that several commands share. A command holds the struct and appends its options.

#pragma once

#include <string>
#include <vector>

#include "options/option.h"
#include "progress/progress.h"

namespace vext::client {

struct ConnectionOptions {
    std::string dsn;  ///< empty: libpq's environment

    void append_to(std::vector<Option>& options);
};

struct ReportOptions {
    std::string progress = "auto";
    std::string summary = "text";
    bool is_quiet = false;
    bool is_verbose = false;

    void append_to(std::vector<Option>& options);
    /// `auto`: a bar when standard error is a terminal, else lines; nothing when quiet.
    ProgressKind progress_kind() const;
    bool
    wants_json() const {
        return summary == "json";
    }
};

}  // namespace vext::client
