// Seeing to it that searches find every rank of a layer: anchors make all reachable, and links from
// where searches end make what is reachable found.
//
// Groups that lie far from each other link to their own points alone, since any of those is nearer
// to a point of another group than most of the group is. A search that enters the wrong group then
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
#include "core/batch/ids.h"
#include "core/batch/points.h"

namespace vext::core {

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
    run(std::span<const Rank> order) {
        crew_.alone([&] { anchor_all(); });
        if (graph_.layer > 0)
            return;
        const std::size_t n = order.size();
        const std::size_t step = internal::ranks_per_aim(n);
        aims_ = allocate_shared<Aim>(crew_, (n + step - 1) / step);
        const auto is_enough = allocate_shared<bool>(crew_, 1);
        for (std::size_t offset = 0; offset < step; ++offset) {
            for_each_aim([&](std::size_t i, Aim& aim) {
                const std::size_t place = i * step + offset;
                aim = {};
                if (place < n)
                    search(order[place], aim);
                aim.is_group_lost = aim.is_lost && is_nearest_missed(aim.rank);
            });
            crew_.alone([&] { is_enough[0] = !may_others_be_lost(); });
            bridge_missed();
            if (is_enough[0])
                return;
        }
    }

   private:
    static constexpr std::size_t kSearchesPerTask = 16;
    static constexpr std::size_t kFirstShare = 32;
    static constexpr std::size_t kFewMissed = 64;  // one of so many

    using Aim = internal::Aim;

    // Looks for the rank; where it is found, only that is noted.
    void
    search(Rank rank, Aim& aim) {
        Crew::pause();
        aim = {rank, {}, 0, false, false, false};
        std::span<const Candidate> found;
        if (finder_.is_found(graph_, points_, layer_.ranked[rank], found))
            return;
        aim.is_missed = true;
        note_near(found, aim);
        aim.is_lost = std::ranges::none_of(layer_.links.of(rank), [&aim](const RankLink& link) {
            return std::find(aim.near, aim.near + aim.n_near, link.id()) != aim.near + aim.n_near;
        });
    }

    // Whether what is nearest to a lost rank is missed, too: a group, if only of two.
    bool
    is_nearest_missed(Rank rank) {
        Aim aim = {};
        const std::span<const RankLink> links = layer_.links.of(rank);
        if (!links.empty())
            search(links.front().id(), aim);
        return aim.is_missed;
    }

    // Where a group was lost, others may be; and where many were missed. Single ones that lie so
    // that a search of this width ends elsewhere are in every graph.
    bool
    may_others_be_lost() const {
        std::size_t n_missed = 0;
        for (const Aim& aim : aims_) {
            if (aim.is_group_lost)
                return true;
            n_missed += aim.is_missed ? 1 : 0;
        }
        return n_missed * kFewMissed > aims_.size();
    }

    void
    note_near(std::span<const Candidate> found, Aim& aim) const {
        for (const Candidate& candidate : found)
            aim.near[aim.n_near++] = layer_.ranked.rank_of(to_point(candidate.id));
    }

    void
    anchor_all() {
        const std::size_t n_most_given =
            n_most_anchors(points_.codec->metric(), layer_.links.links.width());
        walk_ =
            local_.make<internal::AnchorWalk>(layer_.links, layer_.ranked.size(), graph_.layer == 0,
                                              n_most_given, local_, Crew::pause);
        walk_->walk_from(layer_.ranked.rank_of(graph_.entry));
        Aim aim = {};
        walk_->reach_missed([&](Rank rank) {
            Crew::pause();
            aim.n_near = 0;
            note_near(finder_.find(graph_, points_, layer_.ranked[rank]), aim);
            return std::span<const Rank>(aim.near, aim.n_near);
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
