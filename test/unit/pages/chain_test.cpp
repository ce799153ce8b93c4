// The rows of one node, over pages in memory.

#include "paged_index.h"

#include "hnsw/pages/chain.h"

namespace vext::hnsw {

namespace {

class Chain : public testing::Test {
   protected:
    Chain() { begin(); }

    // A new index with a node of row 0.
    void
    begin() {
        paged_.reset();
        paged_.emplace(4, 4);
        paged_->insert(0, vector_);
    }

    // Rows 1 and so on join the node of row 0.
    void
    join(std::uint32_t first, std::uint32_t end) {
        for (std::uint32_t row = first; row < end; ++row)
            ASSERT_TRUE(join_node(paged_->index(), id(), version(), tid_of(row)));
    }
    NodeId
    id() {
        return paged_->linked_nodes().at(0);
    }
    std::uint16_t
    version() {
        return head_of(paged_->record(id())).version;
    }
    std::vector<std::uint32_t>
    rows() {
        std::vector<std::uint32_t> rows;
        for (const Tid& tid : paged_->rows(id()))
            rows.push_back(tid.block_low * 100U + tid.position - 1U);
        std::sort(rows.begin(), rows.end());
        return rows;
    }
    static std::vector<std::uint32_t>
    range(std::uint32_t first, std::uint32_t end) {
        std::vector<std::uint32_t> numbers;
        for (std::uint32_t i = first; i < end; ++i)
            numbers.push_back(i);
        return numbers;
    }
    std::size_t
    n_records_in_use() {
        std::size_t n = 0;
        for (const NodeId id : paged_->ids())
            n += head_of(paged_->record(id)).kind == RecordKind::kTids ? 1 : 0;
        return n;
    }
    std::uint32_t
    per_record() {
        return paged_->index().geometry.tids_per_record;
    }

    const std::vector<float> vector_ = {1, 2, 3, 4};
    std::optional<PagedIndex> paged_;
};

TEST_F(Chain, HoldsEveryRowOnce) {
    const std::uint32_t n = 5 * per_record() + 2;
    join(1, n);
    EXPECT_EQ(rows(), range(0, n));
    EXPECT_EQ(n_records_in_use(), (n - 2) / per_record() + 1);
    EXPECT_NE(head_of(paged_->record(id())).flags & kFlagAppended, 0);
}

TEST_F(Chain, NothingJoinsADeadNodeOrAnotherVersion) {
    EXPECT_FALSE(join_node(paged_->index(), id(), version() + 1, tid_of(1)));
    const NodeId node = id();
    const std::uint16_t seen = version();
    head_of(paged_->record_to_change(node)).flags |= kFlagDead;
    EXPECT_FALSE(join_node(paged_->index(), node, seen, tid_of(1)));
    EXPECT_EQ(n_records_in_use(), 0U);
}

TEST_F(Chain, RowsAreTakenAwayWhereverTheyStand) {
    const std::uint32_t n = 3 * per_record() + 1;
    join(1, n);
    for (const std::uint32_t row : {0U, 1U, per_record() + 1, n - 1})
        remove_row(paged_->index(), id(), tid_of(row));
    remove_row(paged_->index(), id(), tid_of(n + 5));  // was never there
    std::vector<std::uint32_t> left = range(2, n - 1);
    std::erase(left, per_record() + 1);
    EXPECT_EQ(rows(), left);
}

// All but the rows of every third record go.
TEST_F(Chain, EmptyRecordsLeaveTheChainAtEveryPrefix) {
    bool is_cut = true;
    for (std::size_t n_records = 0; is_cut; ++n_records) {
        begin();
        PagedIndex& paged = *paged_;
        const NodeId node = id();
        const std::uint32_t n = 9 * per_record() + 1;
        join(1, n);
        std::size_t n_left = 1;
        for (std::uint32_t row = 1; row < n; ++row) {
            if ((row - 1) / per_record() % 3 == 0)
                ++n_left;
            else
                remove_row(paged.index(), node, tid_of(row));
        }
        is_cut = paged.server().run_until_record(n_records,
                                                 [&] { drop_empty_records(paged.index(), node); });
        ASSERT_EQ(paged.rows(node).size(), n_left) << n_records;
        drop_empty_records(paged.index(), node);
        ASSERT_EQ(paged.rows(node).size(), n_left) << n_records;
        ASSERT_EQ(n_records_in_use(), 3U) << n_records;
        ASSERT_LT(n_records, 100U);
    }
}

// Where a chain changes while it is read, the reader either has every row that was there all the
// time or is told.
TEST_F(Chain, AReaderIsToldOfWhatChangesBeside) {
    const std::uint32_t n = 6 * per_record() + 1;
    bool is_over = false;
    std::size_t n_told = 0;
    for (std::size_t turn = 0; !is_over; ++turn) {
        begin();
        PagedIndex& paged = *paged_;
        const NodeId node = id();
        join(1, n);
        const std::uint32_t gone_from = 2 * per_record() + 1;
        const std::uint32_t gone_to = 4 * per_record() + 1;
        std::size_t n_locks = 0;
        paged.server().set_between([&] {
            if (n_locks++ != turn)
                return;
            for (std::uint32_t row = gone_from; row < gone_to; ++row)
                remove_row(paged.index(), node, tid_of(row));
            drop_empty_records(paged.index(), node);
            join(n, n + 2 * per_record());
        });
        core::Arena arena = paged.core_arena();
        core::Array<Tid> tids(arena);
        const bool is_whole =
            collect_chain(paged.index(), node, node_of(paged.record(node)).tids_head, tids);
        paged.server().set_between(nullptr);
        is_over = n_locks <= turn;
        n_told += is_whole ? 0 : 1;
        if (!is_whole)
            continue;
        for (std::uint32_t row = 1; row < n; ++row) {
            const auto n_found = std::count(tids.begin(), tids.end(), tid_of(row));
            if (row < gone_from || row >= gone_to)
                ASSERT_EQ(n_found, 1) << row << " at " << turn;
            else
                ASSERT_LE(n_found, 1) << row << " at " << turn;
        }
    }
    EXPECT_GT(n_told, 0U);
}

TEST_F(Chain, ACircleIsDamage) {
    join(1, 4 * per_record() + 1);
    NodeId last = node_of(paged_->record(id())).tids_head;
    while (tids_record(paged_->record(last)).next != kNoNode)
        last = tids_record(paged_->record(last)).next;
    TidsRecord& end = tids_record(paged_->record_to_change(last));
    end.next = node_of(paged_->record(id())).tids_head;
    end.next_version = head_of(paged_->record(end.next)).version;
    const auto error = paged_->server().run([&] {
        core::Arena arena = paged_->core_arena();
        core::Array<Tid> tids(arena);
        collect_chain(paged_->index(), id(), node_of(paged_->record(id())).tids_head, tids);
    });
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->sqlstate, "XX002");
    EXPECT_EQ(paged_->server().n_held(), 0U);
}

}  // namespace

}  // namespace vext::hnsw
