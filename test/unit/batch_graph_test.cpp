// The batch graph over points in memory: search in it finds the true neighbours, every point is
// reachable, lists are within bounds, and the seed alone decides.

#include "core/batch/batch_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "cloud.h"
#include "core/distance/dispatch.h"
#include "core/graph/search.h"
#include "core/sparse.h"
#include "thread_crew.h"

namespace vext::core {
namespace {

using test::Cloud;

BatchGraph
build(Cloud& cloud, const BatchOptions& options, const GraphShape& shape) {
    SerialCrew crew(cloud.arena.arena());
    return build_batch_graph(crew, cloud.arena.arena(),
                             {cloud.view(), cloud.points, options, shape});
}

class MemoryGraph {
   public:
    MemoryGraph(Cloud& cloud, const BatchGraph& graph, const Query& query)
        : cloud_(cloud), graph_(graph), query_(query), points_(cloud.view()) {}

    void
    links(const Candidate& node, int layer, Array<NodeId>& ids) {
        const BatchLayer& level = graph_.layers[static_cast<std::size_t>(layer)];
        const std::span<const Point> points = level.ranked.span();
        const auto rank =
            std::lower_bound(points.begin(), points.end(), to_point(node.id)) - points.begin();
        for (const RankLink& link : level.links.of(static_cast<Rank>(rank)))
            ids.push_back(to_node(level.ranked[link.id()]));
    }

