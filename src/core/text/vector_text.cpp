// Reads and prints the text form of a vector, in one pass and without copies.
//
// 1. Decimal numbers are read by fast_float, over the text itself and of any length, except short
//    ones, which are most (short_decimal.h). fast_float's versions disagree on the error code of
//    overflow and underflow, never on the value: the value is judged.
// 2. Hexadecimal numbers, which fast_float lacks, are read by strtof over a bounded copy. It alone
//    depends on the locale, and the server keeps LC_NUMERIC at C in every backend.
// 3. Every error shows at the earliest byte that strtof, applied number by number, would show it:
//    a number that is too large or not finite wins over junk right behind it.

#include "core/text/vector_text.h"

#include <fast_float/fast_float.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/text/short_decimal.h"

/// The server's shortest-float printer: at most 15 bytes, no terminating zero.
extern "C" int float_to_shortest_decimal_bufn(float value, char* result);

namespace vext::core {

namespace {

struct NumberRead {
    TextError error;
    float value;
    const char* end;  ///< behind the number; not set beside kSyntax, kNan and kInfinite
};

bool
is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

const char*
skip_blanks(const char* p, const char* end) {
    while (p != end && is_blank(*p))
        ++p;
    return p;
}

/// Whether the text starts with `word`, in any case. Requires: `word` is three lower-case letters.
bool
starts_with_word(const char* p, const char* end, const char* word) {
    return end - p >= 3 && (p[0] | 0x20) == word[0] && (p[1] | 0x20) == word[1] &&
           (p[2] | 0x20) == word[2];
}

NumberRead
to_number_read(float value, const char* end) {
    return {std::isinf(value) ? TextError::kOutOfRange : TextError::kNone, value, end};
}

/// `p` is at the sign, if there is one.
NumberRead
read_hexadecimal(const char* p, const char* end) {
    // At most two bytes at the cut can be an unfinished exponent that strtof leaves out, so with
    // three bytes more than the limit every longer number is seen to be longer.
    std::array<char, kMaxHexadecimalLength + 4> copy;
    const std::size_t n_bytes = std::min<std::size_t>(end - p, copy.size() - 1);
    std::memcpy(copy.data(), p, n_bytes);
    copy[n_bytes] = '\0';

    char* copy_end = nullptr;
    const float value = std::strtof(copy.data(), &copy_end);
    const std::size_t length = copy_end - copy.data();
    if (length > kMaxHexadecimalLength)
        return {TextError::kSyntax, 0, nullptr};
    return to_number_read(value, p + length);
}

/// Reads what does not start like a plain decimal number.
NumberRead
read_unusual_number(const char* begin, const char* end) {
    const char* p = begin;
    if (p != end && (*p == '+' || *p == '-'))
        ++p;
    if (starts_with_word(p, end, "nan"))
        return {TextError::kNan, 0, nullptr};
    if (starts_with_word(p, end, "inf"))
        return {TextError::kInfinite, 0, nullptr};
    if (end - p >= 2 && p[0] == '0' && (p[1] | 0x20) == 'x')
        return read_hexadecimal(begin, end);
    if (*begin != '+' || p == end || *p == '-')
        return {TextError::kSyntax, 0, nullptr};

    float value = 0;
    const auto [number_end, code] = fast_float::from_chars(p, end, value);
    if (code == std::errc::invalid_argument)
        return {TextError::kSyntax, 0, nullptr};
    return to_number_read(value, number_end);
}

/// Requires: begin != end.
inline NumberRead
read_number(const char* begin, const char* end) {
    const char* p = begin + (*begin == '-');
    const bool is_decimal = p != end && ((*p >= '0' && *p <= '9') || *p == '.');
    if (!is_decimal || (*p == '0' && end - p >= 2 && (p[1] | 0x20) == 'x'))
        return read_unusual_number(begin, end);

    const ShortDecimal decimal = read_short_decimal(begin, end);
    if (decimal.end != nullptr)
        return {TextError::kNone, decimal.value, decimal.end};
    float value = 0;
    const auto [number_end, code] = fast_float::from_chars(begin, end, value);
    if (code == std::errc::invalid_argument)
        return {TextError::kSyntax, 0, nullptr};
    return to_number_read(value, number_end);
}

ParsedVector
failure(TextError error, std::string_view number = {}) {
    return {error, 0, number};
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

    std::size_t n_dims = 0;
    for (;;) {
        if (n_dims == out.size())
            return failure(TextError::kTooManyDimensions);
        p = skip_blanks(p, end);
        if (p == end)
            return failure(TextError::kSyntax);

        const NumberRead read = read_number(p, end);
        if (read.error != TextError::kNone && read.error != TextError::kOutOfRange)
            return failure(read.error);
        const Number number = round_to<Number>(read.value);
        if (is_infinite(number))
            return failure(TextError::kOutOfRange, {p, static_cast<std::size_t>(read.end - p)});
        out[n_dims++] = number;

        p = skip_blanks(read.end, end);
        if (p == end || (*p != ',' && *p != ']'))
            return failure(TextError::kSyntax);
        if (*p++ == ']')
            break;
    }

    if (skip_blanks(p, end) != end)
        return failure(TextError::kJunkAfterClosing);
    return {TextError::kNone, n_dims, {}};
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
