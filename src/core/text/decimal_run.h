// Reads runs of short decimals that commas part, such as `-0.012345678, 1.5, 12`, several at a
// time: where numbers end is found beforehand, so that reading one does not wait for the one
// before.
//
// A number is its part before the point and sixteen decimals at most, summed as doubles. Four
// roundings leave the sum at most four units of its last place from the number, and rounding it to
// float is as good as rounding the number, unless the middle between two floats is about as near:
// those are left to others.

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "core/half.h"

#if defined(__SSE2__)

#include <emmintrin.h>

namespace vext::core {

namespace decimal_run {

inline constexpr std::size_t kBlock = 64;
inline constexpr std::size_t kMostDecimals = 16;

/// Sixteen bytes from the n-th one on: zeros, but for the last n.
alignas(16) inline constexpr std::uint8_t kLastBytes[32] = {
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

/// Of 10^-n: what the eighth decimal from the end, and the last one, are worth.
struct Worth {
    double eighth;
    double last;
};
alignas(16) inline constexpr Worth kWorth[kMostDecimals + 1] = {
    {1e8, 1e0},    {1e7, 1e-1},   {1e6, 1e-2},   {1e5, 1e-3},   {1e4, 1e-4},   {1e3, 1e-5},
    {1e2, 1e-6},   {1e1, 1e-7},   {1e0, 1e-8},   {1e-1, 1e-9},  {1e-2, 1e-10}, {1e-3, 1e-11},
    {1e-4, 1e-12}, {1e-5, 1e-13}, {1e-6, 1e-14}, {1e-7, 1e-15}, {1e-8, 1e-16}};

struct Decimals {
    double value;
    bool are_digits;
};

/// As std::popcount, which is a call where the instruction may be missing.
inline int
count_bits(std::uint64_t bits) {
    bits -= (bits >> 1) & 0x5555555555555555;
    bits = (bits & 0x3333333333333333) + ((bits >> 2) & 0x3333333333333333);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return static_cast<int>((bits * 0x0101010101010101) >> 56);
}

/// Which of 64 bytes are commas, the first in the lowest bit.
inline std::uint64_t
find_commas(const char* p) {
    const auto commas_of = [p](int i) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i));
        const int commas = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
        return static_cast<std::uint64_t>(commas) << i;
    };
    return commas_of(0) | commas_of(16) | commas_of(32) | commas_of(48);
}

/// The last `n` bytes before `end` as decimals. Requires: n <= kMostDecimals; 16 bytes before `end`
/// can be read.
inline Decimals
read_decimals(const char* end, std::size_t n) {
    const __m128i kept = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kLastBytes + n));
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(end - 16));
    bytes = _mm_and_si128(_mm_xor_si128(bytes, _mm_set1_epi8('0')), kept);
    const __m128i nines = _mm_min_epu8(bytes, _mm_set1_epi8(9));
    const int digits = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, nines));
    // Of two digits, four, eight.
    const __m128i twos = _mm_srli_epi16(_mm_mullo_epi16(bytes, _mm_set1_epi16(0x0a01)), 8);
    const __m128i fours = _mm_madd_epi16(twos, _mm_set1_epi32(1 << 16 | 100));
    const __m128i eights =
        _mm_madd_epi16(_mm_packs_epi32(fours, fours), _mm_set1_epi32(1 << 16 | 10000));
    const __m128d worth = _mm_load_pd(&kWorth[n].eighth);
    const __m128d parts = _mm_mul_pd(_mm_cvtepi32_pd(eights), worth);
    return {_mm_cvtsd_f64(_mm_add_sd(parts, _mm_unpackhi_pd(parts, parts))), digits == 0xffff};
}

}  // namespace decimal_run

/// The numbers of one text.
class DecimalRun {
   public:
    explicit DecimalRun(std::string_view text)
        : begin_(text.data()), end_(text.data() + text.size()) {}

