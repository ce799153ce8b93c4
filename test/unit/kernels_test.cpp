// Every table of kernels this CPU can run, against plain sums in float64 and the scalar table.
//
// Arrays lie in heap blocks of their exact size, so that the address sanitizer sees a read or write
// beyond the named lengths.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// An array that ends where its heap block ends and begins `kOffset` bytes after a block's start:
/// nothing may rely on alignment.
template <typename T>
class ExactArray {
   public:
    static constexpr std::size_t kOffset = sizeof(T);

    explicit ExactArray(std::size_t n)
        : block_(new unsigned char[kOffset + n * sizeof(T)]), n_(n) {}

    T*
    data() const {
        return reinterpret_cast<T*>(block_.get() + kOffset);
    }
    std::size_t
    size() const {
        return n_;
    }
    T&
    operator[](std::size_t i) const {
        return data()[i];
    }

   private:
    std::unique_ptr<unsigned char[]> block_;
    std::size_t n_;
};

class Source {
   public:
    explicit Source(std::uint64_t seed) : random_(seed) {}

    ExactArray<float>
    floats(std::size_t n) {
        ExactArray<float> x(n);
        for (std::size_t i = 0; i < n; ++i)
            x[i] = normal_(random_);
        return x;
    }
    ExactArray<std::uint8_t>
    codes(std::size_t n) {
        ExactArray<std::uint8_t> x(n);
        for (std::size_t i = 0; i < n; ++i)
            x[i] = static_cast<std::uint8_t>(random_());
        return x;
    }
    ExactArray<std::int8_t>
    query(std::size_t n) {
        ExactArray<std::int8_t> x(n);
        for (std::size_t i = 0; i < n; ++i)
            x[i] = static_cast<std::int8_t>(random_());
        return x;
    }

   private:
    std::mt19937_64 random_;
    std::normal_distribution<float> normal_;
};

/// A page of zeros followed by one that must not be touched: also sees the reads of masked and
/// other intrinsics, which the sanitizer does not.
class GuardedPage {
   public:
    GuardedPage() : n_bytes_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
        void* pages =
            mmap(nullptr, 2 * n_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED ||
            mprotect(static_cast<char*>(pages) + n_bytes_, n_bytes_, PROT_NONE) != 0)
            std::abort();
        page_ = static_cast<char*>(pages);
    }
    GuardedPage(const GuardedPage&) = delete;
    GuardedPage& operator=(const GuardedPage&) = delete;
    ~GuardedPage() { munmap(page_, 2 * n_bytes_); }

    /// The last n elements of the page.
    template <typename T>
    T*
    last(std::size_t n) const {
        return reinterpret_cast<T*>(page_ + n_bytes_ - n * sizeof(T));
    }

   private:
    std::size_t n_bytes_;
    char* page_;
};

/// A sum and the sum of the magnitudes of its terms, which bounds the error of any order of adding.
struct Expected {
    double sum = 0;
    double magnitude = 0;

    void
    add(double term) {
        sum += term;
        magnitude += std::fabs(term);
    }
};

/// Several roundings a term, and sums of n / 8 terms at most in each lane.
void
expect_close(double actual, const Expected& expected, std::size_t n, const char* what) {
    constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
    const double tolerance = expected.magnitude * kEpsilon * (4 + static_cast<double>(n) / 16);
    EXPECT_LE(std::fabs(actual - expected.sum), tolerance) << what << " of " << n;
}

std::vector<std::size_t>
tested_lengths() {
    std::vector<std::size_t> lengths;
    for (std::size_t n = 0; n <= 130; ++n)
        lengths.push_back(n);
    for (std::size_t n : {256, 384, 768, 784, 1536, 3072, 8000, 16000})
        lengths.push_back(n);
    return lengths;
}

class KernelsTest : public testing::TestWithParam<SimdLevel> {
   protected:
    void
    SetUp() override {
        if (!is_supported(GetParam()))
            GTEST_SKIP() << "this CPU or build has no such level";
    }
    const Kernels&
    table() const {
        return kernels_of(GetParam());
    }
};

