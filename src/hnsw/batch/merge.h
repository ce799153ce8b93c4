// Joining a batch of points to the graph on pages (../README.md, "A batch into a graph").
//
// For each point the neighbours in the graph come from a search, those within the batch from the
// batch's own graph; its links are selected among both. The order of what is written keeps every
// prefix of it harmless: records without links, which nobody links to; their lists; links back to
// them; the flag `linked`.

#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/batch/batch_graph.h"
#include "hnsw/batch/backlink.h"
#include "hnsw/batch/plan.h"
#include "hnsw/batch/point_store.h"
#include "hnsw/batch/progress.h"
#include "hnsw/graph/backlink.h"
#include "hnsw/graph/candidates.h"
#include "hnsw/graph/inserter.h"
#include "hnsw/graph/neighbours.h"
#include "hnsw/graph/page_graph.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// The points of a batch.
struct Batch {
    PointStore* store;
    std::size_t n_points;            ///< the store's first
    std::uint64_t seed;              ///< drawn anew for each batch
    std::span<NodeId* const> fates;  ///< follow the rows of the points (Inserter::insert); or none
    bool is_alone;                   ///< nobody else inserts at the same time
};

/// One member's part in joining one batch. Memory from the context current at its making.
class BatchMerger {
   public:
    BatchMerger(Index& index, const BatchPlan& plan, const Batch& batch);
    BatchMerger(const BatchMerger&) = delete;

    /// Makes the points findable. Called by all members of the crew. Others may insert at the same
    /// time, but none that has a batch that this one cannot see and that is not small beside the
    /// graph. False when it must be done alone: the points are written then, but not linked.
    template <typename Crew>
    bool merge(Crew& crew);

    /// Bytes that it takes for each point, beside the point's record and its batch graph.
    static std::size_t
    bytes_per_point(const core::GraphShape& shape) {
        // What was found of a point on layer 0, and of those that rise.
        return (2 * shape.m + 4) * sizeof(NodeId) + sizeof(core::Cover) +
               static_cast<std::size_t>(static_cast<double>(shape.m_above * sizeof(NodeId)) *
                                        core::most_risen_share(shape.m)) +
               1;
    }

    /// Bytes that each member takes, beside what its batch graph does.
    static std::size_t bytes_per_member(const Index& index, const BatchPlan& plan);

   private:
    // Tasks: points to be searched for, nodes to be written, nodes to be linked.
    static constexpr std::size_t kSearchesPerTask = 32;
    static constexpr std::size_t kNodesPerTask = 256;
    static constexpr std::size_t kLinksPerTask = 1024;
    static constexpr std::size_t kFewFinds = 64;  ///< nodes of a small batch that are looked for
    static constexpr std::size_t kPointsPerFind = 64;  ///< one of so many is looked for at the end

    // Fewer where nodes have many links: a task remembers those that it wishes for.
    static constexpr std::size_t kWishesPerTask = 16384;
    static std::size_t
    links_per_task(const core::GraphShape& shape) {
        return std::min(kLinksPerTask, kWishesPerTask / shape.m);
    }

    /// Calls `work(first, n)` for stretches of up to `per_task` of `n_all`, each by one member.
    template <typename Crew, typename Work>
    static void
    for_stretches(Crew& crew, std::size_t n_all, std::size_t per_task, Work&& work) {
        crew.for_each((n_all + per_task - 1) / per_task, [&](std::size_t task) {
            const std::size_t first = task * per_task;
            work(first, std::min(per_task, n_all - first));
        });
    }

    // What searches of the graph found near the points, places without a neighbour kNoNode.
    struct Found {
        core::Rows<NodeId> bottom;              // neighbours on layer 0, by point
        core::Rows<core::Cover> covers;         // of layer 0, by point
        core::Array<core::Rows<NodeId>> above;  // neighbours on layer 1 and so on, by rank
    };

    // The graph as build_batch_graph() asks about it.
    template <typename Crew>
    struct Outside {
        BatchMerger* merger;
        Crew* crew;

        void
        begin_layer(int layer, std::span<const std::uint32_t> members) {
            merger->members_ = members;
            if (layer > 0)
                merger->found_->above.push_back(core::Rows<NodeId>(
                    *crew, merger->arena_, members.size(), merger->shape_.m_above));
        }
        core::Cover
        cover(int layer, std::uint32_t rank) {
            return merger->find_cover(layer, rank);
        }
    };

    NodeId find_entry(std::uint32_t point);
    static void order_by(std::span<const NodeId> entries, std::span<std::uint32_t> order);
    void search(std::uint32_t point);
    core::Cover find_cover(int layer, std::uint32_t rank);
    void find_neighbours(std::uint32_t point, int layer, std::span<NodeId> places);
    std::span<NodeId> found_near(std::uint32_t rank, int layer);
    void join_equal(std::uint32_t point);
    std::size_t drop_joined(std::span<std::uint32_t> members);
    void write_nodes(std::size_t first, std::size_t n);
    void write_chain(std::uint32_t point, NodeId id, std::uint16_t version);
    bool attach();
    void choose(std::uint32_t rank, int layer);
    float reach() const;
    void keep_own(std::span<const Link> own);
    void keep(NodeId id, core::LinkKind kind);
    template <typename Change>
    void change_nodes(std::size_t first, std::size_t n, Change&& change);
    void write_lists(std::size_t first, std::size_t n);
    void link_stretch(std::size_t first, std::size_t n);
    void take_over();
    void keep_farthest_cut_off();
    void link_above(std::uint32_t point);
    void mark_linked(std::size_t first, std::size_t n);
    void raise_entry();
    void find_sample(std::size_t first, std::size_t n);
    bool is_lost(std::uint32_t rank);
    void find_cut_off();
    std::size_t
    n_members() const {
        return graph_.order.size();
    }

