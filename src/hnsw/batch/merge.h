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
    std::size_t n_points;  ///< the store's first
    std::uint64_t seed;    ///< drawn anew for each batch
    /// Follow the rows of the points (Inserter::insert); or none.
    core::IdSpan<core::Point, NodeId* const> fates;
    bool is_alone;  ///< nobody else inserts at the same time
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
        core::Rows<core::Point, NodeId> bottom;             // neighbours on layer 0
        core::Rows<core::Point, core::Cover> covers;        // of layer 0
        core::Array<core::Rows<core::Rank, NodeId>> above;  // neighbours on layer 1 and so on
    };

    // The graph as build_batch_graph() asks about it.
    template <typename Crew>
    struct Outside {
        BatchMerger* merger;
        Crew* crew;

        void
        begin_layer(int layer, const core::RankedPoints& ranked) {
            merger->ranked_ = ranked;
            if (layer > 0)
                merger->found_->above.push_back(core::Rows<core::Rank, NodeId>(
                    *crew, merger->arena_, ranked.size(), merger->shape_.m_above));
        }
        core::Cover
        cover(int layer, core::Rank rank) {
            return merger->find_cover(layer, rank);
        }
    };

    template <typename Crew>
    void search_all(Crew& crew, std::span<const core::Point> points);
    NodeId find_entry(core::Point point);
    static void order_by(const core::IdSpan<core::Point, const NodeId>& entries,
                         std::span<core::Point> points);
    void search(core::Point point);
    core::Cover find_cover(int layer, core::Rank rank);
    void find_neighbours(core::Point point, int layer, std::span<NodeId> places);
    std::span<NodeId> found_near(core::Rank rank, int layer);
    void join_equal(core::Point point);
    std::size_t drop_joined(std::span<core::Point> points);
    void write_nodes(std::size_t first, std::size_t n);
    void write_chain(core::Point point, NodeId id, std::uint16_t version);
    bool attach();
    void choose(core::Rank rank, int layer);
    float reach() const;
    void keep_own(std::span<const core::RankLink> own);
    void keep(NodeId id, core::LinkKind kind);
    template <typename Change>
    void change_nodes(std::size_t first, std::size_t n, Change&& change);
    void write_lists(std::size_t first, std::size_t n);
    void link_stretch(std::size_t first, std::size_t n);
    void take_over();
    void keep_farthest_cut_off();
    void link_above(core::Point point);
    void mark_linked(std::size_t first, std::size_t n);
    void raise_entry();
    void find_sample(std::size_t first, std::size_t n);
    bool is_lost(core::Rank rank);
    void find_cut_off();
    std::size_t
    n_nodes() const {
        return graph_.order.size();
    }

    core::Point
    point_of(core::Rank rank) const {
        return graph_.layers[0].ranked[rank];
    }
    NodeId
    id_of(core::Point point) const {
        return ids_[graph_.layers[0].ranked.rank_of(point)];
    }
    void
    aim_at(core::Point point) {
        index_->codec->query_from_code(store_->header(point), store_->code(point), query_);
    }
    void
    note(core::Point point, NodeId id) {
        if (!batch_.fates.is_empty())
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
    core::RankedPoints ranked_;  // of the layer that is being built
    core::BatchGraph graph_ = {};
    NodeId parent_ = kNoNode;               // of the batch's entry point
    NodeId behind_ = kNoNode;               // it (BackLinker::behind)
    core::IdSpan<core::Rank, NodeId> ids_;  // of layer 0
    core::Array<NodeId> to_measure_;
    core::Array<core::Candidate> candidates_;
    core::Array<ChosenLink> chosen_;
    core::Array<core::Candidate> taken_over_;
    core::Array<core::Candidate> cut_off_;  // handed over, the farthest beyond reach first
    core::Array<Link> lists_;               // of a stretch of nodes, end to end
    core::Array<std::uint32_t> ends_;
};

// Searches for the neighbours of the points, in the order of where searches for them enter.
template <typename Crew>
void
BatchMerger::search_all(Crew& crew, std::span<const core::Point> points) {
    crew.report(BuildPhase::kLinking, 0);
    const core::IdSpan<core::Point, NodeId> entries =
        core::allocate_shared<NodeId>(crew, batch_.n_points);
    const auto order = core::allocate_shared<core::Point>(crew, points.size());
    for_stretches(crew, points.size(), kSearchesPerTask, [&](std::size_t first, std::size_t n) {
        for (const core::Point point : points.subspan(first, n))
            entries[point] = find_entry(point);
    });
    crew.alone([&] {
        std::ranges::copy(points, order.begin());
        order_by(entries, order);
    });
    crew.report(BuildPhase::kLinking, points.size());
    for_stretches(crew, points.size(), kSearchesPerTask, [&](std::size_t first, std::size_t n) {
        for (const core::Point point : order.subspan(first, n))
            search(point);
    });
}

template <typename Crew>
bool
BatchMerger::merge(Crew& crew) {
    const std::size_t n_points = batch_.n_points;
    const auto distinct = core::allocate_shared<core::Point>(crew, n_points);
    const auto count = core::allocate_shared<std::size_t>(crew, 1);
    const auto attached = core::allocate_shared<NodeId>(crew, 2);
    refresh_meta(*index_);
    crew.alone([&] { count[0] = store_->fold_equal(n_points, distinct); });
    Found found = {core::Rows<core::Point, NodeId>(crew, arena_, n_points, 2 * shape_.m),
                   core::Rows<core::Point, core::Cover>(crew, arena_, n_points, 1),
                   core::Array<core::Rows<core::Rank, NodeId>>(arena_, kMaxLayers)};
    found_ = &found;
    std::span<core::Point> points = distinct.first(count[0]);
    search_all(crew, points);
    crew.alone([&] { count[0] = drop_joined(points); });
    points = points.first(count[0]);
    if (points.empty())
        return true;
    search_.set_effort(effort_above_);
    graph_ =
        core::build_batch_graph(crew, arena_, {store_->view(n_points), points, options_, shape_},
                                Outside<Crew>{this, &crew});
    search_.set_effort(effort_);
    ids_ = core::allocate_shared<NodeId>(crew, points.size());
    crew.report(BuildPhase::kWriting, points.size());
    for_stretches(crew, points.size(), kNodesPerTask,
                  [&](std::size_t first, std::size_t n) { write_nodes(first, n); });
    bool is_attached = true;
    crew.alone([&] { is_attached = attach(); });
    if (!is_attached)
        return false;
    crew.alone([&] {
        attached[0] = parent_;
        attached[1] = behind_;
    });
    parent_ = attached[0];
    behind_ = attached[1];
    pages_.pass_unlinked(false);  // its own nodes are not linked yet
    crew.report(BuildPhase::kSelecting, points.size());
    for_stretches(crew, points.size(), links_per_task(shape_),
                  [&](std::size_t first, std::size_t n) { link_stretch(first, n); });
    if (graph_.layers.size() > 1) {
        const std::span<const core::Point> above = graph_.layers[1].ranked.span();
        crew.for_each(above.size(), [&](std::size_t i) { link_above(above[i]); });
    }
    for_stretches(crew, points.size(), kNodesPerTask,
                  [&](std::size_t first, std::size_t n) { mark_linked(first, n); });
    crew.alone([&] { raise_entry(); });
    for_stretches(crew, points.size(), kNodesPerTask,
                  [&](std::size_t first, std::size_t n) { find_sample(first, n); });
    find_cut_off();
    found_ = nullptr;
    return true;
}

}  // namespace vext::hnsw
