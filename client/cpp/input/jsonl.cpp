#include "input/jsonl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "error.h"
#include "input/held_piece.h"
#include "input/open.h"
#include "input/vector_field.h"

namespace vext::client {

bool
is_json(std::string_view text) {
    return nlohmann::json::accept(text);
}

bool
JsonMembers::fail(std::string_view why) {
    problem_ = Problem{"22P02", fmt::format("invalid JSON at byte {}: {}", at_ + 1, why)};
    return false;
}

void
JsonMembers::skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r'))
        ++at_;
}

bool
JsonMembers::take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c)
        return false;
    ++at_;
    return true;
}

bool
JsonMembers::next(std::string_view& key, Field& value) {
    if (!is_started_) {
        is_started_ = true;
        if (!take('{'))
            return fail("expected an object");
        if (take('}'))
            return take_end();
    } else if (!take(',')) {
        if (!take('}'))
            return fail("expected a comma or the end of the object");
        return take_end();
    }
    skip_blanks();
    if (!read_string(key, key_))
        return false;
    if (!take(':'))
        return fail("expected a colon");
    return read_value(value);
}

bool
JsonMembers::take_end() {
    skip_blanks();
    return at_ == text_.size() ? false : fail("expected the end of the line");
}

/// The string at at_, without its quotes.
bool
JsonMembers::read_string(std::string_view& out, std::string& unescaped) {
    if (at_ == text_.size() || text_[at_] != '"')
        return fail("expected a string");
    const std::size_t start = at_;
    bool has_escape = false;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
        if (static_cast<unsigned char>(text_[at_]) < ' ')
            return fail("a control character in a string");
        if (text_[at_] == '\\') {
            has_escape = true;
            ++at_;
        }
    }
    if (at_ >= text_.size()) {
        at_ = text_.size();
        return fail("a string that does not end");
    }
    ++at_;
    const std::string_view quoted = text_.substr(start, at_ - start);
    out = quoted.substr(1, quoted.size() - 2);
    if (!has_escape)
        return true;
    const nlohmann::json parsed = nlohmann::json::parse(quoted, nullptr, false);
    if (!parsed.is_string()) {
        at_ = start;
        return fail("a string with a bad escape");
    }
    unescaped = parsed.get<std::string>();
    out = unescaped;
    return true;
}

bool
JsonMembers::read_value(Field& value) {
    skip_blanks();
    value = {};
    if (at_ == text_.size())
        return fail("expected a value");
    if (text_[at_] == '"') {
        value.kind = Field::Kind::kString;
        return read_string(value.text, string_);
    }
    value.kind = Field::Kind::kJson;
    if (text_[at_] == '[' || text_[at_] == '{')
        return read_nested(value.text);
    const std::size_t start = at_;
    while (at_ < text_.size() && std::strchr(",}] \t\r", text_[at_]) == nullptr)
        ++at_;
    value.text = text_.substr(start, at_ - start);
    if (value.text == "null") {
        value.kind = Field::Kind::kNull;
        return true;
    }
    if (is_json(value.text))
        return true;
    at_ = start;
    return fail(value.text == "NaN" || value.text.ends_with("Infinity")
                    ? "NaN and Infinity are no JSON"
                    : "expected a value");
}

/// An array or object. What has no structure inside, such as a vector, is taken by its end alone:
/// whoever reads it sees whether it is right.
bool
JsonMembers::read_nested(std::string_view& out) {
    const std::size_t start = at_;
    if (text_[at_] == '[') {
        const std::size_t close = text_.find(']', at_);
        if (close != std::string_view::npos) {
            const std::string_view inner = text_.substr(at_ + 1, close - at_ - 1);
            if (inner.find('[') == std::string_view::npos &&
                inner.find('"') == std::string_view::npos &&
                inner.find('{') == std::string_view::npos) {
                at_ = close + 1;
                out = text_.substr(start, at_ - start);
                return true;
            }
        }
    }
    int depth = 0;
    bool is_string = false;
    for (; at_ < text_.size(); ++at_) {
        const char c = text_[at_];
        if (is_string) {
            if (c == '\\')
                ++at_;
            else if (c == '"')
                is_string = false;
        } else if (c == '"') {
            is_string = true;
        } else if (c == '[' || c == '{') {
            ++depth;
        } else if ((c == ']' || c == '}') && --depth == 0) {
            out = text_.substr(start, ++at_ - start);
            if (is_json(out))
                return true;
            at_ = start;
            return fail("an array or object that is none");
        }
    }
    at_ = start;
    return fail("an array or object that does not end");
}

