// Numbers in text, as strtof reads them: decimal, hexadecimal, with a leading sign.

#pragma once

#include <fast_float/fast_float.h>

#include <cmath>

#include "core/text/short_decimal.h"
#include "core/text/vector_text.h"

namespace vext::core {

struct NumberRead {
    TextError error;  ///< kNone, kSyntax, kNan, kInfinite or kOutOfRange (too large)
    float value;
    const char* end;  ///< behind the number; not set beside kSyntax, kNan and kInfinite
};

inline bool
is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

inline const char*
skip_blanks(const char* p, const char* end) {
    while (p != end && is_blank(*p))
        ++p;
    return p;
}

inline NumberRead
to_number_read(float value, const char* end) {
    return {std::isinf(value) ? TextError::kOutOfRange : TextError::kNone, value, end};
}

/// Reads what does not start like a plain decimal number.
NumberRead read_unusual_number(const char* begin, const char* end);

/// What is too small becomes zero. Never reads outside the text. Requires: begin != end; LC_NUMERIC
/// is C, as in every backend.
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

/// Whether the text of a number that was read as zero is not that of zero.
bool is_underflow(const char* begin, const char* end);

struct IntegerRead {
    std::int64_t value;  ///< beyond int32 it stays at 2^31, or at -2^31
    const char* end;     ///< behind the number; null when there is none
};

/// Reads a decimal integer with an optional sign.
IntegerRead read_integer(const char* begin, const char* end);

}  // namespace vext::core
