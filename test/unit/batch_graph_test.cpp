// The batch graph over points in memory: search in it finds the true neighbours, every point is
// reachable, lists are within bounds, and the seed alone decides.

#include "core/batch/batch_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "cloud.h"
#include "core/distance/dispatch.h"
#include "core/graph/search.h"
#include "thread_crew.h"

namespace vext::core {
namespace {

using test::Cloud;

BatchGraph
build(Cloud& cloud, const BatchOptions& options, const GraphShape& shape) {
    SerialCrew crew(cloud.arena.arena());
    return build_batch_graph(crew, cloud.arena.arena(), cloud.view(), cloud.members, options,
                             shape);
}

class MemoryGraph {
   public:
    MemoryGraph(Cloud& cloud, const BatchGraph& graph, const Query& query)
        : cloud_(cloud), graph_(graph), query_(query), points_(cloud.view()) {}

    void
    links(NodeId id, int layer, Array<NodeId>& ids) {
        const BatchLayer& level = graph_.layers[static_cast<std::size_t>(layer)];
        const auto rank = std::lower_bound(level.members.begin(), level.members.end(), id) -
                          level.members.begin();
        for (const Link& link : level.links.of(static_cast<std::size_t>(rank)))
            ids.push_back(level.members[link.id()]);
    }

    void
    measure(std::span<const NodeId> ids, Array<Candidate>& found) {
        for (const NodeId id : ids)
            found.push_back({cloud_.codec->distance(query_, points_.header(id), points_.code(id)),
                             0, id, 0, false, false});
    }

