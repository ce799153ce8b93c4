#include "input/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "error.h"
#include "input/held_piece.h"
#include "input/open.h"
#include "input/vector_field.h"

namespace vext::client {

std::size_t
CsvScanner::find_end(std::string_view text, std::size_t from) {
    const char* p = text.data() + from;
    const char* const end = text.data() + text.size();
    const auto find = [](const char* start, char c, const char* limit) {
        const void* found = start == limit
                                ? nullptr
                                : std::memchr(start, c, static_cast<std::size_t>(limit - start));
        return found == nullptr ? limit : static_cast<const char*>(found);
    };
    while (p < end) {
        if (is_quoted_) {
            p = find(p, quote_, end);
            if (p == end)
                break;
            is_quoted_ = false;
            ++p;
            continue;
        }
        const char* const newline = find(p, '\n', end);
        const char* const quote = find(p, quote_, newline);
        if (quote < newline) {
            is_quoted_ = true;
            p = quote + 1;
        } else if (newline < end) {
            return static_cast<std::size_t>(newline + 1 - text.data());
        } else {
            break;
        }
    }
    return std::string_view::npos;
}

bool
CsvSplitter::split(std::string_view text, std::size_t& at) {
    fields_.clear();
    is_closed_ = true;
    for (;;) {
        read_field(text, at, fields_.size());
        if (at >= text.size() || text[at] == '\n')
            break;
        ++at;  // the delimiter
    }
    if (at < text.size())
        ++at;
    return is_closed_;
}

/// Leaves `at` on the delimiter, the newline or the end.
void
CsvSplitter::read_field(std::string_view text, std::size_t& at, std::size_t number) {
    const auto stops = [&](char c) {
        return c == dialect_.delimiter || c == '\n' || c == dialect_.quote;
    };
    if (at < text.size() && text[at] == dialect_.quote) {
        // Most quoted fields are quoted as a whole.
        const std::size_t close = text.find(dialect_.quote, at + 1);
        if (close != std::string_view::npos) {
            std::size_t next = close + 1;
            if (next < text.size() && text[next] == '\r' && next + 1 < text.size() &&
                text[next + 1] == '\n')
                ++next;
            if (next == text.size() || text[next] == dialect_.delimiter || text[next] == '\n') {
                fields_.push_back({text.substr(at + 1, close - at - 1), false});
                at = next;
                return;
            }
        }
    }
    std::size_t end = at;
    while (end < text.size() && !stops(text[end]))
        ++end;
    if (end == text.size() || text[end] != dialect_.quote) {
        std::string_view field = text.substr(at, end - at);
        at = end;
        if ((end == text.size() || text[end] == '\n') && field.ends_with('\r'))
            field.remove_suffix(1);
        fields_.push_back({field, field == dialect_.null_text});
        return;
    }
    // Quotes inside: what is outside and inside of them is joined, two of them are one.
    while (unquoted_.size() <= number)
        unquoted_.push_back(std::make_unique<std::string>());
    std::string& joined = *unquoted_[number];
    joined.clear();
    bool is_quoted = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == dialect_.quote) {
            if (is_quoted && at + 1 < text.size() && text[at + 1] == dialect_.quote)
                joined += text[++at];
            else
                is_quoted = !is_quoted;
        } else if (!is_quoted && (c == dialect_.delimiter || c == '\n')) {
            break;
        } else {
            joined += c;
        }
    }
    if (is_quoted)
        is_closed_ = false;
    else if ((at == text.size() || text[at] == '\n') && joined.ends_with('\r') &&
             text[at - 1] == '\r')
        joined.pop_back();
    fields_.push_back({joined, false});
}

namespace {

std::optional<Problem>
shape_problem(bool is_closed, std::size_t n_fields, std::size_t n_columns) {
    if (!is_closed)
        return Problem{"22P04", "unterminated CSV quoted field"};
    if (n_fields != n_columns)
        return Problem{"22P04", fmt::format("expected {} fields, found {}", n_columns, n_fields)};
    return std::nullopt;
}

Field
field_of(const CsvField& field) {
    return {field.is_null ? Field::Kind::kNull : Field::Kind::kText, field.text};
}

class CsvDecoder final : public RowDecoder {
   public:
    CsvDecoder(const CsvDialect& dialect, std::size_t n_columns)
        : splitter_(dialect), n_columns_(n_columns) {}

