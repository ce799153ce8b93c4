// Numbers of half precision: conversions, every table of kernels against the float32 kernels of its
// level over widened copies, and against the scalar table.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/distance/dispatch.h"
#include "core/half.h"

namespace vext::core {
namespace {

constexpr std::uint32_t kAllHalves = 1U << 16;

/// By the definition of the format.
double
value_by_definition(std::uint16_t bits) {
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    const int exponent = bits >> 10 & 31;
    const int fraction = bits & 1023;
    if (exponent == 0)
        return sign * std::ldexp(fraction, -24);
    return sign * std::ldexp(1024 + fraction, exponent - 25);
}

bool
is_number(std::uint16_t bits) {
    return (bits & 0x7c00) != 0x7c00;
}

TEST(HalfTest, WidensEveryNumberExactly) {
    for (std::uint32_t i = 0; i < kAllHalves; ++i) {
        const auto bits = static_cast<std::uint16_t>(i);
        const float wide = to_float(Half{bits});
        ASSERT_EQ(std::signbit(wide), (bits & 0x8000) != 0) << i;
        if (is_number(bits))
            ASSERT_EQ(wide, value_by_definition(bits)) << i;
        else
            ASSERT_EQ(std::isinf(wide), (bits & 1023) == 0) << i;
        ASSERT_EQ(std::isnan(wide), is_nan(Half{bits})) << i;
        ASSERT_EQ(std::isinf(wide), is_infinite(Half{bits})) << i;
    }
}

TEST(HalfTest, EveryNumberComesBack) {
    for (std::uint32_t i = 0; i < kAllHalves; ++i) {
        const Half half{static_cast<std::uint16_t>(i)};
        if (is_nan(half))
            ASSERT_TRUE(is_nan(to_half(to_float(half)))) << i;
        else
            ASSERT_EQ(to_half(to_float(half)).bits, half.bits) << i;
    }
}

/// Between two neighbours the middle goes to the even one, and what is next to it to the nearer.
TEST(HalfTest, RoundsToTheNearestAndToEven) {
    for (std::uint32_t i = 0; i < 0x7bff; ++i) {
        const auto low = static_cast<std::uint16_t>(i);
        const auto high = static_cast<std::uint16_t>(i + 1);
        const auto middle =
            static_cast<float>((value_by_definition(low) + value_by_definition(high)) / 2);
        const std::uint16_t even = (low & 1) == 0 ? low : high;
        ASSERT_EQ(to_half(middle).bits, even) << i;
        ASSERT_EQ(to_half(-middle).bits, even | 0x8000) << i;
        ASSERT_EQ(to_half(std::nextafter(middle, 0.F)).bits, low) << i;
        ASSERT_EQ(to_half(std::nextafter(middle, 1e9F)).bits, high) << i;
        ASSERT_EQ(to_half(-std::nextafter(middle, 1e9F)).bits, high | 0x8000) << i;
    }
}

TEST(HalfTest, EndsOfTheRange) {
    EXPECT_EQ(to_half(65504.F).bits, 0x7bff);
    EXPECT_EQ(to_half(65519.F).bits, 0x7bff);
    EXPECT_EQ(to_half(std::nextafter(65520.F, 0.F)).bits, 0x7bff);
    EXPECT_EQ(to_half(65520.F).bits, 0x7c00);
    EXPECT_EQ(to_half(-65520.F).bits, 0xfc00);
    EXPECT_EQ(to_half(65536.F).bits, 0x7c00);
    EXPECT_EQ(to_half(3e38F).bits, 0x7c00);
    EXPECT_EQ(to_half(std::numeric_limits<float>::infinity()).bits, 0x7c00);
    EXPECT_EQ(to_half(-0.F).bits, 0x8000);
    EXPECT_EQ(to_half(0x1p-25F).bits, 0);
    EXPECT_EQ(to_half(std::nextafter(0x1p-25F, 1.F)).bits, 1);
    EXPECT_EQ(to_half(-1e-45F).bits, 0x8000);
    EXPECT_TRUE(is_nan(to_half(std::numeric_limits<float>::quiet_NaN())));
}

/// Arrays of their exact size, at addresses that are no multiples of any register's width.
class Halves {
   public:
    explicit Halves(std::size_t n) : bits_(n + 1) { bits_.shrink_to_fit(); }
    Halves(std::size_t n, std::mt19937_64& random) : Halves(n) {
        std::normal_distribution<float> normal;
        for (std::size_t i = 0; i < n; ++i)
            data()[i] = to_half(normal(random)).bits;
    }

