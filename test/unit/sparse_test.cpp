// Sparse vectors: their text form beside the model of strtol and strtof, their binary form, and
// their distances beside those of the same vectors written out, in float64.

#include "core/sparse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "../support/sparse_model.h"
#include "core/distance/sparse.h"
#include "core/text/sparse_text.h"
#include "core/text/sparse_wire.h"

namespace vext::core {

bool
operator==(const SparseEntry& a, const SparseEntry& b) {
    return a.index == b.index &&
           std::bit_cast<std::uint32_t>(a.value) == std::bit_cast<std::uint32_t>(b.value);
}

namespace {

using Bytes = std::vector<std::uint8_t>;
using Error = SparseError;

constexpr std::size_t kMaxEntries = 16000;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Indices and values in blocks of their exact size, for the address sanitizer.
struct Sparse {
    std::int32_t n_dims = 1;
    std::vector<std::int32_t> indices;
    std::vector<float> values;

    SparseView
    view() const {
        return {n_dims, indices, values};
    }
};

Sparse
make_sparse(std::int32_t n_dims, const std::map<std::int32_t, float>& entries) {
    Sparse sparse{n_dims, {}, {}};
    sparse.indices.reserve(entries.size());
    sparse.values.reserve(entries.size());
    for (const auto& [index, value] : entries) {
        sparse.indices.push_back(index);
        sparse.values.push_back(value);
    }
    return sparse;
}

/// `share` of the indices have an entry.
Sparse
random_sparse(std::mt19937_64& random, std::int32_t n_dims, double share) {
    std::uniform_real_distribution<double> chance;
    std::normal_distribution<float> normal;
    std::map<std::int32_t, float> entries;
    for (std::int32_t i = 0; i < n_dims; ++i)
        if (chance(random) < share)
            entries[i] = normal(random);
    return make_sparse(n_dims, entries);
}

struct Parsed {
    Error error;
    std::int32_t n_dims;
    std::string number;
};

Parsed
parse(const std::string& text, std::vector<SparseEntry>& entries,
      std::size_t max_entries = kMaxEntries) {
    const std::vector<char> exact(text.begin(), text.end());
    entries.resize(max_entries);
    const ParsedSparse parsed = parse_sparse({exact.data(), exact.size()}, entries);
    entries.resize(parsed.error == Error::kNone ? parsed.n_entries : 0);
    return {parsed.error, parsed.n_dims, std::string(parsed.number)};
}

std::string
print(const Sparse& sparse) {
    std::string text(printed_sparse_limit(sparse.indices.size()), ' ');
    text.resize(print_sparse(sparse.view(), text));
    return text;
}

Bytes
encode(const Sparse& sparse) {
    Bytes message(sparse_wire_size(sparse.indices.size()));
    encode_sparse(sparse.view(), message);
    return message;
}

Error
decode_error(const Bytes& message, std::size_t max_entries = kMaxEntries) {
    std::vector<SparseEntry> entries(max_entries);
    return decode_sparse(message, entries).error;
}

/// A message of 32-bit words.
Bytes
words(std::initializer_list<std::uint32_t> list) {
    Bytes message;
    for (std::uint32_t word : list)
        for (int shift : {24, 16, 8, 0})
            message.push_back(static_cast<std::uint8_t>(word >> shift));
    message.shrink_to_fit();
    return message;
}

constexpr std::uint32_t kOne = 0x3f800000;

TEST(SparseText, EveryCutAndEveryChangeIsJudgedAsByTheModel) {
    const std::string sound = " { 3 : -1.5e2 , +1:0x1p3,2:0, 4 :1e-45 } / 9 ";
    const std::string others = "{}/:,0 9-+.exn\v\xff";
    std::vector<std::string> texts{sound};
    for (std::size_t i = 0; i < sound.size(); ++i) {
        texts.push_back(sound.substr(0, i));
        texts.push_back(sound.substr(i));
        texts.push_back(sound.substr(0, i) + sound.substr(i + 1));
        for (char c : others) {
            texts.push_back(sound);
            texts.back()[i] = c;
            texts.push_back(sound.substr(0, i) + c + sound.substr(i));
        }
    }
    for (const std::string& text : texts) {
        std::vector<SparseEntry> entries;
        const Parsed parsed = parse(text, entries);
        const test::ModelSparse model = test::SparseModel(text, kMaxEntries).parse();
        EXPECT_EQ(parsed.error, model.error) << text;
        EXPECT_EQ(entries, model.entries) << text;
        EXPECT_EQ(parsed.number, model.number) << text;
        if (parsed.error == Error::kNone) {
            EXPECT_EQ(parsed.n_dims, model.n_dims) << text;
        }
    }
}

TEST(SparseText, RefusesWithItsReason) {
    const std::pair<const char*, Error> cases[] = {
        {"", Error::kNoOpeningBrace},
        {"[1]", Error::kNoOpeningBrace},
        {"{", Error::kSyntax},
        {"{1:1", Error::kSyntax},
        {"{1:1,}/1", Error::kSyntax},
        {"{1:1}", Error::kUnexpectedEnd},
        {"{1:1}/", Error::kSyntax},
        {"{1:1}/1x", Error::kJunkAfterClosing},
        {"{}/0", Error::kNoDimensions},
        {"{}/-99999999999999999999", Error::kNoDimensions},
        {"{}/1000000000", Error::kNone},
        {"{}/1000000001", Error::kTooManyDimensions},
        {"{}/99999999999999999999", Error::kTooManyDimensions},
        {"{0:1}/1", Error::kIndexOutOfBounds},
        {"{2:1}/1", Error::kIndexOutOfBounds},
        {"{2147483648:1}/1", Error::kIndexOutOfBounds},
        {"{4294967297:1}/1", Error::kIndexOutOfBounds},
        {"{-2147483648:1}/1", Error::kIndexOutOfBounds},
        {"{-99999999999999999999:1}/1", Error::kIndexOutOfBounds},
        {"{1:1,1:2}/1", Error::kDuplicateIndex},
        {"{1:1,1:0}/1", Error::kNone},
        {"{1:nan}/1", Error::kNan},
        {"{1:-infinity}/1", Error::kInfinite},
        {"{1:1e39}/1", Error::kOutOfRange},
        {"{1:1e-46}/1", Error::kOutOfRange},
        {"{1:-0.0000e-99}/1", Error::kNone},
        {"{1:0x0.001p-300}/1", Error::kOutOfRange},
        {"{1:0x0p-300}/1", Error::kNone},
    };
    for (const auto& [text, error] : cases) {
        std::vector<SparseEntry> entries;
        EXPECT_EQ(parse(text, entries).error, error) << text;
    }
}

TEST(SparseText, SaysWhichNumberIsOutOfRange) {
    std::vector<SparseEntry> entries;
    EXPECT_EQ(parse("{1:1, 2: -1e-60 }/3", entries).number, "-1e-60");
}

TEST(SparseText, DimensionsAreKnownBesideErrorsOfIndices) {
    std::vector<SparseEntry> entries;
    EXPECT_EQ(parse("{9:1}/3", entries).n_dims, 3);
    EXPECT_EQ(parse("{9:1}/0", entries).n_dims, 0);
}

TEST(SparseText, OnlyEntriesThatAreNotZeroCount) {
    std::vector<SparseEntry> entries;
    EXPECT_EQ(parse("{1:1,2:2,3:0,4:0}/9", entries, 2).error, Error::kNone);
    EXPECT_EQ(parse("{1:1,2:2,3:0,4:3}/9", entries, 2).error, Error::kTooManyElements);
    EXPECT_EQ(parse("{1:0}/9", entries, 0).error, Error::kNone);
}

TEST(SparseText, PrintsAndReadsBackTheSame) {
    std::mt19937_64 random(1);
    for (std::int32_t n_dims : {1, 2, 10, 999, 20000}) {
        const Sparse sparse = random_sparse(random, n_dims, 0.3);
        std::vector<SparseEntry> entries;
        const Parsed parsed = parse(print(sparse), entries);
        ASSERT_EQ(parsed.error, Error::kNone);
        EXPECT_EQ(parsed.n_dims, n_dims);
        ASSERT_EQ(entries.size(), sparse.indices.size());
        for (std::size_t i = 0; i < entries.size(); ++i)
            EXPECT_EQ(entries[i], (SparseEntry{sparse.indices[i], sparse.values[i]}));
    }
    EXPECT_EQ(print(make_sparse(1000000000, {{0, 0.1f}, {999999999, -3.4028235e38f}})),
              "{1:0.1,1000000000:-3.4028235e+38}/1000000000");
    EXPECT_EQ(print(make_sparse(5, {})), "{}/5");
}

TEST(SparseWire, EncodesInNetworkOrder) {
    EXPECT_EQ(encode(make_sparse(5, {{0, 1}, {2, -2}})), words({5, 2, 0, 0, 2, kOne, 0xc0000000}));
    EXPECT_EQ(encode(make_sparse(1000000000, {})), words({1000000000, 0, 0}));
}

TEST(SparseWire, RefusesWithItsReason) {
    const std::pair<Bytes, Error> cases[] = {
        {{}, Error::kTooShort},
        {words({3, 0}), Error::kTooShort},
        {words({0, 0, 0}), Error::kNoDimensions},
        {words({0x80000000, 0, 0}), Error::kNoDimensions},
        {words({1000000001, 0, 0}), Error::kTooManyDimensions},
        {words({3, 0xffffffff, 0}), Error::kNegativeCount},
        {words({65535, 16001, 0}), Error::kTooManyElements},
        {words({3, 4, 0}), Error::kMoreElementsThanDimensions},
        {words({3, 1, 1, 0, kOne}), Error::kUnusedNotZero},
        {words({3, 2, 0, 0, 1, kOne}), Error::kTooShort},
        {words({3, 1, 0, 3, kOne}), Error::kIndexOutOfBounds},
        {words({3, 1, 0, 0xffffffff, kOne}), Error::kIndexOutOfBounds},
        {words({3, 2, 0, 1, 0, kOne, kOne}), Error::kNotAscending},
        {words({3, 2, 0, 1, 1, kOne, kOne}), Error::kDuplicateIndex},
        {words({3, 1, 0, 1, 0}), Error::kZero},
        {words({3, 1, 0, 1, 0x80000000}), Error::kZero},
        {words({3, 1, 0, 1, 0x7fc00000}), Error::kNan},
        {words({3, 1, 0, 1, 0xff800000}), Error::kInfinite},
        {words({3, 1, 0, 1, kOne, 0}), Error::kLeftOver},
        {words({3, 1, 0, 2, kOne}), Error::kNone},
        {words({3, 0, 0}), Error::kNone},
    };
    for (const auto& [message, error] : cases)
        EXPECT_EQ(decode_error(message), error) << ::testing::PrintToString(message);
    EXPECT_EQ(decode_error(words({3, 2, 0, 0, 1, kOne, kOne}), 1), Error::kTooManyElements);
}

TEST(SparseWire, TellsTheTextForm) {
    const std::string text = "{1:1.5,3:2}/5";
    std::vector<SparseEntry> entries(10);
    EXPECT_TRUE(decode_sparse(Bytes(text.begin(), text.end()), entries).looks_like_text);
    EXPECT_FALSE(decode_sparse(words({1000000001, 0, 0}), entries).looks_like_text);
}

TEST(SparseWire, ComesBackAsItWent) {
    std::mt19937_64 random(2);
    for (std::int32_t n_dims : {1, 7, 300, 20000}) {
        const Sparse sparse = random_sparse(random, n_dims, 0.5);
        std::vector<SparseEntry> entries(kMaxEntries);
        const DecodedSparse decoded = decode_sparse(encode(sparse), entries);
        ASSERT_EQ(decoded.error, Error::kNone);
        EXPECT_EQ(decoded.n_dims, n_dims);
        ASSERT_EQ(decoded.n_entries, sparse.indices.size());
        for (std::size_t i = 0; i < decoded.n_entries; ++i)
            EXPECT_EQ(entries[i], (SparseEntry{sparse.indices[i], sparse.values[i]}));
    }
}

struct Distances {
    float l2_squared;
    float dot;
    float l1;
    float squared_norm_a;
    float squared_norm_b;
};

Distances
expected_distances(const Sparse& a, const Sparse& b) {
    std::map<std::int32_t, std::pair<double, double>> pairs;
    for (std::size_t i = 0; i < a.indices.size(); ++i)
        pairs[a.indices[i]].first = a.values[i];
    for (std::size_t i = 0; i < b.indices.size(); ++i)
        pairs[b.indices[i]].second = b.values[i];
    double l2 = 0, dot = 0, l1 = 0, aa = 0, bb = 0;
    for (const auto& [index, pair] : pairs) {
        const auto& [x, y] = pair;
        l2 += (x - y) * (x - y);
        dot += x * y;
        l1 += std::fabs(x - y);
        aa += x * x;
        bb += y * y;
    }
    return {static_cast<float>(l2), static_cast<float>(dot), static_cast<float>(l1),
            static_cast<float>(aa), static_cast<float>(bb)};
}

/// `b` is a view or a vector that is spread.
template <typename Other>
void
expect_distances(const Distances& expected, const SparseView& a, const Other& b) {
    EXPECT_FLOAT_EQ(sparse_l2_squared(a, b), expected.l2_squared);
    EXPECT_FLOAT_EQ(sparse_inner_product(a, b), expected.dot);
    EXPECT_FLOAT_EQ(sparse_l1(a, b), expected.l1);
    const CosineParts parts = sparse_cosine_parts(a, b);
    EXPECT_FLOAT_EQ(parts.dot, expected.dot);
    EXPECT_FLOAT_EQ(parts.squared_norm_a, expected.squared_norm_a);
    EXPECT_FLOAT_EQ(parts.squared_norm_b, expected.squared_norm_b);
}

void
expect_distances(const Sparse& a, const Sparse& b) {
    const Distances expected = expected_distances(a, b);
    expect_distances(expected, a.view(), b.view());
    std::vector<float> table(static_cast<std::size_t>(b.n_dims));
    expect_distances(expected, a.view(), spread(b.view(), table.data()));
    unspread(b.view(), table.data());
    EXPECT_EQ(std::ranges::count(table, 0.f), b.n_dims);
}

TEST(SparseDistance, EqualsThatOfTheVectorsWrittenOut) {
    std::mt19937_64 random(3);
    for (std::int32_t n_dims : {1, 2, 3, 17, 100, 1000})
        for (double share_a : {0.0, 0.01, 0.1, 0.5, 1.0})
            for (double share_b : {0.0, 0.01, 0.1, 0.5, 1.0})
                for (int repeat = 0; repeat < 5; ++repeat)
                    expect_distances(random_sparse(random, n_dims, share_a),
                                     random_sparse(random, n_dims, share_b));
}

TEST(SparseDistance, SizesThatDifferMuch) {
    std::mt19937_64 random(4);
    const Sparse large = random_sparse(random, 40000, 0.4);
    for (double share : {0.0, 0.00005, 0.0005, 0.005}) {
        const Sparse small = random_sparse(random, 40000, share);
        expect_distances(small, large);
        expect_distances(large, small);
    }
    for (std::int32_t index : {0, 1, 39999}) {
        expect_distances(make_sparse(40000, {{index, 1.f}}), large);
        expect_distances(large, make_sparse(40000, {{index, 1.f}}));
    }
}

TEST(SparseDistance, OfAVectorToItselfIsZero) {
    std::mt19937_64 random(5);
    for (std::int32_t n_dims : {1, 30, 3000}) {
        const Sparse a = random_sparse(random, n_dims, 0.5);
        EXPECT_EQ(sparse_l2_squared(a.view(), a.view()), 0);
        EXPECT_EQ(sparse_l1(a.view(), a.view()), 0);
        std::vector<float> table(static_cast<std::size_t>(n_dims));
        const SpreadVector spread_a = spread(a.view(), table.data());
        EXPECT_EQ(sparse_l2_squared(a.view(), spread_a), 0);
        EXPECT_EQ(sparse_l1(a.view(), spread_a), 0);
    }
}

// The distance is what is left of norms that are 2^25 and more times as large.
TEST(SparseDistance, NearVectorsKeepTheirDistance) {
    std::mt19937_64 random(6);
    for (float difference : {1e-3f, 1e-6f, 1e-12f, 1e-20f}) {
        Sparse a = random_sparse(random, 1000, 0.5);
        const Sparse b = a;
        a.indices.back() = 999;
        a.values.back() = b.values.back();
        a.indices[0] = 0;
        a.values[0] = difference;
        Sparse c = a;
        c.values[0] = -difference;
        expect_distances(a, c);
        c.indices.erase(c.indices.begin());
        c.values.erase(c.values.begin());
        expect_distances(a, c);
        expect_distances(c, a);
        expect_distances(a, b);
    }
}

TEST(SparseDistance, TableIsNotReadBeyondItsEnd) {
    const Sparse b = make_sparse(4, {{1, 2.f}});
    std::vector<float> table(4);
    const SpreadVector spread_b = spread(b.view(), table.data());
    const Sparse damaged{4, {-2147483647, -1, 1, 4, 2147483647}, {1, 1, 1, 1, 1}};
    EXPECT_EQ(sparse_inner_product(damaged.view(), spread_b), 2);
    EXPECT_EQ(sparse_l1(damaged.view(), spread_b), 5);
    EXPECT_EQ(sparse_l2_squared(damaged.view(), spread_b), 5);
}

TEST(SparseDistance, OverflowGivesInfinity) {
    const Sparse a = make_sparse(3, {{1, 3e38f}});
    const Sparse b = make_sparse(3, {{1, -3e38f}});
    EXPECT_EQ(sparse_l2_squared(a.view(), b.view()), kInfinity);
    EXPECT_EQ(sparse_inner_product(a.view(), b.view()), -kInfinity);
    EXPECT_EQ(sparse_l1(a.view(), b.view()), kInfinity);
    EXPECT_EQ(sparse_cosine_parts(a.view(), b.view()).squared_norm_a, kInfinity);
    std::vector<float> table(3);
    const SpreadVector spread_b = spread(b.view(), table.data());
    EXPECT_EQ(sparse_l2_squared(a.view(), spread_b), kInfinity);
    EXPECT_EQ(sparse_inner_product(a.view(), spread_b), -kInfinity);
    EXPECT_EQ(sparse_l1(a.view(), spread_b), kInfinity);
    EXPECT_EQ(sparse_cosine_parts(a.view(), spread_b).squared_norm_b, kInfinity);
}

}  // namespace
}  // namespace vext::core
