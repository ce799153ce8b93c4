#include "load/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/text/vector_text.h"
#include "core/text/vector_wire.h"
#include "input/element.h"
#include "input/jsonl.h"
#include "input/lines.h"

namespace vext::client {

namespace {

constexpr std::uint32_t kNull = 0xffffffff;

std::string_view
trimmed(std::string_view text) {
    const std::size_t start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos)
        return {};
    return text.substr(start, text.find_last_not_of(" \t\r\n") + 1 - start);
}

Problem
bad_syntax(const PlannedColumn& column, std::string_view text) {
    std::string shown(text.substr(0, 60));
    if (!is_utf8(shown))
        shown = "...";
    return {"22P02", fmt::format("column \"{}\": invalid input syntax for type {}: \"{}\"",
                                 column.name, column.type, shown)};
}

std::optional<Problem>
append_integer(const PlannedColumn& column, const Field& field, Bytes& out) {
    std::int64_t value = field.integer;
    if (field.kind != Field::Kind::kInteger) {
        std::string_view text = trimmed(field.text);
        if (text.starts_with('+'))
            text.remove_prefix(1);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc::result_out_of_range)
            return Problem{"22003",
                           fmt::format("column \"{}\": value \"{}\" is out of range for type {}",
                                       column.name, text.substr(0, 60), column.type)};
        if (error != std::errc() || end != text.data() + text.size())
            return bad_syntax(column, field.text);
    }
    const int n_bits = column.kind == ColumnType::kInt2   ? 16
                       : column.kind == ColumnType::kInt4 ? 32
                                                          : 64;
    const std::int64_t most = n_bits == 64 ? INT64_MAX : (std::int64_t{1} << (n_bits - 1)) - 1;
    if (value > most || value < -most - 1)
        return Problem{"22003",
                       fmt::format("column \"{}\": value \"{}\" is out of range for type {}",
                                   column.name, value, column.type)};
    append_32(out, static_cast<std::uint32_t>(n_bits / 8));
    if (n_bits == 16)
        append_16(out, static_cast<std::uint16_t>(value));
    else if (n_bits == 32)
        append_32(out, static_cast<std::uint32_t>(value));
    else
        append_64(out, static_cast<std::uint64_t>(value));
    return std::nullopt;
}

std::optional<Problem>
append_float(const PlannedColumn& column, const Field& field, Bytes& out) {
    double value = static_cast<double>(field.integer);
    if (field.kind != Field::Kind::kInteger) {
        std::string_view text = trimmed(field.text);
        if (text.starts_with('+'))
            text.remove_prefix(1);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc::result_out_of_range)
            return Problem{"22003", fmt::format("column \"{}\": \"{}\" is out of range for type {}",
                                                column.name, text.substr(0, 60), column.type)};
        if (error != std::errc() || end != text.data() + text.size())
            return bad_syntax(column, field.text);
    }
    if (column.kind == ColumnType::kFloat8) {
        append_32(out, 8);
        append_64(out, std::bit_cast<std::uint64_t>(value));
        return std::nullopt;
    }
    const auto narrow = static_cast<float>(value);
    if (std::isinf(narrow) && !std::isinf(value))
        return Problem{"22003", fmt::format("column \"{}\": \"{}\" is out of range for type {}",
                                            column.name, value, column.type)};
    append_32(out, 4);
    append_32(out, std::bit_cast<std::uint32_t>(narrow));
    return std::nullopt;
}

std::optional<Problem>
append_boolean(const PlannedColumn& column, const Field& field, Bytes& out) {
    std::string word(trimmed(field.text));
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    for (const auto& [text, value] :
         std::initializer_list<std::pair<std::string_view, bool>>{{"t", true},
                                                                  {"true", true},
                                                                  {"y", true},
                                                                  {"yes", true},
                                                                  {"on", true},
                                                                  {"1", true},
                                                                  {"f", false},
                                                                  {"false", false},
                                                                  {"n", false},
                                                                  {"no", false},
                                                                  {"off", false},
                                                                  {"0", false}})
        if (word == text) {
            append_32(out, 1);
            out.push_back(value ? 1 : 0);
            return std::nullopt;
        }
    return bad_syntax(column, field.text);
}

