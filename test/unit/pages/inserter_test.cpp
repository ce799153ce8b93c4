// A row into the graph on pages: by itself, cut off at every record, and beside others.

#include "paged_index.h"

#include "hnsw/graph/inserter.h"

namespace vext::hnsw {

namespace {

using Vectors = std::vector<std::vector<float>>;

void
insert_all(PagedIndex& paged, const Vectors& vectors, std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i)
        paged.insert(static_cast<std::uint32_t>(i), vectors[i]);
}

TEST(Inserter, EveryRowHasItsNode) {
    for (const int n_dims : {4, 40, 300}) {
        const Vectors vectors = grouped_vectors(200, static_cast<std::size_t>(n_dims), 3, 7);
        PagedIndex paged(n_dims, 4);
        insert_all(paged, vectors, 0, vectors.size());
        paged.expect_sound();
        EXPECT_EQ(paged.linked_nodes().size(), vectors.size());
        EXPECT_EQ(paged.server().n_held(), 0U);
    }
}

// What is there after any number of its records is what a crash, a cancel or an error leaves.
TEST(Inserter, EveryPrefixLeavesAValidGraph) {
    const Vectors vectors = grouped_vectors(61, 4, 3, 3);
    for (const std::size_t n_before : {0U, 1U, 20U, 57U}) {
        bool is_cut = true;
        for (std::size_t n_records = 0; is_cut; ++n_records) {
            PagedIndex paged(4, 4);
            insert_all(paged, vectors, 0, n_before);
            const std::size_t n_nodes = paged.linked_nodes().size();
            is_cut = paged.server().run_until_record(n_records, [&] {
                paged.insert_beside(static_cast<std::uint32_t>(n_before), vectors[n_before]);
            });
            SCOPED_TRACE(testing::Message() << n_records << " records behind " << n_before);
            paged.expect_sound();
            ASSERT_GE(paged.linked_nodes().size(), n_nodes);
            // Those who come later find their way beside what was left.
            for (std::size_t i = n_before + 1; i < n_before + 4; ++i)
                paged.insert_beside(static_cast<std::uint32_t>(i), vectors[i]);
            paged.expect_sound();
            ASSERT_GE(paged.linked_nodes().size(), n_nodes + 3);
            ASSERT_LT(n_records, 1000U);
        }
    }
}

// Others come whenever a page is about to be locked, and change the same lists.
TEST(Inserter, OthersMayComeInBetween) {
    for (const std::size_t n_before : {0U, 30U}) {
        Vectors vectors = grouped_vectors(n_before + 1, 4, 3, 5);
        for (int i = 1; i <= 5; ++i) {
            vectors.push_back(vectors[n_before]);
            vectors.back()[1] += 0.01F * static_cast<float>(i);
        }
        bool is_over = false;
        std::size_t n_between = 0;
        for (std::size_t turn = 0; !is_over; ++turn) {
            PagedIndex paged(4, 4);
            insert_all(paged, vectors, 0, n_before);
            std::size_t n_locks = 0;
            std::size_t n_done = n_before;
            paged.server().set_between([&] {
                if (n_locks++ == turn)
                    while (n_done < n_before + 5) {
                        const std::size_t next = n_done + 1;
                        paged.insert_beside(static_cast<std::uint32_t>(next), vectors[next]);
                        n_done = next;
                    }
            });
            paged.insert(static_cast<std::uint32_t>(n_before), vectors[n_before]);
            paged.server().set_between(nullptr);
            is_over = n_locks <= turn;
            SCOPED_TRACE(testing::Message() << "before lock " << turn << " behind " << n_before);
            paged.expect_sound();
            for (std::size_t row = 0; row <= n_done; ++row) {
                const NodeId node = paged.node_of_row(static_cast<std::uint32_t>(row));
                ASSERT_NE(node, kNoNode) << row;
                ASSERT_TRUE(is_linked_node(paged.record(node))) << row;
            }
            n_between += n_done - n_before;
        }
        EXPECT_GT(n_between, 0U);
    }
}

// Of one of three groups all nodes above layer 0 have died, as vacuum leaves it.
class Raising : public testing::Test {
   protected:
    static constexpr std::uint32_t kRows = 150;

