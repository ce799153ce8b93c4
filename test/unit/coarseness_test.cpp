// How coarse codes are among neighbours (core/codec/coarseness.h).

#include "core/codec/coarseness.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "test_arena.h"

namespace vext::core {
namespace {

constexpr std::size_t kDims = 300;

class CoarsenessTest : public testing::Test {
   protected:
    // The coarseness of codes of rows around `n_centres`, `apart` times as wide as they are.
    double
    measure(std::size_t n_rows, std::size_t n_centres, float apart) {
        std::uniform_real_distribution<float> number(-1, 1);
        std::vector<std::vector<float>> centres(n_centres, std::vector<float>(kDims));
        for (std::vector<float>& centre : centres)
            for (float& value : centre)
                value = apart * number(random_);
        CoarsenessSample sample(arena_, kDims);
        std::vector<float> mean(kDims);
        for (std::size_t i = 0; i < n_rows; ++i) {
            std::vector<float> row = centres[i % n_centres];
            for (std::size_t d = 0; d < kDims; ++d) {
                row[d] += number(random_);
                mean[d] += row[d] / static_cast<float>(n_rows);
            }
            sample.add(row, random_());
        }
        return sample.measure(mean);
    }

    test::TestArena memory_;
    Arena& arena_ = memory_.arena();
    std::mt19937_64 random_{7};
};

TEST_F(CoarsenessTest, GrowsWithTheDistanceBetweenClusters) {
    EXPECT_NEAR(measure(4000, 1, 0), 0.9, 0.2);
    EXPECT_NEAR(measure(4000, 20, 4), 2.2, 0.4);
    EXPECT_NEAR(measure(4000, 20, 8), 4.2, 0.6);
    EXPECT_NEAR(measure(4000, 20, 16), 8.5, 1.2);
    EXPECT_GT(measure(100, 2, 8), kCoarseFor4Bits);
}

TEST_F(CoarsenessTest, IsSmallWhereDistancesOfNeighboursDiffer) {
    // A line through all dimensions, and a little noise.
    std::uniform_real_distribution<float> number(-1, 1);
    CoarsenessSample sample(arena_, kDims);
    std::vector<float> row(kDims);
    for (int i = 0; i < 3000; ++i) {
        const float place = number(random_);
        for (std::size_t d = 0; d < kDims; ++d)
            row[d] = place * static_cast<float>(d % 7) + 0.01F * number(random_);
        sample.add(row, random_());
    }
    const std::vector<float> zero(kDims);
    EXPECT_LT(sample.measure(zero), kCoarseFor4Bits);
    EXPECT_GT(sample.measure(zero), 0);
}

TEST_F(CoarsenessTest, SaysNothingOfFewRows) {
    EXPECT_EQ(measure(15, 1, 0), 0);
    EXPECT_GT(measure(16, 1, 0), 0);
}

TEST_F(CoarsenessTest, SaysNothingOfEqualRowsAndOverflow) {
    const std::vector<float> row(kDims, 3);
    const std::vector<float> huge(kDims, std::numeric_limits<float>::max());
    const std::vector<float> zero(kDims);
    CoarsenessSample equal(arena_, kDims);
    CoarsenessSample long_ones(arena_, kDims);
    for (int i = 0; i < 100; ++i) {
        equal.add(row, random_());
        long_ones.add(huge, random_());
    }
    EXPECT_EQ(equal.measure(zero), 0);
    EXPECT_EQ(long_ones.measure(zero), 0);
}

TEST_F(CoarsenessTest, SamplesAllThatWasAdded) {
    // Of the first 5,000 rows alone, all about 1,000, the sample would be of one kind.
    CoarsenessSample sample(arena_, 1);
    for (int i = 0; i < 100000; ++i) {
        const float value = i < 5000 ? 1000 : static_cast<float>(i);
        sample.add({&value, 1}, random_());
    }
    const float zero = 0;
    EXPECT_GT(sample.measure({&zero, 1}), 0);
}

}  // namespace
}  // namespace vext::core
