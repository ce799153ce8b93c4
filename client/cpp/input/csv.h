// CSV as PostgreSQL reads it, with the quote as its own escape: records and fields.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "input/lines.h"

namespace vext::client {

struct CsvDialect {
    char delimiter = ',';
    char quote = '"';
    std::string null_text;
};

class CsvScanner final : public RecordScanner {
   public:
    explicit CsvScanner(char quote) : quote_(quote) {}
    std::size_t find_end(std::string_view text, std::size_t from) override;

   private:
    char quote_;
    bool is_quoted_ = false;
};

struct CsvField {
    std::string_view text;
    bool is_null = false;
};

/// Splits records into fields. The views of a record are valid until the next one.
class CsvSplitter {
   public:
    explicit CsvSplitter(CsvDialect dialect) : dialect_(std::move(dialect)) {}

    /// Reads the record at `at`, moves `at` behind it. False when a quote is not closed.
    bool split(std::string_view text, std::size_t& at);

    const std::vector<CsvField>&
    fields() const {
        return fields_;
    }

   private:
    void read_field(std::string_view text, std::size_t& at, std::size_t number);

    CsvDialect dialect_;
    std::vector<CsvField> fields_;
    std::vector<std::unique_ptr<std::string>> unquoted_;  ///< by field; where views cannot do
    bool is_closed_ = true;
};

}  // namespace vext::client
