// Selection of links on graphs drawn by hand: points of a plane, the base at the origin.

#include "core/graph/select.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "test_arena.h"

namespace vext::core {
namespace {

constexpr LinkKind kDiverse = LinkKind::kDiverse;
constexpr LinkKind kFiller = LinkKind::kFiller;
constexpr LinkKind kAnchor = LinkKind::kAnchor;
constexpr float kNoise = occlusion_margin(0);
constexpr float kAbove = occlusion_margin(1);

struct Point {
    float x, y;
};

float
distance(const Point& a, const Point& b) {
    return std::hypot(a.x - b.x, a.y - b.y);
}

constexpr Point kOrigin = {0, 0};

struct Selection {
    std::vector<std::uint32_t> chosen;
    std::size_t n_diverse;
    std::size_t n_asked;

    bool operator==(const Selection&) const = default;
};

/// Selects links of the origin; `points` stand in order of their distance to it.
Selection
select(const std::vector<Point>& points, std::size_t n_most, float margin = kNoise) {
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < points.size(); ++i)
        candidates.push_back(
            {distance(points[i], kOrigin), 0, static_cast<NodeId>(100 + i), 0, false, false});
    test::TestArena arena;
    SelectMemory memory(arena.arena(), points.size());
    memory.chosen.push_back(77);  // what an earlier selection has left
    std::size_t n_asked = 0;
    const std::size_t n_diverse = select_links(
        candidates, n_most, margin,
        [&](std::uint32_t chosen, std::span<const std::uint32_t> others, float* distances) {
            for (const std::uint32_t other : others) {
                ++n_asked;
                EXPECT_GT(other, chosen);
                *distances++ = distance(points[chosen], points[other]);
            }
        },
        memory);
    return {{memory.chosen.begin(), memory.chosen.end()}, n_diverse, n_asked};
}

std::vector<std::uint32_t>
chosen_of(const std::vector<Point>& points, std::size_t n_most) {
    return select(points, n_most).chosen;
}

using Positions = std::vector<std::uint32_t>;

TEST(SelectLinks, TakesOneOfEveryDirection) {
    // A crowd to the right, one above, one to the left.
    const std::vector<Point> points = {{1, 0}, {1.1f, 0.1f}, {1.2f, 0}, {0, 2}, {-3, 0}};
    const Selection selection = select(points, 3);
    EXPECT_EQ(selection.chosen, (Positions{0, 3, 4}));
    EXPECT_EQ(selection.n_diverse, 3u);
}

TEST(SelectLinks, FillsUpWithTheNearestOccluded) {
    const std::vector<Point> points = {{1, 0}, {1.1f, 0.1f}, {1.2f, 0}, {0, 2}, {-3, 0}};
    Selection selection = select(points, 4);
    EXPECT_EQ(selection.chosen, (Positions{0, 3, 4, 1}));
    EXPECT_EQ(selection.n_diverse, 3u);
    selection = select(points, 10);
    EXPECT_EQ(selection.chosen, (Positions{0, 3, 4, 1, 2}));
    EXPECT_EQ(selection.n_diverse, 3u);
}

TEST(SelectLinks, StopsWhenFull) {
    const std::vector<Point> points = {{1, 0}, {0, 2}, {-3, 0}, {0, -4}};
    const Selection selection = select(points, 2);
    EXPECT_EQ(selection.chosen, (Positions{0, 1}));
    EXPECT_EQ(selection.n_diverse, 2u);
    EXPECT_EQ(selection.n_asked, 3u);  // of the first alone
    EXPECT_EQ(select(points, 0), (Selection{{}, 0, 0}));
    EXPECT_EQ(select({}, 5), (Selection{{}, 0, 0}));
}

TEST(SelectLinks, OneIsNotOccludedByAnEquallyNearOne) {
    // The second is as far from the first as from the base.
    EXPECT_EQ(select({{2, 0}, {1, std::sqrt(3.0f)}}, 2).n_diverse, 2u);
    EXPECT_EQ(select({{2, 0}, {1.01f, std::sqrt(3.0f)}}, 2).n_diverse, 1u);
}

TEST(SelectLinks, AMarginKeepsWhatIsOnlySomewhatNearerToAnother) {
    const std::vector<Point> points = {{2, 0}, {1.6f, 1.6f}, {3, 0.5f}};
    EXPECT_EQ(select(points, 3, kNoise).n_diverse, 1u);
    EXPECT_EQ(select(points, 3, kAbove).n_diverse, 2u);
    EXPECT_EQ(select(points, 3, kAbove).chosen, (Positions{0, 1, 2}));
}

TEST(SelectLinks, EqualsOfTheBaseHideEachOtherAlone) {
    // Three copies of the base, as near to what lies elsewhere as it is, give or take rounding.
    const std::vector<Point> points = {{0, 0}, {0, 0}, {1e-7f, 0}, {2, 0}, {2.1f, 0.1f}, {0, -3}};
    const Selection selection = select(points, 4);
    EXPECT_EQ(selection.chosen, (Positions{0, 3, 5, 1}));
    EXPECT_EQ(selection.n_diverse, 3u);
}

TEST(SelectLinks, OnlyDiverseOnesOcclude) {
    // The second is occluded by the first, the third would be by the second alone.
    const std::vector<Point> points = {{1, 0}, {1.2f, 1.1f}, {0.6f, 2.1f}};
    ASSERT_LT(distance(points[1], points[0]), distance(points[1], kOrigin));
    ASSERT_LT(distance(points[2], points[1]), distance(points[2], kOrigin));
    ASSERT_GT(distance(points[2], points[0]), 2.0f);
    const Selection selection = select({points[0], points[1], {0.3f, 2.2f}}, 3);
    EXPECT_EQ(selection.chosen, (Positions{0, 2, 1}));
    EXPECT_EQ(selection.n_diverse, 2u);
}

TEST(SelectLinks, EqualPointsAreFillers) {
    const std::vector<Point> points(5, Point{1, 0});
    const Selection selection = select(points, 4);
    EXPECT_EQ(selection.chosen, (Positions{0, 1, 2, 3}));
    EXPECT_EQ(selection.n_diverse, 1u);
}

TEST(SelectLinks, ConsidersEveryCandidate) {
    std::vector<Point> points;
    for (int i = 0; i < 2000; ++i)
        points.push_back({1.0f + static_cast<float>(i) / 1000, 0});
    points.push_back({-4, 0});
    const Selection selection = select(points, 1500);
    EXPECT_EQ(selection.n_diverse, 2u);
    EXPECT_EQ(selection.chosen[1], 2000u);
    EXPECT_EQ(selection.chosen[1499], 1498u);
    EXPECT_EQ(chosen_of(points, 100).size(), 100u);
}

/// A full list of the origin, and a new node.
struct DrawnList {
    std::vector<Point> points;
    std::vector<LinkKind> kinds;
    Point added;

