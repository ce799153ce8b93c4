// The binary form: its bytes, every refusal and their order, exact round trips.

#include "core/text/vector_wire.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

namespace vext::core {

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMaxDims = 16000;
const Bytes kOne{0x3f, 0x80, 0, 0};
const Bytes kNanBytes{0xff, 0xc0, 0, 1};
const Bytes kInfinityBytes{0xff, 0x80, 0, 0};

/// A message of the given header and body.
Bytes
message(std::uint16_t n_dims, std::uint16_t unused, std::initializer_list<Bytes> body = {}) {
    Bytes bytes;
    for (std::uint16_t field : {n_dims, unused}) {
        bytes.push_back(static_cast<std::uint8_t>(field >> 8));
        bytes.push_back(static_cast<std::uint8_t>(field));
    }
    for (const Bytes& part : body)
        bytes.insert(bytes.end(), part.begin(), part.end());
    bytes.shrink_to_fit();  // the sanitizer sees reads beyond the message
    return bytes;
}

DecodedVector
decode(const Bytes& bytes, std::size_t max_dims = kMaxDims) {
    std::vector<float> out(max_dims);
    return decode_vector(bytes, out);
}

Bytes
encode(std::span<const float> values) {
    Bytes bytes(wire_size(values.size()));
    encode_vector(values, bytes);
    return bytes;
}

TEST(VectorWire, EncodesInNetworkOrder) {
    EXPECT_EQ(encode(std::vector<float>{1, -2}),
              message(2, 0, {{0x3f, 0x80, 0x00, 0x00}, {0xc0, 0x00, 0x00, 0x00}}));
    EXPECT_EQ(encode(std::vector<float>(16000)).size(), 64004U);
    EXPECT_EQ(encode(std::vector<float>(16000))[0], 0x3e);
    EXPECT_EQ(encode(std::vector<float>(16000))[1], 0x80);
}

TEST(VectorWire, DecodesWhatTheMessageSays) {
    std::vector<float> out(3, 7);
    const DecodedVector decoded =
        decode_vector(message(2, 0, {{0x40, 0x49, 0x0f, 0xdb}, {0x80, 0, 0, 0}}), out);
    EXPECT_EQ(decoded.error, WireError::kNone);
    EXPECT_EQ(decoded.n_dims, 2);
    EXPECT_EQ(decoded.unused, 0);
    EXPECT_FALSE(decoded.looks_like_text);
    EXPECT_EQ(out[0], 0x1.921fb6p1F);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(out[1]), 0x80000000U);
    EXPECT_EQ(out[2], 7);
}

TEST(VectorWire, RefusesAMessageThatIsCut) {
    const Bytes whole = message(2, 0, {kOne, kOne});
    for (std::size_t n_bytes = 0; n_bytes < whole.size(); ++n_bytes) {
        const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n_bytes));
        EXPECT_EQ(decode(cut).error, WireError::kTooShort) << n_bytes;
    }
    EXPECT_EQ(decode({0, 0, 0}).error, WireError::kTooShort);
    EXPECT_EQ(decode({0xff, 0xff, 0xff}).error, WireError::kTooShort);
}

TEST(VectorWire, RefusesBytesLeftOver) {
    for (const Bytes& tail : {Bytes{0}, kOne, kNanBytes})
        EXPECT_EQ(decode(message(1, 0, {kOne, tail})).error, WireError::kLeftOver);
}

TEST(VectorWire, RefusesWrongDimensions) {
    EXPECT_EQ(decode(message(0, 0)).error, WireError::kNoDimensions);
    EXPECT_EQ(decode(message(0, 1, {kOne})).error, WireError::kNoDimensions);
    EXPECT_EQ(decode(message(2, 0, {kOne, kOne}), 2).error, WireError::kNone);
    EXPECT_EQ(decode(message(2, 0, {kOne, kOne}), 1).error, WireError::kTooManyDimensions);
    for (std::uint16_t n_dims : {16001, 32768, 65535}) {
        const DecodedVector decoded = decode(message(n_dims, 1));
        EXPECT_EQ(decoded.error, WireError::kTooManyDimensions);
        EXPECT_EQ(decoded.n_dims, n_dims);
        EXPECT_FALSE(decoded.looks_like_text);
    }
}

