// Rows that cannot be loaded: counted against the limit, and written to a file.

#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "load/encoder.h"

namespace vext::client {

/// "items.csv: row 17 (line 18): expected 3 dimensions, not 2"
std::string describe(const Reject& reject, const std::string& input_name);

/// The file is CSV: file, row, line, sqlstate, message, raw. It is made with the first reject.
class RejectLog {
   public:
    /// UsageError when the file cannot be written.
    RejectLog(std::vector<std::string> input_names, std::int64_t limit, std::string path);

    /// Throws an Error with the exit code kStopped when there are more than the limit.
    void add(const Reject& reject);
    void add(const Encoded& piece);
    /// Rejects of an earlier run, already written.
    void add_earlier(std::uint64_t n_rejects);
    /// Everything is on its way to the disk.
    void flush();

    std::uint64_t
    n_rejects() const {
        return n_rejects_;
    }
    std::int64_t
    limit() const {
        return limit_;
    }

   private:
    void write(const Reject& reject);
    [[noreturn]] void fail() const;

    std::vector<std::string> input_names_;
    std::int64_t limit_;
    std::string path_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
    std::uint64_t n_rejects_ = 0;
};

}  // namespace vext::client