    void
    measure(std::span<const NodeId> ids, Array<Candidate>& found) {
        for (const NodeId id : ids)
            found.push_back(measure(to_point(id)));
    }
    Candidate
    measure(Point point) const {
        const float distance =
            cloud_.codec->distance(query_, points_.header(point), points_.code(point));
        return {distance, 0, to_node(point), 0, false, false};
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
        for (const Point point : cloud.points)
            exact.push_back({cloud.codec->distance(query, points.header(point), points.code(point)),
                             to_node(point)});
        std::partial_sort(exact.begin(), exact.begin() + 10, exact.end());
        MemoryGraph view(cloud, graph, query);
        const int top = static_cast<int>(graph.layers.size()) - 1;
        const Entries entries = descend(view, top, 1, view.measure(graph.entry), memory);
        search_layer(view, 0, {ef}, entries.span(), memory);
        for (std::size_t i = 0; i < 10; ++i)
            for (const Candidate& candidate : memory.beam.entries().first(10))
                hits += candidate.id == exact[i].second;
    }
    return static_cast<double>(hits) / (10 * kQueries);
}

using Lists = std::vector<std::vector<std::uint32_t>>;

std::size_t
count_reached(const Lists& lists, std::size_t entry) {
    std::vector<bool> reached(lists.size());
    std::vector<std::size_t> queue = {entry};
    reached[entry] = true;
    for (std::size_t i = 0; i < queue.size(); ++i)
        for (const std::size_t to : lists[queue[i]])
            if (!reached[to]) {
                reached[to] = true;
                queue.push_back(to);
            }
    return queue.size();
}

// Anchors lead from the entry point to all, and each list has one link back, to the rank that
// anchors it; the entry point's has a place for one.
void
expect_tree(const BatchLayer& layer, std::size_t entry, std::size_t max_links) {
    Lists anchors(layer.ranked.size());
    Lists back(layer.ranked.size());
    for (const Rank rank : layer.ranked.ids())
        for (const RankLink& link : layer.links.of(rank)) {
            if (link.kind() == LinkKind::kAnchor)
                anchors[number_of(rank)].push_back(number_of(link.id()));
            if (link.kind() == LinkKind::kParent)
                back[number_of(rank)].push_back(number_of(link.id()));
        }
    EXPECT_EQ(count_reached(anchors, entry), layer.ranked.size());
    for (std::size_t rank = 0; rank < layer.ranked.size(); ++rank) {
        ASSERT_EQ(back[rank].size(), rank == entry ? 0u : 1u);
        if (rank != entry) {
            const std::vector<std::uint32_t>& of_parent = anchors[back[rank][0]];
            EXPECT_NE(std::find(of_parent.begin(), of_parent.end(), rank), of_parent.end());
        }
    }
    EXPECT_LT(anchors[entry].size(), max_links);
}

void
expect_sound(const BatchGraph& graph, const GraphShape& shape) {
    for (std::size_t l = 0; l < graph.layers.size(); ++l) {
        const BatchLayer& layer = graph.layers[l];
        Lists lists(layer.ranked.size());
        for (const Rank rank : layer.ranked.ids()) {
            std::vector<std::uint32_t>& ids = lists[number_of(rank)];
            for (const RankLink& link : layer.links.of(rank))
                ids.push_back(number_of(link.id()));
            EXPECT_LE(ids.size(), l == 0 ? 2 * shape.m : shape.m);
            std::sort(ids.begin(), ids.end());
            EXPECT_TRUE(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
            EXPECT_TRUE(std::find(ids.begin(), ids.end(), number_of(rank)) == ids.end());
        }
        const std::size_t entry = number_of(layer.ranked.rank_of(graph.entry));
        EXPECT_EQ(count_reached(lists, entry), layer.ranked.size());
        if (l == 0)
            expect_tree(layer, entry, 2 * shape.m);
    }
    std::vector<Rank> order(graph.order.begin(), graph.order.end());
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < order.size(); ++i)
        ASSERT_EQ(number_of(order[i]), i);
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

// How many of the points a search for their own code does not find, nor one as near.
std::size_t
count_lost(Cloud& cloud, const BatchGraph& graph, std::size_t ef) {
    test::TestArena memory_arena;
    Arena arena = memory_arena.arena();
    Query query = cloud.codec->allocate_query(arena);
    SearchMemory memory(arena, ef);
    const PointView points = cloud.view();
    std::size_t n_lost = 0;
    for (const Point point : cloud.points) {
        cloud.codec->query_from_code(points.header(point), points.code(point), query);
        const float own = cloud.codec->distance(query, points.header(point), points.code(point));
        MemoryGraph view(cloud, graph, query);
        const int top = static_cast<int>(graph.layers.size()) - 1;
        const Entries entries = descend(view, top, 1, view.measure(graph.entry), memory);
        search_layer(view, 0, {ef}, entries.span(), memory);
        const std::span<const Candidate> found = memory.beam.entries();
        n_lost += std::none_of(found.begin(), found.end(), [&](const Candidate& candidate) {
            return candidate.id == to_node(point) || candidate.distance <= own;
        });
    }
    return n_lost;
}

// Groups that lie far apart link to their own points alone; no search may end in a wrong one.
TEST_F(BatchGraphTest, FindsEveryGroupOfManySmallBuilds) {
    std::size_t n_lost = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        const std::size_t n_groups = 2 + seed % 11;
        Cloud cloud(40 * n_groups, 4 + seed % 9, seed, Metric::kL2, n_groups, 0.05f);
        BatchOptions options = batch_options(64, seed);
        options.leaf = 60;
        n_lost += count_lost(cloud, build(cloud, options, {16, 10}), 40);
    }
    EXPECT_EQ(n_lost, 0u);
}

TEST_F(BatchGraphTest, FindsBothDirectionsOfOneDimension) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Cloud cloud(800, 1, seed, Metric::kCosine, 2);
        EXPECT_EQ(count_lost(cloud, build(cloud, batch_options(64, seed), {16, 10}), 40), 0u);
    }
}

TEST_F(BatchGraphTest, FindsOutliersWithFewLinks) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Cloud cloud(1500, 8, seed, Metric::kL2, 1);
        for (std::size_t i = 0; i < 25; ++i)
            for (std::size_t j = 0; j < 8; ++j)
                cloud.values[i * 8 + j] *= 40;
        cloud.encode();
        EXPECT_EQ(count_lost(cloud, build(cloud, batch_options(64, seed), {9, 10}), 40), 0u);
    }
}

// One to three entries of 500, most of the first few indices.
void
make_sparse(Cloud& cloud, std::uint64_t seed) {
    constexpr std::int32_t kDims = 500;
    Arena& arena = cloud.arena.arena();
    cloud.codec = arena.make<Codec>(CodecKind::kSparse, Metric::kL2, kDims, nullptr, nullptr, 3);
    cloud.stride = point_stride(*cloud.codec);
    cloud.bytes.assign(cloud.points.size() * cloud.stride, 0);
    cloud.chunk = cloud.bytes.data();
    Prepared prepared = cloud.codec->allocate_prepared(arena);
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> uniform;
    for (const Point point : cloud.points) {
        std::map<std::int32_t, float> entries;
        for (std::size_t i = 0; i <= number_of(point) % 3; ++i) {
            const auto index = static_cast<std::int32_t>(kDims * std::pow(uniform(random), 3.0));
            entries[std::min(index, kDims - 1)] = static_cast<float>(0.001 + uniform(random));
        }
        std::vector<std::int32_t> indices;
        std::vector<float> values;
        for (const auto& [index, value] : entries) {
            indices.push_back(index);
            values.push_back(value);
        }
        std::vector<float> packed(packed_sparse_size(indices.size()));
        pack_sparse({kDims, indices, values}, packed.data());
        ASSERT_EQ(cloud.codec->prepare(packed.data(), prepared), PrepareStatus::kReady);
        std::uint8_t* record = &cloud.bytes[number_of(point) * cloud.stride];
        cloud.codec->encode(prepared, *reinterpret_cast<CodeHeader*>(record),
                            record + sizeof(CodeHeader), nullptr);
    }
}