std::optional<Problem>
append_uuid(const PlannedColumn& column, const Field& field, Bytes& out) {
    std::array<std::uint8_t, 16> bytes{};
    std::size_t n_digits = 0;
    for (const char c : trimmed(field.text)) {
        if (c == '-' || c == '{' || c == '}')
            continue;
        const auto* digits = "0123456789abcdef";
        const char* digit = std::strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);
        if (digit == nullptr || *digit == '\0' || n_digits == 32)
            return bad_syntax(column, field.text);
        bytes[n_digits / 2] =
            static_cast<std::uint8_t>(bytes[n_digits / 2] << 4 | (digit - digits));
        ++n_digits;
    }
    if (n_digits != 32)
        return bad_syntax(column, field.text);
    append_32(out, 16);
    out.insert(out.end(), bytes.begin(), bytes.end());
    return std::nullopt;
}

/// What a text or JSON column gets of a field; strings of JSON get their quotes back for JSON.
std::string
json_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        if (static_cast<unsigned char>(c) < ' ')
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + '"';
}

std::optional<Problem>
append_characters(const PlannedColumn& column, const Field& field, Bytes& out) {
    std::string made;
    std::string_view text = field.text;
    const bool is_json_column =
        column.kind == ColumnType::kJson || column.kind == ColumnType::kJsonb;
    if (field.kind == Field::Kind::kInteger)
        text = made = std::to_string(field.integer);
    else if (field.kind == Field::Kind::kVector)
        text = made = vector_to_text(field.vector);
    else if (is_json_column && field.kind == Field::Kind::kString)
        text = made = json_string(field.text);
    if (!is_utf8(text))
        return Problem{
            "22021",
            fmt::format("column \"{}\": invalid byte sequence for encoding \"UTF8\"", column.name)};
    if (is_json_column && field.kind != Field::Kind::kString && !is_json(text))
        return bad_syntax(column, text);
    const bool is_jsonb = column.kind == ColumnType::kJsonb;
    append_32(out, static_cast<std::uint32_t>(text.size() + (is_jsonb ? 1 : 0)));
    if (is_jsonb)
        out.push_back(1);  // the version of the binary form
    append_text(out, text);
    return std::nullopt;
}

std::optional<Problem>
append_half(std::span<const float> values, Bytes& out) {
    append_32(out, static_cast<std::uint32_t>(4 + 2 * values.size()));
    append_16(out, static_cast<std::uint16_t>(values.size()));
    append_16(out, 0);
    for (const float value : values) {
        const std::uint16_t half = float_to_half(value);
        if ((half & 0x7fff) == 0x7c00)
            return Problem{"22003", fmt::format("\"{}\" is out of range for type halfvec", value)};
        append_16(out, half);
    }
    return std::nullopt;
}

void
append_sparse(std::span<const float> values, Bytes& out) {
    const auto n_set = static_cast<std::uint32_t>(
        std::count_if(values.begin(), values.end(), [](float v) { return v != 0; }));
    append_32(out, 12 + 8 * n_set);
    append_32(out, static_cast<std::uint32_t>(values.size()));
    append_32(out, n_set);
    append_32(out, 0);
    for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i] != 0)
            append_32(out, static_cast<std::uint32_t>(i));
    for (const float value : values)
        if (value != 0)
            append_32(out, std::bit_cast<std::uint32_t>(value));
}

}  // namespace

