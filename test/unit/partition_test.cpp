// Partitions of a batch, and what is kept for the selection of links: every point is in groups,
// groups are of the size wanted, and candidates and offers are those of simple models.

#include "core/batch/partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "cloud.h"
#include "core/batch/candidate_pool.h"
#include "core/batch/offers.h"
#include "core/distance/dispatch.h"
#include "thread_crew.h"

namespace vext::core {
namespace {

using internal::Offer;
using test::Cloud;

class PartitionTest : public ::testing::Test {
   protected:
    void
    SetUp() override {
        select_simd_level(SimdLevel::kAuto);
    }
    void
    TearDown() override {
        select_simd_level(SimdLevel::kScalar);
    }
};

using Group = std::vector<std::pair<Rank, std::uint32_t>>;

std::vector<Group>
partition_of(Cloud& cloud, std::size_t wanted, std::size_t fan, std::uint64_t seed) {
    test::TestArena memory;
    Arena& arena = memory.arena();
    const std::size_t n = cloud.points.size();
    SerialCrew crew(arena);
    PartitionArea area(crew, n, fan);
    PartitionScratch scratch(arena, *cloud.codec,
                             std::min(n, std::max(kMostLeaders, wanted + wanted / 2)),
                             std::max(fan, kLeaderFan));
    const Groups groups =
        partition(crew, cloud.view(), cloud.points, wanted, fan, seed, area, scratch);
    std::vector<Group> copies;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        copies.emplace_back();
        for (const Entry& entry : groups[i])
            copies.back().push_back({entry.rank, entry.slot});
    }
    return copies;
}

// Every rank has the slots from 0 on, each once, `fan` of them as long as others are near.
void
expect_cover(const std::vector<Group>& groups, std::size_t n, std::size_t fan, std::size_t wanted) {
    std::vector<std::vector<std::uint32_t>> slots(n);
    for (const Group& group : groups) {
        EXPECT_GT(group.size(), 0u);
        EXPECT_LE(group.size(), wanted + wanted / 2);
        for (const auto& [rank, slot] : group)
            slots[number_of(rank)].push_back(slot);
    }
    for (std::size_t rank = 0; rank < n; ++rank) {
        std::sort(slots[rank].begin(), slots[rank].end());
        ASSERT_FALSE(slots[rank].empty()) << rank;
        for (std::size_t slot = 0; slot < slots[rank].size(); ++slot)
            ASSERT_EQ(slots[rank][slot], slot);
        ASSERT_GE(slots[rank].size() + 1, std::min(fan, n * fan / wanted)) << rank;
    }
}

TEST_F(PartitionTest, CoversEveryRank) {
    for (const std::size_t n : {1u, 2u, 7u, 149u, 150u, 151u, 1000u}) {
        Cloud cloud(n, 40, n);
        for (const std::size_t fan : {1u, 3u})
            expect_cover(partition_of(cloud, 100, fan, n), n, fan, 100);
    }
}

TEST_F(PartitionTest, CoversEveryRankByTopLeaders) {
    constexpr std::size_t kWanted = 10;
    // Leaders are three for eight points.
    constexpr std::size_t kThreshold = kMostLeaders * 8 / 3;
    for (const std::size_t n : {kThreshold - 3, kThreshold, kThreshold + 3, 2 * kThreshold}) {
        Cloud cloud(n, 33, n);
        const std::vector<Group> groups = partition_of(cloud, kWanted, 3, 1);
        expect_cover(groups, n, 3, kWanted);
        EXPECT_EQ(groups, partition_of(cloud, kWanted, 3, 1));
        EXPECT_NE(groups, partition_of(cloud, kWanted, 3, 2));
    }
}

// The share of points in one group with the nearest other point.
double
share_with_nearest(Cloud& cloud, const std::vector<Group>& groups) {
    const std::size_t n = cloud.points.size();
    test::TestArena memory;
    GroupPairs pairs(memory.arena(), *cloud.codec, n, 1);
    std::vector<Near<Point>> nearest(n);
    pairs.nearest_within(cloud.view(), cloud.points, 1, nearest);
    std::vector<std::set<std::size_t>> groups_of(n);
    for (std::size_t i = 0; i < groups.size(); ++i)
        for (const auto& [rank, slot] : groups[i])
            groups_of[number_of(rank)].insert(i);
    std::size_t n_together = 0;
    for (std::size_t rank = 0; rank < n; ++rank)
        n_together += std::ranges::any_of(groups_of[rank], [&](std::size_t i) {
            return groups_of[number_of(nearest[rank].id)].contains(i);
        });
    return static_cast<double>(n_together) / static_cast<double>(n);
}

TEST_F(PartitionTest, PutsNearPointsTogether) {
    Cloud cloud(4000, 33, 9, Metric::kL2, 400);
    EXPECT_GE(share_with_nearest(cloud, partition_of(cloud, 100, 3, 1)), 0.7);
    EXPECT_GE(share_with_nearest(cloud, partition_of(cloud, 10, 3, 1)), 0.7);  // by top leaders
}

TEST_F(PartitionTest, CutsPointsThatAreAllEqual) {
    Cloud cloud(1200, 40, 3);
    for (std::size_t i = 1; i < 1200; ++i)
        std::copy_n(&cloud.bytes[0], cloud.stride, &cloud.bytes[i * cloud.stride]);
    expect_cover(partition_of(cloud, 50, 3, 1), 1200, 3, 50);
}

TEST_F(PartitionTest, CandidatesStandOnceAndInOrder) {
    std::mt19937_64 random(1);
    test::TestArena memory;
    CandidatePool pool(memory.arena(), 300);
    for (const std::size_t n : {0u, 1u, 16u, 17u, 100u, 300u}) {
        pool.clear();
        std::set<std::pair<float, Rank>> model;
        for (std::size_t i = 0; i < n; ++i) {
            const auto rank = static_cast<Rank>(random() % 60);
            const float distance = static_cast<float>(number_of(rank) % 7) - 3.5f;  // some negative
            pool.add({distance, rank});
            model.insert({distance, rank});
        }
        std::vector<std::pair<float, Rank>> settled;
        for (const Near<Rank>& candidate : pool.settle())
            settled.push_back({candidate.distance, candidate.id});
        EXPECT_TRUE(std::ranges::equal(settled, model)) << n;
    }
}

// What a sieve should keep: see OfferSieve.
std::set<Rank>
keep_by_model(std::vector<std::pair<Offer, std::size_t>> offers, std::size_t n_important) {
    const auto key = [](const Offer& offer) { return std::pair(offer.distance, offer.rank); };
    std::set<Rank> kept;
    std::map<std::size_t, std::pair<float, Rank>> nearest;
    for (const auto& [offer, direction] : offers) {
        const auto place = nearest.try_emplace(direction, key(offer)).first;
        place->second = std::min(place->second, key(offer));
    }
    for (const auto& [direction, offer] : nearest)
        kept.insert(offer.second);
    std::ranges::sort(offers, {}, [&](const auto& offer) {
        return std::pair(offer.first.position, key(offer.first));
    });
    for (std::size_t i = 0; i < std::min(n_important, offers.size()); ++i)
        kept.insert(offers[i].first.rank);
    return kept;
}

TEST_F(PartitionTest, TheSieveKeepsTheBestOffersInAnyOrder) {
    std::mt19937_64 random(2);
    test::TestArena memory;
    for (const std::size_t n_important : {0u, 1u, 24u}) {
        internal::OfferSieve sieve(memory.arena(), n_important);
        for (const std::size_t n : {0u, 1u, 24u, 25u, 500u}) {
            std::vector<std::pair<Offer, std::size_t>> offers;
            for (const Rank rank : ids_below<Rank>(n))
                offers.push_back({{static_cast<float>(random() % 50), rank,
                                   static_cast<std::uint32_t>(random() % 8)},
                                  random() % internal::kDirections});
            const std::set<Rank> expected = keep_by_model(offers, n_important);
            std::shuffle(offers.begin(), offers.end(), random);
            sieve.clear();
            for (const auto& [offer, direction] : offers)
                sieve.consider(offer, direction);
            std::set<Rank> kept;
            sieve.for_each([&](const Offer& offer) { kept.insert(offer.rank); });
            EXPECT_EQ(kept, expected) << n_important << ' ' << n;
        }
    }
}

// Each rank makes four offers, some ranks get very many.
TEST_F(PartitionTest, OffersReachWhoTheyAreMadeTo) {
    constexpr std::uint32_t kRanks = 500;
    constexpr std::uint32_t kPerRank = 4;
    const auto target = [](Rank rank, std::uint32_t i) {
        return i == 0 ? Rank{3} : static_cast<Rank>(mix64(number_of(rank) * kPerRank + i) % kRanks);
    };
    test::TestArena memory;
    std::vector<test::TestArena> locals(3);
    std::vector<std::multiset<Rank>> expected(kRanks), found(kRanks);
    for (const Rank rank : ids_below<Rank>(kRanks))
        for (std::uint32_t i = 0; i < kPerRank; ++i)
            expected[number_of(target(rank, i))].insert(rank);
    test::ThreadCrew::run(memory.arena(), 3, [&](test::ThreadCrew& crew, std::size_t member) {
        const Rows<Rank, Near<Rank>> rows(crew, locals[member].arena(), kRanks, 10);
        internal::OfferLists offers(crew, locals[member].arena(), rows, kRanks, 4, kPerRank);
        const auto for_each_offer = [&](auto&& visit) {
            crew.for_each(kRanks, [&](std::size_t task) {
                const auto rank = static_cast<Rank>(task);
                for (std::uint32_t i = 0; i < kPerRank; ++i)
                    visit(rank, i);
            });
        };
        for_each_offer([&](Rank rank, std::uint32_t i) { offers.count(target(rank, i)); });
        crew.alone([&] { offers.begin_placing(kRanks); });
        for_each_offer([&](Rank rank, std::uint32_t i) {
            offers.place(target(rank, i), {0, rank, i});
        });
        crew.for_each(kRanks, [&](std::size_t task) {
            offers.for_each(static_cast<Rank>(task),
                            [&](const Offer& offer) { found[task].insert(offer.rank); });
        });
    });
    EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace vext::core