    /// Reads numbers from `p` into `out` up to the first that is none of ours, is not followed by a
    /// comma, or is near an end of the text. Returns how many; `p` is moved behind the last comma.
    template <typename Number>
    std::size_t
    read(const char*& p, std::span<Number> out) {
        static_assert(std::is_same_v<Number, float> || std::is_same_v<Number, Half>,
                      "numbers up to 999 are stored without a look at the range");
        if (p - begin_ < 16)
            return 0;
        std::size_t n_read = 0;
        bool is_ours = true;
        while (is_ours && n_read < out.size()) {
            while (next_ < n_commas_ && window_ + commas_[next_] < p)
                ++next_;
            if (next_ == n_commas_ && !find_commas(p))
                break;
            const std::size_t n_most = std::min(n_commas_ - next_, out.size() - n_read);
            std::size_t i = 0;
            for (; i < n_most; ++i) {
                const char* const comma = window_ + commas_[next_ + i];
                float value = 0;
                is_ours = read_before(p, comma, value);
                if (!is_ours)
                    break;
                out[n_read + i] = round_to<Number>(value);
                p = comma + 1;
            }
            next_ += i;
            n_read += i;
        }
        return n_read;
    }

   private:
    static constexpr std::size_t kWindow = 16 * decimal_run::kBlock;

    /// Of the text from `p` on; false when there are none near.
    bool
    find_commas(const char* p) {
        using decimal_run::kBlock;
        constexpr std::uint64_t kLast = std::uint64_t{1} << 63;
        window_ = p;
        next_ = 0;
        std::uint16_t* to = commas_.data();
        const std::size_t n_bytes = std::min<std::size_t>(end_ - p, kWindow);
        for (std::size_t at = 0; at + kBlock <= n_bytes; at += kBlock) {
            std::uint64_t commas = decimal_run::find_commas(p + at);
            const int n = decimal_run::count_bits(commas);
            const auto take = [&](int i) {
                to[i] = static_cast<std::uint16_t>(at + std::countr_zero(commas | kLast));
                commas &= commas - 1;
            };
            // Most blocks have at most eight: so many are taken without asking.
            take(0);
            take(1);
            take(2);
            take(3);
            take(4);
            take(5);
            take(6);
            take(7);
            for (int i = 8; i < n; ++i)
                take(i);
            to += n;
        }
        n_commas_ = to - commas_.data();
        return n_commas_ > 0;
    }

    /// Reads the number from `p` to the comma. Whether it is one of ours.
    [[gnu::always_inline]] static bool
    read_before(const char* p, const char* comma, float& value) {
        using namespace decimal_run;
        constexpr std::uint64_t kBelowFloat = (std::uint64_t{1} << 29) - 1;
        constexpr std::uint64_t kMiddle = std::uint64_t{1} << 28;
        if (*p == ' ')
            ++p;
        // Not by a branch: signs are hard to predict.
        const std::uint32_t is_negative = *p == '-';
        p += is_negative;
        unsigned before_point = static_cast<std::uint8_t>(*p - '0');
        if (before_point > 9)
            return false;
        while (*++p != '.') {
            const auto digit = static_cast<std::uint8_t>(*p - '0');
            if (digit > 9 || before_point > 99)
                break;
            before_point = 10 * before_point + digit;
        }
        std::size_t n_decimals = comma - p - 1;
        if (n_decimals > kMostDecimals) {
            if (p != comma)
                return false;
            n_decimals = 0;
        } else if (*p != '.') {
            return false;
        }
        const Decimals decimals = read_decimals(comma, n_decimals);
        const double sum = static_cast<double>(static_cast<int>(before_point)) + decimals.value;
        const std::uint64_t below = std::bit_cast<std::uint64_t>(sum) & kBelowFloat;
        const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(sum));
        value = std::bit_cast<float>(bits | is_negative << 31);
        return decimals.are_digits && below - (kMiddle - 8) > 16;
    }

    const char* begin_;
    const char* end_;
    const char* window_ = nullptr;
    std::size_t next_ = 0;
    std::size_t n_commas_ = 0;
    /// From the window's start. Eight are written at a time.
    std::array<std::uint16_t, kWindow + 8> commas_;
};

}  // namespace vext::core

#else

namespace vext::core {

/// Without the instructions that pay for finding the commas.
class DecimalRun {
   public:
    explicit DecimalRun(std::string_view) {}

    template <typename Number>
    std::size_t
    read(const char*&, std::span<Number>) {
        return 0;
    }
};

}  // namespace vext::core

#endif
