// Search in small graphs in memory: against brute force, and where the graph says what must happen.

#include "core/graph/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "test_arena.h"

namespace vext::core {
namespace {

using Links = std::vector<std::vector<NodeId>>;

/// What belongs to a node, in a vector with a place for each.
template <typename PerNode>
decltype(auto)
at(PerNode& places, NodeId id) {
    return places[number_of(id)];
}

/// Points with links on layers; nodes can be dead or gone.
class TestGraph {
   public:
    TestGraph(std::size_t n, std::size_t n_dims, std::uint64_t seed) : n_dims_(n_dims) {
        std::mt19937_64 random(seed);
        std::normal_distribution<float> normal;
        for (std::size_t i = 0; i < n * n_dims; ++i)
            values_.push_back(normal(random));
        is_dead.resize(n);
        is_gone.resize(n);
        layers.assign(1, Links(n));
        query.resize(n_dims);
        for (float& x : query)
            x = normal(random);
    }

    std::size_t
    size() const {
        return is_dead.size();
    }
    float
    distance(NodeId id) const {
        return distance(query.data(), values(id));
    }

    /// Links every member of `layer` to its `k` nearest others of the layer, both ways.
    void
    link_nearest(std::size_t layer, const std::vector<NodeId>& members, std::size_t k) {
        layers.resize(std::max(layers.size(), layer + 1), Links(size()));
        std::vector<std::pair<float, NodeId>> others;
        for (const NodeId id : members) {
            others.clear();
            for (const NodeId other : members)
                if (other != id)
                    others.emplace_back(distance(values(id), values(other)), other);
            const std::size_t n = std::min(k, others.size());
            std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(n),
                              others.end());
            others.resize(n);
            for (const auto& [distance, other] : others) {
                at(layers[layer], id).push_back(other);
                at(layers[layer], other).push_back(id);
            }
        }
    }

    std::vector<NodeId>
    all() const {
        std::vector<NodeId> ids(size());
        for (std::size_t i = 0; i < ids.size(); ++i)
            ids[i] = static_cast<NodeId>(i);
        return ids;
    }

    /// Live nodes in order of their distance to the query.
    std::vector<NodeId>
    nearest(std::size_t k) const {
        std::vector<NodeId> ids = all();
        std::erase_if(ids, [&](NodeId id) { return at(is_dead, id) || at(is_gone, id); });
        std::sort(ids.begin(), ids.end(),
                  [&](NodeId a, NodeId b) { return distance(a) < distance(b); });
        ids.resize(std::min(k, ids.size()));
        return ids;
    }

    Candidate
    candidate(NodeId id) const {
        return {distance(id), error, id, 7, at(is_dead, id), false};
    }

    // The concept.
    void
    links(const Candidate& node, int layer, Array<NodeId>& ids) {
        ++n_links_calls;
        if (at(is_gone, node.id))
            return;
        for (const NodeId linked : at(layers[static_cast<std::size_t>(layer)], node.id))
            ids.push_back(linked);
    }
    void
    measure(std::span<const NodeId> ids, Array<Candidate>& found) {
        for (const NodeId id : ids) {
            ++n_measured;
            if (!at(is_gone, id))
                found.push_back(candidate(id));
        }
    }

    /// Makes the node's place the query.
    void
    aim_at(NodeId id) {
        std::copy_n(values(id), n_dims_, query.begin());
    }

    /// Node i at the distance i. Requires: one dimension.
    void
    place_in_a_row() {
        query[0] = 0;
        for (std::size_t i = 0; i < size(); ++i)
            values_[i] = std::sqrt(static_cast<float>(i));
    }

    std::vector<Links> layers;
    std::vector<bool> is_dead;
    std::vector<bool> is_gone;
    std::vector<float> query;
    float error = 0;
    std::size_t n_links_calls = 0;
    std::size_t n_measured = 0;

   private:
    const float*
    values(NodeId id) const {
        return &values_[number_of(id) * n_dims_];
    }
    float
    distance(const float* a, const float* b) const {
        float sum = 0;
        for (std::size_t i = 0; i < n_dims_; ++i)
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        return sum;
    }