    std::uint16_t*
    data() {
        return bits_.data() + 1;
    }

   private:
    std::vector<std::uint16_t> bits_;
};

class HalfKernelsTest : public testing::TestWithParam<SimdLevel> {
   protected:
    void
    SetUp() override {
        if (!is_supported(GetParam()))
            GTEST_SKIP() << "this CPU or build has no such level";
    }
    const HalfKernels&
    table() const {
        return half_kernels_of(GetParam());
    }
};

std::vector<std::size_t>
tested_lengths() {
    std::vector<std::size_t> lengths;
    for (std::size_t n = 0; n <= 130; ++n)
        lengths.push_back(n);
    for (std::size_t n : {256, 384, 768, 784, 1536, 3072, 8000, 16000})
        lengths.push_back(n);
    return lengths;
}

TEST_P(HalfKernelsTest, SumsAreThoseOfWidenedCopies) {
    const Kernels& floats = kernels_of(GetParam());
    std::mt19937_64 random(1);
    for (std::size_t n : tested_lengths()) {
        Halves a(n, random), b(n, random);
        std::vector<float> x(n), y(n);
        table().widen(a.data(), n, x.data());
        table().widen(b.data(), n, y.data());
        for (std::size_t i = 0; i < n; ++i)
            ASSERT_EQ(x[i], to_float(Half{a.data()[i]})) << i << " of " << n;
        EXPECT_EQ(table().l2_squared(a.data(), b.data(), n),
                  floats.l2_squared(x.data(), y.data(), n))
            << n;
        EXPECT_EQ(table().inner_product(a.data(), b.data(), n),
                  floats.inner_product(x.data(), y.data(), n))
            << n;
        EXPECT_EQ(table().l1(a.data(), b.data(), n), floats.l1(x.data(), y.data(), n)) << n;
        const CosineParts parts = table().cosine_parts(a.data(), b.data(), n);
        const CosineParts wide = floats.cosine_parts(x.data(), y.data(), n);
        EXPECT_EQ(parts.dot, wide.dot) << n;
        EXPECT_EQ(parts.squared_norm_a, wide.squared_norm_a) << n;
        EXPECT_EQ(parts.squared_norm_b, wide.squared_norm_b) << n;
        EXPECT_EQ(table().squared_norm(a.data(), n), floats.squared_norm(x.data(), n)) << n;
    }
}

TEST_P(HalfKernelsTest, SumsAreCloseToTheScalarOnes) {
    const HalfKernels& scalar = half_kernels_of(SimdLevel::kScalar);
    std::mt19937_64 random(2);
    for (std::size_t n : tested_lengths()) {
        Halves a(n, random), b(n, random);
        const double squares = 1e-6 * static_cast<double>(n + 1);
        EXPECT_NEAR(table().l2_squared(a.data(), b.data(), n),
                    scalar.l2_squared(a.data(), b.data(), n), 2 * squares);
        EXPECT_NEAR(table().inner_product(a.data(), b.data(), n),
                    scalar.inner_product(a.data(), b.data(), n), squares);
        EXPECT_NEAR(table().l1(a.data(), b.data(), n), scalar.l1(a.data(), b.data(), n), squares);
    }
}

TEST_P(HalfKernelsTest, ConvertsAsSoftwareDoes) {
    std::vector<std::uint16_t> halves(kAllHalves);
    for (std::uint32_t i = 0; i < kAllHalves; ++i)
        halves[i] = static_cast<std::uint16_t>(i);
    std::vector<float> wide(kAllHalves);
    table().widen(halves.data(), halves.size(), wide.data());
    std::vector<float> inputs;
    for (std::uint32_t i = 0; i < kAllHalves; ++i) {
        const float expected = to_float(Half{halves[i]});
        if (std::isnan(expected)) {
            ASSERT_TRUE(std::isnan(wide[i])) << i;
            continue;
        }
        ASSERT_EQ(std::bit_cast<std::uint32_t>(wide[i]), std::bit_cast<std::uint32_t>(expected))
            << i;
        const float next = to_float(Half{static_cast<std::uint16_t>(i + 1)});
        for (float x : {expected, expected + (next - expected) / 2, std::nextafter(expected, 1e9F),
                        std::nextafter(expected, -1e9F)})
            if (!std::isnan(x))
                inputs.push_back(x);
    }
    inputs.insert(inputs.end(), {65519.F, 65520.F, -65520.F, 3e38F, 1e-45F, -1e-45F});
    std::vector<std::uint16_t> narrow(inputs.size());
    table().narrow(inputs.data(), inputs.size(), narrow.data());
    for (std::size_t i = 0; i < inputs.size(); ++i)
        ASSERT_EQ(narrow[i], to_half(inputs[i]).bits) << inputs[i];
}

TEST_P(HalfKernelsTest, PartsOfARegisterConvertAsAWhole) {
    std::mt19937_64 random(3);
    for (std::size_t n = 0; n <= 70; ++n) {
        Halves a(n, random);
        std::vector<float> wide(n);
        table().widen(a.data(), n, wide.data());
        std::vector<std::uint16_t> again(n);
        table().narrow(wide.data(), n, again.data());
        for (std::size_t i = 0; i < n; ++i)
            ASSERT_EQ(again[i], a.data()[i]) << i << " of " << n;
    }
}

/// A page of zeros before one that must not be touched.
TEST_P(HalfKernelsTest, NothingIsReadBeyondTheEnd) {
    const auto n_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* pages =
        mmap(nullptr, 2 * n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(pages, MAP_FAILED);
    char* end = static_cast<char*>(pages) + n_bytes;
    ASSERT_EQ(mprotect(end, n_bytes, PROT_NONE), 0);
    for (std::size_t n = 0; n <= 1000; n += n < 300 ? 1 : 7) {
        const auto* a = reinterpret_cast<std::uint16_t*>(end - n * sizeof(std::uint16_t));
        auto* x = reinterpret_cast<float*>(end - n * sizeof(float));
        EXPECT_EQ(table().l2_squared(a, a, n), 0);
        EXPECT_EQ(table().inner_product(a, a, n), 0);
        EXPECT_EQ(table().l1(a, a, n), 0);
        EXPECT_EQ(table().cosine_parts(a, a, n).dot, 0);
        EXPECT_EQ(table().squared_norm(a, n), 0);
        std::vector<float> wide(n);
        table().widen(a, n, wide.data());
        std::vector<std::uint16_t> narrow(n);
        table().narrow(x, n, narrow.data());
        table().widen(narrow.data(), n, x);
    }
    munmap(pages, 2 * n_bytes);
}

/// Sums of halves are sums of float32: they do not overflow where halves would.
TEST_P(HalfKernelsTest, LargeNumbers) {
    for (std::size_t n : {1, 3, 16, 17, 64, 100, 768}) {
        Halves a(n), b(n);
        for (std::size_t i = 0; i < n; ++i) {
            a.data()[i] = 0x7bff;
            b.data()[i] = 0xfbff;
        }
        const double dims = static_cast<double>(n);
        const double square = 65504.0 * 65504.0;
        EXPECT_NEAR(table().l2_squared(a.data(), b.data(), n), 4 * square * dims, 1e6 * dims);
        EXPECT_NEAR(table().inner_product(a.data(), b.data(), n), -square * dims, 1e6 * dims);
        EXPECT_NEAR(table().l1(a.data(), b.data(), n), 131008 * dims, dims);
        EXPECT_EQ(table().squared_norm(a.data(), n), square * dims);
    }
}

std::string
level_name(const testing::TestParamInfo<SimdLevel>& level) {
    constexpr const char* kNames[] = {"Auto", "Scalar", "Avx2", "Avx512", "Neon"};
    return kNames[static_cast<int>(level.param)];
}

INSTANTIATE_TEST_SUITE_P(Levels, HalfKernelsTest,
                         testing::Values(SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512,
                                         SimdLevel::kNeon),
                         level_name);

TEST(HalfDispatchTest, SelectionIsKept) {
    const SimdLevel before = SimdLevel::kScalar;
    select_simd_level(SimdLevel::kAuto);
    EXPECT_EQ(&half_kernels(), &half_kernels_of(best_simd_level()));
    select_simd_level(before);
    EXPECT_STREQ(half_kernels().name, "scalar");
}

}  // namespace
}  // namespace vext::core
