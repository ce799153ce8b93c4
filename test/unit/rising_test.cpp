// Which points of a batch rise, on layers drawn by hand.

#include "core/batch/rising.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
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

    // The i-th behind the rank in the circle of its group.
    static Rank
    mate_of(Rank rank, std::size_t i) {
        const std::size_t first = number_of(rank) / kGroup * kGroup;
        return static_cast<Rank>(first + (number_of(rank) - first + i) % kGroup);
    }

    LayerLinks
    groups(std::size_t n) {
        SerialCrew crew(memory_.arena());
        const LayerLinks layer = {Rows<Rank, RankLink>(crew, memory_.arena(), n, kWidth),
                                  Rows<Rank, std::uint8_t>(crew, memory_.arena(), n, 1)};
        for (const Rank rank : ids_below<Rank>(n)) {
            for (std::size_t i = 0; i < kWidth; ++i)
                layer.links[rank][i] = RankLink(mate_of(rank, i + 1), LinkKind::kDiverse);
            layer.counts[rank][0] = kWidth;
        }
        return layer;
    }

    // Every rank is wanting, and its near links stay in its group.
    void
    raise(const LayerLinks& links, std::vector<std::uint8_t>& levels, int layer = 0) {
        raise(links, std::vector<Surroundings>(levels.size(), {0xff, true}), levels, layer);
    }

    void
    raise(const LayerLinks& links, const std::vector<Surroundings>& surroundings,
          std::vector<std::uint8_t>& levels, int layer = 0) {
        raise_wanting(links, surroundings, {layer, levels}, memory_.arena(), [] {});
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
    const LayerLinks layer = {Rows<Rank, RankLink>(crew, memory_.arena(), 2 * kGroup, kWide),
                              Rows<Rank, std::uint8_t>(crew, memory_.arena(), 2 * kGroup, 1)};
    for (const Rank rank : ids_below<Rank>(2 * kGroup)) {
        const auto other = static_cast<Rank>((number_of(rank) + kGroup) % (2 * kGroup));
        // The nearest of the own group, two of the other one, then fillers.
        layer.links[rank][0] = RankLink(mate_of(rank, 1), LinkKind::kDiverse);
        for (std::size_t i = 1; i < 3; ++i)
            layer.links[rank][i] = RankLink(other, LinkKind::kDiverse);
        for (std::size_t i = 3; i < kWide; ++i)
            layer.links[rank][i] = RankLink(mate_of(rank, i - 1), LinkKind::kFiller);
        layer.counts[rank][0] = kWide;
    }
    std::vector<std::uint8_t> levels(2 * kGroup);
    for (std::size_t rank = 0; rank < kGroup; ++rank)
        levels[rank] = 1;
    raise(layer, levels);
    EXPECT_NE(std::count(levels.begin() + kGroup, levels.end(), 1), 0);
}

TEST_F(RisingTest, RaisesAboveEveryLayer) {
    const LayerLinks layer = groups(2 * kGroup);
    std::vector<std::uint8_t> levels(2 * kGroup, 1);
    levels[5] = 2;
    raise(layer, levels, 1);
    EXPECT_EQ(std::count(levels.begin(), levels.begin() + kGroup, 2), 1);
    EXPECT_EQ(std::count(levels.begin() + kGroup, levels.end(), 2), 1);
    EXPECT_EQ(std::count(levels.begin(), levels.end(), 1), 2 * kGroup - 2);
}

// A rank that the graph outside covers needs none; its links still lead from one to another.
TEST_F(RisingTest, RaisesNoneThatIsCoveredOutside) {
    const LayerLinks layer = groups(2 * kGroup);
    std::vector<std::uint8_t> levels(2 * kGroup);
    std::vector<Surroundings> surroundings(2 * kGroup, {0xff, false});
    surroundings[kGroup + 3].is_wanting = true;
    raise(layer, surroundings, levels);
    EXPECT_EQ(levels[kGroup + 3], 1);
    EXPECT_EQ(std::count(levels.begin(), levels.end(), 0), 2 * kGroup - 1);
}