    std::uint32_t
    point_of(std::uint32_t rank) const {
        return graph_.layers[0].members[rank];
    }
    std::uint32_t rank_of(std::uint32_t point, int layer) const;
    NodeId
    id_of(std::uint32_t point) const {
        return ids_[rank_of(point, 0)];
    }
    void
    aim_at(std::uint32_t point) {
        index_->codec->query_from_code(store_->header(point), store_->code(point), query_);
    }
    void
    note(std::uint32_t point, NodeId id) {
        if (!batch_.fates.empty())
            *batch_.fates[point] = id;
    }

    Index* index_;
    Batch batch_;
    PointStore* store_;
    core::BatchOptions options_;
    core::GraphShape shape_;
    SearchEffort effort_above_;  // on layers above 0
    SearchEffort effort_;        // on layer 0
    core::Arena arena_;
    core::Query query_;
    PageGraph pages_;  // distances to query_
    CandidateSearch search_;
    NeighbourSelector selector_;
    BackLinker linker_;
    BatchBackLinker batch_linker_;
    Found* found_ = nullptr;
    std::span<const std::uint32_t> members_;  // of the layer that is being built
    core::BatchGraph graph_ = {};
    NodeId parent_ = kNoNode;  // of the batch's entry point
    NodeId behind_ = kNoNode;  // it (BackLinker::behind)
    std::span<NodeId> ids_;    // by rank of layer 0
    core::Array<NodeId> to_measure_;
    core::Array<core::Candidate> candidates_;
    core::Array<ChosenLink> chosen_;
    core::Array<core::Candidate> taken_over_;
    core::Array<core::Candidate> cut_off_;  // handed over, the farthest beyond reach first
    core::Array<Link> lists_;               // of a stretch of nodes, end to end
    core::Array<std::uint32_t> ends_;
};

template <typename Crew>
bool
BatchMerger::merge(Crew& crew) {
    const std::size_t n_points = batch_.n_points;
    const auto all = core::allocate_shared<std::uint32_t>(crew, n_points);
    const auto counts = core::allocate_shared<std::uint32_t>(crew, 2);
    refresh_meta(*index_);
    crew.alone(
        [&] { counts[0] = static_cast<std::uint32_t>(store_->fold_equal(n_points, all).size()); });
    Found found = {core::Rows<NodeId>(crew, arena_, n_points, 2 * shape_.m),
                   core::Rows<core::Cover>(crew, arena_, n_points, 1),
                   core::Array<core::Rows<NodeId>>(arena_, kMaxLayers)};
    found_ = &found;
    std::span<std::uint32_t> members = all.first(counts[0]);
    crew.report(BuildPhase::kLinking, 0);
    const auto entries = core::allocate_shared<NodeId>(crew, members.size());
    const auto order = core::allocate_shared<std::uint32_t>(crew, members.size());
    for_stretches(crew, members.size(), kSearchesPerTask, [&](std::size_t first, std::size_t n) {
        for (std::size_t i = first; i < first + n; ++i)
            entries[i] = find_entry(members[i]);
    });
    crew.alone([&] { order_by(entries, order); });
    crew.report(BuildPhase::kLinking, members.size());
    for_stretches(crew, members.size(), kSearchesPerTask, [&](std::size_t first, std::size_t n) {
        for (const std::uint32_t rank : order.subspan(first, n))
            search(members[rank]);
    });
    crew.alone([&] { counts[0] = static_cast<std::uint32_t>(drop_joined(members)); });
    members = members.first(counts[0]);
    if (members.empty())
        return true;
    search_.set_effort(effort_above_);
    graph_ =
        core::build_batch_graph(crew, arena_, {store_->view(n_points), members, options_, shape_},
                                Outside<Crew>{this, &crew});
    search_.set_effort(effort_);
    ids_ = core::allocate_shared<NodeId>(crew, members.size());
    crew.report(BuildPhase::kWriting, members.size());
    for_stretches(crew, members.size(), kNodesPerTask,
                  [&](std::size_t first, std::size_t n) { write_nodes(first, n); });
    bool is_attached = true;
    crew.alone([&] { is_attached = attach(); });
    if (!is_attached)
        return false;
    crew.alone([&] {
        counts[0] = number_of(parent_);
        counts[1] = number_of(behind_);
    });
    parent_ = NodeId{counts[0]};
    behind_ = NodeId{counts[1]};
    pages_.pass_unlinked(false);  // its own nodes are not linked yet
    crew.report(BuildPhase::kSelecting, members.size());
    for_stretches(crew, members.size(), links_per_task(shape_),
                  [&](std::size_t first, std::size_t n) { link_stretch(first, n); });
    if (graph_.layers.size() > 1) {
        const std::span<const std::uint32_t> above = graph_.layers[1].members;
        crew.for_each(above.size(), [&](std::size_t i) { link_above(above[i]); });
    }
    for_stretches(crew, members.size(), kNodesPerTask,
                  [&](std::size_t first, std::size_t n) { mark_linked(first, n); });
    crew.alone([&] { raise_entry(); });
    for_stretches(crew, members.size(), kNodesPerTask,
                  [&](std::size_t first, std::size_t n) { find_sample(first, n); });
    find_cut_off();
    found_ = nullptr;
    return true;
}

}  // namespace vext::hnsw
