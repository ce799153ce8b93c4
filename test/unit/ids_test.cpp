// Points and ranks of a batch: none is taken for the other, and each leads to the other.

#include "core/batch/ids.h"

#include <gtest/gtest.h>

#include <concepts>
#include <cstdint>
#include <vector>

#include "core/batch/crew.h"
#include "core/batch/near_key.h"
#include "core/batch/points.h"
#include "core/graph/link.h"

namespace vext::core {
namespace {

template <typename Elements, typename Id>
concept HasElementsBy = requires(const Elements elements, Id id) {
    elements[id];
};

template <typename Id>
concept HasRecord = requires(const PointView points, Id id) {
    points.record(id);
};

// That it compiles is the test.
static_assert(HasElementsBy<RankedPoints, Rank>);
static_assert(!HasElementsBy<RankedPoints, Point>);
static_assert(!HasElementsBy<RankedPoints, std::uint32_t>);
static_assert(HasElementsBy<Rows<Point, float>, Point>);
static_assert(!HasElementsBy<Rows<Point, float>, Rank>);
static_assert(HasRecord<Point> && !HasRecord<Rank> && !HasRecord<NodeId>);
static_assert(!std::convertible_to<Point, Rank> && !std::convertible_to<Rank, std::uint32_t>);
static_assert(!std::convertible_to<Near<Point>, Near<Rank>>);
static_assert(!std::convertible_to<LinkTo<Rank>, Link>);
static_assert(std::convertible_to<IdSpan<Rank, int>, IdSpan<Rank, const int>>);
static_assert(!std::convertible_to<IdSpan<Rank, const int>, IdSpan<Rank, int>>);
static_assert(!std::convertible_to<IdSpan<Point, int>, IdSpan<Rank, int>>);

TEST(IdsTest, RankAndPointLeadToEachOther) {
    const std::vector<Point> points = {Point{0}, Point{1}, Point{4}, Point{5}, Point{90}};
    const RankedPoints ranked = points;
    std::size_t n = 0;
    for (const Rank rank : ranked.ids()) {
        EXPECT_EQ(rank, static_cast<Rank>(n));
        EXPECT_EQ(ranked[rank], points[n++]);
        EXPECT_EQ(ranked.rank_of(ranked[rank]), rank);
        EXPECT_TRUE(ranked.has(ranked[rank]));
    }
    EXPECT_EQ(n, points.size());
    for (const Point other : {Point{2}, Point{3}, Point{6}, Point{91}, kNoPoint})
        EXPECT_FALSE(ranked.has(other));
    EXPECT_FALSE(RankedPoints().has(Point{0}));
}

TEST(IdsTest, NodesAreWhatWentIn) {
    EXPECT_EQ(to_point(to_node(Point{7})), Point{7});
    EXPECT_EQ(to_rank(to_node(Rank{8})), Rank{8});
    const LinkTo<Rank> link(Rank{9}, LinkKind::kAnchor);
    EXPECT_EQ(link.id(), Rank{9});
    EXPECT_EQ(link.kind(), LinkKind::kAnchor);
}

// As the distance, then the id, do; the two zeros are one.
TEST(IdsTest, KeysOrderAsDistancesDo) {
    const std::vector<Near<Point>> ascending = {
        {-2, Point{9}}, {-1, Point{0}},         {-0.0f, Point{3}},
        {0, Point{4}},  {1e-30f, Point{0}},     {1, Point{7}},
        {1, Point{8}},  {1, Point{0xfffffff0}}, {1e30f, Point{2}}};
    for (std::size_t i = 0; i < ascending.size(); ++i) {
        const Near<Point> same = near_of<Point>(key_of(ascending[i]));
        EXPECT_EQ(same.distance, ascending[i].distance);
        EXPECT_EQ(same.id, ascending[i].id);
        EXPECT_LT(key_of(ascending[i]), kNoKey);
        for (std::size_t j = 0; j < i; ++j) {
            EXPECT_LT(key_of(ascending[j]), key_of(ascending[i]));
            EXPECT_LE(order_of(ascending[j].distance), order_of(ascending[i].distance));
        }
    }
}

}  // namespace
}  // namespace vext::core