// A near link to another group covers nobody.
TEST_F(RisingTest, DoesNotCoverAcrossGroups) {
    const LayerLinks layer = groups(2 * kGroup);
    for (const Rank rank : ids_below<Rank>(kGroup))
        layer.links[rank + kGroup][6] = RankLink(rank, LinkKind::kDiverse);
    std::vector<std::uint8_t> levels(2 * kGroup);
    std::fill_n(levels.begin(), kGroup, 1);
    // Of a list without fillers the near links are in the order of the list.
    std::vector<Surroundings> surroundings(2 * kGroup, {0x3f, true});
    raise(layer, surroundings, levels);
    EXPECT_GE(std::count(levels.begin() + kGroup, levels.end(), 1), 1);
    std::fill_n(surroundings.begin(), 2 * kGroup, Surroundings{0xff, true});
    std::fill_n(levels.begin() + kGroup, kGroup, 0);
    raise(layer, surroundings, levels);
    EXPECT_EQ(std::count(levels.begin() + kGroup, levels.end(), 1), 0);
}

class SurroundingsTest : public testing::Test {
   protected:
    static std::vector<Candidate>
    at(std::initializer_list<float> distances) {
        std::vector<Candidate> near;
        for (const float distance : distances)
            near.push_back({distance, 0, NodeId{0}, 0, false, false});
        return near;
    }
};

TEST_F(SurroundingsTest, TellsOwnFromOthers) {
    // Thrice as far as the fourth is nine times by squares.
    EXPECT_EQ(judge_surroundings(Metric::kL2, at({1, 2, 4, 36, 37, 3}), {}).own, 0b101111);
    EXPECT_EQ(judge_surroundings(Metric::kL1, at({1, 2, 4, 36, 12, 3}), {}).own, 0b110111);
    EXPECT_EQ(judge_surroundings(Metric::kInnerProduct, at({-1, 2, 400}), {}).own, 0b111);
    EXPECT_EQ(judge_surroundings(Metric::kL2, {}, {}).own, 0);
    // What the graph has nearer says how large the group is.
    EXPECT_EQ(judge_surroundings(Metric::kL2, at({1, 2, 4, 36}), {0.1F, 1000, false}).own, 0);
    // As far as the errors allow.
    std::vector<Candidate> near = at({1, 2, 3, 3, 28});
    EXPECT_EQ(judge_surroundings(Metric::kL2, near, {}).own, 0b1111);
    near[4].error = 2;
    EXPECT_EQ(judge_surroundings(Metric::kL2, near, {}).own, 0b11111);
}

TEST_F(SurroundingsTest, WantsOneAboveForAGroup) {
    const std::vector<Candidate> group = at({1, 1, 2, 3, 4});
    const std::vector<Candidate> few = at({1, 1, 2});
    EXPECT_TRUE(judge_surroundings(Metric::kL2, group, {}).is_wanting);
    EXPECT_FALSE(judge_surroundings(Metric::kL2, few, {}).is_wanting);
    EXPECT_TRUE(judge_surroundings(Metric::kInnerProduct, group, {}).is_wanting);
    // Beside a graph.
    EXPECT_FALSE(judge_surroundings(Metric::kL2, group, {1, 8}).is_wanting);
    EXPECT_TRUE(judge_surroundings(Metric::kL2, group, {90, 30}).is_wanting);
    EXPECT_FALSE(judge_surroundings(Metric::kInnerProduct, group, {90, 30}).is_wanting);
    EXPECT_TRUE(judge_surroundings(Metric::kL2, few, {3, 30}).is_wanting);
    EXPECT_TRUE(judge_surroundings(Metric::kL2, few, {3, 10, true}).is_wanting);
    EXPECT_FALSE(judge_surroundings(Metric::kL2, few, {90, 100}).is_wanting);
}

TEST_F(RisingTest, RaisesFewWithoutLinks) {
    LayerLinks layer = groups(kGroup);
    for (const Rank rank : ids_below<Rank>(kGroup))
        layer.counts[rank][0] = 0;
    std::vector<std::uint8_t> levels(kGroup);
    raise(layer, levels);
    const std::size_t n_most = kGroup / ranks_per_raised(0) + 1;
    EXPECT_EQ(static_cast<std::size_t>(std::count(levels.begin(), levels.end(), 1)), n_most);
    std::vector<std::uint8_t> none;
    raise(layer, none);
}

}  // namespace
}  // namespace vext::core
