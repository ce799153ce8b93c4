// The set of visited ids against std::set, through growth and clearing.

#include "core/visited.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "test_arena.h"

namespace vext::core {
namespace {

constexpr std::uint32_t kLargest = 0xfffffffe;

TEST(Visited, EqualsASet) {
    std::mt19937_64 random(1);
    for (const std::uint32_t range : {10u, 1000u, 100000u, kLargest}) {
        test::TestArena memory;
        VisitedSet visited(memory.arena(), 8);
        for (int round = 0; round < 3; ++round) {
            std::set<NodeId> model;
            for (int i = 0; i < 20000; ++i) {
                const auto id = static_cast<NodeId>(random() % range);
                ASSERT_EQ(visited.has(id), model.contains(id));
                ASSERT_EQ(visited.add(id), model.insert(id).second);
                ASSERT_EQ(visited.size(), model.size());
            }
            for (const NodeId id : model)
                ASSERT_TRUE(visited.has(id));
            visited.clear();
            EXPECT_EQ(visited.size(), 0u);
            for (const NodeId id : model)
                ASSERT_FALSE(visited.has(id));
        }
    }
}

TEST(Visited, TakesTheFirstAndTheLastId) {
    test::TestArena memory;
    VisitedSet visited(memory.arena(), 0);
    for (const std::uint32_t number : {0u, 1u, 0x7fffffffu, 0x80000000u, kLargest}) {
        const NodeId id{number};
        EXPECT_FALSE(visited.has(id));
        EXPECT_TRUE(visited.add(id));
        EXPECT_FALSE(visited.add(id));
        EXPECT_TRUE(visited.has(id));
    }
    EXPECT_EQ(visited.size(), 5u);
}

TEST(Visited, GrowsOnlyWhenMoreThanExpectedCome) {
    test::TestArena memory;
    VisitedSet visited(memory.arena(), 1000);
    const std::size_t n_bytes = visited.n_bytes();
    for (std::uint32_t i = 0; i < 1000; ++i)
        visited.add(NodeId{i * 4096});
    EXPECT_EQ(visited.n_bytes(), n_bytes);
    for (std::uint32_t i = 1000; i < 5000; ++i)
        visited.add(NodeId{i * 4096});
    EXPECT_GT(visited.n_bytes(), n_bytes);
    EXPECT_GE(visited.n_bytes(), 2 * 5000 * sizeof(std::uint32_t));
    for (std::uint32_t i = 0; i < 5000; ++i)
        ASSERT_TRUE(visited.has(NodeId{i * 4096}));
}

}  // namespace
}  // namespace vext::core