// Those that share no index are as far apart as both are long: the shortest few are the nearest of
// almost all, and have no place for a link to each.
TEST_F(BatchGraphTest, FindsSparsePointsThatShareNothing) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        Cloud cloud(1500, 2, seed);
        ASSERT_NO_FATAL_FAILURE(make_sparse(cloud, seed));
        const BatchOptions options = batch_options(64, seed, CodecKind::kSparse);
        EXPECT_LE(count_lost(cloud, build(cloud, options, {16, 10}), 40), 10u) << seed;
    }
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
        for (const Rank rank : a.layers[l].ranked.ids())
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
                graphs[i] = build_batch_graph(crew, locals[i].arena(),
                                              {cloud.view(), cloud.points, options, shape});
            });
        for (const BatchGraph& graph : graphs) {
            EXPECT_EQ(graph.entry, alone.entry);
            EXPECT_TRUE(std::ranges::equal(graph.order, alone.order));
            ASSERT_EQ(graph.layers.size(), alone.layers.size());
            for (std::size_t l = 0; l < graph.layers.size(); ++l)
                for (const Rank rank : graph.layers[l].ranked.ids())
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

// Groups of groups: a group that has some points on a layer has one on the next. (Not each that has
// more than kGroup: links tell near points of a batch, and not all of them.)
TEST_F(BatchGraphTest, LeavesNoGroupWithoutOneAbove) {
    constexpr std::size_t kPerGroup = 60;
    constexpr std::size_t kGroups = 125;
    constexpr std::size_t kDims = 4;
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        Cloud cloud(kGroups * kPerGroup, kDims, seed);
        std::mt19937_64 random(seed);
        const auto uniform = [&random] { return std::uniform_real_distribution<float>()(random); };
        std::vector<float> centre(3 * kDims);
        for (std::size_t i = 0; i < cloud.points.size(); ++i) {
            for (std::size_t depth = 0; depth < 3; ++depth)
                if (i % (kPerGroup * (depth == 0 ? 25 : depth == 1 ? 5 : 1)) == 0)
                    std::generate_n(&centre[depth * kDims], kDims, uniform);
            for (std::size_t j = 0; j < kDims; ++j)
                cloud.values[i * kDims + j] = 1000 * centre[j] + 100 * centre[kDims + j] +
                                              10 * centre[2 * kDims + j] + 0.5F * uniform();
        }
        cloud.encode();
        BatchOptions options;
        options.seed = seed;
        const GraphShape shape = {16, 10};
        const BatchGraph graph = build(cloud, options, shape);
        expect_sound(graph, shape);
        for (std::size_t layer = 0; layer < graph.layers.size(); ++layer)
            for (const std::size_t n_groups :
                 {std::size_t{1}, std::size_t{5}, std::size_t{25}, kGroups}) {
                const std::size_t size = cloud.points.size() / n_groups;
                std::vector<std::size_t> here(n_groups);
                std::vector<std::size_t> above(n_groups);
                for (const Point point : graph.layers[layer].ranked.span())
                    ++here[number_of(point) / size];
                if (layer + 1 < graph.layers.size())
                    for (const Point point : graph.layers[layer + 1].ranked.span())
                        ++above[number_of(point) / size];
                for (std::size_t i = 0; i < n_groups; ++i)
                    EXPECT_TRUE(here[i] <= 3 * kGroup || above[i] > 0)
                        << layer << ' ' << n_groups << ' ' << i << ' ' << here[i];
            }
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
                build_batch_graph(crew, local.arena(),
                                  {cloud.view(), cloud.points, options, shape});
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