    void
    decode(const Piece& piece, const std::function<void(const Row&)>& sink) override {
        const std::string_view text(reinterpret_cast<const char*>(piece.bytes.data()),
                                    piece.bytes.size());
        row_.number = piece.first_row;
        row_.line = piece.first_line;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t start = at;
            const bool is_closed = splitter_.split(text, at);
            row_.raw = text.substr(start, at - start);
            const std::uint64_t n_lines = count_newlines(row_.raw);
            while (row_.raw.ends_with('\n') || row_.raw.ends_with('\r'))
                row_.raw.remove_suffix(1);
            if (!is_blank(row_.raw)) {
                take_fields(is_closed);
                sink(row_);
                ++row_.number;
            }
            row_.line += n_lines;
        }
    }

   private:
    void
    take_fields(bool is_closed) {
        const std::vector<CsvField>& fields = splitter_.fields();
        row_.fields.resize(n_columns_);
        row_.problem = shape_problem(is_closed, fields.size(), n_columns_);
        if (row_.problem)
            return;
        for (std::size_t i = 0; i < n_columns_; ++i)
            row_.fields[i] = field_of(fields[i]);
    }

    CsvSplitter splitter_;
    std::size_t n_columns_;
    Row row_;
};

class CsvInput final : public HeldPieceInput {
   public:
    CsvInput(std::unique_ptr<PeekSource> source, const std::string& name,
             const InputOptions& options)
        : HeldPieceInput(RecordCutter(std::move(source), name,
                                      std::make_unique<CsvScanner>(options.quote_char()))),
          dialect_{options.delimiter_of(name), options.quote_char(), options.null_text},
          has_header_(!options.has_no_header) {
        name_ = name;
        if (has_header_)
            read_header();
        hold();
        look_at_first_row();
    }

    bool
    has_names() const override {
        return has_header_;
    }
    std::unique_ptr<RowDecoder>
    make_decoder() const override {
        return std::make_unique<CsvDecoder>(dialect_, columns_.size());
    }

   private:
    void
    read_header() {
        std::string header;
        if (!cutter().take_first(header) || header.empty())
            throw InputError(fmt::format(
                "{}: expected a header with names, found an empty file or line", name_));
        if (const std::size_t at = header.find('\r');
            at != std::string::npos && header.substr(at, 2) != "\r\n")
            throw InputError(
                fmt::format("{}: expected lines that end in a newline, found a carriage return "
                            "alone at byte {}",
                            name_, at + 1));
        CsvSplitter splitter(dialect_);
        std::size_t at = 0;
        if (!splitter.split(header, at))
            throw InputError(fmt::format("{}: line 1: unterminated CSV quoted field", name_));
        std::set<std::string> seen;
        for (const CsvField& field : splitter.fields()) {
            std::string column(field.text);
            if (column.empty() || column.size() > 200 || !is_utf8(column))
                throw InputError(
                    fmt::format("{}: line 1: expected a name for column {}, found {}", name_,
                                columns_.size() + 1, column.empty() ? "none" : "something else"),
                    "--no-header: the first line is a row");
            if (!seen.insert(column).second)
                throw InputError(fmt::format(
                    "{}: line 1: expected different names, found \"{}\" twice", name_, column));
            columns_.push_back({std::move(column)});
        }
    }

    /// The vector is the first value in brackets or braces that reads as one.
    void
    look_at_first_row() {
        const std::string_view text(reinterpret_cast<const char*>(held().bytes.data()),
                                    held().bytes.size());
        if (held().n_rows == 0)
            return;
        CsvSplitter splitter(dialect_);
        std::size_t at = 0;
        std::size_t start = 0;
        bool is_closed = true;
        do {
            start = at;
            is_closed = splitter.split(text, at);
        } while (at < text.size() && is_blank(text.substr(start, at - start)));
        const std::vector<CsvField>& fields = splitter.fields();
        if (!has_header_)
            for (std::size_t i = 0; i < fields.size(); ++i)
                columns_.push_back({fmt::format("column{}", i + 1)});
        const std::string place = fmt::format(
            "row 1 (line {})", held().first_line + count_newlines(text.substr(0, start)));
        if (const auto problem = shape_problem(is_closed, fields.size(), columns_.size()))
            note_problem(place, problem->message);
        else
            for (std::size_t i = 0; i < fields.size(); ++i)
                look_for_vector(field_of(fields[i]), place, columns_[i]);
    }

    CsvDialect dialect_;
    bool has_header_;
};

}  // namespace

std::unique_ptr<Input>
open_csv(std::unique_ptr<PeekSource> source, const std::string& name, const InputOptions& options) {
    return std::make_unique<CsvInput>(std::move(source), name, options);
}

}  // namespace vext::client
