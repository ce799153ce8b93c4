#include "load/rejects.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "error.h"

namespace vext::client {

namespace {

std::string
csv_quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text)
        out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + '"';
}

}  // namespace

std::string
describe(const Reject& reject, const std::string& input_name) {
    std::string place = fmt::format("{}: row {}", input_name, reject.row);
    if (reject.line != 0)
        place += fmt::format(" (line {})", reject.line);
    return fmt::format("{}: {}", place, reject.problem.message);
}

RejectLog::RejectLog(std::vector<std::string> input_names, std::int64_t limit, std::string path)
    : input_names_(std::move(input_names)),
      limit_(limit),
      path_(std::move(path)),
      file_(nullptr, std::fclose) {
    // Before hours of loading, not at the first reject.
    const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
    if (!path_.empty() && access(path_.c_str(), W_OK) != 0 &&
        (errno != ENOENT || access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0))
        throw UsageError(fmt::format("--reject-file {}: {}", path_, std::strerror(errno)));
}

void
RejectLog::add_earlier(std::uint64_t n_rejects) {
    n_rejects_ += n_rejects;
}

void
RejectLog::add(const Reject& reject) {
    ++n_rejects_;
    if (!path_.empty())
        write(reject);
    if (limit_ < 0 || n_rejects_ <= static_cast<std::uint64_t>(limit_))
        return;
    const std::string what = describe(reject, input_names_[reject.input]);
    if (limit_ == 0)
        throw Error(ExitCode::kStopped,
                    fmt::format("{} (SQLSTATE {})", what, reject.problem.sqlstate),
                    "--max-errors N with --reject-file FILE loads the other rows");
    throw Error(
        ExitCode::kStopped,
        fmt::format("{} rows cannot be loaded, more than --max-errors {} allows; the last one:\n"
                    "{} (SQLSTATE {})",
                    n_rejects_, limit_, what, reject.problem.sqlstate));
}

void
RejectLog::add(const Encoded& piece) {
    for (const Reject& reject : piece.rejects)
        add(reject);
}

void
RejectLog::write(const Reject& reject) {
    if (!file_) {
        file_.reset(std::fopen(path_.c_str(), "a"));
        if (!file_)
            throw UsageError(fmt::format("--reject-file {}: {}", path_, std::strerror(errno)));
        if (std::ftell(file_.get()) == 0)
            std::fputs("file,row,line,sqlstate,message,raw\n", file_.get());
    }
    const std::string line =
        fmt::format("{},{},{},{},{},{}\n", csv_quoted(input_names_[reject.input]), reject.row,
                    reject.line == 0 ? "" : std::to_string(reject.line), reject.problem.sqlstate,
                    csv_quoted(reject.problem.message), csv_quoted(reject.raw));
    // All of it, and a zero byte does not end it.
    if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size())
        fail();
}

void
RejectLog::fail() const {
    throw Error(ExitCode::kStopped,
                fmt::format("--reject-file {}: {}", path_, std::strerror(errno)));
}

void
RejectLog::flush() {
    if (file_ && (std::fflush(file_.get()) != 0 || std::ferror(file_.get()) != 0))
        fail();
}

}  // namespace vext::client
