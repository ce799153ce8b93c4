// The whole graph of a batch: layer 0 over all its points, each further layer over the points that
// rise to it, by chance or because none near them does (rising.h); all built by the same text
// (layer_graph.h).

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/array.h"
#include "core/batch/crew.h"
#include "core/batch/ids.h"
#include "core/batch/layer_graph.h"
#include "core/batch/options.h"
#include "core/batch/points.h"
#include "core/batch/rising.h"
#include "core/graph/cover.h"

namespace vext::core {

struct BatchGraph {
    std::span<BatchLayer> layers;  ///< layer 0 first
    std::span<const Rank> order;   ///< of layer 0 in leaf order
    Point entry;                   ///< of the highest layer

    /// The highest layer of one of its points.
    int
    layer_of(Point point) const {
        std::size_t layer = 0;
        while (layer + 1 < layers.size() && layers[layer + 1].ranked.has(point))
            ++layer;
        return static_cast<int>(layer);
    }
};

/// What a batch graph is built of.
struct BatchTask {
    PointView points;
    RankedPoints ranked;  ///< those that the graph is to have
    BatchOptions options;
    GraphShape shape;
};

/// The graph that a batch joins, as its points see it. A model has the functions of this one, which
/// stands for an empty graph.
struct NoGraph {
    /// All members of the crew call this before they ask about points of the layer.
    void
    begin_layer(int, const RankedPoints&) {}

    /// How the layer is covered near the point of that rank. Called once for each.
    Cover
    cover(int, Rank) {
        return {};
    }
};

/// Bytes that building over `n` points takes for each of them, beside its record.
inline std::size_t
graph_bytes_per_point(const BatchOptions& options, const GraphShape& shape, std::size_t n) {
    const std::size_t layer_0 = LayerPlan(n, shape, 0, options).bytes_per_rank(options) +
                                sizeof(Surroundings) + sizeof(std::uint8_t);
    const std::size_t listed = layer_0 + sizeof(Point);
    return layer_0 +
           static_cast<std::size_t>(static_cast<double>(listed) * most_risen_share(shape.m)) + 1;
}

/// Bytes that each member of the crew takes.
inline std::size_t
graph_bytes_per_member(const Codec& codec, const BatchOptions& options, const GraphShape& shape,
                       std::size_t n) {
    return LayerScratch::bytes_needed(codec, LayerPlan(n, shape, 0, options), options);
}

namespace internal {

/// Builds the layers of a batch, one member's part.
template <typename Crew, typename Outside>
class LayersBuilder {
   public:
    LayersBuilder(Crew& crew, Arena& local, const BatchTask& task, Outside& outside)
        : crew_(crew),
          local_(local),
          task_(task),
          outside_(outside),
          scratch_(local, *task.points.codec,
                   LayerPlan(task.ranked.size(), task.shape, 0, task.options), task.options),
          builders_(local, static_cast<std::size_t>(task.shape.max_layer) + 1),
          layers_(local, static_cast<std::size_t>(task.shape.max_layer) + 1) {}

    /// Upwards the layers get their points and links, then downwards what makes all found.
    BatchGraph
    build() {
        RankedPoints ranked = task_.ranked;
        Levels levels = draw_levels();
        for (int layer = 0;; ++layer) {
            link(layer, ranked);
            const auto surroundings = look_around(layer);
            if (layer == task_.shape.max_layer)
                break;
            crew_.alone([&] {
                raise_wanting(layers_.back().links, surroundings, {layer, levels}, local_,
                              Crew::pause);
            });
            if (!keep_risen(layer, ranked, levels))
                break;
        }
        const Point entry = ranked[Rank{0}];
        for (std::size_t layer = layers_.size(); layer-- > 0;)
            builders_[layer]->make_found(layers_.span(), layer, entry);
        return {layers_.span(), builders_[0]->order(), entry};
    }

