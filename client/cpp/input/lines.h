// Cuts a text into pieces of whole records.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "input/byte_source.h"
#include "input/input.h"

namespace vext::client {

/// Where records end. Called with bytes in order, each once.
class RecordScanner {
   public:
    virtual ~RecordScanner() = default;
    /// The offset behind the first record that ends in `text` from `from` on, or npos: then all of
    /// `text` was seen, and the next call goes on behind it.
    virtual std::size_t find_end(std::string_view text, std::size_t from) = 0;
};

class RecordCutter {
   public:
    RecordCutter(std::unique_ptr<PeekSource> source, std::string name,
                 std::unique_ptr<RecordScanner> scanner);

    /// Whole records, about as many as fit kPieceBytes. Counts rows and lines.
    bool next(Piece& piece);
    /// The first record, without its newline, for headers; does not count as a row.
    bool take_first(std::string& record);

    const PeekSource&
    source() const {
        return *source_;
    }
    PeekSource&
    source() {
        return *source_;
    }

   private:
    void fill(std::vector<std::uint8_t>& bytes, std::size_t& n, std::size_t at_least);

    std::unique_ptr<PeekSource> source_;
    std::string name_;
    std::unique_ptr<RecordScanner> scanner_;
    std::vector<std::uint8_t> rest_;  ///< begins a record; the scanner has seen all of it
    std::uint64_t n_rows_ = 0;
    std::uint64_t n_lines_ = 0;
    bool is_at_end_ = false;
};

std::uint64_t count_newlines(std::string_view text);

/// Is the record, with or without its newline, an empty line? Such are no rows.
inline bool
is_blank(std::string_view record) {
    return record.find_first_not_of("\r\n") == std::string_view::npos;
}

/// Is it UTF-8 as PostgreSQL takes it: no overlong forms, surrogates or zero bytes?
bool is_utf8(std::string_view text);

}  // namespace vext::client
