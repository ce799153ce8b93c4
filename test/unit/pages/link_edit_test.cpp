// One neighbour's list with further links in it, over pages in memory.

#include "paged_index.h"

#include "hnsw/graph/link_edit.h"

namespace vext::hnsw {

namespace {

constexpr std::size_t kDims = 2;
constexpr int kM = 2;
constexpr std::size_t kPlaces = 2 * kM;  // of a list on layer 0

// Nodes at points of a plane whose lists a test writes itself; node 0 is the owner of the list.
class LinkEditing : public testing::Test {
   protected:
    LinkEditing() : paged_(kDims, kM) {}

    NodeId
    add_node(float x, float y) {
        const std::vector<float> point = {x, y};
        paged_.insert(n_rows_, point);
        const NodeId id = paged_.node_of_row(n_rows_++);
        head_of(paged_.record_to_change(id)).n_links = 0;
        return id;
    }
    void
    set_list(NodeId id, const std::vector<Link>& links) {
        const LinkList list = link_list(paged_.record_to_change(id), paged_.index().geometry, 0);
        *list.count = 0;
        for (const Link& link : links)
            list.append(link);
    }
    core::Candidate
    seen(NodeId id) {
        return {0, 0, id, head_of(paged_.record(id)).version, false, false};
    }
    static std::vector<Link>
    all(std::span<const Link> links) {
        return {links.begin(), links.end()};
    }

    // Calls `edit(LinkEdit&)` where the new node is the one at (x, y).
    template <typename Edit>
    void
    with_edit(NodeId new_node, Edit&& edit) {
        core::Arena arena = paged_.core_arena();
        NodeQuery node(paged_.index(), arena);
        ASSERT_TRUE(node.aim_at(new_node, is_live_node));
        PageGraph graph(paged_.index(), node.query());
        LinkEdit link_edit(paged_.index(), graph, arena);
        edit(link_edit);
    }

