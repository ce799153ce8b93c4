// The text form of a vector: `[1,2.5,-3]`. Its numbers are float32, or halves.
//
// Shared by the server and the client. Numbers are read as strtof reads them (hexadecimal, a
// leading `+` and blanks around every token are accepted; underflow gives zero) and printed as the
// shortest decimal that reads back to the same float32. Halves are read and printed as float32, and
// rounded once more: what then is infinite is out of range.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/half.h"

namespace vext::core {

enum class TextError : std::uint8_t {
    kNone,
    kNoOpeningBracket,
    kJunkAfterClosing,
    kSyntax,
    kNoDimensions,
    kTooManyDimensions,
    kNan,
    kInfinite,
    kOutOfRange,
};

struct ParsedVector {
    TextError error;
    std::size_t n_dims;        ///< those read; beside an error, before it
    std::string_view number;   ///< the offending number, when error is kOutOfRange
    std::string_view element;  ///< the offending one up to its comma or bracket, for kSyntax; null
                               ///< data where the text ends instead
};

/// A hexadecimal number of more bytes, its sign included, is kSyntax. Decimal numbers have no
/// limit.
inline constexpr std::size_t kMaxHexadecimalLength = 128;

/// Reads `text` into `out`, whose size is the largest number of dimensions accepted; one more is
/// kTooManyDimensions. Every number in `out[0, n_dims)` is finite. Never reads outside `text`. The
/// first error from the left decides. Requires: LC_NUMERIC is C, as in every backend.
ParsedVector parse_vector(std::string_view text, std::span<float> out);
ParsedVector parse_vector(std::string_view text, std::span<Half> out);

/// An upper bound of the bytes that print_vector writes for `n_dims` dimensions.
constexpr std::size_t
printed_size_limit(std::size_t n_dims) {
    return 2 + n_dims * 16;
}

/// Writes the text form to `out` without a terminating zero; returns the bytes written.
/// Requires: out.size() >= printed_size_limit(values.size()).
std::size_t print_vector(std::span<const float> values, std::span<char> out);
std::size_t print_vector(std::span<const Half> values, std::span<char> out);

}  // namespace vext::core
