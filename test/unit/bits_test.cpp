// Every table of bit kernels this CPU can run, against counting bit by bit and the scalar table.
//
// Strings end where a page begins that must not be touched, and begin at any address: masked and
// other intrinsics are seen as the address sanitizer would not see them.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

constexpr std::size_t kMaxBytes = 65536;

class GuardedBytes {
   public:
    GuardedBytes() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
        void* pages = mmap(nullptr, kMaxBytes + page_, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED ||
            mprotect(static_cast<char*>(pages) + kMaxBytes, page_, PROT_NONE) != 0)
            std::abort();
        bytes_ = static_cast<std::uint8_t*>(pages);
    }
    GuardedBytes(const GuardedBytes&) = delete;
    GuardedBytes& operator=(const GuardedBytes&) = delete;
    ~GuardedBytes() { munmap(bytes_, kMaxBytes + page_); }

    void
    fill(std::mt19937_64& random) {
        for (std::size_t i = 0; i < kMaxBytes; ++i)
            bytes_[i] = static_cast<std::uint8_t>(random());
    }
    void
    fill(std::uint8_t byte) {
        __builtin_memset(bytes_, byte, kMaxBytes);
    }

    /// The last n bytes.
    std::uint8_t*
    last(std::size_t n) const {
        return bytes_ + kMaxBytes - n;
    }

   private:
    std::size_t page_;
    std::uint8_t* bytes_;
};

std::vector<std::size_t>
tested_lengths() {
    std::vector<std::size_t> lengths;
    for (std::size_t n = 0; n <= 300; ++n)
        lengths.push_back(n);
    for (std::size_t n : {384, 385, 1000, 4095, 8000, 65535, 65536})
        lengths.push_back(n);
    return lengths;
}

class BitKernelsTest : public testing::TestWithParam<const BitKernels*> {
   protected:
    const BitKernels&
    table() const {
        return *GetParam();
    }
};

TEST_P(BitKernelsTest, CountsAreExact) {
    std::mt19937_64 random(1);
    GuardedBytes a, b;
    a.fill(random);
    b.fill(random);
    for (std::size_t n : tested_lengths()) {
        std::uint64_t different = 0, common = 0, either = 0;
        for (std::size_t i = 0; i < n; ++i) {
            different += std::popcount(static_cast<std::uint8_t>(a.last(n)[i] ^ b.last(n)[i]));
            common += std::popcount(static_cast<std::uint8_t>(a.last(n)[i] & b.last(n)[i]));
            either += std::popcount(static_cast<std::uint8_t>(a.last(n)[i] | b.last(n)[i]));
        }
        EXPECT_EQ(table().hamming(a.last(n), b.last(n), n), different) << n;
        const BitParts parts = table().jaccard_parts(a.last(n), b.last(n), n);
        EXPECT_EQ(parts.common, common) << n;
        EXPECT_EQ(parts.either, either) << n;
    }
}

TEST_P(BitKernelsTest, EqualsTheScalarOneAtAnyAddress) {
    std::mt19937_64 random(2);
    GuardedBytes a, b;
    a.fill(random);
    b.fill(random);
    for (std::size_t n : tested_lengths())
        for (std::size_t offset = 0; offset < 64 && n + offset <= kMaxBytes; offset += 7) {
            const std::uint8_t* x = a.last(n + offset);
            const std::uint8_t* y = b.last(n + offset);
            EXPECT_EQ(table().hamming(x, y, n), bit_kernels_scalar.hamming(x, y, n)) << n;
            const BitParts parts = table().jaccard_parts(x, y, n);
            const BitParts expected = bit_kernels_scalar.jaccard_parts(x, y, n);
            EXPECT_EQ(parts.common, expected.common) << n;
            EXPECT_EQ(parts.either, expected.either) << n;
        }
}

TEST_P(BitKernelsTest, TilesCountWhatIsCommon) {
    std::mt19937_64 random(3);
    for (const std::size_t n_words : {0, 1, 2, 3, 12, 32, 33, 256, 1000})
        for (const bool is_extreme : {false, true}) {
            std::vector<std::uint64_t> rows(kTileRows * n_words);
            std::vector<std::uint64_t> columns(kTileColumns * n_words);
            for (auto* side : {&rows, &columns})
                for (std::uint64_t& word : *side)
                    word = is_extreme ? ~std::uint64_t{0} : random();
            std::vector<std::int32_t> counts(kTileRows * kTileColumns, -1);
            table().tile_common(rows.data(), columns.data(), n_words, counts.data());
            for (std::size_t r = 0; r < kTileRows; ++r)
                for (std::size_t c = 0; c < kTileColumns; ++c) {
                    int common = 0;
                    for (std::size_t i = 0; i < n_words; ++i)
                        common +=
                            std::popcount(rows[r * n_words + i] & columns[i * kTileColumns + c]);
                    ASSERT_EQ(counts[r * kTileColumns + c], common)
                        << n_words << ' ' << r << ' ' << c;
                }
        }
}

TEST_P(BitKernelsTest, CountsDoNotOverflow) {
    GuardedBytes ones, zeros;
    ones.fill(std::uint8_t{255});
    for (std::size_t n : tested_lengths()) {
        EXPECT_EQ(table().hamming(ones.last(n), zeros.last(n), n), 8 * n);
        EXPECT_EQ(table().hamming(ones.last(n), ones.last(n), n), 0);
        EXPECT_EQ(table().jaccard_parts(ones.last(n), ones.last(n), n).common, 8 * n);
        EXPECT_EQ(table().jaccard_parts(ones.last(n), zeros.last(n), n).either, 8 * n);
    }
}

// By tables, not levels: that of AVX2 also serves CPUs of the higher level without VPOPCNTDQ.
std::vector<const BitKernels*>
tables_of_this_cpu() {
    std::vector<const BitKernels*> tables;
    for (SimdLevel level :
         {SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512, SimdLevel::kNeon})
        if (is_supported(level) &&
            &bit_kernels_of(level) != (tables.empty() ? nullptr : tables.back()))
            tables.push_back(&bit_kernels_of(level));
    return tables;
}

INSTANTIATE_TEST_SUITE_P(Tables, BitKernelsTest, testing::ValuesIn(tables_of_this_cpu()),
                         [](const auto& table) { return std::string(table.param->name); });

TEST(BitDispatchTest, GoesWithTheLevel) {
    const SimdLevel best = best_simd_level();
    select_simd_level(SimdLevel::kScalar);
    EXPECT_STREQ(bit_kernels().name, "scalar");
    select_simd_level(SimdLevel::kAuto);
    EXPECT_EQ(&bit_kernels(), &bit_kernels_of(best));
    EXPECT_NE(&bit_kernels(), best == SimdLevel::kScalar ? nullptr : &bit_kernels_scalar);
    select_simd_level(SimdLevel::kScalar);
}

}  // namespace
}  // namespace vext::core
