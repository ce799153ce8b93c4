// Checking that searches find what is in an index: that layer 0 leads from the entry point to every
// node and from every node to it, and that searches for a sample of the nodes end near them.

#pragma once

#include <cstdint>
#include <type_traits>

#include "core/array.h"
#include "core/bitmap.h"
#include "core/graph/search.h"
#include "hnsw/graph/landing.h"
#include "hnsw/graph/node_query.h"
#include "hnsw/graph/page_graph.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

class ReachCheck {
   public:
    /// Memory: a bit a slot, a stack, and what a search takes, from `arena`. `nodes` are those to
    /// be judged; it outlives this.
    ReachCheck(Index& index, const core::Bitmap& nodes, core::Arena& arena);
    ReachCheck(const ReachCheck&) = delete;

    /// Calls `report(NodeId, const char* problem)` for each node that layer 0 does not lead to from
    /// `entry`, or from there to it, and for those of a sample whose searches end elsewhere, if
    /// they are more than single ones. What is lost with a node that `is_seen(NodeId)` denies,
    /// nobody misses.
    template <typename IsSeen, typename Report>
    void
    run(NodeId entry, IsSeen&& is_seen, Report&& report) {
        walk_from(entry);
        report_missing("a node is not reached from the entry point", report);
        gather_leading_to(entry);
        report_missing("a node does not lead to the entry point", report);
        std::size_t n_sampled = 0;
        lost_.clear();
        for_sample([&](NodeId id) {
            ++n_sampled;
            if (!is_found(id) && is_seen(id))
                lost_.push_back(id);
        });
        const std::size_t most_lost = index_->geometry.m < kFewLinks ? 3 : 50;
        if (lost_.size() * most_lost > n_sampled)
            for (const NodeId id : lost_.span())
                report(id, "a search for a node ends elsewhere");
    }

   private:
    template <typename Report>
    void
    report_missing(const char* problem, Report&& report) {
        for (const NodeId id : core::ids_below(nodes_->size()))
            if (nodes_->has(id) && !met_.has(id))
                report(id, problem);
    }
    template <typename Visit>
    void
    for_sample(Visit&& visit) {
        const std::size_t step = nodes_->size() / kSampled + 1;
        NodeId next{0};
        for (const NodeId id : core::ids_below(nodes_->size()))
            if (nodes_->has(id) && id >= next) {
                visit(id);
                next = id + step;
            }
    }

    void meet(NodeId id);
    void walk_from(NodeId entry);
    void gather_leading_to(NodeId entry);
    bool gather_once();
    bool is_found(NodeId id);
    bool read_node(NodeId id);

    static constexpr std::size_t kSampled = 1000;
    static constexpr std::uint32_t kFewLinks = 8;  ///< below, searches miss many as it is

    Index* index_;
    const core::Bitmap* nodes_;
    core::Bitmap met_;
    core::Array<NodeId> queue_;
    core::Array<NodeId> lost_;  ///< of the sample
    NodeQuery node_;
    PageGraph graph_;
    Landing landing_;
    core::SearchMemory memory_;
    core::Array<NodeId> kept_;   // of one list
    core::Array<NodeId> links_;  // of the node last read
};

static_assert(std::is_trivially_destructible_v<ReachCheck>);

}  // namespace vext::hnsw
