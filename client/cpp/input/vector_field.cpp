#include "input/vector_field.h"

#include <fmt/format.h>

#include <bit>

#include "core/text/vector_text.h"
#include "core/text/vector_wire.h"
#include "error.h"

namespace vext::client {

namespace {

constexpr std::size_t kShown = 60;

std::string
shown(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, kShown))
        out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    // No half of a character at the cut.
    while (!out.empty() && out.size() == kShown && (out.back() & 0x80) != 0)
        out.pop_back();
    return text.size() > kShown ? out + "..." : out;
}

std::string_view
trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n\v\f";
    const std::size_t start = text.find_first_not_of(kBlanks);
    if (start == std::string_view::npos)
        return {};
    return text.substr(start, text.find_last_not_of(kBlanks) + 1 - start);
}

/// What people send in place of a vector, by name.
std::string
advice(std::string_view text) {
    if (text.starts_with("[["))
        return "; this is a list of lists";
    if (text.starts_with("\"") || text.find('"') != std::string_view::npos)
        return "; these are strings";
    if (text.starts_with('[') && text.find(',') == std::string_view::npos &&
        text.find(' ') != std::string_view::npos)
        return "; this is how NumPy prints an array: use json.dumps(array.tolist())";
    return "";
}

Problem
problem_of(core::ParsedVector parsed, std::string_view text) {
    using core::TextError;
    switch (parsed.error) {
        case TextError::kNoDimensions:
            return {"22000", "vector must have at least 1 dimension"};
        case TextError::kTooManyDimensions:
            return {"54000", fmt::format("vector cannot have more than {} dimensions", kMaxDims)};
        case TextError::kNan:
            return {"22000", "NaN not allowed in vector"};
        case TextError::kInfinite:
            return {"22000", "infinite value not allowed in vector"};
        case TextError::kOutOfRange:
            return {"22003",
                    fmt::format("\"{}\" is out of range for type vector", shown(parsed.number))};
        default:
            return {"22P02", fmt::format("invalid input syntax for type vector: \"{}\"{}",
                                         shown(text), advice(text))};
    }
}

}  // namespace

VectorReader::Outcome
VectorReader::read(std::string_view text) {
    std::string_view vector = text;
    if (const std::string_view inner = trimmed(text);
        inner.size() >= 2 && inner.front() == '{' && inner.back() == '}') {
        bracketed_.assign(inner);
        bracketed_.front() = '[';
        bracketed_.back() = ']';
        vector = bracketed_;
    }
    const core::ParsedVector parsed = core::parse_vector(vector, values_);
    if (parsed.error != core::TextError::kNone)
        return {{}, problem_of(parsed, text)};
    return {std::span(values_).first(parsed.n_dims), std::nullopt};
}

VectorReader::Outcome
VectorReader::read(const Field& field) {
    switch (field.kind) {
        case Field::Kind::kVector:
            return {field.vector, std::nullopt};
        case Field::Kind::kText:
        case Field::Kind::kString:
        case Field::Kind::kJson:
            return read(field.text);
        case Field::Kind::kBinary: {
            const std::span message(reinterpret_cast<const std::uint8_t*>(field.text.data()),
                                    field.text.size());
            const core::DecodedVector decoded = core::decode_vector(message, values_);
            if (decoded.error == core::WireError::kNone)
                return {std::span(values_).first(static_cast<std::size_t>(decoded.n_dims)),
                        std::nullopt};
            if (decoded.error == core::WireError::kNan)
                return {{}, Problem{"22000", "NaN not allowed in vector"}};
            if (decoded.error == core::WireError::kInfinite)
                return {{}, Problem{"22000", "infinite value not allowed in vector"}};
            return {{},
                    Problem{"22P03", fmt::format("not the binary form of a vector ({} bytes)",
                                                 field.text.size())}};
        }
        case Field::Kind::kNull:
            return {{}, Problem{"23502", "null value where a vector belongs"}};
        case Field::Kind::kInteger:
        case Field::Kind::kBits:
            break;
    }
    return {{}, Problem{"42804", "expected a vector"}};
}

std::optional<Problem>
judge_vector(std::span<const float> values, std::size_t n_dims) {
    if (n_dims != 0 && values.size() != n_dims)
        return Problem{"22000",
                       fmt::format("expected {} dimensions, not {}", n_dims, values.size())};
    // All in one pass that the compiler can vectorize: exponents of ones only carry into the sign.
    std::uint32_t carried = 0;
    for (const float value : values)
        carried |= (std::bit_cast<std::uint32_t>(value) & 0x7fffffff) + 0x00800000;
    if (carried >> 31 == 0)
        return std::nullopt;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint32_t bits = std::bit_cast<std::uint32_t>(values[i]) & 0x7fffffff;
        if (bits > 0x7f800000)
            return Problem{"22000", fmt::format("NaN not allowed in vector (element {})", i + 1)};
        if (bits == 0x7f800000)
            return Problem{"22000",
                           fmt::format("infinite value not allowed in vector (element {})", i + 1)};
    }
    return std::nullopt;
}

void
look_for_vector(const Field& field, const std::string& place, SourceColumn& column) {
    VectorReader reader;
    const VectorReader::Outcome read = reader.read(field);
    column.n_dims = read.values.size();
    if (read.problem)
        column.problem = fmt::format("{}: {}", place, read.problem->message);
}

std::size_t
find_vector_field(const Input& input, const std::string& name) {
    const std::vector<SourceColumn>& columns = input.columns();
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i].name == name)
            return i;
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i].n_dims > 0 || columns[i].kind == Field::Kind::kBinary)
            return i;
    throw InputError(fmt::format("{}: {}", input.name(),
                                 input.first_problem().empty()
                                     ? "no field has vectors in its first row"
                                     : input.first_problem()));
}

std::string
vector_to_text(std::span<const float> values) {
    std::string text(core::printed_size_limit(values.size()), '\0');
    text.resize(core::print_vector(values, text));
    return text;
}

}  // namespace vext::client
