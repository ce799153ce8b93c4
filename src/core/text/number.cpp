// Reads numbers in text.
//
// 1. Decimal numbers are read by fast_float, over the text itself and of any length, except short
//    ones, which are most (short_decimal.h). fast_float's versions disagree on the error code of
//    overflow and underflow, never on the value: the value is judged.
// 2. Hexadecimal numbers, which fast_float lacks, are read by strtof over a bounded copy. It alone
//    depends on the locale, and the server keeps LC_NUMERIC at C in every backend.

#include "core/text/number.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace vext::core {

namespace {

/// Whether the text starts with `word`, in any case. Requires: `word` is three lower-case letters.
bool
starts_with_word(const char* p, const char* end, const char* word) {
    return end - p >= 3 && (p[0] | 0x20) == word[0] && (p[1] | 0x20) == word[1] &&
           (p[2] | 0x20) == word[2];
}

bool
starts_hexadecimal(const char* p, const char* end) {
    return end - p >= 2 && p[0] == '0' && (p[1] | 0x20) == 'x';
}

bool
is_digit(char c) {
    return c >= '0' && c <= '9';
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

}  // namespace

NumberRead
read_unusual_number(const char* begin, const char* end) {
    const char* p = begin;
    if (p != end && (*p == '+' || *p == '-'))
        ++p;
    if (starts_with_word(p, end, "nan"))
        return {TextError::kNan, 0, nullptr};
    if (starts_with_word(p, end, "inf"))
        return {TextError::kInfinite, 0, nullptr};
    if (starts_hexadecimal(p, end))
        return read_hexadecimal(begin, end);
    if (*begin != '+' || p == end || *p == '-')
        return {TextError::kSyntax, 0, nullptr};

    float value = 0;
    const auto [number_end, code] = fast_float::from_chars(p, end, value);
    if (code == std::errc::invalid_argument)
        return {TextError::kSyntax, 0, nullptr};
    return to_number_read(value, number_end);
}

bool
is_underflow(const char* begin, const char* end) {
    const char* p = begin;
    if (p != end && (*p == '+' || *p == '-'))
        ++p;
    const bool is_hexadecimal = starts_hexadecimal(p, end);
    const char exponent = is_hexadecimal ? 'p' : 'e';
    // Of the mantissa, digits other than zero tell; a blank or sign does not come before the end.
    for (p += is_hexadecimal ? 2 : 0; p != end && (*p | 0x20) != exponent; ++p)
        if (*p != '0' && *p != '.')
            return true;
    return false;
}

IntegerRead
read_integer(const char* begin, const char* end) {
    constexpr std::int64_t kLimit = std::int64_t{1} << 31;
    const char* p = begin;
    const bool is_negative = p != end && *p == '-';
    if (p != end && (*p == '+' || *p == '-'))
        ++p;
    if (p == end || !is_digit(*p))
        return {0, nullptr};
    std::int64_t value = 0;
    for (; p != end && is_digit(*p); ++p)
        value = std::min(10 * value + (*p - '0'), kLimit);
    return {is_negative ? -value : value, p};
}

}  // namespace vext::core
