#include "core/bitmap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "test_arena.h"

namespace vext::core {
namespace {

TEST(Bitmap, EqualsAVectorOfBits) {
    std::mt19937_64 random(2);
    for (const std::size_t n : {1u, 2u, 63u, 64u, 65u, 127u, 128u, 1000u}) {
        test::TestArena memory;
        Bitmap bitmap(memory.arena(), n);
        std::vector<bool> model(n);
        EXPECT_EQ(bitmap.size(), n);
        EXPECT_EQ(bitmap.count(), 0u);
        for (int step = 0; step < 2000; ++step) {
            const std::size_t i = random() % n;
            const bool value = random() % 2 == 0;
            model[i] = value;
            value ? bitmap.set(i) : bitmap.clear(i);
        }
        for (std::size_t i = 0; i < n; ++i)
            ASSERT_EQ(bitmap.has(i), model[i]) << n << ' ' << i;
        EXPECT_EQ(bitmap.count(),
                  static_cast<std::size_t>(std::count(model.begin(), model.end(), true)));
    }
}

TEST(Bitmap, HoldsNothing) {
    test::TestArena memory;
    const Bitmap bitmap(memory.arena(), 0);
    EXPECT_EQ(bitmap.size(), 0u);
    EXPECT_EQ(bitmap.count(), 0u);
}

}  // namespace
}  // namespace vext::core