    std::vector<RatedLink>
    rated() const {
        std::vector<RatedLink> links;
        for (std::size_t i = 0; i < points.size(); ++i)
            links.push_back({distance(points[i], kOrigin), distance(points[i], added), kinds[i]});
        return links;
    }
    float
    to_base() const {
        return distance(added, kOrigin);
    }
};

std::vector<LinkKind>
kinds_of(const std::vector<RatedLink>& links) {
    std::vector<LinkKind> kinds;
    for (const RatedLink& link : links)
        kinds.push_back(link.kind);
    return kinds;
}

using Kinds = std::vector<LinkKind>;

void
expect_replacement(const Replacement& replacement, int position, LinkKind kind) {
    EXPECT_EQ(replacement.position, position);
    EXPECT_EQ(replacement.kind, kind);
}

TEST(RateLink, ANewDirectionIsDiverse) {
    const DrawnList list = {{{1, 0}, {0, 2}}, {kDiverse, kDiverse}, {-3, 0}};
    std::vector<RatedLink> links = list.rated();
    EXPECT_EQ(rate_link(links, list.to_base(), kNoise), kDiverse);
    EXPECT_EQ(kinds_of(links), (Kinds{kDiverse, kDiverse}));
    std::vector<RatedLink> none;
    EXPECT_EQ(rate_link(none, 1, kNoise), kDiverse);
}

TEST(RateLink, AMarginKeepsWhatIsOnlySomewhatNearerToAnother) {
    const DrawnList list = {{{2, 0}, {0, 4}}, {kDiverse, kDiverse}, {1.6f, 1.6f}};
    std::vector<RatedLink> links = list.rated();
    EXPECT_EQ(rate_link(links, list.to_base(), kNoise), kFiller);
    EXPECT_EQ(rate_link(links, list.to_base(), kAbove), kDiverse);
    EXPECT_EQ(kinds_of(links), (Kinds{kDiverse, kDiverse}));
    links[0].to_base = 9;
    EXPECT_EQ(rate_link(links, list.to_base(), kNoise), kDiverse);
    EXPECT_EQ(kinds_of(links), (Kinds{kFiller, kFiller}));
}

TEST(RateLink, ANearerDiverseLinkOccludes) {
    const DrawnList list = {{{1, 0}, {0, 2}}, {kDiverse, kDiverse}, {2, 0}};
    std::vector<RatedLink> links = list.rated();
    EXPECT_EQ(rate_link(links, list.to_base(), kNoise), kFiller);
    EXPECT_EQ(kinds_of(links), (Kinds{kDiverse, kDiverse}));
}

TEST(RateLink, ANearerAnchorOccludesAFillerDoesNot) {
    DrawnList list = {{{1, 0}}, {kAnchor}, {2, 0}};
    std::vector<RatedLink> links = list.rated();
    EXPECT_EQ(rate_link(links, list.to_base(), kNoise), kFiller);
    list.kinds = {kFiller};
    links = list.rated();
    EXPECT_EQ(rate_link(links, list.to_base(), kNoise), kDiverse);
}

TEST(RateLink, TurnsTheFartherOnesItOccludesIntoFillers) {
    const DrawnList list = {
        {{2, 0}, {0, 3}, {2, 0.1f}, {2.1f, 0}, {0.5f, 0}},
        {kDiverse, kDiverse, kAnchor, kFiller, kFiller},
        {1, 0},
    };
    std::vector<RatedLink> links = list.rated();
    EXPECT_EQ(rate_link(links, list.to_base(), kNoise), kDiverse);
    // The anchor stays, and fillers are what they were.
    EXPECT_EQ(kinds_of(links), (Kinds{kFiller, kDiverse, kAnchor, kFiller, kFiller}));
}

TEST(RateLink, AnEquallyFarOneOccludesNoOther) {
    // As far from the base as the old one, which came first and occludes it.
    const DrawnList list = {{{1, 0}}, {kDiverse}, {std::cos(0.5f), std::sin(0.5f)}};
    std::vector<RatedLink> links = list.rated();
    links[0].to_base = list.to_base();
    EXPECT_EQ(rate_link(links, list.to_base(), kNoise), kFiller);
    EXPECT_EQ(kinds_of(links), (Kinds{kDiverse}));
}

TEST(ReplaceLink, TheFarthestFillerGivesWay) {
    const DrawnList list = {
        {{1, 0}, {1.5f, 0}, {1.9f, 0}, {1.7f, 0}, {0, 9}},
        {kDiverse, kFiller, kFiller, kFiller, kDiverse},
        {-5, 0},
    };
    std::vector<RatedLink> links = list.rated();
    expect_replacement(replace_link(links, list.to_base(), kNoise), 2, kDiverse);
    EXPECT_EQ(kinds_of(links), list.kinds);
}

TEST(ReplaceLink, WithoutFillersTheFarthestDiverseGivesWay) {
    DrawnList list = {{{1, 0}, {0, 4}, {-3, 0}}, {kDiverse, kDiverse, kDiverse}, {0, -2}};
    std::vector<RatedLink> links = list.rated();
    expect_replacement(replace_link(links, list.to_base(), kNoise), 1, kDiverse);
    // That may be the new node itself.
    list.added = {0, -5};
    links = list.rated();
    expect_replacement(replace_link(links, list.to_base(), kNoise), Replacement::kNobody, kDiverse);
}

TEST(ReplaceLink, ANodeThatIsOccludedComesOnlyInPlaceOfAFartherFiller) {
    DrawnList list = {{{1, 0}, {0, 9}}, {kDiverse, kDiverse}, {2, 0}};
    std::vector<RatedLink> links = list.rated();
    expect_replacement(replace_link(links, list.to_base(), kNoise), Replacement::kNobody, kFiller);
    list = {{{1, 0}, {3, 0}, {0, 9}}, {kDiverse, kFiller, kDiverse}, {2, 0}};
    links = list.rated();
    expect_replacement(replace_link(links, list.to_base(), kNoise), 1, kFiller);
    list = {{{1, 0}, {1.5f, 0}, {0, 9}}, {kDiverse, kFiller, kDiverse}, {2, 0}};
    links = list.rated();
    expect_replacement(replace_link(links, list.to_base(), kNoise), Replacement::kNobody, kFiller);
}

TEST(ReplaceLink, TheOneItOccludesGivesWay) {
    // The new node stands before the second link, which becomes the only filler.
    const DrawnList list = {{{0, 1}, {3, 0}, {0, -9}}, {kDiverse, kDiverse, kDiverse}, {2, 0}};
    std::vector<RatedLink> links = list.rated();
    expect_replacement(replace_link(links, list.to_base(), kNoise), 1, kDiverse);
    EXPECT_EQ(kinds_of(links), (Kinds{kDiverse, kFiller, kDiverse}));
}

TEST(ReplaceLink, AnchorsNeverGiveWay) {
    DrawnList list = {{{8, 0}, {0, 9}}, {kAnchor, kAnchor}, {-1, 0}};
    std::vector<RatedLink> links = list.rated();
    expect_replacement(replace_link(links, list.to_base(), kNoise), Replacement::kNobody, kDiverse);
    EXPECT_EQ(kinds_of(links), (Kinds{kAnchor, kAnchor}));
    list = {{{8, 0}, {0, 2}, {0, 9}}, {kAnchor, kDiverse, kAnchor}, {-1, 0}};
    links = list.rated();
    expect_replacement(replace_link(links, list.to_base(), kNoise), 1, kDiverse);
}

TEST(ReplaceByAnchor, GetsAPlaceEvenWhenFarthest) {
    DrawnList list = {{{1, 0}, {0, 2}}, {kDiverse, kDiverse}, {-9, 0}};
    std::vector<RatedLink> links = list.rated();
    expect_replacement(replace_by_anchor(links, list.to_base(), kNoise), 1, kAnchor);
    // Occluded, too; a filler goes first, then the farthest.
    list = {{{1, 0}, {0, 5}, {1.5f, 0}}, {kDiverse, kDiverse, kFiller}, {2, 0}};
    links = list.rated();
    expect_replacement(replace_by_anchor(links, list.to_base(), kNoise), 2, kAnchor);
    EXPECT_EQ(kinds_of(links), list.kinds);
    list.kinds = {kDiverse, kDiverse, kAnchor};
    links = list.rated();
    expect_replacement(replace_by_anchor(links, list.to_base(), kNoise), 1, kAnchor);
}

TEST(ReplaceByAnchor, FindsNoPlaceAmongAnchorsAlone) {
    const DrawnList list = {{{1, 0}, {0, 2}}, {kAnchor, kAnchor}, {0, 1}};
    std::vector<RatedLink> links = list.rated();
    expect_replacement(replace_by_anchor(links, list.to_base(), kNoise), Replacement::kNobody,
                       kAnchor);
}

TEST(ReplaceByAnchor, OccludesAsOthersDo) {
    const DrawnList list = {{{0, 1}, {3, 0}, {0, -9}}, {kDiverse, kDiverse, kDiverse}, {2, 0}};
    std::vector<RatedLink> links = list.rated();
    expect_replacement(replace_by_anchor(links, list.to_base(), kNoise), 1, kAnchor);
}

}  // namespace
}  // namespace vext::core