namespace {

class NewlineScanner final : public RecordScanner {
   public:
    std::size_t
    find_end(std::string_view text, std::size_t from) override {
        const std::size_t end = text.find('\n', from);
        return end == std::string_view::npos ? end : end + 1;
    }
};

using ColumnIndex = std::map<std::string, std::size_t, std::less<>>;

class JsonlDecoder final : public RowDecoder {
   public:
    explicit JsonlDecoder(ColumnIndex columns)
        : columns_(std::move(columns)), strings_(columns_.size()), is_seen_(columns_.size()) {}

    void
    decode(const Piece& piece, const std::function<void(const Row&)>& sink) override {
        const std::string_view text(reinterpret_cast<const char*>(piece.bytes.data()),
                                    piece.bytes.size());
        row_.number = piece.first_row;
        row_.line = piece.first_line;
        for (std::size_t at = 0; at < text.size(); ++row_.line) {
            const std::size_t end = std::min(text.find('\n', at), text.size());
            row_.raw = text.substr(at, end - at);
            at = end + 1;
            if (row_.raw.ends_with('\r'))
                row_.raw.remove_suffix(1);
            if (is_blank(row_.raw))
                continue;
            take_members();
            sink(row_);
            ++row_.number;
        }
    }

   private:
    void
    take_members() {
        row_.problem.reset();
        row_.fields.assign(columns_.size(), Field{});
        std::fill(is_seen_.begin(), is_seen_.end(), false);
        JsonMembers members(row_.raw);
        std::string_view key;
        Field value;
        while (members.next(key, value)) {
            const auto found = columns_.find(key);
            if (found == columns_.end()) {
                row_.problem = Problem{
                    "42703",
                    fmt::format(
                        "the field \"{}\" is in none of the first rows, and so has no column",
                        key.substr(0, 100))};
                return;
            }
            if (is_seen_[found->second]) {
                row_.problem =
                    Problem{"22P02", fmt::format("the field \"{}\" is there twice", key)};
                return;
            }
            is_seen_[found->second] = true;
            Field& field = row_.fields[found->second];
            field = value;
            // A string that had escapes lies in memory of the members.
            if (value.text.data() < row_.raw.data() ||
                value.text.data() > row_.raw.data() + row_.raw.size()) {
                strings_[found->second].assign(value.text);
                field.text = strings_[found->second];
            }
        }
        row_.problem = members.problem();
    }

    ColumnIndex columns_;
    std::vector<std::string> strings_;
    std::vector<bool> is_seen_;
    Row row_;
};

class JsonlInput final : public HeldPieceInput {
   public:
    JsonlInput(std::unique_ptr<PeekSource> source, const std::string& name)
        : HeldPieceInput(
              RecordCutter(std::move(source), name, std::make_unique<NewlineScanner>())) {
        name_ = name;
        hold();
        look_at_first_rows();
    }

    bool
    has_names() const override {
        return true;
    }
    void
    accept_columns(const std::vector<std::string>& names) override {
        for (const std::string& name : names)
            add(name);
    }
    std::unique_ptr<RowDecoder>
    make_decoder() const override {
        return std::make_unique<JsonlDecoder>(index_);
    }

   private:
    std::size_t
    add(const std::string& name) {
        const auto [found, is_new] = index_.emplace(name, columns_.size());
        if (is_new)
            columns_.push_back({name});
        return found->second;
    }

    void
    look_at_first_rows() {
        const std::string_view text(reinterpret_cast<const char*>(held().bytes.data()),
                                    held().bytes.size());
        std::uint64_t row = 0;
        std::uint64_t line = 0;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find('\n', at), text.size());
            const std::string_view raw = text.substr(at, end - at);
            at = end + 1;
            ++line;
            if (is_blank(raw))
                continue;
            const std::string place = fmt::format("row {} (line {})", ++row, line);
            JsonMembers members(raw);
            std::string_view key;
            Field value;
            while (members.next(key, value)) {
                if (key.empty() || key.size() > 200)
                    continue;
                const bool is_new = index_.find(key) == index_.end();
                SourceColumn& column = columns_[add(std::string(key))];
                if (is_new)
                    look_for_vector(value, place, column);
                column.is_object |= value.kind == Field::Kind::kJson && column.n_dims == 0 &&
                                    (value.text.front() == '{' || value.text.front() == '[');
            }
            if (members.problem())
                note_problem(place, members.problem()->message);
        }
    }

    ColumnIndex index_;
};

}  // namespace

std::unique_ptr<Input>
open_jsonl(std::unique_ptr<PeekSource> source, const std::string& name) {
    return std::make_unique<JsonlInput>(std::move(source), name);
}

}  // namespace vext::client