    std::size_t n_dims_;
    std::vector<float> values_;
};

static_assert(Graph<TestGraph>);

std::vector<NodeId>
live_ids(Beam& beam) {
    std::vector<NodeId> ids;
    for (const Candidate& candidate : beam.entries())
        if (!candidate.is_dead)
            ids.push_back(candidate.id);
    return ids;
}

/// Searches layer 0 from node 0.
std::vector<NodeId>
search(TestGraph& graph, std::size_t ef, SearchMemory& memory) {
    const Candidate entry = graph.candidate(NodeId{0});
    search_layer(graph, 0, {ef}, {&entry, 1}, memory);
    return live_ids(memory.beam);
}

TEST(Search, IsExactWhenTheBeamHoldsAll) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        TestGraph graph(300, 4, seed);
        graph.link_nearest(0, graph.all(), 8);
        // A ring, so that every node can be reached.
        for (std::uint32_t i = 0; i < 300; ++i)
            graph.layers[0][i].push_back(NodeId{(i + 1) % 300});
        test::TestArena arena;
        SearchMemory memory(arena.arena(), 300);
        EXPECT_EQ(search(graph, 300, memory), graph.nearest(300));
        EXPECT_EQ(memory.visited.size(), 300u);
        EXPECT_EQ(graph.n_measured, 299u);
        EXPECT_EQ(graph.n_links_calls, 300u);
    }
}

TEST(Search, FindsNearlyAllNeighbours) {
    std::size_t n_hits = 0;
    test::TestArena arena;
    SearchMemory memory(arena.arena(), 50);
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        TestGraph graph(600, 4, seed);
        graph.link_nearest(0, graph.all(), 10);
        const std::vector<NodeId> found = search(graph, 50, memory);
        ASSERT_EQ(found.size(), 50u);
        ASSERT_TRUE(std::is_sorted(found.begin(), found.end(), [&](NodeId a, NodeId b) {
            return graph.distance(a) < graph.distance(b);
        }));
        for (const NodeId id : graph.nearest(10))
            n_hits += std::count(found.begin(), found.begin() + 10, id) == 1 ? 1 : 0;
        ASSERT_LT(graph.n_measured, graph.size());
    }
    EXPECT_GE(n_hits, 495u);
}

TEST(Search, WalksThroughDeadNodesWithoutReturningThem) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        TestGraph graph(300, 4, seed);
        graph.link_nearest(0, graph.all(), 8);
        for (std::uint32_t i = 0; i < 300; ++i) {
            graph.layers[0][i].push_back(NodeId{(i + 1) % 300});
            graph.is_dead[i] = i % 4 != 3;
        }
        test::TestArena arena;
        SearchMemory memory(arena.arena(), 75);
        const std::vector<NodeId> found = search(graph, 75, memory);
        EXPECT_EQ(found, graph.nearest(75));
        for (const NodeId id : found)
            EXPECT_FALSE(at(graph.is_dead, id));
    }
}

TEST(Search, CrossesAWallOfDeadNodes) {
    // 0 - 1 - 2 - ... - 19 in a line; only both ends live.
    TestGraph graph(20, 1, 1);
    for (std::uint32_t i = 0; i + 1 < 20; ++i) {
        graph.layers[0][i].push_back(NodeId{i + 1});
        graph.is_dead[i] = i > 0;
    }
    test::TestArena arena;
    SearchMemory memory(arena.arena(), 2);
    std::vector<NodeId> found = search(graph, 2, memory);
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, (std::vector<NodeId>{NodeId{0}, NodeId{19}}));
}

TEST(Search, LeavesOutNodesThatAreGone) {
    TestGraph graph(100, 2, 5);
    graph.link_nearest(0, graph.all(), 99);
    for (std::size_t i = 1; i < 100; i += 3)
        graph.is_gone[i] = true;
    test::TestArena arena;
    SearchMemory memory(arena.arena(), 100);
    EXPECT_EQ(search(graph, 100, memory), graph.nearest(100));
}

TEST(Search, MeasuresEachNodeOnce) {
    TestGraph graph(50, 2, 6);
    graph.link_nearest(0, graph.all(), 49);  // each pair twice
    test::TestArena arena;
    SearchMemory memory(arena.arena(), 10);
    search(graph, 10, memory);
    EXPECT_EQ(graph.n_measured, 49u);
}

