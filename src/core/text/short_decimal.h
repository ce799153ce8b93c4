// Reads the decimal numbers that vectors are mostly made of, such as `-0.012345678`, faster than a
// reader of all numbers can, and leaves the others to it.
//
// Digits below 2^53 and powers of ten up to 10^22 are exact doubles, so their quotient is rounded
// once to double and once more to float. That is as good as once, unless the double is the very
// middle between two floats: those are left to others as well.

#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace vext::core {

struct ShortDecimal {
    float value;
    const char* end;  ///< behind the number; null when it is left to others
};

namespace short_decimal {

inline constexpr double kPowersOfTen[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                          1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
inline constexpr std::uint64_t kIntegerPowersOfTen[] = {1,      10,      100,      1000,     10000,
                                                        100000, 1000000, 10000000, 100000000};

/// The digits that eight bytes start with, and their number.
struct Digits {
    std::uint64_t value;
    unsigned n_digits;
};

inline Digits
read_digits(const char* p) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, p, sizeof bytes);
    bytes ^= 0x3030303030303030;  // a digit becomes its value, all else 10 or more
    const std::uint64_t others = ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080;
    const unsigned n_digits = static_cast<unsigned>(std::countr_zero(others)) / 8;
    // Zeros come in before the digits; what follows the digits goes out.
    // In two steps, since there is no shift by 64.
    const unsigned half = 32 - 4 * n_digits;
    bytes = bytes << half << half;
    bytes = (bytes * 10 + (bytes >> 8)) & 0x00ff00ff00ff00ff;
    bytes = (bytes * 100 + (bytes >> 16)) & 0x0000ffff0000ffff;
    bytes = (bytes * 10000 + (bytes >> 32)) & 0x00000000ffffffff;
    return {bytes, n_digits};
}

}  // namespace short_decimal

/// One to three digits, a point, at most 15 digits. Numbers near the end of the text are left to
/// others, too. Requires: begin != end.
inline ShortDecimal
read_short_decimal(const char* begin, const char* end) {
    using namespace short_decimal;
    constexpr ShortDecimal kOther = {0, nullptr};
    constexpr std::ptrdiff_t kBytesRead = 1 + 3 + 1 + 8 + 8 + 1;
    constexpr std::uint64_t kBelowFloat = (std::uint64_t{1} << 29) - 1;
    constexpr std::uint64_t kMiddle = std::uint64_t{1} << 28;
    if (end - begin < kBytesRead || std::endian::native != std::endian::little)
        return kOther;

    const char* p = begin + (*begin == '-');
    std::uint64_t digits = 0;
    int n_before_point = 0;
    for (; n_before_point < 3 && *p >= '0' && *p <= '9'; ++n_before_point)
        digits = 10 * digits + static_cast<std::uint64_t>(*p++ - '0');
    if (n_before_point == 0 || *p != '.')
        return kOther;

    const Digits first = read_digits(++p);
    Digits second = read_digits(p + 8);
    if (second.n_digits == 8)
        return kOther;
    // Not by a branch: whether there are more than eight digits is hard to predict.
    const unsigned goes_on = first.n_digits / 8;
    second = {second.value * goes_on, second.n_digits * goes_on};
    const unsigned n_decimals = first.n_digits + second.n_digits;
    p += n_decimals;
    digits = digits * kIntegerPowersOfTen[first.n_digits] + first.value;
    digits = digits * kIntegerPowersOfTen[second.n_digits] + second.value;
    if ((*p | 0x20) == 'e' || digits >> 53 != 0)
        return kOther;

    const double quotient = static_cast<double>(digits) / kPowersOfTen[n_decimals];
    if ((std::bit_cast<std::uint64_t>(quotient) & kBelowFloat) == kMiddle)
        return kOther;
    // Not by a branch: signs are hard to predict.
    const std::uint32_t sign = std::uint32_t{*begin == '-'} << 31;
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(quotient));
    return {std::bit_cast<float>(bits | sign), p};
}

}  // namespace vext::core
