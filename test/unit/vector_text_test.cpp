// The text form: every refusal with its error, every accepted spelling with its value, exact round
// trips, and agreement with strtof over generated texts.

#include "core/text/vector_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../support/strtof_model.h"

namespace vext::core {

namespace {

constexpr std::size_t kMaxDims = 16000;
constexpr std::size_t kFewDims = 100;

struct Outcome {
    TextError error;
    std::vector<std::uint32_t> bits;  ///< of the values: NaN and -0 compare as what they are
    std::string number;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::vector<std::uint32_t>
to_bits(std::span<const float> values) {
    std::vector<std::uint32_t> bits;
    for (float value : values)
        bits.push_back(std::bit_cast<std::uint32_t>(value));
    return bits;
}

/// Parses a heap copy of exact size, so that the sanitizer sees every byte read beyond the text.
Outcome
parse(std::string_view text, std::size_t max_dims = kMaxDims) {
    const std::vector<char> copy(text.begin(), text.end());
    std::vector<float> out(max_dims);
    const ParsedVector parsed = parse_vector({copy.data(), copy.size()}, out);
    if (parsed.error != TextError::kNone)
        return {parsed.error, {}, std::string(parsed.number)};
    return {parsed.error, to_bits(std::span(out).first(parsed.n_dims)), {}};
}

Outcome
parse_by_model(const std::string& text, std::size_t max_dims = kMaxDims) {
    const test::ModelVector parsed = test::parse_with_strtof(text, max_dims);
    return {parsed.error, to_bits(parsed.values), parsed.number};
}

void
expect_values(std::string_view text, const std::vector<float>& values) {
    const Outcome expected{TextError::kNone, to_bits(values), {}};
    EXPECT_EQ(parse(text), expected) << text;
}

void
expect_error(std::string_view text, TextError error, std::string_view number = {}) {
    const Outcome expected{error, {}, std::string(number)};
    EXPECT_EQ(parse(text), expected) << text.substr(0, 200);
}

std::string
print(std::span<const float> values) {
    std::vector<char> out(printed_size_limit(values.size()) + 1, '#');
    const std::size_t n_bytes = print_vector(values, std::span(out).first(out.size() - 1));
    EXPECT_LT(n_bytes, out.size());
    EXPECT_EQ(out.back(), '#');
    return std::string(out.data(), n_bytes);
}

TEST(VectorText, ReadsPlainVectors) {
    expect_values("[1,2,3]", {1, 2, 3});
    expect_values("[-1.5]", {-1.5F});
    expect_values("[0.1,-0.1,3.4028235e38]", {0.1F, -0.1F, std::numeric_limits<float>::max()});
}

TEST(VectorText, AcceptsBlanksAroundEveryToken) {
    expect_values("[ 1 , 2 ]", {1, 2});
    expect_values(" \t\n\r\v\f[ \t\n\r\v\f1 \t\n\r\v\f, \t\n\r\v\f2 \t\n\r\v\f] \t\n\r\v\f",
                  {1, 2});
}

TEST(VectorText, AcceptsEverySpellingOfStrtof) {
    expect_values("[0x10,0X1P3,0x.8,0x1p-149,+0x1,-0x1]", {16, 8, 0.5F, 0x1p-149F, 1, -1});
    expect_values("[+1,.5,5.,1e5,1E+5,1.e-1,+.5,-.5,00012]",
                  {1, 0.5F, 5, 1e5F, 1e5F, 0.1F, 0.5F, -0.5F, 12});
}

TEST(VectorText, UnderflowsToSignedZeroAndKeepsDenormals) {
    expect_values("[1e-50,1e-46,-1e-46,-0,-0.0,+0]", {0, 0, -0.0F, -0.0F, -0.0F, 0});
    expect_values("[1e-45,-1e-45,1.1754942e-38]", {0x1p-149F, -0x1p-149F, 0x0.fffffep-126F});
    expect_values("[0e999999999999999999999,1e-999999999999999999999,-0x1p-9999]", {0, 0, -0.0F});
}

TEST(VectorText, RefusesTextThatDoesNotOpen) {
    for (const char* text : {"", " ", "1,2,3", "{1,2}", "]", "(1)", "x[1]"})
        expect_error(text, TextError::kNoOpeningBracket);
    EXPECT_EQ(parse_vector({}, std::span<float>()).error, TextError::kNoOpeningBracket);
}

TEST(VectorText, RefusesJunkBehindTheBracket) {
    for (const char* text : {"[1,2]x", "[1] ]", "[1],", "[1][2]"})
        expect_error(text, TextError::kJunkAfterClosing);
    expect_error(std::string_view("[1]\0", 4), TextError::kJunkAfterClosing);
}

TEST(VectorText, RefusesMalformedText) {
    for (const char* text :
         {"[",        "[ ",    "[1",     "[1 ",  "[1,",    "[1, ",  "[1,2",    "[1,]",
          "[,1]",     "[,]",   "[1,,2]", "[1a]", "[1 2]",  "[1;2]", "[1_000]", "[[1]]",
          "[-]",      "[+]",   "[.]",    "[-.]", "[+.]",   "[--1]", "[+-1]",   "[-+1]",
          "[++1]",    "[- 1]", "[+ 1]",  "[1e]", "[1e+]",  "[0x]",  "[0x1p]",  "[0xg]",
          "[+0x.p1]", "[in]",  "[na]",   "[e5]", "[1.2.3]"})
        expect_error(text, TextError::kSyntax);
    expect_error(std::string_view("[1\0]", 4), TextError::kSyntax);
    expect_error(std::string_view("[0x1\0]", 6), TextError::kSyntax);
}

TEST(VectorText, RefusesNoDimensions) {
    for (const char* text : {"[]", "[ ]", " [\t]", "[]x"})
        expect_error(text, TextError::kNoDimensions);
}

TEST(VectorText, RefusesNanAndInfinityInEverySpelling) {
    for (const char* text :
         {"[NaN]", "[nan]", "[-NAN]", "[+nan]", "[nan(12)]", "[nan(]", "[1,nanx]"})
        expect_error(text, TextError::kNan);
    for (const char* text : {"[Inf]", "[inf]", "[-INF]", "[+inf]", "[Infinity]", "[-infinity]",
                             "[-Infinity,nan]", "[infinit]"})
        expect_error(text, TextError::kInfinite);
}

TEST(VectorText, ReportsTheNumberThatIsOutOfRange) {
    expect_error("[4e38]", TextError::kOutOfRange, "4e38");
    expect_error("[1, -4e38 ,nan]", TextError::kOutOfRange, "-4e38");
    expect_error("[+4e38]", TextError::kOutOfRange, "+4e38");
    expect_error("[4e38x]", TextError::kOutOfRange, "4e38");
    expect_error("[0x1p128]", TextError::kOutOfRange, "0x1p128");
    expect_error("[-0x1p999999]", TextError::kOutOfRange, "-0x1p999999");
    expect_error("[1e999999999999999999999]", TextError::kOutOfRange, "1e999999999999999999999");
    // 2^128 - 2^103, half a step above the largest float, is the least number out of range.
    const std::string least = "340282356779733661637539395458142568448";
    expect_error("[" + least + "]", TextError::kOutOfRange, least);
    expect_error("[0x1.ffffffp127]", TextError::kOutOfRange, "0x1.ffffffp127");
    expect_values("[340282356779733661637539395458142568447,0x1.fffffeffp127]",
                  {std::numeric_limits<float>::max(), std::numeric_limits<float>::max()});
}

TEST(VectorText, CountsDimensionsBeforeReadingTheNext) {
    std::string text = "[0";
    for (std::size_t i = 1; i < kMaxDims; ++i)
        text += ",0";
    EXPECT_EQ(parse(text + "]").bits.size(), kMaxDims);
    expect_error(text + ",0]", TextError::kTooManyDimensions);
    expect_error(text + ",x", TextError::kTooManyDimensions);
    expect_error(text + " 0", TextError::kSyntax);
    EXPECT_EQ(parse("[1,2,3]", 3).error, TextError::kNone);
    EXPECT_EQ(parse("[1,2,3]", 2).error, TextError::kTooManyDimensions);
    EXPECT_EQ(parse("[1,x,3]", 2).error, TextError::kSyntax);
}

TEST(VectorText, ReadsNumbersOfAnyLength) {
    const std::string zeros(100000, '0');
    const std::string nines(100000, '9');
    expect_values("[" + zeros + "1." + zeros + "]", {1});
    expect_values("[0." + zeros + "1e100001]", {1});
    expect_values("[1" + zeros + "e-100000,1]", {1, 1});
    expect_values("[0." + nines + "]", {1});
    expect_values("[+0." + nines + "]", {1});
    expect_error("[" + nines + "]", TextError::kOutOfRange, nines);
    expect_error("[1e" + nines + "]", TextError::kOutOfRange, "1e" + nines);

    // Just above, at and just below the middle of 1 and the next float, decided by the last digit.
    const std::string middle = "1.000000059604644775390625" + zeros;
    expect_values("[" + middle + "1]", {std::nextafter(1.0F, 2.0F)});
    expect_values("[" + middle + "]", {1});
    expect_values("[1.000000059604644775390624" + nines + "]", {1});
}

TEST(VectorText, LimitsTheLengthOfHexadecimals) {
    const std::string longest = "-0x" + std::string(kMaxHexadecimalLength - 4, '0') + "1";
    ASSERT_EQ(longest.size(), kMaxHexadecimalLength);
    expect_values("[" + longest + "]", {-1});
    expect_error("[" + longest, TextError::kSyntax);
    for (const char* tail : {"0", "p", "p+", "p5", "p-5", "."}) {
        SCOPED_TRACE(tail);
        EXPECT_EQ(parse("[" + longest + tail + "]"), parse_by_model("[" + longest + tail + "]"));
    }
    expect_error("[0x" + std::string(100000, 'f') + "]", TextError::kSyntax);
    expect_error("[0x" + std::string(kMaxHexadecimalLength, 'f') + "p-500]", TextError::kSyntax);
}

TEST(VectorText, PrintsTheShortestDecimal) {
    EXPECT_EQ(print(std::vector<float>{1, 2.5F, -3, 0.1F, -0.0F}), "[1,2.5,-3,0.1,-0]");
    EXPECT_EQ(print(std::vector<float>{1e20F, 1e-7F, 0x1p-149F}), "[1e+20,1e-07,1e-45]");
    EXPECT_EQ(print(std::vector<float>{-1.17549435e-38F}), "[-1.1754944e-38]");
}

TEST(VectorText, RandomBitPatternsSurviveARoundTrip) {
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        std::vector<float> values{0.0F,      -0.0F,
                                  0x1p-149F, -0x0.fffffep-126F,
                                  0x1p-126F, std::numeric_limits<float>::max()};
        while (values.size() < 1000) {
            // Every fourth is a denormal.
            const std::uint32_t bits = random();
            const float value = std::bit_cast<float>(bits % 4 == 0 ? bits & 0x807fffffU : bits);
            if (std::isfinite(value))
                values.push_back(value);
        }
        const Outcome expected{TextError::kNone, to_bits(values), {}};
        ASSERT_EQ(parse(print(values)), expected);
    }
}

/// Keeps the numbers before it away from the end of the text.
const std::string kTail(",1.0000000000000000000000000000000]");

/// The number in the middle of many, where it may be read another way than alone.
std::string
among_others(const std::string& number) {
    static const std::string kOthers = "0.25,-1.5,300,12.75";
    return "[" + kOthers + "," + number + "," + kOthers + ", " + number + "," + kOthers + "," +
           kOthers + "," + kOthers + "," + kOthers + "]";
}

void
expect_model_among_others(const std::string& number) {
    const std::string text = among_others(number);
    ASSERT_EQ(parse(text, kFewDims), parse_by_model(text, kFewDims)) << text;
}

/// A number that strtof may or may not read: digits, exponents, hexadecimals, damaged at times.
std::string
generate_number(std::mt19937& random) {
    const auto up_to = [&](unsigned n) { return random() % (n + 1); };
    const auto digits = [&](unsigned most, const char* alphabet) {
        std::string text;
        for (unsigned i = up_to(most); i > 0; --i)
            text += alphabet[up_to(std::strlen(alphabet) - 1)];
        return text;
    };
    const bool is_hexadecimal = up_to(5) == 0;
    const char* alphabet = is_hexadecimal ? "0123456789abcdefABCDEF" : "0123456789";
    const char* signs[] = {"", "", "", "-", "-", "+"};

    std::string number = signs[up_to(5)];
    if (is_hexadecimal)
        number += up_to(1) == 0 ? "0x" : "0X";
    number += digits(up_to(9) == 0 ? 120 : 6, alphabet);
    if (up_to(1) == 0)
        number += "." + digits(up_to(9) == 0 ? 160 : 10, alphabet);
    if (up_to(2) == 0) {
        number += is_hexadecimal ? (up_to(1) == 0 ? "p" : "P") : (up_to(1) == 0 ? "e" : "E");
        number += signs[up_to(5)] + digits(up_to(9) == 0 ? 5 : 2, "0123456789");
    }
    if (up_to(49) == 0 && !number.empty())
        number[up_to(number.size() - 1)] = "+-.eExXpPnNiI0 ,]_"[up_to(17)];
    return number;
}

TEST(VectorText, AgreesWithStrtofOnGeneratedNumbers) {
    std::mt19937 random(2);
    int n_accepted = 0;
    int n_out_of_range = 0;
    for (int i = 0; i < 200000; ++i) {
        const std::string text = "[" + generate_number(random) + "]";
        const Outcome expected = parse_by_model(text, 4);
        ASSERT_EQ(parse(text, 4), expected) << text;
        // Far from the end of the text numbers may be read another way.
        const std::string longer = text.substr(0, text.size() - 1) + ",0" + kTail;
        ASSERT_EQ(parse(longer, kFewDims), parse_by_model(longer, kFewDims)) << longer;
        if (i % 8 == 0) {
            ASSERT_NO_FATAL_FAILURE(expect_model_among_others(text.substr(1, text.size() - 2)));
        }
        n_accepted += expected.error == TextError::kNone;
        n_out_of_range += expected.error == TextError::kOutOfRange;
    }
    EXPECT_GT(n_accepted, 100000);
    EXPECT_GT(n_out_of_range, 1000);
}

TEST(VectorText, AgreesWithStrtofOnMiddlesOfNeighbours) {
    // The exact decimal of the middle of two floats, and its neighbours in the last digit, are what
    // a reader that is not exact gets wrong.
    std::mt19937 random(3);
    for (int i = 0; i < 20000; ++i) {
        const float value =
            std::bit_cast<float>(static_cast<std::uint32_t>(random() & 0x7fffffffU));
        if (!std::isfinite(value))
            continue;
        const double next = std::nextafter(value, std::numeric_limits<float>::infinity());
        const double middle = std::isinf(next) ? 0x1.ffffffp127 : (value + next) / 2;
        char buffer[512];
        std::snprintf(buffer, sizeof buffer, "%.200e", middle);
        const std::string number = buffer;
        const std::size_t exponent = number.find('e');
        for (const char* tail : {"", "1"}) {
            std::string text = "[" + number;
            text.insert(1 + exponent, tail);
            text += "]";
            ASSERT_EQ(parse(text), parse_by_model(text)) << text;
        }
        std::snprintf(buffer, sizeof buffer, "%.17g,%.9g,%.6g", middle, value, value);
        const std::string three = buffer;
        ASSERT_EQ(parse("[" + three + "]"), parse_by_model("[" + three + "]")) << three;
        ASSERT_NO_FATAL_FAILURE(expect_model_among_others(three));
    }
}

TEST(VectorText, AgreesWithStrtofOnShortDecimals) {
    std::mt19937 random(4);
    const std::string digits = "0123456789";
    for (int i = 0; i < 200000; ++i) {
        std::string number = random() % 2 == 0 ? "-" : "";
        for (unsigned n = random() % 5; n > 0; --n)
            number += digits[random() % 10];
        number += ".";
        for (unsigned n = random() % 18; n > 0; --n)
            number += digits[random() % 3 == 0 ? 0 : random() % 10];
        number += std::array{"", "", "", "", " ", "e1", "E-2", "/", ":"}[random() % 9];
        const std::string text = "[" + number + kTail;
        ASSERT_EQ(parse(text, kFewDims), parse_by_model(text, kFewDims)) << text;
        if (i % 8 == 0) {
            ASSERT_NO_FATAL_FAILURE(expect_model_among_others(number));
        }
    }
}

TEST(VectorText, AgreesWithStrtofOnShortDecimalsNearMiddlesOfNeighbours) {
    // Few digits, yet so near to the middle of two floats that their double is that middle.
    std::mt19937 random(5);
    int n_doubles_in_the_middle = 0;
    for (int i = 0; i < 200000; ++i) {
        const float value =
            static_cast<float>(random() % 1000000 + 1) * (random() % 2 == 0 ? 0x1p-10f : 0x1p-24f);
        const double next = std::nextafter(value, std::numeric_limits<float>::infinity());
        const double middle = (value + next) / 2;
        char number[64];
        std::snprintf(number, sizeof number, "%.*f", static_cast<int>(random() % 7) + 11, middle);
        n_doubles_in_the_middle += std::strtod(number, nullptr) == middle;
        const std::string text = std::string("[") + number + kTail;
        ASSERT_EQ(parse(text, kFewDims), parse_by_model(text, kFewDims)) << text;
        if (i % 8 == 0) {
            ASSERT_NO_FATAL_FAILURE(expect_model_among_others(number));
        }
    }
    EXPECT_GT(n_doubles_in_the_middle, 1000);
}

TEST(VectorText, ReadsLongRunsOfDecimals) {
    std::mt19937 random(7);
    for (int i = 0; i < 2000; ++i) {
        std::string text = "[";
        for (unsigned n = random() % 400 + 1; n > 0; --n) {
            text += random() % 50 == 0 ? generate_number(random)
                                       : std::to_string(static_cast<float>(random()) * 0x1p-30f);
            text += n == 1 ? "]" : random() % 9 == 0 ? ", " : ",";
        }
        ASSERT_EQ(parse(text), parse_by_model(text)) << text;
        ASSERT_EQ(parse(text, kFewDims), parse_by_model(text, kFewDims)) << text;
    }
}

std::vector<std::uint16_t>
parse_halves(std::string_view text) {
    std::vector<Half> out(kMaxDims);
    const ParsedVector parsed = parse_vector(text, std::span<Half>(out));
    EXPECT_EQ(parsed.error, TextError::kNone) << text;
    std::vector<std::uint16_t> bits;
    for (Half value : std::span(out).first(parsed.n_dims))
        bits.push_back(value.bits);
    return bits;
}

TEST(VectorText, HalvesAreRoundedFloats) {
    EXPECT_EQ(parse_halves("[1,-2.5,0.1,65519]"),
              (std::vector<std::uint16_t>{0x3c00, 0xc100, 0x2e66, 0x7bff}));
    EXPECT_EQ(parse_halves("[1e-8,-1e-8,6e-8,0x1p-24]"),
              (std::vector<std::uint16_t>{0, 0x8000, 1, 1}));
}

TEST(VectorText, TheFirstErrorOfHalvesDecides) {
    const auto outcome = [](std::string_view text) {
        std::vector<Half> out(kMaxDims);
        return parse_vector(text, std::span<Half>(out));
    };
    for (std::string_view number : {"65520", "-65520", "4e38", "0x1p16", "65520.0"}) {
        const std::string text = "[1," + std::string(number) + " ,nan";
        EXPECT_EQ(outcome(text).error, TextError::kOutOfRange) << number;
        EXPECT_EQ(outcome(text).number, number);
    }
    EXPECT_EQ(outcome("[1,nan,65520]").error, TextError::kNan);
    EXPECT_EQ(outcome("[1,inf,65520]").error, TextError::kInfinite);
    EXPECT_EQ(outcome("[1,x,65520]").error, TextError::kSyntax);
}

TEST(VectorText, EveryHalfSurvivesARoundTrip) {
    std::vector<Half> values;
    for (std::uint32_t bits = 0; bits < 65536; ++bits)
        if (const Half value{static_cast<std::uint16_t>(bits)}; is_finite(value))
            values.push_back(value);
    for (std::size_t begin = 0; begin < values.size(); begin += 1000) {
        const std::span<const Half> part = std::span<const Half>(values).subspan(
            begin, std::min<std::size_t>(1000, values.size() - begin));
        std::vector<char> text(printed_size_limit(part.size()));
        text.resize(print_vector(part, text));
        const auto bits = parse_halves({text.data(), text.size()});
        ASSERT_EQ(bits.size(), part.size());
        for (std::size_t i = 0; i < bits.size(); ++i)
            ASSERT_EQ(bits[i], part[i].bits);
    }
}

}  // namespace

}  // namespace vext::core