TEST(VectorWire, RecognisesTheTextForm) {
    const std::string_view text = "[1,2,3]";
    const DecodedVector decoded = decode(Bytes(text.begin(), text.end()));
    EXPECT_EQ(decoded.error, WireError::kTooManyDimensions);
    EXPECT_TRUE(decoded.looks_like_text);
}

TEST(VectorWire, RefusesUnusedThatIsNotZero) {
    const DecodedVector one = decode(message(1, 1, {kOne}));
    EXPECT_EQ(one.error, WireError::kUnusedNotZero);
    EXPECT_EQ(one.unused, 1);
    EXPECT_EQ(one.n_dims, 1);
    EXPECT_EQ(decode(message(1, 0xffff)).error, WireError::kUnusedNotZero);
    EXPECT_EQ(decode(message(1, 0xffff)).unused, -1);
}

TEST(VectorWire, RefusesNanAndInfinityByTheFirst) {
    EXPECT_EQ(decode(message(1, 0, {kNanBytes})).error, WireError::kNan);
    EXPECT_EQ(decode(message(1, 0, {kInfinityBytes})).error, WireError::kInfinite);
    EXPECT_EQ(decode(message(3, 0, {kOne, kInfinityBytes, kNanBytes})).error, WireError::kInfinite);
    EXPECT_EQ(decode(message(3, 0, {kOne, kNanBytes, kInfinityBytes})).error, WireError::kNan);
    EXPECT_EQ(decode(message(1, 0, {kNanBytes, kOne})).error, WireError::kNan);
    EXPECT_EQ(decode(message(2, 0, {kNanBytes})).error, WireError::kTooShort);
}

TEST(VectorWire, RandomBitPatternsSurviveARoundTrip) {
    std::mt19937 random(1);
    for (std::size_t n_dims : {1, 2, 3, 7, 8, 31, 1536, 16000}) {
        std::vector<float> values{-0.0F};
        while (values.size() < n_dims) {
            // Every fourth is a denormal.
            const std::uint32_t bits = random();
            const float value = std::bit_cast<float>(bits % 4 == 0 ? bits & 0x807fffffU : bits);
            if (std::isfinite(value))
                values.push_back(value);
        }
        const Bytes bytes = encode(values);
        std::vector<float> decoded(n_dims);
        ASSERT_EQ(decode_vector(bytes, decoded).error, WireError::kNone);
        EXPECT_EQ(std::memcmp(decoded.data(), values.data(), n_dims * sizeof(float)), 0);
        EXPECT_EQ(encode(decoded), bytes);
    }
}

TEST(VectorWire, HalvesTakeTwoBytes) {
    std::vector<Half> out(3, Half{7});
    const Bytes bytes = message(2, 0, {{0x3c, 0x00}, {0xfb, 0xff}});
    EXPECT_EQ(decode_vector(bytes, std::span<Half>(out)).error, WireError::kNone);
    EXPECT_EQ(out[0].bits, 0x3c00);
    EXPECT_EQ(out[1].bits, 0xfbff);
    EXPECT_EQ(out[2].bits, 7);
    Bytes encoded(wire_size<Half>(2));
    encode_vector(std::span<const Half>(out).first(2), encoded);
    EXPECT_EQ(encoded, bytes);

    const auto error_of = [&](std::initializer_list<Bytes> body) {
        return decode_vector(message(2, 0, body), std::span<Half>(out)).error;
    };
    EXPECT_EQ(error_of({{0x3c, 0x00}}), WireError::kTooShort);
    EXPECT_EQ(error_of({{0x3c, 0x00}, {0x3c}}), WireError::kTooShort);
    EXPECT_EQ(error_of({{0x3c, 0x00}, {0x3c, 0x00}, {0}}), WireError::kLeftOver);
    EXPECT_EQ(error_of({{0x3c, 0x00}, {0x7e, 0x00}}), WireError::kNan);
    EXPECT_EQ(error_of({{0xfc, 0x00}, {0x7e, 0x00}}), WireError::kInfinite);
}

}  // namespace

}  // namespace vext::core
