// Mending lists after nodes have died, over pages in memory.

#include "paged_index.h"

#include "hnsw/graph/repair.h"

namespace vext::hnsw {

namespace {

class Repair : public testing::TestWithParam<int> {
   protected:
    static constexpr std::size_t kRows = 240;

    Repair() : paged_(4, GetParam()), vectors_(grouped_vectors(kRows, 4, 3, 11)) {
        for (std::size_t i = 0; i < kRows; ++i)
            paged_.insert(static_cast<std::uint32_t>(i), vectors_[i]);
    }

    // Marks nodes dead; returns the set of them.
    template <typename IsDead>
    core::Bitmap
    kill(IsDead&& is_dead) {
        core::Arena arena = paged_.core_arena();
        core::Bitmap dead(arena, paged_.index().n_held);
        for (const NodeId id : paged_.linked_nodes())
            if (is_dead(id)) {
                head_of(paged_.record_to_change(id)).flags |= kFlagDead;
                dead.set(id);
            }
        return dead;
    }

    void
    mend_all(Repairer& repairer) {
        for (const NodeId id : paged_.linked_nodes()) {
            repairer.mend(id, 0, id);
            const NodeId links_id = node_of(paged_.record(id)).links_id;
            for (int layer = 1; links_id != kNoNode && layer <= head_of(paged_.record(id)).layer;
                 ++layer)
                repairer.mend(id, layer, links_id);
        }
    }

    std::span<const Link>
    list(NodeId id) {
        return links_of(paged_.record(id), paged_.index().geometry, 0);
    }

    PagedIndex paged_;
    std::vector<std::vector<float>> vectors_;
};

TEST_P(Repair, NoListLeadsToTheDead) {
    const core::Bitmap dead = kill([](NodeId id) { return number_of(id) % 3 == 1; });
    Repairer repairer(paged_.index(), dead);
    mend_all(repairer);
    for (const NodeId id : paged_.linked_nodes()) {
        ASSERT_FALSE(list(id).empty());
        std::set<NodeId> met = {id};
        for (const Link& link : list(id)) {
            ASSERT_FALSE(dead.has(link.id()));
            ASSERT_TRUE(met.insert(link.id()).second) << "a node is linked to twice, or to itself";
        }
    }
    EXPECT_EQ(paged_.server().n_held(), 0U);
}

// A list that lost a few fillers is only shortened.
TEST_P(Repair, ALostFillerIsNotReplaced) {
    for (const NodeId id : paged_.linked_nodes()) {
        const std::span<const Link> links = list(id);
        const auto filler = std::ranges::find(links, core::LinkKind::kFiller, &Link::kind);
        if (filler == links.end() || links.size() < paged_.index().geometry.max_links(0))
            continue;
        std::vector<Link> rest(links.begin(), links.end());
        rest.erase(rest.begin() + (filler - links.begin()));
        const NodeId victim = filler->id();
        const core::Bitmap dead = kill([victim](NodeId node) { return node == victim; });
        Repairer repairer(paged_.index(), dead);
        EXPECT_FALSE(repairer.mend(id, 0, id));
        EXPECT_TRUE(std::ranges::equal(list(id), rest));
        return;
    }
    FAIL() << "no full list with a filler";
}

// Where a whole group but one died, that one is found all the same.
TEST_P(Repair, WhatIsLeftOfAGroupIsFound) {
    const NodeId left = paged_.node_of_row(4);  // of the group of rows 1, 4, 7, ...
    std::set<NodeId> group;
    for (std::uint32_t row = 1; row < kRows; row += 3)
        group.insert(paged_.node_of_row(row));
    const core::Bitmap dead = kill([&](NodeId id) { return id != left && group.contains(id); });
    const NodeId root = paged_.node_of_row(0);
    core::Arena arena = paged_.core_arena();
    core::Bitmap hosts(arena, paged_.index().n_held);
    for (const NodeId id : paged_.linked_nodes())
        if (id != left)
            hosts.set(id);
    Repairer repairer(paged_.index(), dead);
    mend_all(repairer);
    const NodeId parent = repairer.anchor(left, hosts, root);
    ASSERT_NE(parent, kNoNode);
    EXPECT_TRUE(hosts.has(parent));
    EXPECT_TRUE(std::ranges::any_of(list(parent), [&](const Link& link) {
        return link == Link(left, core::LinkKind::kAnchor);
    }));
    EXPECT_TRUE(paged_.reached_from(root).contains(left));
}

// Each prefix of a repair leaves lists that decode and nodes that are reached as before: what leads
// through the dead stays until something else leads there.
TEST_P(Repair, EveryPrefixLeavesAValidGraph) {
    const core::Bitmap dead = kill([](NodeId id) { return number_of(id) % 4 == 2; });
    bool is_cut = true;
    while (is_cut) {
        is_cut = paged_.server().run_until_record(7, [&] {
            auto* repairer = paged_.core_arena().make<Repairer>(paged_.index(), dead);
            for (const NodeId id : core::ids_below(paged_.index().n_held))
                if (is_linked_node(paged_.record(id)))
                    repairer->mend(id, 0, id);
        });
        for (const NodeId id : paged_.ids())
            ASSERT_EQ(check_record(paged_.record(id), paged_.index().geometry,
                                   paged_.index().meta.n_slots),
                      nullptr);
    }
    // An insert that comes now finds its way.
    const std::vector<float> vector = {0.5F, 0, 0, 0};
    paged_.insert(kRows, vector);
    EXPECT_NE(paged_.node_of_row(kRows), kNoNode);
}

// A list that changes while it is mended keeps what came in.
TEST_P(Repair, ALinkThatComesInBetweenStays) {
    const NodeId node = paged_.node_of_row(0);
    const core::Bitmap dead = kill([&](NodeId id) {
        return std::ranges::any_of(list(node),
                                   [id](const Link& link) { return link.id() == id; }) &&
               number_of(id) % 2 == 0;
    });
    Repairer repairer(paged_.index(), dead);
    std::uint32_t row = kRows;
    paged_.server().set_between([&] {
        if (row < kRows + 3)
            paged_.insert_beside(row++, vectors_[0]);
    });
    repairer.mend(node, 0, node);
    paged_.server().set_between(nullptr);
    for (const Link& link : list(node))
        EXPECT_FALSE(dead.has(link.id()));
    for (std::uint32_t i = kRows; i < row; ++i)
        EXPECT_NE(paged_.node_of_row(i), kNoNode) << i;
}

INSTANTIATE_TEST_SUITE_P(M, Repair, testing::Values(2, 4, 16));

}  // namespace

}  // namespace vext::hnsw