   private:
    using Levels = IdSpan<Rank, std::uint8_t>;

    static constexpr std::size_t kRanksPerTask = 256;

    Levels
    draw_levels() {
        const Levels levels = allocate_shared<std::uint8_t>(crew_, task_.ranked.size());
        crew_.alone([&] {
            for (const Rank rank : levels.ids())
                levels[rank] = static_cast<std::uint8_t>(
                    draw_layer(task_.options.seed, task_.ranked[rank], task_.shape));
        });
        return levels;
    }

    void
    link(int layer, const RankedPoints& ranked) {
        const LayerPlan plan(ranked.size(), task_.shape, layer, task_.options);
        auto* builder = local_.make<LayerBuilder<Crew>>(crew_, local_, task_.points, ranked,
                                                        task_.options, plan, scratch_);
        builder->link();
        builders_.push_back(builder);
        layers_.push_back({ranked, builder->links()});
    }

    // What is near the ranks of the layer that is the highest so far.
    IdSpan<Rank, const Surroundings>
    look_around(int layer) {
        const BatchLayer& built = layers_.back();
        const std::size_t n = built.ranked.size();
        const IdSpan<Rank, Surroundings> surroundings = allocate_shared<Surroundings>(crew_, n);
        outside_.begin_layer(layer, built.ranked);
        crew_.for_each((n + kRanksPerTask - 1) / kRanksPerTask, [&](std::size_t task) {
            const auto first = static_cast<Rank>(task * kRanksPerTask);
            const auto end = static_cast<Rank>(std::min(n, (task + 1) * kRanksPerTask));
            for (const Rank rank : IdRange(first, end)) {
                Crew::pause();
                surroundings[rank] = look_around(layer, rank);
            }
        });
        return surroundings;
    }

    Surroundings
    look_around(int layer, Rank rank) {
        const BatchLayer& built = layers_.back();
        const NearLinks near(built.links.of(rank));
        Point points[NearLinks::kMost];
        std::size_t n = 0;
        for (const Rank linked : near.ranks())
            points[n++] = built.ranked[linked];
        const std::span<const Candidate> measured =
            scratch_.finder.measure(task_.points, built.ranked[rank], {points, n});
        return judge_surroundings(task_.points.codec->metric(), measured,
                                  outside_.cover(layer, rank));
    }

    // Keeps of a layer's points, and their levels, those of the next layer. False if there are
    // none: both are as before.
    bool
    keep_risen(int layer, RankedPoints& ranked, Levels& levels) {
        const auto is_risen = [layer](std::uint8_t level) { return level > layer; };
        const auto n_risen =
            static_cast<std::size_t>(std::ranges::count_if(levels.span(), is_risen));
        if (n_risen == 0)
            return false;
        const auto risen = allocate_shared<Point>(crew_, n_risen);
        const auto risen_levels = allocate_shared<std::uint8_t>(crew_, n_risen);
        crew_.alone([&] {
            std::size_t n = 0;
            for (const Rank rank : ranked.ids())
                if (is_risen(levels[rank])) {
                    risen[n] = ranked[rank];
                    risen_levels[n++] = levels[rank];
                }
        });
        ranked = risen;
        levels = risen_levels;
        return true;
    }

    Crew& crew_;
    Arena& local_;
    const BatchTask& task_;
    Outside& outside_;
    LayerScratch scratch_;
    Array<LayerBuilder<Crew>*> builders_;
    Array<BatchLayer> layers_;
};

}  // namespace internal

/// Builds the graph over the points of `task` that goes into `outside`. Called by all members of
/// the crew; `local` and `outside` are each one's own.
template <typename Crew, typename Outside = NoGraph>
BatchGraph
build_batch_graph(Crew& crew, Arena& local, const BatchTask& task, Outside outside = {}) {
    return local.make<internal::LayersBuilder<Crew, Outside>>(crew, local, task, outside)->build();
}

}  // namespace vext::core