void
append_16(Bytes& out, std::uint16_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

void
append_32(Bytes& out, std::uint32_t value) {
    const std::uint8_t bytes[] = {
        static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
        static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
    out.insert(out.end(), bytes, bytes + sizeof bytes);
}

void
append_64(Bytes& out, std::uint64_t value) {
    append_32(out, static_cast<std::uint32_t>(value >> 32));
    append_32(out, static_cast<std::uint32_t>(value));
}

void
append_text(Bytes& out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}

std::optional<Problem>
ValueWriter::append_vector(const PlannedColumn& column, const Field& field, Bytes& out) {
    const VectorReader::Outcome read = vectors_.read(field);
    if (read.problem)
        return read.problem;
    if (std::optional<Problem> problem = judge_vector(read.values, column.n_dims))
        return problem;
    if (column.kind == ColumnType::kHalfvec)
        return append_half(read.values, out);
    if (column.kind == ColumnType::kSparsevec) {
        append_sparse(read.values, out);
        return std::nullopt;
    }
    const std::size_t n_bytes = core::wire_size(read.values.size());
    append_32(out, static_cast<std::uint32_t>(n_bytes));
    out.resize(out.size() + n_bytes);
    core::encode_vector(read.values, std::span(out).last(n_bytes));
    return std::nullopt;
}

std::optional<Problem>
ValueWriter::append_bits(const PlannedColumn& column, const Field& field, Bytes& out) {
    std::string packed;
    std::size_t n_bits = field.text.size() * 8;
    std::string_view bytes = field.text;
    if (field.kind != Field::Kind::kBits) {
        // As text: zeros and ones.
        const std::string_view text = trimmed(field.text);
        if (text.empty() || text.find_first_not_of("01") != std::string_view::npos)
            return bad_syntax(column, field.text);
        n_bits = text.size();
        packed.resize((n_bits + 7) / 8);
        for (std::size_t i = 0; i < n_bits; ++i)
            if (text[i] == '1')
                packed[i / 8] = static_cast<char>(packed[i / 8] | (0x80 >> (i % 8)));
        bytes = packed;
    }
    if (column.n_dims != 0 && n_bits != column.n_dims)
        return Problem{"22026", fmt::format("bit string length {} does not match type bit({})",
                                            n_bits, column.n_dims)};
    append_32(out, static_cast<std::uint32_t>(4 + bytes.size()));
    append_32(out, static_cast<std::uint32_t>(n_bits));
    append_text(out, bytes);
    return std::nullopt;
}

std::optional<Problem>
ValueWriter::append(const PlannedColumn& column, const Field& field, Bytes& out) {
    if (field.kind == Field::Kind::kNull) {
        if (column.is_required)
            return Problem{
                "23502",
                fmt::format("null value in column \"{}\", which must not be NULL", column.name)};
        append_32(out, kNull);
        return std::nullopt;
    }
    const bool is_dense = column.kind == ColumnType::kVector;
    if (field.kind == Field::Kind::kBinary && !is_dense) {
        append_32(out, static_cast<std::uint32_t>(field.text.size()));
        append_text(out, field.text);
        return std::nullopt;
    }
    switch (column.kind) {
        case ColumnType::kVector:
        case ColumnType::kHalfvec:
        case ColumnType::kSparsevec:
            return append_vector(column, field, out);
        case ColumnType::kBit:
            return append_bits(column, field, out);
        case ColumnType::kInt2:
        case ColumnType::kInt4:
        case ColumnType::kInt8:
            return append_integer(column, field, out);
        case ColumnType::kFloat4:
        case ColumnType::kFloat8:
            return append_float(column, field, out);
        case ColumnType::kBool:
            return append_boolean(column, field, out);
        case ColumnType::kUuid:
            return append_uuid(column, field, out);
        case ColumnType::kText:
        case ColumnType::kJson:
        case ColumnType::kJsonb:
        case ColumnType::kOther:
            break;
    }
    return append_characters(column, field, out);
}

std::optional<Problem>
ValueWriter::append_as_text(const PlannedColumn& column, const Field& field, Bytes& out) {
    if (field.kind == Field::Kind::kNull && !column.is_required) {
        append_text(out, "\\N");
        return std::nullopt;
    }
    // The binary form judges the value.
    scratch_.clear();
    if (std::optional<Problem> problem = append(column, field, scratch_))
        return problem;
    std::string made;
    std::string_view text = field.text;
    if (column.kind == ColumnType::kVector || column.kind == ColumnType::kHalfvec) {
        text = made = vector_to_text(vectors_.read(field).values);
    } else if (column.kind == ColumnType::kSparsevec || field.kind == Field::Kind::kBits) {
        return Problem{"0A000",
                       fmt::format("column \"{}\": {} beside columns without a binary form",
                                   column.name, column.type)};
    } else if (column.kind == ColumnType::kText || column.kind == ColumnType::kOther ||
               column.kind == ColumnType::kJson || column.kind == ColumnType::kJsonb) {
        const std::size_t n_skip = column.kind == ColumnType::kJsonb ? 5 : 4;
        text = {reinterpret_cast<const char*>(scratch_.data()) + n_skip, scratch_.size() - n_skip};
    } else if (field.kind == Field::Kind::kInteger) {
        text = made = std::to_string(field.integer);
    }
    for (const char c : text) {
        switch (c) {
            case '\\':
                append_text(out, "\\\\");
                break;
            case '\n':
                append_text(out, "\\n");
                break;
            case '\r':
                append_text(out, "\\r");
                break;
            case '\t':
                append_text(out, "\\t");
                break;
            default:
                out.push_back(static_cast<std::uint8_t>(c));
        }
    }
    return std::nullopt;
}

}  // namespace vext::client
