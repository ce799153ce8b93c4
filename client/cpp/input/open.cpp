#include "input/open.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "error.h"
#include "input/format.h"

namespace vext::client {

namespace {

std::string
upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    });
    return text;
}

bool
is_utf8_name(const std::string& encoding) {
    const std::string name = upper(encoding);
    return name == "UTF8" || name == "UTF-8" || name == "UNICODE";
}

/// Another input, with an id a row from a file beside it.
class InputWithIds final : public Input {
   public:
    InputWithIds(std::unique_ptr<Input> input, const std::string& ids_path)
        : input_(std::move(input)), ids_path_(ids_path), ids_(open_source(ids_path)) {
        name_ = input_->name();
        columns_ = input_->columns();
        columns_.push_back({"id", Field::Kind::kInteger});
        n_dims_ = input_->n_dims();
        n_rows_ = input_->n_rows();
        metric_ = input_->metric();
        const std::optional<std::uint64_t> size = ids_.size();
        if (!size)
            return;
        if (*size % sizeof(std::uint64_t) != 0)
            throw InputError(
                fmt::format("{}: expected a multiple of 8 bytes, found {}", ids_path_, *size));
        if (n_rows_ && *size / sizeof(std::uint64_t) != *n_rows_)
            throw InputError(fmt::format("{}: expected {} ids for the rows of {}, found {}",
                                         ids_path_, *n_rows_, name_,
                                         *size / sizeof(std::uint64_t)));
    }

    bool
    next(Piece& piece) override {
        if (!input_->next(piece)) {
            if (!ids_.peek(1).empty())
                throw InputError(fmt::format("{}: expected {} ids for the rows of {}, found more",
                                             ids_path_, n_done_, name_));
            return false;
        }
        piece.ids.resize(piece.n_rows);
        const std::span bytes(reinterpret_cast<std::uint8_t*>(piece.ids.data()),
                              piece.ids.size() * sizeof(std::uint64_t));
        const std::size_t n_read = ids_.read(bytes);
        if (n_read < bytes.size())
            throw InputError(fmt::format("{}: expected an id for each row of {}, found {}",
                                         ids_path_, name_,
                                         n_done_ + n_read / sizeof(std::uint64_t)));
        for (std::size_t i = 0; i < piece.ids.size(); ++i)
            if (piece.ids[i] < 0)
                throw InputError(fmt::format("{}: row {}: expected an id below 2^63, found {}",
                                             ids_path_, n_done_ + i + 1,
                                             static_cast<std::uint64_t>(piece.ids[i])));
        n_done_ += piece.n_rows;
        return true;
    }

    std::unique_ptr<RowDecoder>
    make_decoder() const override {
        return input_->make_decoder();
    }
    std::uint64_t
    n_stored() const override {
        return input_->n_stored();
    }
    std::uint64_t
    n_stored_read() const override {
        return input_->n_stored_read();
    }

   private:
    std::unique_ptr<Input> input_;
    std::string ids_path_;
    PeekSource ids_;
    std::uint64_t n_done_ = 0;
};

}  // namespace

void
InputOptions::append_to(std::vector<Option>& options) {
    options.push_back({"-f,--format", "FORMAT",
                       "Format of the input (auto: by its ending, then by its first bytes)",
                       &format, format_names()});
    options.push_back({"-d,--dimension",
                       "N",
                       "Dimensions of the vectors; raw float32 needs them here or in <stem>.json",
                       &dimension,
                       {},
                       1,
                       64000});
    options.push_back({"--no-header", "", "CSV: the first line is a row; columns go by position",
                       &has_no_header});
    options.push_back({"--delimiter", "CHAR",
                       "CSV: what parts fields, or \"tab\" (comma; tab for .tsv)", &delimiter});
    options.push_back({"--quote", "CHAR", "CSV: what fields are quoted with (\")", &quote});
    options.push_back(
        {"--null", "TEXT", "CSV: what an unquoted field holds for NULL (nothing)", &null_text});
    options.push_back({"--encoding", "NAME", "Encoding of CSV and JSON lines (UTF8)", &encoding});
}

char
InputOptions::delimiter_of(const std::string& path) const {
    if (delimiter.empty())
        return upper(without_compression(path)).ends_with(".TSV") ? '\t' : ',';
    if (delimiter == "tab" || delimiter == "\\t")
        return '\t';
    if (delimiter.size() != 1 || std::strchr("\r\n", delimiter[0]) != nullptr || delimiter == quote)
        throw UsageError(fmt::format("--delimiter: expected one character, not \"{}\"", delimiter));
    return delimiter[0];
}

char
InputOptions::quote_char() const {
    if (quote.size() != 1 || std::strchr("\r\n", quote[0]) != nullptr)
        throw UsageError(fmt::format("--quote: expected one character, not \"{}\"", quote));
    return quote[0];
}

std::unique_ptr<Input>
with_ids(std::unique_ptr<Input> input, const std::string& ids_path) {
    if (input->has_names() || input->columns().empty() ||
        input->columns().front().kind == Field::Kind::kBinary)
        throw UsageError(fmt::format("--ids: {} has its own columns", input->name()));
    return std::make_unique<InputWithIds>(std::move(input), ids_path);
}

std::string
place_of(const Input& input, const Row& row) {
    return row.line == 0 ? fmt::format("{}: row {}", input.name(), row.number)
                         : fmt::format("{}: row {} (line {})", input.name(), row.number, row.line);
}

std::unique_ptr<Input>
open_input(const std::string& path, const InputOptions& options, const std::string& ids) {
    const std::string name = path == "-" ? "standard input" : path;
    auto source = std::make_unique<PeekSource>(open_source(path));
    const Format format = detect_format(options.format, name, source->peek(64));
    if ((format == Format::kCsv || format == Format::kJsonl) && !is_utf8_name(options.encoding))
        source = std::make_unique<PeekSource>(
            utf8_source(std::move(source), upper(options.encoding), name));
    std::unique_ptr<Input> input;
    switch (format) {
        case Format::kNpy:
            input = open_npy(std::move(source), name, options);
            break;
        case Format::kF32:
            input = open_f32(std::move(source), name, options);
            break;
        case Format::kFvecs:
            input = open_vecs(std::move(source), name, Element::kF32, options);
            break;
        case Format::kIvecs:
            input = open_vecs(std::move(source), name, Element::kI32, options);
            break;
        case Format::kBvecs:
            input = open_vecs(std::move(source), name, Element::kU8, options);
            break;
        case Format::kCsv:
            input = open_csv(std::move(source), name, options);
            break;
        case Format::kJsonl:
            input = open_jsonl(std::move(source), name);
            break;
        case Format::kCopyBinary:
            input = open_copy_binary(std::move(source), name);
            break;
    }
    return ids.empty() ? std::move(input) : with_ids(std::move(input), ids);
}

}  // namespace vext::client
