// The codec of bit strings against counting bit by bit, at lengths around bytes and words.

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <tuple>
#include <vector>

#include "core/codec/codec.h"
#include "core/distance/dispatch.h"
#include "test_arena.h"

namespace vext::core {
namespace {

using Vector = std::vector<float>;

std::vector<SimdLevel>
supported_levels() {
    std::vector<SimdLevel> levels;
    for (SimdLevel level :
         {SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512, SimdLevel::kNeon})
        if (is_supported(level))
            levels.push_back(level);
    return levels;
}

/// Random bits, as many of them set as `share` says, as the codec takes them.
Vector
random_bits(std::size_t n_bits, std::mt19937_64& random, double share) {
    std::bernoulli_distribution is_set(share);
    std::vector<std::uint8_t> bytes(n_values(CodecKind::kBits, n_bits) * sizeof(float));
    for (std::size_t i = 0; i < n_bits; ++i)
        if (is_set(random))
            bytes[i / 8] |= static_cast<std::uint8_t>(0x80 >> i % 8);
    Vector values(n_values(CodecKind::kBits, n_bits));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

bool
has_bit(const Vector& values, std::size_t i) {
    return (reinterpret_cast<const std::uint8_t*>(values.data())[i / 8] & 0x80 >> i % 8) != 0;
}

/// As the SQL operator has it, bit by bit.
double
bit_distance(Metric metric, const Vector& a, const Vector& b, std::size_t n_bits) {
    std::size_t n_common = 0;
    std::size_t n_either = 0;
    for (std::size_t i = 0; i < n_bits; ++i) {
        n_common += has_bit(a, i) && has_bit(b, i) ? 1 : 0;
        n_either += has_bit(a, i) || has_bit(b, i) ? 1 : 0;
    }
    if (metric == Metric::kHamming)
        return static_cast<double>(n_either - n_common);
    return n_common == 0 ? 1 : 1 - static_cast<double>(n_common) / static_cast<double>(n_either);
}

struct Record {
    CodeHeader header;
    std::vector<std::uint8_t> code;
};

class BitsCodecTest : public testing::TestWithParam<std::tuple<Metric, std::size_t>> {
   protected:
    BitsCodecTest()
        : codec_(codec_for(metric(), n_bits()), metric(), n_bits(), nullptr, nullptr),
          prepared_(codec_.allocate_prepared(memory_.arena())),
          query_(codec_.allocate_query(memory_.arena())) {}

    static Metric
    metric() {
        return std::get<0>(GetParam());
    }
    static std::size_t
    n_bits() {
        return std::get<1>(GetParam());
    }

    Vector
    random(double share) {
        return random_bits(n_bits(), random_, share);
    }
    Record
    encode(const Vector& bits) {
        EXPECT_EQ(codec_.prepare(bits.data(), prepared_), PrepareStatus::kReady);
        Record record = {{}, std::vector<std::uint8_t>(codec_.code_bytes(), 0xa5)};
        codec_.encode(prepared_, record.header, record.code.data(), nullptr);
        return record;
    }
    float
    distance_to(const Record& record) const {
        return codec_.distance(query_, record.header, record.code.data());
    }

    std::mt19937_64 random_{20};
    test::TestArena memory_;
    Codec codec_;
    Prepared prepared_;
    Query query_;
};

INSTANTIATE_TEST_SUITE_P(Lengths, BitsCodecTest,
                         testing::Combine(testing::Values(Metric::kHamming, Metric::kJaccard),
                                          testing::Values(1, 2, 7, 8, 9, 31, 32, 33, 64, 65, 255,
                                                          256, 257, 1000, 64000)));

TEST_P(BitsCodecTest, KeepsEveryBit) {
    EXPECT_EQ(codec_.kind(), CodecKind::kBits);
    EXPECT_EQ(codec_.code_bytes(), (n_bits() + 7) / 8);
    EXPECT_EQ(codec_.residual_bytes(), 0u);
    EXPECT_FALSE(codec_.has_inline_error());
    for (const double share : {0.0, 0.1, 0.5, 1.0}) {
        const Vector bits = random(share);
        const Record record = encode(bits);
        EXPECT_EQ(record.header.factor, 1);
        EXPECT_EQ(std::memcmp(record.code.data(), bits.data(), record.code.size()), 0);
        Vector decoded(codec_.n_padded(), -1);
        ASSERT_EQ(decoded.size(), bits.size());
        codec_.decode(record.header, record.code.data(), nullptr, decoded.data());
        EXPECT_EQ(std::memcmp(decoded.data(), bits.data(), bits.size() * sizeof(float)), 0);
    }
}

TEST_P(BitsCodecTest, MeasuresAsBitByBit) {
    for (const SimdLevel level : supported_levels()) {
        select_simd_level(level);
        for (int i = 0; i < 20; ++i) {
            const Vector a = random(i % 4 == 0 ? 0.02 : 0.5);
            const Vector b = i % 5 == 0 ? a : random(i % 3 == 0 ? 0.02 : 0.5);
            const double exact = bit_distance(metric(), a, b, n_bits());
            const bool are_zero = bit_distance(Metric::kHamming, a, b, n_bits()) == 0 &&
                                  bit_distance(Metric::kJaccard, a, b, n_bits()) == 1;
            const float walked = are_zero ? 0 : static_cast<float>(exact);
            const Record record = encode(b);
            const Record other = encode(a);
            codec_.query_from_code(other.header, other.code.data(), query_);
            EXPECT_EQ(distance_to(record), walked);
            codec_.prepare_query(prepared_, query_);
            EXPECT_EQ(distance_to(record), walked);
            EXPECT_EQ(codec_.estimate_error(query_, record.header), 0);
            const Refined refined =
                codec_.refine(query_, record.header, record.code.data(), nullptr);
            EXPECT_EQ(refined.distance, static_cast<float>(exact));
            EXPECT_LE(refined.lower_bound, exact);
            EXPECT_GE(refined.lower_bound, exact * (1 - 1e-6));
            if (metric() == Metric::kHamming) {
                EXPECT_EQ(refined.lower_bound, exact);
            }
        }
    }
    select_simd_level(SimdLevel::kAuto);
}

}  // namespace
}  // namespace vext::core