TEST(Search, TakesEachEntryOnce) {
    TestGraph graph(10, 2, 7);
    const std::vector<Candidate> entries = {graph.candidate(NodeId{3}), graph.candidate(NodeId{4}),
                                            graph.candidate(NodeId{3}), graph.candidate(NodeId{5})};
    test::TestArena arena;
    SearchMemory memory(arena.arena(), 10);
    search_layer(graph, 0, {10}, entries, memory);
    EXPECT_EQ(live_ids(memory.beam).size(), 3u);
    // An entry that was expanded in another search is expanded again.
    Candidate expanded = graph.candidate(NodeId{3});
    expanded.is_expanded = true;
    graph.layers[0][3] = {NodeId{8}};
    search_layer(graph, 0, {10}, {&expanded, 1}, memory);
    EXPECT_EQ(live_ids(memory.beam).size(), 2u);
}

TEST(Search, EndsOnceItHasFoundWhatIsSought) {
    std::size_t n_found = 0;
    std::size_t n_measured_whole = 0;
    std::size_t n_measured = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        TestGraph graph(300, 4, seed);
        graph.link_nearest(0, graph.all(), 3);
        test::TestArena arena;
        SearchMemory memory(arena.arena(), 10);
        for (std::uint32_t i = 0; i < 300; i += 6) {
            const NodeId id{i};
            graph.aim_at(id);
            at(graph.is_dead, id) = i % 12 == 0;
            const Sought sought = {id, 0};
            const Candidate entry = graph.candidate(NodeId{1});
            graph.n_measured = 0;
            search_layer(graph, 0, {10}, {&entry, 1}, memory);
            n_measured_whole += graph.n_measured;
            const std::vector<NodeId> whole = live_ids(memory.beam);
            const bool is_found = has_found(memory.beam.entries(), sought);
            graph.n_measured = 0;
            search_layer(graph, 0, {10, &sought}, {&entry, 1}, memory);
            n_measured += graph.n_measured;
            ASSERT_EQ(has_found(memory.beam.entries(), sought), is_found);
            // What is not found is looked for as ever.
            if (!is_found)
                ASSERT_EQ(live_ids(memory.beam), whole);
            n_found += is_found ? 1 : 0;
        }
    }
    EXPECT_GT(n_found, 200u);
    EXPECT_LT(n_found, 400u);
    EXPECT_LT(2 * n_measured, n_measured_whole + n_measured_whole / 2);
}

TEST(Search, GoesOnFromWhatFellOut) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        TestGraph graph(400, 3, seed);
        graph.link_nearest(0, graph.all(), 8);
        for (std::uint32_t i = 0; i < 400; ++i)
            graph.layers[0][i].push_back(NodeId{(i + 1) % 400});
        graph.is_dead[17] = true;
        test::TestArena arena;
        SearchMemory memory(arena.arena(), 20);
        memory.keeps = Discarded::kAll;
        std::vector<NodeId> found = search(graph, 20, memory);
        // Everything visited is in the beam, discarded or dead; what is dead may be discarded, too.
        const bool is_discarded = std::ranges::any_of(
            memory.discarded.span(),
            [](const Candidate& candidate) { return candidate.id == NodeId{17}; });
        EXPECT_EQ(
            found.size() + memory.discarded.size(),
            memory.visited.size() - (memory.visited.has(NodeId{17}) && !is_discarded ? 1 : 0));
        CandidateHeap frontier(arena.arena());
        for (;;) {
            for (const Candidate& candidate : memory.discarded.span())
                frontier.push(candidate);
            memory.discarded.clear();
            if (frontier.is_empty())
                break;
            memory.beam.reset(20);
            for (int i = 0; i < 20 && !frontier.is_empty(); ++i) {
                Candidate candidate = frontier.pop();
                candidate.is_expanded = false;
                memory.beam.insert(candidate, [](const Candidate&) {});
            }
            expand_beam(graph, 0, memory);
            for (const NodeId id : live_ids(memory.beam))
                found.push_back(id);
        }
        const std::set<NodeId> different(found.begin(), found.end());
        EXPECT_EQ(found.size(), 399u);
        EXPECT_EQ(different.size(), 399u);
    }
}