TEST_P(KernelsTest, FloatSums) {
    Source source(1);
    for (std::size_t n : tested_lengths()) {
        const auto a = source.floats(n);
        const auto b = source.floats(n);
        Expected l2, dot, l1, aa, bb;
        for (std::size_t i = 0; i < n; ++i) {
            const double x = a[i], y = b[i];
            l2.add((x - y) * (x - y));
            dot.add(x * y);
            l1.add(std::fabs(x - y));
            aa.add(x * x);
            bb.add(y * y);
        }
        expect_close(table().l2_squared(a.data(), b.data(), n), l2, n, "l2_squared");
        expect_close(table().inner_product(a.data(), b.data(), n), dot, n, "inner_product");
        expect_close(table().l1(a.data(), b.data(), n), l1, n, "l1");
        const CosineParts parts = table().cosine_parts(a.data(), b.data(), n);
        expect_close(parts.dot, dot, n, "dot");
        expect_close(parts.squared_norm_a, aa, n, "squared_norm_a");
        expect_close(parts.squared_norm_b, bb, n, "squared_norm_b");
    }
}

TEST_P(KernelsTest, SquaredNormIsSummedInDouble) {
    Source source(2);
    for (std::size_t n : tested_lengths()) {
        const auto a = source.floats(n);
        double expected = 0;
        for (std::size_t i = 0; i < n; ++i)
            expected += static_cast<double>(a[i]) * a[i];
        EXPECT_NEAR(table().squared_norm(a.data(), n), expected, 1e-13 * expected) << n;
    }
    const ExactArray<float> huge(3);
    std::fill_n(huge.data(), 3, 3e38f);
    EXPECT_NEAR(table().squared_norm(huge.data(), 3), 27e76, 1e71);
}

TEST_P(KernelsTest, IntegerDotsAreExact) {
    Source source(3);
    for (std::size_t n : tested_lengths()) {
        const auto query = source.query(n);
        const auto code8 = source.codes(n);
        std::int64_t expected = 0;
        for (std::size_t i = 0; i < n; ++i)
            expected += code8[i] * query[i];
        EXPECT_EQ(table().dot_code8(code8.data(), query.data(), n), expected) << n;
        if (n % 2 != 0)
            continue;
        const auto code4 = source.codes(n / 2);
        expected = 0;
        for (std::size_t i = 0; i < n / 2; ++i)
            expected += (code4[i] & 15) * query[i] + (code4[i] >> 4) * query[i + n / 2];
        EXPECT_EQ(table().dot_code4(code4.data(), query.data(), n), expected) << n;
    }
}

TEST_P(KernelsTest, IntegerDotsDoNotSaturate) {
    for (std::size_t n : tested_lengths())
        for (std::int8_t extreme : {std::int8_t{-128}, std::int8_t{127}}) {
            const ExactArray<std::uint8_t> codes(n);
            const ExactArray<std::int8_t> query(n);
            std::fill_n(codes.data(), n, std::uint8_t{255});
            std::fill_n(query.data(), n, extreme);
            const auto dims = static_cast<std::int64_t>(n);
            EXPECT_EQ(table().dot_code8(codes.data(), query.data(), n), dims * 255 * extreme) << n;
            if (n % 2 == 0) {
                EXPECT_EQ(table().dot_code4(codes.data(), query.data(), n), dims * 15 * extreme)
                    << n;
            }
        }
}

TEST_P(KernelsTest, CodesAgainstFloats) {
    constexpr float kLow = -1.5f, kStep = 0.0125f;
    Source source(4);
    for (std::size_t n : tested_lengths()) {
        const auto query = source.floats(n);
        const auto code8 = source.codes(n);
        Expected dot8, l1;
        for (std::size_t i = 0; i < n; ++i) {
            const double code = code8[i];
            dot8.add(code * query[i]);
            l1.add(std::fabs(kLow + kStep * code - query[i]));
            l1.magnitude += 4;  // the difference may cancel, its parts may not
        }
        expect_close(table().dot_code8_float(code8.data(), query.data(), n), dot8, n, "code8");
        expect_close(table().l1_code8(code8.data(), kLow, kStep, query.data(), n), l1, n, "l1");
        if (n % 2 != 0)
            continue;
        const auto code4 = source.codes(n / 2);
        Expected dot4;
        for (std::size_t i = 0; i < n / 2; ++i) {
            dot4.add(static_cast<double>(code4[i] & 15) * query[i]);
            dot4.add(static_cast<double>(code4[i] >> 4) * query[i + n / 2]);
        }
        expect_close(table().dot_code4_float(code4.data(), query.data(), n), dot4, n, "code4");
    }
}