    Raising() : paged_(4, 4) {
        insert_all(paged_, grouped_vectors(kRows, 4, 3, 9), 0, kRows);
        for (const NodeId id : group())
            if (layer_of(id) > 0)
                head_of(paged_.record_to_change(id)).flags |= kFlagDead;
    }

    std::vector<NodeId>
    group() {
        std::vector<NodeId> nodes;
        for (std::uint32_t row = 1; row < kRows; row += 3)
            if (const NodeId id = paged_.node_of_row(row); id != kNoNode)
                nodes.push_back(id);
        return nodes;
    }
    int
    layer_of(NodeId id) {
        return head_of(paged_.record(id)).layer;
    }
    std::size_t
    n_live_above() {
        std::size_t n = 0;
        for (const NodeId id : group())
            n += layer_of(id) > 0 ? 1 : 0;
        return n;
    }
    // How many lists of layer 1 lead to the node.
    std::size_t
    n_links_above(NodeId to) {
        std::size_t n = 0;
        for (const NodeId id : paged_.ids())
            if (head_of(paged_.record(id)).kind == RecordKind::kLinks)
                for (const Link& link : links_of(paged_.record(id), paged_.index().geometry, 1))
                    n += link.id() == to ? 1 : 0;
        return n;
    }

    PagedIndex paged_;
};

TEST_F(Raising, AnHeirTakesThePlaceAbove) {
    ASSERT_EQ(n_live_above(), 0U);
    const NodeId heir = group().front();
    paged_.inserter().raise(heir);
    ASSERT_GE(layer_of(heir), 1);
    const NodeId links_id = node_of(paged_.record(heir)).links_id;
    ASSERT_NE(links_id, kNoNode);
    EXPECT_TRUE(holds_links(paged_.record(links_id), heir, layer_of(heir)));
    EXPECT_FALSE(links_of(paged_.record(links_id), paged_.index().geometry, 1).empty());
    EXPECT_GT(n_links_above(heir), 0U);
    EXPECT_EQ(paged_.server().n_held(), 0U);
    // One is enough.
    for (const NodeId id : group())
        paged_.inserter().raise(id);
    EXPECT_EQ(n_live_above(), 1U);
}

TEST_F(Raising, EveryPrefixLeavesAValidGraph) {
    const NodeId heir = group().front();
    bool is_cut = true;
    for (std::size_t n_records = 0; is_cut; ++n_records) {
        is_cut = paged_.server().run_until_record(n_records, [&] {
            auto* other = paged_.core_arena().make<Index>(paged_.index());
            paged_.core_arena().make<Inserter>(*other, std::size_t{64})->raise(heir);
        });
        SCOPED_TRACE(n_records);
        paged_.expect_sound();
        ASSERT_EQ(layer_of(heir) > 0, node_of(paged_.record(heir)).links_id != kNoNode);
        ASSERT_LT(n_records, 100U);
    }
    EXPECT_GE(layer_of(heir), 1);
}

TEST_F(Raising, NothingElseRises) {
    const NodeId dead = NodeId{0};
    head_of(paged_.record_to_change(dead)).flags |= kFlagDead;
    const std::size_t n_records = paged_.server().n_records();
    for (const NodeId id : {kNoNode, dead, paged_.node_of_row(3)})
        paged_.inserter().raise(id);
    EXPECT_EQ(paged_.server().n_records(), n_records);
}

TEST(Inserter, EqualVectorsShareANode) {
    PagedIndex paged(4, 4);
    const std::vector<float> one = {1, 2, 3, 4};
    const std::vector<float> other = {1, 2, 3, 5};
    for (std::uint32_t row = 0; row < 500; ++row)
        paged.insert(row, row % 2 == 0 ? one : other);
    EXPECT_EQ(paged.linked_nodes().size(), 2U);
    std::size_t n_rows = 0;
    for (const NodeId id : paged.linked_nodes())
        n_rows += paged.rows(id).size();
    EXPECT_EQ(n_rows, 500U);
    paged.expect_sound();
}

TEST(Inserter, RefusesOtherDimensions) {
    PagedIndex paged(4, 4);
    const std::vector<float> vector = {1, 2, 3};
    const auto error = paged.server().run([&] { paged.insert(0, vector); });
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->sqlstate, "22000");
    EXPECT_EQ(paged.server().n_records(), 0U);
}

}  // namespace

}  // namespace vext::hnsw
