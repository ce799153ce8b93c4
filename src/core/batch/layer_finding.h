// Seeing to it that searches find every rank of a layer: anchors make all reachable, and links from
// where searches end make what is reachable found.
//
// Groups that lie far from each other link to their own members alone, since any of those is nearer
// to a member of another group than most of the group is. A search that enters the wrong group then
// ends there. So searches look for a sample of the ranks of layer 0, and the place where one ends
// that missed its aim gets a link there. What one such link leads to leads on to the group around
// it, so few are made at first, then more for what is still missed.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/batch/anchors.h"
#include "core/batch/crew.h"
#include "core/batch/finder.h"
#include "core/batch/points.h"

namespace vext::core {

/// What searches see while a layer is made.
struct SearchedGraph {
    std::span<const BatchLayer> layers;  ///< that layer, and those above it
    std::uint32_t entry;                 ///< a point of the highest layer
    int layer;
};

template <typename Crew>
class LayerFinding {
   public:
    LayerFinding(Crew& crew, Arena& local, const PointView& points, const SearchedGraph& graph,
                 BatchFinder& finder)
        : crew_(crew),
          local_(local),
          points_(points),
          graph_(graph),
          layer_(graph.layers[static_cast<std::size_t>(graph.layer)]),
          finder_(finder) {}

    /// Called by all members of the crew; `order` has the ranks in leaf order.
    void
    run(std::span<const std::uint32_t> order) {
        crew_.alone([&] { anchor_all(); });
        if (graph_.layer > 0)
            return;
        const std::size_t n = order.size();
        const std::size_t step = internal::ranks_per_aim(n);
        aims_ = allocate_shared<Aim>(crew_, n / step);
        const auto n_lost = allocate_shared<std::uint32_t>(crew_, 1);
        // Where one was lost, others may be.
        for (std::size_t offset = 0; offset < step; ++offset) {
            for_each_aim([&](std::size_t i, Aim& aim) { search(order[i * step + offset], aim); });
            crew_.alone([&] {
                n_lost[0] = static_cast<std::uint32_t>(std::count_if(
                    aims_.begin(), aims_.end(), [](const Aim& aim) { return aim.is_lost; }));
            });
            bridge_missed();
            if (n_lost[0] == 0)
                return;
        }
    }

   private:
    static constexpr std::size_t kSearchesPerTask = 16;
    static constexpr std::size_t kFirstShare = 32;

    using Aim = internal::Aim;

    void
    search(std::uint32_t rank, Aim& aim) {
        Crew::pause();
        const std::uint32_t point = layer_.members[rank];
        const std::span<const Candidate> found =
            finder_.find(graph_.layers, points_, graph_.entry, graph_.layer, point);
        aim = {rank, {}, 0, !finder_.has_found(points_, point), true};
        for (const Candidate& candidate : found) {
            const std::uint32_t near = rank_among(layer_.members, number_of(candidate.id));
            if (aim.n_near < std::size(aim.near))
                aim.near[aim.n_near++] = near;
            for (const Link& link : layer_.links.of(rank))
                aim.is_lost &= link.id() != NodeId{near};
        }
        aim.is_lost &= aim.is_missed;
    }

    void
    anchor_all() {
        const std::size_t n_most_given =
            n_most_anchors(points_.codec->metric(), layer_.links.links.width());
        walk_ =
            local_.make<internal::AnchorWalk>(layer_.links, layer_.members.size(),
                                              graph_.layer == 0, n_most_given, local_, Crew::pause);
        walk_->walk_from(rank_among(layer_.members, graph_.entry));
        Aim aim = {};
        walk_->reach_missed([&](std::uint32_t rank) {
            search(rank, aim);
            return std::span<const std::uint32_t>(aim.near, aim.n_near);
        });
    }

    template <typename Visit>
    void
    for_each_aim(Visit&& visit) {
        const std::size_t n_tasks = (aims_.size() + kSearchesPerTask - 1) / kSearchesPerTask;
        crew_.for_each(n_tasks, [&](std::size_t task) {
            const std::size_t end = std::min(aims_.size(), (task + 1) * kSearchesPerTask);
            for (std::size_t i = task * kSearchesPerTask; i < end; ++i)
                visit(i, aims_[i]);
        });
    }

    void
    bridge_missed() {
        for (std::size_t share = kFirstShare; share > 0; share /= 2) {
            crew_.alone([&] {
                std::size_t n_missed = 0;
                for (const Aim& aim : aims_)
                    if (aim.is_missed && n_missed++ % share == 0)
                        walk_->add_bridge({aim.near, aim.n_near}, aim.rank);
            });
            for_each_aim([&](std::size_t, Aim& aim) {
                if (aim.is_missed)
                    search(aim.rank, aim);
            });
        }
    }

    Crew& crew_;
    Arena& local_;
    const PointView& points_;
    SearchedGraph graph_;
    const BatchLayer& layer_;
    BatchFinder& finder_;
    internal::AnchorWalk* walk_ = nullptr;  // of the member that works alone
    std::span<Aim> aims_;
};

}  // namespace vext::core