TEST_P(KernelsTest, NothingIsReadBeyondTheEnd) {
    const GuardedPage page_a, page_b;
    for (std::size_t n = 0; n <= 1000; n += n < 300 ? 1 : 7) {
        const auto* a = page_a.last<float>(n);
        const auto* b = page_b.last<float>(n);
        const auto* codes = page_a.last<std::uint8_t>(n);
        const auto* query = page_b.last<std::int8_t>(n);
        EXPECT_EQ(table().l2_squared(a, b, n), 0);
        EXPECT_EQ(table().inner_product(a, b, n), 0);
        EXPECT_EQ(table().l1(a, b, n), 0);
        EXPECT_EQ(table().cosine_parts(a, b, n).dot, 0);
        EXPECT_EQ(table().squared_norm(a, n), 0);
        EXPECT_EQ(table().dot_code8(codes, query, n), 0);
        EXPECT_EQ(table().dot_code8_float(codes, b, n), 0);
        EXPECT_EQ(table().l1_code8(codes, 0, 1, b, n), 0);
        if (n % 2 == 0) {
            const auto* code4 = page_a.last<std::uint8_t>(n / 2);
            EXPECT_EQ(table().dot_code4(code4, query, n), 0);
            EXPECT_EQ(table().dot_code4_float(code4, b, n), 0);
        }
    }
    for (std::size_t n = 1; n <= 1024; n *= 2)
        table().hadamard(page_a.last<float>(n), n);
}

// Entries of a sparse vector, some of them beyond the table; in float64, so nearly exact.
TEST_P(KernelsTest, SpreadSums) {
    Source source(11);
    for (std::size_t n = 0; n < 70; ++n) {
        for (const std::uint32_t n_numbers : {1u, 40u, 3000u}) {
            const ExactArray<float> numbers = source.floats(n_numbers);
            const ExactArray<float> values = source.floats(n);
            ExactArray<std::int32_t> indices(n);
            double squares = 0;
            double magnitudes = 0;
            double products = 0;
            for (std::size_t i = 0; i < n; ++i) {
                const auto place = static_cast<std::uint32_t>(i * 2654435761u) % (2 * n_numbers);
                indices[i] = i % 7 == 5 ? -1 - static_cast<std::int32_t>(i)
                                        : static_cast<std::int32_t>(place);
                const bool is_there = i % 7 != 5 && place < n_numbers;
                const double x = static_cast<double>(values[i]);
                const double y = is_there ? static_cast<double>(numbers[place]) : 0;
                squares += x * (x - 2 * y);
                magnitudes += std::fabs(x - y) - std::fabs(y);
                products += x * y;
            }
            const SpreadEntries entries = {values.data(), indices.data(), n};
            const SpreadTable spread = {numbers.data(), n_numbers};
            EXPECT_NEAR(table().spread_squares(entries, spread), squares, 1e-11) << n;
            EXPECT_NEAR(table().spread_magnitudes(entries, spread), magnitudes, 1e-11) << n;
            EXPECT_NEAR(table().spread_products(entries, spread), products, 1e-11) << n;
        }
    }
}

TEST_P(KernelsTest, OverflowGivesInfinity) {
    for (std::size_t n : {1, 3, 16, 17, 64, 100, 768}) {
        const ExactArray<float> a(n);
        const ExactArray<float> b(n);
        std::fill_n(a.data(), n, 3e38f);
        std::fill_n(b.data(), n, -3e38f);
        EXPECT_EQ(table().l2_squared(a.data(), b.data(), n), kInfinity) << n;
        EXPECT_EQ(table().inner_product(a.data(), b.data(), n), -kInfinity) << n;
        EXPECT_EQ(table().l1(a.data(), b.data(), n), kInfinity) << n;
        const CosineParts parts = table().cosine_parts(a.data(), b.data(), n);
        EXPECT_EQ(parts.dot, -kInfinity) << n;
        EXPECT_EQ(parts.squared_norm_a, kInfinity) << n;
        EXPECT_EQ(parts.squared_norm_b, kInfinity) << n;
    }
}