    PagedIndex paged_;
    std::uint32_t n_rows_ = 0;
};

constexpr auto kDiverse = core::LinkKind::kDiverse;
constexpr auto kFiller = core::LinkKind::kFiller;
constexpr auto kAnchor = core::LinkKind::kAnchor;
constexpr auto kParent = core::LinkKind::kParent;

TEST_F(LinkEditing, AListWithRoomTakesTheLink) {
    const NodeId owner = add_node(0, 0);
    const NodeId east = add_node(4, 0);
    const NodeId west = add_node(-4, 0);
    const NodeId beyond = add_node(5, 0);
    set_list(owner, {Link(east, kDiverse)});
    with_edit(west, [&](LinkEdit& edit) {
        ASSERT_TRUE(edit.read(seen(owner), 0));
        EXPECT_TRUE(edit.has(east, LinkRole::kPlain));
        EXPECT_FALSE(edit.has(west, LinkRole::kPlain));
        ASSERT_TRUE(edit.add(west, 16, LinkRole::kPlain));
        EXPECT_EQ(all(edit.after()), (std::vector{Link(east, kDiverse), Link(west, kDiverse)}));
    });
    // East lies between: what is beyond it fills.
    with_edit(beyond, [&](LinkEdit& edit) {
        ASSERT_TRUE(edit.read(seen(owner), 0));
        ASSERT_TRUE(edit.add(beyond, 25, LinkRole::kPlain));
        EXPECT_EQ(all(edit.after()), (std::vector{Link(east, kDiverse), Link(beyond, kFiller)}));
    });
}

TEST_F(LinkEditing, InAFullListTheFarthestFillerGivesWay) {
    const NodeId owner = add_node(0, 0);
    const NodeId east = add_node(4, 0);
    const NodeId first = add_node(5, 0);
    const NodeId second = add_node(7, 0);
    const NodeId north = add_node(0, 6);
    const NodeId west = add_node(-3, 0);
    set_list(owner, {Link(east, kDiverse), Link(first, kFiller), Link(second, kFiller),
                     Link(north, kDiverse)});
    with_edit(west, [&](LinkEdit& edit) {
        ASSERT_TRUE(edit.read(seen(owner), 0));
        ASSERT_TRUE(edit.add(west, 9, LinkRole::kPlain));
        EXPECT_EQ(all(edit.after()), (std::vector{Link(east, kDiverse), Link(first, kFiller),
                                                  Link(west, kDiverse), Link(north, kDiverse)}));
        EXPECT_TRUE(edit.handed_over().empty());
    });
}

// If it lies beyond what the search for the new node has met: else the new node links to it anyway.
TEST_F(LinkEditing, WhatTheNewNodeOccludesIsHandedOver) {
    const NodeId owner = add_node(0, 0);
    const NodeId far = add_node(10, 0);
    const NodeId north = add_node(0, 6);
    const NodeId between = add_node(5, 0);
    set_list(owner, {Link(north, kDiverse), Link(far, kDiverse)});
    for (const float reach : {20.0F, 30.0F})
        with_edit(between, [&](LinkEdit& edit) {
            ASSERT_TRUE(edit.read(seen(owner), 0));
            edit.set_reach(reach);
            ASSERT_TRUE(edit.add(between, 25, LinkRole::kPlain));
            EXPECT_EQ(all(edit.after()), (std::vector{Link(north, kDiverse), Link(far, kFiller),
                                                      Link(between, kDiverse)}));
            ASSERT_EQ(edit.handed_over().size(), reach < 25 ? 1U : 0U);
            if (reach < 25)
                EXPECT_EQ(edit.handed_over()[0].id, far);
        });
}

TEST_F(LinkEditing, KeptLinksGiveWayToNobody) {
    const NodeId owner = add_node(0, 0);
    std::vector<Link> links;
    for (std::size_t i = 0; i < kPlaces; ++i)
        links.emplace_back(add_node(static_cast<float>(i + 3), 0), i == 0 ? kParent : kAnchor);
    const NodeId near = add_node(1, 0);
    set_list(owner, links);
    for (const LinkRole role : {LinkRole::kPlain, LinkRole::kAnchor, LinkRole::kLastAnchor})
        with_edit(near, [&](LinkEdit& edit) {
            ASSERT_TRUE(edit.read(seen(owner), 0));
            EXPECT_FALSE(edit.add(near, 1, role));
        });
}

TEST_F(LinkEditing, AnAnchorTakesAPlaceHoweverFarItIs) {
    const NodeId owner = add_node(0, 0);
    std::vector<Link> links;
    for (std::size_t i = 0; i < kPlaces; ++i)
        links.emplace_back(add_node(1, static_cast<float>(i)), i < 2 ? kDiverse : kFiller);
    const NodeId far = add_node(100, 0);
    set_list(owner, links);
    with_edit(far, [&](LinkEdit& edit) {
        ASSERT_TRUE(edit.read(seen(owner), 0));
        EXPECT_FALSE(edit.add(far, 10000, LinkRole::kPlain));
        ASSERT_TRUE(edit.read(seen(owner), 0));
        ASSERT_TRUE(edit.add(far, 10000, LinkRole::kAnchor));
        EXPECT_TRUE(std::ranges::any_of(
            edit.after(), [&](const Link& link) { return link == Link(far, kAnchor); }));
        EXPECT_EQ(edit.after().size(), kPlaces);
    });
}

// Half of a list is for anchors, while others can take one; the last resort may take more.
TEST_F(LinkEditing, AListGivesHalfOfItsPlacesToAnchors) {
    const NodeId owner = add_node(0, 0);
    std::vector<Link> links;
    for (std::size_t i = 0; i < kPlaces; ++i)
        links.emplace_back(add_node(1, static_cast<float>(i)), i < kPlaces / 2 ? kAnchor : kFiller);
    const NodeId node = add_node(2, 9);
    set_list(owner, links);
    with_edit(node, [&](LinkEdit& edit) {
        ASSERT_TRUE(edit.read(seen(owner), 0));
        EXPECT_FALSE(edit.add(node, 85, LinkRole::kAnchor));
        ASSERT_TRUE(edit.read(seen(owner), 0));
        EXPECT_TRUE(edit.add(node, 85, LinkRole::kLastAnchor));
    });
}

TEST_F(LinkEditing, ADeadNodeCountsAsTheFarthest) {
    const NodeId owner = add_node(0, 0);
    std::vector<Link> links;
    for (std::size_t i = 0; i < kPlaces; ++i)
        links.emplace_back(add_node(i % 2 == 0 ? 1.0F : -1.0F, i < 2 ? 2.0F : -2.0F), kDiverse);
    const NodeId dead = links[1].id();
    const NodeId node = add_node(90, 0);
    set_list(owner, links);
    head_of(paged_.record_to_change(dead)).flags |= kFlagDead;
    with_edit(node, [&](LinkEdit& edit) {
        ASSERT_TRUE(edit.read(seen(owner), 0));
        ASSERT_TRUE(edit.add(node, 8100, LinkRole::kPlain));
        EXPECT_EQ(edit.after()[1].id(), node);
    });
}

TEST_F(LinkEditing, OnlyTheNodeThatWasSeenIsRead) {
    const NodeId owner = add_node(0, 0);
    const NodeId other = add_node(1, 0);
    with_edit(other, [&](LinkEdit& edit) {
        core::Candidate stale = seen(owner);
        ++stale.version;
        EXPECT_FALSE(edit.read(stale, 0));
        head_of(paged_.record_to_change(owner)).flags |= kFlagDead;
        EXPECT_FALSE(edit.read(seen(owner), 0));
    });
}

TEST_F(LinkEditing, IsWrittenOnlyOverWhatWasRead) {
    const NodeId owner = add_node(0, 0);
    const NodeId east = add_node(4, 0);
    const NodeId west = add_node(-4, 0);
    set_list(owner, {Link(east, kDiverse)});
    with_edit(west, [&](LinkEdit& edit) {
        ASSERT_TRUE(edit.read(seen(owner), 0));
        ASSERT_TRUE(edit.add(west, 16, LinkRole::kPlain));
        EXPECT_TRUE(edit.is_unchanged(paged_.record(owner)));
        set_list(owner, {Link(east, kFiller)});
        EXPECT_FALSE(edit.is_unchanged(paged_.record(owner)));
        set_list(owner, {});
        EXPECT_FALSE(edit.is_unchanged(paged_.record(owner)));
        set_list(owner, {Link(east, kDiverse)});
        edit.apply(paged_.record_to_change(owner));
        EXPECT_EQ(all(links_of(paged_.record(owner), paged_.index().geometry, 0)),
                  all(edit.after()));
    });
}

TEST_F(LinkEditing, PutsANodeBetweenTwoOfAWay) {
    const NodeId owner = add_node(0, 0);
    const NodeId near = add_node(1, 0);
    const NodeId far = add_node(9, 0);
    const NodeId node = add_node(0, 5);
    set_list(owner, {Link(near, kAnchor), Link(far, kAnchor), Link(near + 1, kParent)});
    with_edit(node, [&](LinkEdit& edit) {
        ASSERT_TRUE(edit.read(seen(owner), 0));
        EXPECT_EQ(edit.put_between(node), far);
        EXPECT_EQ(edit.after()[1], Link(node, kAnchor));
        set_list(owner, all(edit.after()));
        ASSERT_TRUE(edit.read(seen(owner), 0));
        EXPECT_EQ(edit.put_between(node), kNoNode);  // it links to it already
    });
}

}  // namespace

}  // namespace vext::hnsw
