// Which points of a batch rise, on layers drawn by hand.

#include "core/batch/rising.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/batch/crew.h"
#include "test_arena.h"

namespace vext::core {
namespace {

// Groups of ranks that follow each other; in each, a rank links to the next two, in a circle.
class RisingTest : public testing::Test {
   protected:
    static constexpr std::size_t kGroup = 20;

    LayerLinks
    groups(std::size_t n) {
        SerialCrew crew(memory_.arena());
        const LayerLinks layer = {Rows<Link>(crew, memory_.arena(), n, 2),
                                  Rows<std::uint8_t>(crew, memory_.arena(), n, 1)};
        for (std::size_t rank = 0; rank < n; ++rank) {
            const std::size_t first = rank / kGroup * kGroup;
            for (std::size_t i = 0; i < 2; ++i)
                layer.links[rank][i] =
                    Link(static_cast<NodeId>(first + (rank - first + i + 1) % kGroup),
                         LinkKind::kDiverse);
            layer.counts[rank][0] = 2;
        }
        return layer;
    }

    void
    raise(const LayerLinks& layer, std::vector<std::uint8_t>& levels) {
        raise_uncovered(layer, levels, memory_.arena(), [] {});
    }

    test::TestArena memory_;
};

TEST_F(RisingTest, LeavesNoRankWithoutARisenOneNear) {
    constexpr std::size_t kRanks = 5 * kGroup;
    const LayerLinks layer = groups(kRanks);
    std::vector<std::uint8_t> levels(kRanks);
    levels[3] = 2;
    raise(layer, levels);
    EXPECT_EQ(levels[3], 2);
    const auto is_risen = [&](std::size_t rank) { return levels[rank] > 0; };
    std::size_t n_risen = 0;
    for (std::size_t rank = 0; rank < kRanks; ++rank) {
        n_risen += is_risen(rank);
        bool is_near = is_risen(rank);
        // Raising reaches as far against the links as along them, in a circle: three steps of two.
        for (std::size_t step = 1; step <= 6; ++step)
            is_near |= is_risen(rank / kGroup * kGroup + (rank + step) % kGroup) ||
                       is_risen(rank / kGroup * kGroup + (rank + kGroup - step) % kGroup);
        EXPECT_TRUE(is_near) << rank;
    }
    EXPECT_GE(n_risen, 5u);
    EXPECT_LE(n_risen, 5u * 3);
}

TEST_F(RisingTest, RaisesNoneWhereChanceDoes) {
    const LayerLinks layer = groups(2 * kGroup);
    std::vector<std::uint8_t> levels(2 * kGroup);
    for (std::size_t rank = 0; rank < levels.size(); rank += 3)
        levels[rank] = 1;
    const std::vector<std::uint8_t> before = levels;
    raise(layer, levels);
    EXPECT_EQ(levels, before);
}

// Links that lead out of a group do not cover it.
TEST_F(RisingTest, RaisesOneOfAGroupThatLinksElsewhere) {
    constexpr std::size_t kWidth = 12;
    SerialCrew crew(memory_.arena());
    const LayerLinks layer = {Rows<Link>(crew, memory_.arena(), 2 * kGroup, kWidth),
                              Rows<std::uint8_t>(crew, memory_.arena(), 2 * kGroup, 1)};
    for (std::size_t rank = 0; rank < 2 * kGroup; ++rank) {
        const std::size_t first = rank / kGroup * kGroup;
        const auto mate = [&](std::size_t i) {
            return static_cast<NodeId>(first + (rank - first + i) % kGroup);
        };
        // The nearest of the own group, two of the other one, then fillers.
        layer.links[rank][0] = Link(mate(1), LinkKind::kDiverse);
        for (std::size_t i = 1; i < 3; ++i)
            layer.links[rank][i] =
                Link(static_cast<NodeId>((rank + kGroup) % (2 * kGroup)), LinkKind::kDiverse);
        for (std::size_t i = 3; i < kWidth; ++i)
            layer.links[rank][i] = Link(mate(i - 1), LinkKind::kFiller);
        layer.counts[rank][0] = kWidth;
    }
    std::vector<std::uint8_t> levels(2 * kGroup);
    for (std::size_t rank = 0; rank < kGroup; ++rank)
        levels[rank] = 1;
    raise(layer, levels);
    EXPECT_NE(std::count(levels.begin() + kGroup, levels.end(), 1), 0);
}

TEST_F(RisingTest, DoesWithoutLinks) {
    LayerLinks layer = groups(kGroup);
    for (std::size_t rank = 0; rank < kGroup; ++rank)
        layer.counts[rank][0] = 0;
    std::vector<std::uint8_t> levels(kGroup);
    raise(layer, levels);
    EXPECT_EQ(levels, std::vector<std::uint8_t>(kGroup, 1));
    std::vector<std::uint8_t> none;
    raise(layer, none);
}

}  // namespace
}  // namespace vext::core
