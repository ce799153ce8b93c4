// The header of .npy files: what is taken, and what every other one is told.

#include "input/npy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "error.h"

namespace {

using namespace vext::client;

std::vector<std::uint8_t>
npy_header(const std::string& dictionary, int version = 1) {
    std::string text = "\x93NUMPY";
    text += static_cast<char>(version);
    text += '\0';
    const std::size_t length = dictionary.size() + 1;
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
        text += static_cast<char>(length >> (8 * i) & 0xff);
    text += dictionary + "\n";
    return {text.begin(), text.end()};
}

std::string
dictionary(const std::string& descr, const std::string& order, const std::string& shape) {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

std::string
error_of(const std::vector<std::uint8_t>& header) {
    try {
        parse_npy_header(header, "a.npy");
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(Npy, TakesTheVersionsAndTypes) {
    for (int version = 1; version <= 3; ++version) {
        const NpyShape shape =
            parse_npy_header(npy_header(dictionary("<f4", "False", "(10, 3)"), version), "a.npy");
        EXPECT_EQ(shape.n_rows, 10U);
        EXPECT_EQ(shape.n_columns, 3U);
        EXPECT_EQ(shape.element, Element::kF32);
    }
    EXPECT_EQ(parse_npy_header(npy_header(dictionary("<f2", "False", "(1, 2)")), "a").element,
              Element::kF16);
    EXPECT_EQ(parse_npy_header(npy_header(dictionary("|u1", "False", "(1, 2)")), "a").element,
              Element::kU8);
    EXPECT_EQ(parse_npy_header(npy_header(dictionary("<f4", "False", "(0, 2)")), "a").n_rows, 0U);
}

TEST(Npy, SaysWhatIsWrong) {
    const struct {
        std::string dictionary;
        std::string message;
    } cases[] = {
        {dictionary(">f4", "False", "(1, 2)"), "found >f4 (big-endian)"},
        {dictionary("<f8", "False", "(1, 2)"), "found <f8 (double precision)"},
        {dictionary("<f4", "True", "(2, 2)"), "expected C order, found Fortran order"},
        {dictionary("<f4", "False", "(3,)"),
         "expected an array of 2 dimensions (rows, columns), found 1"},
        {dictionary("<f4", "False", "(1, 2, 3)"), "found 3"},
        {dictionary("<f4", "False", "()"), "found 0"},
        {dictionary("<f4", "False", "(1, 0)"), "expected 1 to 16000 columns, found 0"},
        {dictionary("<f4", "False", "(1, 16001)"), "found 16001"},
        {dictionary("<f4", "False", "(4611686018427387904, 3)"), "below 2^63 bytes"},
        {dictionary("<f4", "False", "(18446744073709551616, 3)"), "a shape beyond 64 bits"},
        {dictionary("<f4", "False", "(-1, 3)"), "where a number belongs"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 2)}", "found records"},
        {"{'descr': '<f4', 'shape': (1, 2)}", "a header without"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}",
         "descr twice"},
        {"{'x': 1}", "a header with the key \"x\""},
        {"{'descr': '<f4", "does not end"},
        {"", "where \"{\" belongs"},
        {dictionary("<f4", "False", "(1, 2)") + "x", "more after its dictionary"},
    };
    for (const auto& bad : cases)
        EXPECT_NE(error_of(npy_header(bad.dictionary)).find(bad.message), std::string::npos)
            << bad.dictionary << "\n"
            << error_of(npy_header(bad.dictionary));
}

TEST(Npy, RefusesHeaderBombsAndTornHeaders) {
    std::vector<std::uint8_t> bomb = npy_header(dictionary("<f4", "False", "(1, 2)"), 2);
    bomb[10] = 0xff;
    EXPECT_NE(error_of(bomb).find("expected a header of at most 65536 bytes"), std::string::npos);
    const std::vector<std::uint8_t> whole = npy_header(dictionary("<f4", "False", "(1, 2)"));
    for (std::size_t n = 0; n < whole.size(); ++n)
        EXPECT_NE(error_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)}), "")
            << n;
    std::vector<std::uint8_t> other = whole;
    other[6] = 4;
    EXPECT_NE(error_of(other).find("found 4.0"), std::string::npos);
}

TEST(Npy, ReadsWhatItWrites) {
    const std::string text = make_npy_header(12345678901, 768);
    EXPECT_EQ(text.size() % 64, 0U);
    const NpyShape shape =
        parse_npy_header({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, "a");
    EXPECT_EQ(shape.n_rows, 12345678901U);
    EXPECT_EQ(shape.n_columns, 768U);
}

TEST(Element, HalvesAreThoseOfTheStandard) {
    EXPECT_EQ(half_to_float(0x3c00), 1.0F);
    EXPECT_EQ(half_to_float(0xc000), -2.0F);
    EXPECT_EQ(half_to_float(0x0001), 0x1p-24F);
    EXPECT_EQ(half_to_float(0x7bff), 65504.0F);
    for (std::uint32_t half = 0; half < 0x10000; ++half) {
        const auto bits = static_cast<std::uint16_t>(half);
        if ((bits & 0x7c00) == 0x7c00 && (bits & 0x3ff) != 0)
            continue;  // NaN
        EXPECT_EQ(float_to_half(half_to_float(bits)), bits);
    }
    EXPECT_EQ(float_to_half(65519.0F), 0x7bff);
    EXPECT_EQ(float_to_half(65520.0F), 0x7c00);
    EXPECT_EQ(float_to_half(0x1p-25F), 0x0000);
    EXPECT_EQ(float_to_half(0x1.8p-24F), 0x0002);
}

}  // namespace
