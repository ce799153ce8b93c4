// Reads and prints the text form of a vector, in one pass and without copies.
//
// Every error shows at the earliest byte that strtof, applied number by number, would show it: a
// number that is too large or not finite wins over junk right behind it.

#include "core/text/vector_text.h"

#include "core/text/decimal_run.h"
#include "core/text/number.h"

/// The server's shortest-float printer: at most 15 bytes, no terminating zero.
extern "C" int float_to_shortest_decimal_bufn(float value, char* result);

namespace vext::core {

namespace {

ParsedVector
failure(TextError error, std::size_t n_dims = 0, std::string_view number = {}) {
    return {error, n_dims, number, {}};
}

/// `p` is where the element begins, or the end of the text.
ParsedVector
syntax_failure(std::size_t n_dims, const char* p, const char* end) {
    if (p == end)
        return failure(TextError::kSyntax, n_dims);
    const char* last = p;
    while (last != end && *last != ',' && *last != ']')
        ++last;
    return {TextError::kSyntax, n_dims, {}, {p, static_cast<std::size_t>(last - p)}};
}

template <typename Number>
ParsedVector
parse(std::string_view text, std::span<Number> out) {
    const char* const end = text.data() + text.size();
    const char* p = skip_blanks(text.data(), end);
    if (p == end || *p != '[')
        return failure(TextError::kNoOpeningBracket);
    p = skip_blanks(p + 1, end);
    if (p != end && *p == ']')
        return failure(TextError::kNoDimensions);

    DecimalRun run(text);
    std::size_t n_dims = 0;
    for (;;) {
        n_dims += run.read(p, out.subspan(n_dims));
        if (n_dims == out.size())
            return failure(TextError::kTooManyDimensions);
        p = skip_blanks(p, end);
        if (p == end)
            return syntax_failure(n_dims, p, end);

        const NumberRead read = read_number(p, end);
        if (read.error == TextError::kSyntax)
            return syntax_failure(n_dims, p, end);
        if (read.error != TextError::kNone && read.error != TextError::kOutOfRange)
            return failure(read.error, n_dims);
        const Number number = round_to<Number>(read.value);
        if (is_infinite(number))
            return failure(TextError::kOutOfRange, n_dims,
                           {p, static_cast<std::size_t>(read.end - p)});

        const char* behind = skip_blanks(read.end, end);
        if (behind == end)
            return syntax_failure(n_dims + 1, behind, end);
        if (*behind != ',' && *behind != ']')
            return syntax_failure(n_dims, p, end);
        out[n_dims++] = number;
        p = behind;
        if (*p++ == ']')
            break;
    }

    if (skip_blanks(p, end) != end)
        return failure(TextError::kJunkAfterClosing);
    return {TextError::kNone, n_dims, {}, {}};
}

template <typename Number>
std::size_t
print(std::span<const Number> values, std::span<char> out) {
    char* p = out.data();
    *p++ = '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i > 0)
            *p++ = ',';
        p += float_to_shortest_decimal_bufn(to_float(values[i]), p);
    }
    *p++ = ']';
    return p - out.data();
}

}  // namespace

ParsedVector
parse_vector(std::string_view text, std::span<float> out) {
    return parse(text, out);
}

ParsedVector
parse_vector(std::string_view text, std::span<Half> out) {
    return parse(text, out);
}

std::size_t
print_vector(std::span<const float> values, std::span<char> out) {
    return print(values, out);
}

std::size_t
print_vector(std::span<const Half> values, std::span<char> out) {
    return print(values, out);
}

}  // namespace vext::core
