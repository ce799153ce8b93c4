// The text form read in the plainest way, number by number with strtof: the model that parse_vector
// must equal, in its values and in its errors.

#pragma once

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/vector_text.h"

namespace vext::test {

struct ModelVector {
    core::TextError error = core::TextError::kNone;
    std::vector<float> values;
    std::string number;
};

/// From here on numbers are out of range, by their type.
inline constexpr float kFloatLimit = std::numeric_limits<float>::infinity();
inline constexpr float kHalfLimit = 65520;

/// What strtof reads at `p`. A hexadecimal number over the limit is a syntax error.
inline core::TextError
read_number_with_strtof(const char* p, float limit, float& value, const char*& end) {
    char* number_end = nullptr;
    value = std::strtof(p, &number_end);
    end = number_end;
    const std::string_view number(p, end - p);
    if (number.empty())
        return core::TextError::kSyntax;
    if (std::isnan(value))
        return core::TextError::kNan;
    if (number.find_first_of("iI") != number.npos)
        return core::TextError::kInfinite;
    if (number.find_first_of("xX") != number.npos && number.size() > core::kMaxHexadecimalLength)
        return core::TextError::kSyntax;
    return std::fabs(value) >= limit ? core::TextError::kOutOfRange : core::TextError::kNone;
}

inline ModelVector
parse_with_strtof(const std::string& text, std::size_t max_dims, float limit = kFloatLimit) {
    using core::TextError;
    const char* p = text.c_str();
    const char* const end = p + text.size();
    const auto skip_blanks = [&] {
        while (std::isspace(static_cast<unsigned char>(*p)))
            ++p;
    };

    skip_blanks();
    if (*p != '[')
        return {TextError::kNoOpeningBracket, {}, {}};
    ++p;
    skip_blanks();
    if (*p == ']')
        return {TextError::kNoDimensions, {}, {}};

    ModelVector parsed;
    for (char separator = ','; separator == ',';) {
        if (parsed.values.size() == max_dims)
            return {TextError::kTooManyDimensions, {}, {}};
        skip_blanks();
        float value = 0;
        const char* number_end = nullptr;
        parsed.error = read_number_with_strtof(p, limit, value, number_end);
        if (parsed.error == TextError::kOutOfRange)
            return {parsed.error, {}, std::string(p, number_end)};
        if (parsed.error != TextError::kNone)
            return {parsed.error, {}, {}};
        parsed.values.push_back(value);
        p = number_end;
        skip_blanks();
        separator = *p;
        if (separator != ',' && separator != ']')
            return {TextError::kSyntax, {}, {}};
        ++p;
    }
    skip_blanks();
    if (p != end)
        return {TextError::kJunkAfterClosing, {}, {}};
    return parsed;
}

}  // namespace vext::test