   private:
    Cloud& cloud_;
    const BatchGraph& graph_;
    const Query& query_;
    PointView points_;
};

// The share of the 10 nearest by code distance that a search finds.
double
recall(Cloud& cloud, const BatchGraph& graph, std::size_t ef) {
    Arena arena = cloud.arena.arena();
    Prepared prepared = cloud.codec->allocate_prepared(arena);
    Query query = cloud.codec->allocate_query(arena);
    SearchMemory memory(arena, ef);
    const PointView points = cloud.view();
    std::size_t hits = 0;
    constexpr std::size_t kQueries = 50;
    for (std::size_t q = 0; q < kQueries; ++q) {
        std::vector<float> vector(cloud.n_dims);
        for (std::size_t j = 0; j < cloud.n_dims; ++j)  // between two points
            vector[j] = 0.8f * cloud.values[q * cloud.n_dims + j] +
                        0.2f * cloud.values[(q + 1) * cloud.n_dims + j];
        EXPECT_EQ(cloud.codec->prepare(vector.data(), prepared), PrepareStatus::kReady);
        cloud.codec->prepare_query(prepared, query);
        std::vector<std::pair<float, NodeId>> exact;
        for (const std::uint32_t id : cloud.members)
            exact.push_back({cloud.codec->distance(query, points.header(id), points.code(id)), id});
        std::partial_sort(exact.begin(), exact.begin() + 10, exact.end());
        MemoryGraph view(cloud, graph, query);
        Array<Candidate> entry(arena, 1);
        view.measure({&graph.entry, 1}, entry);
        const int top = static_cast<int>(graph.layers.size()) - 1;
        const Entries entries = descend(view, top, 1, entry[0], memory);
        search_layer(view, 0, ef, entries.span(), memory);
        for (std::size_t i = 0; i < 10; ++i)
            for (const Candidate& candidate : memory.beam.entries().first(10))
                hits += candidate.id == exact[i].second;
    }
    return static_cast<double>(hits) / (10 * kQueries);
}

std::size_t
count_reached(const BatchLayer& layer, std::uint32_t entry) {
    std::vector<bool> reached(layer.members.size());
    std::vector<std::uint32_t> queue = {static_cast<std::uint32_t>(
        std::lower_bound(layer.members.begin(), layer.members.end(), entry) -
        layer.members.begin())};
    reached[queue[0]] = true;
    for (std::size_t i = 0; i < queue.size(); ++i)
        for (const Link& link : layer.links.of(queue[i]))
            if (!reached[link.id()]) {
                reached[link.id()] = true;
                queue.push_back(link.id());
            }
    return queue.size();
}

void
expect_sound(const BatchGraph& graph, const GraphShape& shape) {
    for (std::size_t l = 0; l < graph.layers.size(); ++l) {
        const BatchLayer& layer = graph.layers[l];
        EXPECT_EQ(count_reached(layer, graph.entry), layer.members.size());
        bool leads_to_entry = layer.members.size() == 1;
        for (std::size_t rank = 0; rank < layer.members.size(); ++rank) {
            std::vector<std::uint32_t> ids;
            for (const Link& link : layer.links.of(rank)) {
                ids.push_back(link.id());
                leads_to_entry |= layer.members[link.id()] == graph.entry;
            }
            EXPECT_LE(ids.size(), l == 0 ? 2 * shape.m : shape.m);
            std::sort(ids.begin(), ids.end());
            EXPECT_TRUE(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
            EXPECT_TRUE(std::find(ids.begin(), ids.end(), rank) == ids.end());
        }
        EXPECT_TRUE(leads_to_entry);
    }
    std::vector<std::uint32_t> order(graph.order.begin(), graph.order.end());
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < order.size(); ++i)
        ASSERT_EQ(order[i], i);
}

class BatchGraphTest : public ::testing::Test {
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

TEST_F(BatchGraphTest, FindsNeighboursOfManyLeaves) {
    Cloud cloud(6000, 64, 1);
    BatchOptions options;
    options.leaf = 300;
    options.far_columns = 60;
    const GraphShape shape = {16, 10};
    const BatchGraph graph = build(cloud, options, shape);
    EXPECT_GT(graph.layers.size(), 1u);
    expect_sound(graph, shape);
    EXPECT_GE(recall(cloud, graph, 40), 0.95);
    EXPECT_GE(recall(cloud, graph, 160), 0.99);
}

TEST_F(BatchGraphTest, IsTheSameForASeed) {
    BatchOptions options;
    options.leaf = 200;
    options.far_columns = 50;
    const GraphShape shape = {8, 10};
    Cloud first(2000, 40, 2);
    Cloud second(2000, 40, 2);
    const BatchGraph a = build(first, options, shape);
    const BatchGraph b = build(second, options, shape);
    ASSERT_EQ(a.layers.size(), b.layers.size());
    for (std::size_t l = 0; l < a.layers.size(); ++l)
        for (std::size_t rank = 0; rank < a.layers[l].members.size(); ++rank)
            EXPECT_TRUE(std::ranges::equal(a.layers[l].links.of(rank), b.layers[l].links.of(rank)));
}

TEST_F(BatchGraphTest, IsTheSameForAnyNumberOfMembers) {
    Cloud cloud(3000, 260, 5);
    BatchOptions options;
    options.leaf = 150;
    options.far_columns = 50;
    const GraphShape shape = {8, 10};
    const BatchGraph alone = build(cloud, options, shape);
    expect_sound(alone, shape);
    for (const std::size_t n_members : {2u, 3u}) {
        std::vector<test::TestArena> locals(n_members);
        std::vector<BatchGraph> graphs(n_members);
        test::ThreadCrew::run(
            cloud.arena.arena(), n_members, [&](test::ThreadCrew& crew, std::size_t i) {
                graphs[i] = build_batch_graph(crew, locals[i].arena(), cloud.view(), cloud.members,
                                              options, shape);
            });
        for (const BatchGraph& graph : graphs) {
            EXPECT_EQ(graph.entry, alone.entry);
            EXPECT_TRUE(std::ranges::equal(graph.order, alone.order));
            ASSERT_EQ(graph.layers.size(), alone.layers.size());
            for (std::size_t l = 0; l < graph.layers.size(); ++l)
                for (std::size_t rank = 0; rank < graph.layers[l].members.size(); ++rank)
                    ASSERT_TRUE(std::ranges::equal(graph.layers[l].links.of(rank),
                                                   alone.layers[l].links.of(rank)));
        }
    }
}

// Where most points lie in many small clusters, groups are joined that have points in common.
TEST_F(BatchGraphTest, LinksNoPointTwice) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Cloud cloud(2500, 260, seed, Metric::kL2, 700);
        BatchOptions options;
        options.seed = seed;
        options.leaf = 200;
        options.far_columns = 60;
        const GraphShape shape = {16, 10};
        expect_sound(build(cloud, options, shape), shape);
    }
}

TEST_F(BatchGraphTest, TakesNoMoreMemoryThanPlanned) {
    for (const std::size_t n : {1u, 100u, 599u, 601u, 5000u}) {
        for (const std::size_t n_dims : {20u, 200u, 400u}) {
            for (const std::size_t m : {4u, 16u, 60u}) {
                Cloud cloud(n, n_dims, 1);
                BatchOptions options = batch_options(m == 16 ? 200 : 64, 1);
                options.leaf = 400;
                const GraphShape shape = {m, 10};
                test::TestArena shared;
                test::TestArena local;
                SerialCrew crew(shared.arena());
                build_batch_graph(crew, local.arena(), cloud.view(), cloud.members, options, shape);
                const std::size_t planned = n * graph_bytes_per_point(options, shape, n) +
                                            graph_bytes_per_member(*cloud.codec, options, shape, n);
                EXPECT_LE(shared.n_bytes() + local.n_bytes(), planned + 4096)
                    << n << ' ' << n_dims << ' ' << m;
            }
        }
    }
}

TEST_F(BatchGraphTest, TakesSmallAndOddBatches) {
    for (const std::size_t n : {1u, 2u, 3u, 17u, 400u}) {
        for (const std::size_t n_dims : {2u, 33u, 300u}) {
            Cloud cloud(n, n_dims, n);
            const GraphShape shape = {4, 3};
            BatchOptions options;
            options.leaf = 100;
            options.far_columns = 20;
            expect_sound(build(cloud, options, shape), shape);
        }
    }
}

TEST_F(BatchGraphTest, TakesPointsThatAreAllNearlyEqual) {
    Cloud cloud(3000, 48, 3);
    for (std::size_t i = 1; i < 3000; ++i)
        std::memcpy(&cloud.bytes[i * cloud.stride], &cloud.bytes[0], cloud.stride);
    BatchOptions options;
    options.leaf = 100;
    options.far_columns = 20;
    const GraphShape shape = {8, 5};
    expect_sound(build(cloud, options, shape), shape);
}

TEST_F(BatchGraphTest, TakesAllMetrics) {
    for (const Metric metric : {Metric::kInnerProduct, Metric::kCosine, Metric::kL1}) {
        Cloud cloud(1500, 40, 4, metric);
        BatchOptions options;
        options.leaf = 200;
        options.far_columns = 50;
        const GraphShape shape = {12, 5};
        const BatchGraph graph = build(cloud, options, shape);
        expect_sound(graph, shape);
        EXPECT_GE(recall(cloud, graph, 80), metric == Metric::kInnerProduct ? 0.8 : 0.95);
    }
}

// By inner product few points are near to any: the entry point is often none of them.
TEST_F(BatchGraphTest, LeadsToTheEntryPoint) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Cloud cloud(250, 3, seed, Metric::kInnerProduct);
        BatchOptions options;
        options.seed = seed;
        const GraphShape shape = {16, 2};
        expect_sound(build(cloud, options, shape), shape);
    }
}

}  // namespace
}  // namespace vext::core