TEST(Search, DropsWhatFellOutUnlessAsked) {
    TestGraph graph(200, 3, 8);
    graph.link_nearest(0, graph.all(), 8);
    test::TestArena arena;
    SearchMemory memory(arena.arena(), 5);
    search(graph, 5, memory);
    EXPECT_TRUE(memory.discarded.is_empty());
}

TEST(Search, KeepsAsSparesWhatItsErrorPutsIntoTheBeam) {
    // A star: the search measures nodes 1 to 9, at distances 1 to 9, in this order.
    TestGraph graph(10, 1, 1);
    for (const NodeId id : IdRange(NodeId{1}, NodeId{10}))
        graph.layers[0][0].push_back(id);
    graph.place_in_a_row();
    graph.error = 2.5;
    graph.is_dead[6] = true;
    test::TestArena arena;
    SearchMemory memory(arena.arena(), 4);
    memory.keeps = Discarded::kSpares;
    EXPECT_EQ(search(graph, 4, memory),
              (std::vector<NodeId>{NodeId{0}, NodeId{1}, NodeId{2}, NodeId{3}}));
    std::vector<NodeId> spares;
    for (const Candidate& spare : memory.discarded.span())
        spares.push_back(spare.id);
    EXPECT_EQ(spares, (std::vector<NodeId>{NodeId{4}, NodeId{5}}));
}

TEST(Descend, EndsWhereNoNeighbourIsNearer) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        TestGraph graph(500, 3, seed);
        std::vector<NodeId> members;
        for (std::uint32_t i = 0; i < 500; i += 5)
            members.push_back(NodeId{i});
        graph.link_nearest(1, members, 6);
        test::TestArena arena;
        SearchMemory memory(arena.arena(), 1);
        const Candidate entry = graph.candidate(NodeId{0});
        const Candidate end = descend(graph, 1, 1, entry, memory).nearest();
        EXPECT_EQ(number_of(end.id) % 5, 0u);
        EXPECT_LE(end.distance, entry.distance);
        EXPECT_EQ(end.distance, graph.distance(end.id));
        for (const NodeId id : at(graph.layers[1], end.id))
            EXPECT_GE(graph.distance(id), end.distance);
    }
}

TEST(Descend, MeasuresEachNodeOnce) {
    TestGraph graph(50, 2, 6);
    graph.link_nearest(1, graph.all(), 49);  // each pair twice
    graph.link_nearest(2, graph.all(), 49);
    test::TestArena arena;
    SearchMemory memory(arena.arena(), 1);
    EXPECT_EQ(descend(graph, 2, 1, graph.candidate(NodeId{0}), memory).nearest().id,
              graph.nearest(1)[0]);
    EXPECT_EQ(graph.n_measured, 49u);
}

// Short lists lead astray more often: more of the nearest are followed.
TEST(Descend, FollowsMoreWhereListsAreShort) {
    EXPECT_EQ(n_followed(48), 2u);
    EXPECT_EQ(n_followed(16), 2u);
    EXPECT_EQ(n_followed(9), 3u);
    EXPECT_EQ(n_followed(3), 10u);
    EXPECT_EQ(n_followed(0), 32u);
    TestGraph graph(200, 3, 5);
    graph.link_nearest(1, graph.all(), 3);
    test::TestArena arena;
    SearchMemory memory(arena.arena(), 1);
    const Entries entries = descend(graph, 1, 1, graph.candidate(NodeId{0}), memory);
    // The nearest eight were all followed, so whatever they link to was measured.
    for (const Candidate& entry : entries.span())
        for (const NodeId id : at(graph.layers[1], entry.id))
            EXPECT_GE(graph.distance(id), entries.nearest().distance);
    EXPECT_EQ(entries.span().size(), 8u);
}

TEST(Descend, StaysWithoutLinks) {
    TestGraph graph(3, 2, 9);
    test::TestArena arena;
    SearchMemory memory(arena.arena(), 1);
    EXPECT_EQ(descend(graph, 0, 0, graph.candidate(NodeId{2}), memory).nearest().id, NodeId{2});
    graph.layers[0][2] = {NodeId{1}};
    graph.is_gone[1] = true;
    EXPECT_EQ(descend(graph, 0, 0, graph.candidate(NodeId{2}), memory).nearest().id, NodeId{2});
}

}  // namespace
}  // namespace vext::core
