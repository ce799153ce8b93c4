// The sizes of building one layer, from the number of its ranks.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/batch/finder.h"
#include "core/batch/offers.h"
#include "core/batch/options.h"
#include "core/batch/partition.h"
#include "core/batch/rising.h"
#include "core/graph/link.h"
#include "core/graph/select.h"

namespace vext::core {

struct LayerPlan {
    LayerPlan(std::size_t n_ranks, const GraphShape& shape, int layer, const BatchOptions& options);

    std::size_t n;
    std::size_t max_links;
    float occlusion_margin;
    std::size_t n_scales;      ///< samples thinner than the leaves
    std::size_t n_slots;       ///< leaves that a rank is in
    std::size_t near_width;    ///< nearest kept of each of them
    std::size_t n_candidates;  ///< of a rank
    std::size_t row_width;     ///< for the candidates; then for links with distances and offers
    std::size_t max_pool;      ///< candidates that are chosen from at once
    std::size_t max_group;     ///< points that are compared with others at once
    std::size_t max_nearest;   ///< of a group

    /// Shared and, with what finds all reachable, local memory for each rank.
    std::size_t bytes_per_rank(const BatchOptions& options) const;
};

inline LayerPlan::LayerPlan(std::size_t n_ranks, const GraphShape& shape, int layer,
                            const BatchOptions& options)
    : n(n_ranks),
      max_links(shape.max_links(layer)),
      occlusion_margin(core::occlusion_margin(layer)),
      n_scales(0) {
    // On a layer of few, far candidates cost little and are what leads from group to group.
    const std::size_t thinnest = n <= options.few ? options.scale : options.far_columns / 2;
    for (std::size_t thin = options.scale; n / thin >= thinnest; thin *= options.scale)
        ++n_scales;
    const bool is_one_leaf = n <= options.largest_leaf();
    n_slots = is_one_leaf ? 1 : options.fan;
    near_width = is_one_leaf ? options.fan * options.near : options.near;
    n_candidates = n_slots * near_width + n_scales * options.far_near;
    const std::size_t offers = internal::OfferLists::bytes_per_row(max_links);
    row_width =
        std::max(n_candidates, max_links + (offers + sizeof(Near<Rank>) - 1) / sizeof(Near<Rank>));
    max_pool = std::max(n_candidates, max_links + options.reverse + internal::kDirections);
    max_group = std::min(n, std::max(kMostLeaders, options.largest_leaf()));
    // A layer above may be one leaf.
    max_nearest = std::max({options.fan * options.near, options.far_near, options.fan, kLeaderFan});
}

inline std::size_t
LayerPlan::bytes_per_rank(const BatchOptions& options) const {
    constexpr std::size_t kOrder = sizeof(Rank);
    constexpr std::size_t kEndAndCount = sizeof(std::uint64_t) + 1;
    constexpr std::size_t kReaching = 7;
    // Leaders, and bounds of groups, are fewer than one in a hundred.
    constexpr std::size_t kGroups = 2;
    const std::size_t aims = sizeof(internal::Aim) / internal::ranks_per_aim(n) + 1;
    return row_width * sizeof(Near<Rank>) + sizeof(internal::Sketch) + kOrder + kEndAndCount +
           kReaching + aims + kGroups + options.fan * (sizeof(Entry) + sizeof(std::uint32_t));
}

}  // namespace vext::core
