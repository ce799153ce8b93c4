// The tile kernels of every table this CPU can run against plain sums.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<SimdLevel>
supported_levels() {
    std::vector<SimdLevel> levels;
    for (const SimdLevel level :
         {SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512, SimdLevel::kNeon})
        if (is_supported(level))
            levels.push_back(level);
    return levels;
}

class TilesTest : public testing::TestWithParam<SimdLevel> {
   protected:
    const Kernels& table_ = kernels_of(GetParam());
    std::mt19937_64 random_{11};
};
INSTANTIATE_TEST_SUITE_P(Levels, TilesTest, testing::ValuesIn(supported_levels()),
                         [](const auto& info) { return std::string(kernels_of(info.param).name); });

/// Products of random levels, or of the largest in magnitude.
template <typename TileProducts>
void
check_products(TileProducts tile_products, int bits, bool is_extreme, std::mt19937_64& random) {
    const int half = 1 << (bits - 1);
    for (const std::size_t n : {16, 32, 48, 496, 512, 528, 1040, 1536, 8000}) {
        std::vector<std::uint8_t> rows(n * kTileRows);
        std::vector<std::int8_t> columns(n * kTileColumns);
        for (std::uint8_t& level : rows)
            level = static_cast<std::uint8_t>(is_extreme ? 2 * half - 1 : random() % (2 * half));
        for (std::int8_t& level : columns)
            level = static_cast<std::int8_t>(
                is_extreme ? -half : static_cast<int>(random() % (2 * half)) - half);
        std::vector<std::int32_t> products(kTileRows * kTileColumns, -1);
        tile_products(rows.data(), columns.data(), n, products.data());
        for (std::size_t r = 0; r < kTileRows; ++r)
            for (std::size_t c = 0; c < kTileColumns; ++c) {
                std::int32_t expected = 0;
                for (std::size_t i = 0; i < n; ++i)
                    expected += rows[r * n + i] * columns[(i / 4 * kTileColumns + c) * 4 + i % 4];
                ASSERT_EQ(products[r * kTileColumns + c], expected) << n << ' ' << r << ' ' << c;
            }
    }
}

TEST_P(TilesTest, ProductsAreExact) {
    for (const bool is_extreme : {false, true}) {
        check_products(table_.tile_products4, 4, is_extreme, random_);
        check_products(table_.tile_products8, 8, is_extreme, random_);
    }
}

TEST_P(TilesTest, DistancesAndPicks) {
    std::vector<std::int32_t> products(kTileRows * kTileColumns);
    for (std::int32_t& product : products)
        product = static_cast<std::int32_t>(random_() % 2000) - 1000;
    struct Side {
        std::vector<float> factors, offsets, limits;
        std::vector<std::int32_t> biases;
    } sides[2];
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (Side& side : sides)
        for (std::size_t i = 0; i < (&side == sides ? kTileRows : kTileColumns); ++i) {
            side.factors.push_back(uniform(random_));
            side.offsets.push_back(uniform(random_) * 1000);
            side.limits.push_back(uniform(random_) * 1000);
            side.biases.push_back(static_cast<std::int32_t>(random_() % 2000) - 1000);
        }
    sides[0].limits[3] = std::numeric_limits<float>::max();
    sides[1].offsets[5] = kInfinity;
    sides[1].offsets[6] = kNan;
    sides[1].limits[9] = -kInfinity;
    const auto side_of = [](const Side& side) {
        return TileSide{side.factors.data(), side.offsets.data(), side.biases.data(),
                        side.limits.data()};
    };
    TilePicks picks;
    EXPECT_TRUE(
        table_.tile_distances(products.data(), side_of(sides[0]), side_of(sides[1]), -0.5f, picks));
    for (std::size_t r = 0; r < kTileRows; ++r)
        for (std::size_t c = 0; c < kTileColumns; ++c) {
            const std::size_t i = r * kTileColumns + c;
            const double expected = static_cast<double>(sides[0].offsets[r]) + sides[1].offsets[c] -
                                    0.5 * sides[0].factors[r] * sides[1].factors[c] *
                                        (2 * products[i] + sides[0].biases[r] + sides[1].biases[c]);
            const float distance = picks.distances[i];
            if (std::isfinite(expected)) {
                ASSERT_NEAR(distance, expected, 1e-3);
            } else {
                ASSERT_FALSE(std::isfinite(distance));
            }
            ASSERT_EQ(picks.near_rows[r] >> c & 1, distance <= sides[0].limits[r] ? 1u : 0u);
            ASSERT_EQ(picks.near_columns[r] >> c & 1, distance <= sides[1].limits[c] ? 1u : 0u);
        }
    for (Side& side : sides)
        std::fill(side.limits.begin(), side.limits.end(), -kInfinity);
    EXPECT_FALSE(
        table_.tile_distances(products.data(), side_of(sides[0]), side_of(sides[1]), -0.5f, picks));
}

TEST_P(TilesTest, SortKeys) {
    for (const std::size_t n : {16, 32, 48, 64, 80, 208}) {
        std::vector<std::int64_t> keys(n);
        for (std::int64_t& key : keys)
            key = static_cast<std::int64_t>(random_());
        keys[2] = std::numeric_limits<std::int64_t>::min();
        std::fill(keys.end() - 5, keys.end(), std::numeric_limits<std::int64_t>::max());
        std::vector<std::int64_t> sorted(n);
        table_.sort_keys(keys.data(), n, sorted.data());
        std::sort(keys.begin(), keys.end());
        for (std::size_t i = 0; i < n - 4; ++i)
            ASSERT_EQ(sorted[i], keys[i]) << n << ' ' << i;
    }
}

TEST_P(TilesTest, SortKeysWritesEqualOnesOnce) {
    constexpr std::int64_t kUnwritten = -77;
    std::vector<std::int64_t> keys(64);
    for (std::size_t i = 0; i < keys.size(); ++i)
        keys[i] = static_cast<std::int64_t>(i * 37 % 64 / 3);
    std::vector<std::int64_t> sorted(keys.size(), kUnwritten);
    table_.sort_keys(keys.data(), keys.size(), sorted.data());
    for (std::size_t i = 0; i < keys.size(); ++i)
        ASSERT_EQ(sorted[i], i % 3 == 0 ? static_cast<std::int64_t>(i / 3) : kUnwritten) << i;
}

}  // namespace
}  // namespace vext::core
