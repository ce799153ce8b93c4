// Which points of a batch rise, on layers drawn by hand.

#include "core/batch/rising.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/batch/crew.h"
#include "test_arena.h"

namespace vext::core {
namespace {

// Groups of ranks that follow each other; in each, a rank links to the next seven, in a circle, so
// that three steps lead to all.
class RisingTest : public testing::Test {
   protected:
    static constexpr std::size_t kGroup = 20;
    static constexpr std::size_t kWidth = 7;

    LayerLinks
    groups(std::size_t n) {
        SerialCrew crew(memory_.arena());
        const LayerLinks layer = {Rows<Link>(crew, memory_.arena(), n, kWidth),
                                  Rows<std::uint8_t>(crew, memory_.arena(), n, 1)};
        for (std::size_t rank = 0; rank < n; ++rank) {
            const std::size_t first = rank / kGroup * kGroup;
            for (std::size_t i = 0; i < kWidth; ++i)
                layer.links[rank][i] =
                    Link(static_cast<NodeId>(first + (rank - first + i + 1) % kGroup),
                         LinkKind::kDiverse);
            layer.counts[rank][0] = kWidth;
        }
        return layer;
    }

    void
    raise(const LayerLinks& layer, std::vector<std::uint8_t>& levels) {
        raise_uncovered(layer, levels, memory_.arena(), [] {});
    }

    test::TestArena memory_;
};

TEST_F(RisingTest, LeavesNoGroupWithoutARisenRank) {
    constexpr std::size_t kRanks = 5 * kGroup;
    const LayerLinks layer = groups(kRanks);
    std::vector<std::uint8_t> levels(kRanks);
    levels[3] = 2;
    raise(layer, levels);
    EXPECT_EQ(levels[3], 2);
    for (std::size_t first = 0; first < kRanks; first += kGroup)
        EXPECT_EQ(kGroup - 1, static_cast<std::size_t>(std::count(
                                  levels.begin() + static_cast<std::ptrdiff_t>(first),
                                  levels.begin() + static_cast<std::ptrdiff_t>(first + kGroup), 0)))
            << first;
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
    constexpr std::size_t kWide = 12;
    SerialCrew crew(memory_.arena());
    const LayerLinks layer = {Rows<Link>(crew, memory_.arena(), 2 * kGroup, kWide),
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
        for (std::size_t i = 3; i < kWide; ++i)
            layer.links[rank][i] = Link(mate(i - 1), LinkKind::kFiller);
        layer.counts[rank][0] = kWide;
    }
    std::vector<std::uint8_t> levels(2 * kGroup);
    for (std::size_t rank = 0; rank < kGroup; ++rank)
        levels[rank] = 1;
    raise(layer, levels);
    EXPECT_NE(std::count(levels.begin() + kGroup, levels.end(), 1), 0);
}

TEST_F(RisingTest, RaisesFewWithoutLinks) {
    LayerLinks layer = groups(kGroup);
    for (std::size_t rank = 0; rank < kGroup; ++rank)
        layer.counts[rank][0] = 0;
    std::vector<std::uint8_t> levels(kGroup);
    raise(layer, levels);
    const std::size_t n_most = kGroup / kRanksPerRaised + 1;
    EXPECT_EQ(static_cast<std::size_t>(std::count(levels.begin(), levels.end(), 1)), n_most);
    std::vector<std::uint8_t> none;
    raise(layer, none);
}

}  // namespace
}  // namespace vext::core
