// Searches of a graph in memory, as those of the finished index: a descent through the layers
// above, then a beam.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/array.h"
#include "core/batch/ids.h"
#include "core/batch/layer_links.h"
#include "core/batch/points.h"
#include "core/graph/search.h"

namespace vext::core {

/// One layer of a batch.
struct BatchLayer {
    RankedPoints ranked;
    LayerLinks links;
};

namespace internal {

/// The model of Graph (core/graph/search.h) over layers in memory; nodes are points.
struct LayersGraph {
    void
    links(const Candidate& point, int layer, Array<NodeId>& ids) const {
        const BatchLayer& level = layers[static_cast<std::size_t>(layer)];
        for (const RankLink& link : level.links.of(level.ranked.rank_of(to_point(point.id))))
            ids.push_back(to_node(level.ranked[link.id()]));
    }
    void
    measure(std::span<const NodeId> ids, Array<Candidate>& found) const {
        for (const NodeId id : ids)
            __builtin_prefetch(points.record(to_point(id)));
        for (const NodeId id : ids)
            found.push_back(measure(to_point(id)));
    }
    Candidate
    measure(Point point) const {
        return {points.codec->distance(query, points.header(point), points.code(point)),
                0,
                to_node(point),
                0,
                false,
                false};
    }

    std::span<const BatchLayer> layers;
    const PointView& points;
    const Query& query;
};

}  // namespace internal

/// What searches for points see.
struct SearchedGraph {
    std::span<const BatchLayer> layers;  ///< that layer, and those above it, by their numbers
    Point entry;                         ///< of the highest layer
    int layer;                           ///< the lowest that is searched
};

/// Searches for points; holds the memory, from one arena.
class BatchFinder {
   public:
    /// The width of its beams: half of a search's default.
    static constexpr std::size_t kEf = 20;

    static constexpr std::size_t kMostMeasured = 16;

    BatchFinder(Arena& arena, const Codec& codec)
        : query_(codec.allocate_query(arena)),
          memory_(arena, kEf),
          measured_(arena, kMostMeasured) {}

    static std::size_t bytes_needed(const Codec& codec);

    /// What a search for `point` finds: nearest first, nodes are points; valid until the next call.
    std::span<const Candidate> find(const SearchedGraph& graph, const PointView& points,
                                    Point point);

    /// Whether such a search finds the point, or one that is as near to it as the point itself. If
    /// not, `found` becomes what it finds.
    bool is_found(const SearchedGraph& graph, const PointView& points, Point point,
                  std::span<const Candidate>& found);

    /// The points at their distances to `point`, with errors; valid until the next call. Requires:
    /// they are at most kMostMeasured.
    std::span<const Candidate> measure(const PointView& points, Point point,
                                       std::span<const Point> others);

   private:
    void search(const SearchedGraph& graph, const PointView& points, const Sought* sought);

    Query query_;
    SearchMemory memory_;
    Array<Candidate> measured_;
};

static_assert(std::is_trivially_destructible_v<BatchFinder>);

namespace internal {

/// A search for a rank of a layer. All that it followed is kept: where many ranks have the same
/// nearest, as rows that all others are equally far from, the first have no place left for a link.
struct Aim {
    Rank rank;
    Rank near[BatchFinder::kEf];  ///< the ranks found, nearest first
    std::uint8_t n_near;
    bool is_missed;
    bool is_lost;  ///< missed, and nothing was found that the rank links to
    bool is_group_lost;
};

/// One of so many is looked for at a time.
constexpr std::size_t
ranks_per_aim(std::size_t n_ranks) {
    constexpr std::size_t kMost = 64;   // of a large layer
    constexpr std::size_t kFew = 1024;  // searches of a small one
    return std::clamp<std::size_t>(n_ranks / kFew, 1, kMost);
}

}  // namespace internal

}  // namespace vext::core
