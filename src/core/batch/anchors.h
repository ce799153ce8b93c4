// The tree of anchors: seeing to it that every rank of a layer is reached.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/array.h"
#include "core/batch/ids.h"
#include "core/batch/layer_links.h"
#include "core/bitmap.h"

namespace vext::core::internal {

/// Turns links into anchors as it walks from the entry point. With parents, every rank but the
/// entry point also gets a link back to the one that anchors it, so that the layer leads from the
/// entry point to all and from all to it.
class AnchorWalk {
   public:
    /// A list gives `n_most_given` places of other links to anchors while others have some. Calls
    /// `pause` now and then. Memory: 6 bytes a rank and a bit from `local`.
    AnchorWalk(const LayerLinks& layer, std::size_t n, bool has_parents, std::size_t n_most_given,
               Arena& local, void (*pause)());

    /// Walks from `entry` over the lists as they are; a list gives at most half of its places to
    /// anchors while that suffices.
    void walk_from(Rank entry);

    bool
    has_reached_all() const {
        return queue_.size() == n_;
    }

    /// Anchors every rank that no list leads to: from the nearest reached rank it links to that has
    /// a place to give, else from one that hangs on the nearest, else from the first reached one of
    /// `find(rank)` that can, ranks in order of their distance to it, else from any that can; and
    /// walks on.
    template <typename Find>
    void
    reach_missed(Find&& find) {
        for (const Rank rank : ids_below<Rank>(n_)) {
            if (reached_.has(rank))
                continue;
            const std::size_t n_reached = queue_.size();
            if (!anchor_from_linked(rank) && !anchor_behind_linked(rank) &&
                !anchor_from_first(find(rank), rank))
                anchor_from_first(queue_.span(), rank);
            walk(layer_.links.width(), n_reached);
        }
    }

    /// Makes a kept link from the first of `from` that has a place for it to `rank`.
    void add_bridge(std::span<const Rank> from, Rank rank);

   private:
    void walk(std::size_t most_anchors, std::size_t first);
    void reach(Rank rank);
    void adopt(Rank from, RankLink& link, Rank to);
    void set_parent(Rank rank, Rank parent);
    RankLink* find_place(Rank from);
    bool anchor_from_linked(Rank rank);
    bool anchor_behind_linked(Rank rank);
    bool give_place(Rank from, Rank to);
    bool anchor_from_first(std::span<const Rank> from, Rank rank);

    LayerLinks layer_;
    std::size_t n_;
    bool has_parents_;
    std::size_t n_most_given_;
    Rank entry_{};
    void (*pause_)();
    Bitmap reached_;
    Array<Rank> queue_;  // all reached ranks, in the order they were reached
    IdSpan<Rank, std::uint8_t> n_anchors_;
    IdSpan<Rank, std::uint8_t> n_given_;  // of them, those that were no links before
    std::uint32_t turn_ = 0;
};

}  // namespace vext::core::internal
