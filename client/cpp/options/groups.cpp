#include "options/groups.h"

#include <unistd.h>

namespace vext::client {

void
ConnectionOptions::append_to(std::vector<Option>& options) {
    options.push_back({"--dsn", "DSN",
                       "Connection string or URI (libpq's environment: PGHOST, PGDATABASE, ...)",
                       &dsn});
}

void
ReportOptions::append_to(std::vector<Option>& options) {
    options.push_back({"--progress",
                       "KIND",
                       "How progress is shown, on standard error (auto: a bar on a terminal)",
                       &progress,
                       {"auto", "bar", "plain", "json", "none"}});
    options.push_back({"--summary",
                       "KIND",
                       "How the summary is printed, on standard output (text)",
                       &summary,
                       {"text", "json"}});
    options.push_back({"--quiet", "", "No progress and no text summary", &is_quiet});
    options.push_back({"-v,--verbose", "", "Tell each statement, on standard error", &is_verbose});
}

ProgressKind
ReportOptions::progress_kind() const {
    if (is_quiet || progress == "none")
        return ProgressKind::kNone;
    if (progress == "json")
        return ProgressKind::kJson;
    if (progress == "plain" || (progress == "auto" && isatty(STDERR_FILENO) == 0))
        return ProgressKind::kPlain;
    return ProgressKind::kBar;
}

}  // namespace vext::client