TEST_P(KernelsTest, InfinityMinusInfinityIsNotANumber) {
    const ExactArray<float> a(20);
    std::fill_n(a.data(), 20, kInfinity);
    EXPECT_TRUE(std::isnan(table().l2_squared(a.data(), a.data(), 20)));
    EXPECT_TRUE(std::isnan(table().l1(a.data(), a.data(), 20)));
    EXPECT_EQ(table().inner_product(a.data(), a.data(), 20), kInfinity);
}

TEST_P(KernelsTest, HadamardIsTheWalshMatrix) {
    Source source(5);
    for (std::size_t n = 1; n <= 256; n *= 2) {
        const auto x = source.floats(n);
        const std::vector<float> before(x.data(), x.data() + n);
        table().hadamard(x.data(), n);
        for (std::size_t i = 0; i < n; ++i) {
            Expected expected;
            for (std::size_t j = 0; j < n; ++j)
                expected.add(__builtin_parityll(i & j) != 0 ? -before[j] : before[j]);
            expect_close(x[i], expected, n, "row");
        }
    }
}

TEST_P(KernelsTest, HadamardTwiceScalesByItsLength) {
    Source source(6);
    for (std::size_t n = 1; n <= 16384; n *= 2) {
        const auto x = source.floats(n);
        const std::vector<float> before(x.data(), x.data() + n);
        table().hadamard(x.data(), n);
        table().hadamard(x.data(), n);
        for (std::size_t i = 0; i < n; ++i)
            ASSERT_NEAR(x[i] / static_cast<float>(n), before[i], 1e-5) << i << " of " << n;
    }
}

// The transform is additions alone, in the same order at every level.
TEST_P(KernelsTest, HadamardEqualsTheScalarOne) {
    Source source(7);
    for (std::size_t n = 1; n <= 8192; n *= 2) {
        const auto x = source.floats(n);
        const ExactArray<float> y(n);
        std::copy_n(x.data(), n, y.data());
        table().hadamard(x.data(), n);
        kernels_of(SimdLevel::kScalar).hadamard(y.data(), n);
        for (std::size_t i = 0; i < n; ++i)
            ASSERT_EQ(x[i], y[i]) << i << " of " << n;
    }
}

std::string
level_name(const testing::TestParamInfo<SimdLevel>& level) {
    constexpr const char* kNames[] = {"Auto", "Scalar", "Avx2", "Avx512", "Neon"};
    return kNames[static_cast<int>(level.param)];
}

INSTANTIATE_TEST_SUITE_P(Levels, KernelsTest,
                         testing::Values(SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512,
                                         SimdLevel::kNeon),
                         level_name);

TEST(DispatchTest, BestLevelIsSupported) {
    EXPECT_TRUE(is_supported(SimdLevel::kAuto));
    EXPECT_TRUE(is_supported(SimdLevel::kScalar));
    EXPECT_TRUE(is_supported(best_simd_level()));
    EXPECT_NE(best_simd_level(), SimdLevel::kAuto);
    EXPECT_EQ(&kernels_of(SimdLevel::kAuto), &kernels_of(best_simd_level()));
}

TEST(DispatchTest, LevelsOfAnotherArchitectureAreNot) {
#if defined(__x86_64__)
    EXPECT_FALSE(is_supported(SimdLevel::kNeon));
#elif defined(__aarch64__)
    EXPECT_EQ(best_simd_level(), SimdLevel::kNeon);
    EXPECT_FALSE(is_supported(SimdLevel::kAvx2));
    EXPECT_FALSE(is_supported(SimdLevel::kAvx512));
#endif
}

TEST(DispatchTest, SelectionIsKept) {
    const Kernels& before = kernels();
    select_simd_level(SimdLevel::kAuto);
    EXPECT_EQ(&kernels(), &kernels_of(best_simd_level()));
    select_simd_level(SimdLevel::kScalar);
    EXPECT_STREQ(kernels().name, "scalar");
    internal::selected_kernels = &before;
}

}  // namespace
}  // namespace vext::core
