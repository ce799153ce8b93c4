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
#include "core/batch/layer_graph.h"
#include "core/batch/options.h"
#include "core/batch/points.h"
#include "core/batch/rising.h"
#include "core/graph/cover.h"

namespace vext::core {

struct BatchGraph {
    std::span<BatchLayer> layers;          ///< layer 0 first
    std::span<const std::uint32_t> order;  ///< ranks of layer 0 in leaf order
    std::uint32_t entry;                   ///< a point of the highest layer

    /// The highest layer of one of its points.
    int
    layer_of(std::uint32_t point) const {
        std::size_t layer = 0;
        while (layer + 1 < layers.size() &&
               std::binary_search(layers[layer + 1].members.begin(),
                                  layers[layer + 1].members.end(), point))
            ++layer;
        return static_cast<int>(layer);
    }
};

/// What a batch graph is built of.
struct BatchTask {
    PointView points;
    std::span<const std::uint32_t> members;  ///< points in ascending order
    BatchOptions options;
    GraphShape shape;
};

/// The graph that a batch joins, as its points see it. A model has the members of this one, which
/// stands for an empty graph.
struct NoGraph {
    /// All members of the crew call this before they ask about points of the layer.
    void
    begin_layer(int, std::span<const std::uint32_t>) {}

    /// How the layer is covered near the point of that rank. Called once for each.
    Cover
    cover(int, std::uint32_t) {
        return {};
    }
};

/// Bytes that building over `n` points takes for each of them, beside its record.
inline std::size_t
graph_bytes_per_point(const BatchOptions& options, const GraphShape& shape, std::size_t n) {
    const std::size_t layer_0 = LayerPlan(n, shape, 0, options).bytes_per_rank(options) +
                                sizeof(Surroundings) + sizeof(std::uint8_t);
    const std::size_t listed = layer_0 + sizeof(std::uint32_t);
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
                   LayerPlan(task.members.size(), task.shape, 0, task.options), task.options),
          builders_(local, static_cast<std::size_t>(task.shape.max_layer) + 1),
          layers_(local, static_cast<std::size_t>(task.shape.max_layer) + 1) {}

    /// Upwards the layers get their points and links, then downwards what makes all found.
    BatchGraph
    build() {
        std::span<const std::uint32_t> members = task_.members;
        std::span<std::uint8_t> levels = draw_levels();
        for (int layer = 0;; ++layer) {
            link(layer, members);
            const auto surroundings = look_around(layer);
            if (layer == task_.shape.max_layer)
                break;
            crew_.alone([&] {
                raise_wanting(layers_.back().links, surroundings, {layer, levels}, local_,
                              Crew::pause);
            });
            if (!keep_risen(layer, members, levels))
                break;
        }
        const std::uint32_t entry = members[0];
        for (std::size_t layer = layers_.size(); layer-- > 0;)
            builders_[layer]->make_found(layers_.span(), layer, entry);
        return {layers_.span(), builders_[0]->order(), entry};
    }

   private:
    static constexpr std::size_t kRanksPerTask = 256;

    std::span<std::uint8_t>
    draw_levels() {
        const auto levels = allocate_shared<std::uint8_t>(crew_, task_.members.size());
        crew_.alone([&] {
            for (std::size_t rank = 0; rank < levels.size(); ++rank)
                levels[rank] = static_cast<std::uint8_t>(
                    draw_layer(task_.options.seed, task_.members[rank], task_.shape));
        });
        return levels;
    }

    void
    link(int layer, std::span<const std::uint32_t> members) {
        const LayerPlan plan(members.size(), task_.shape, layer, task_.options);
        auto* builder = local_.make<LayerBuilder<Crew>>(crew_, local_, task_.points, members,
                                                        task_.options, plan, scratch_);
        builder->link();
        builders_.push_back(builder);
        layers_.push_back({members, builder->links()});
    }

    // What is near the ranks of the layer that is the highest so far.
    std::span<const Surroundings>
    look_around(int layer) {
        const BatchLayer& built = layers_.back();
        const std::size_t n = built.members.size();
        const auto surroundings = allocate_shared<Surroundings>(crew_, n);
        outside_.begin_layer(layer, built.members);
        crew_.for_each((n + kRanksPerTask - 1) / kRanksPerTask, [&](std::size_t task) {
            const std::size_t end = std::min(n, (task + 1) * kRanksPerTask);
            for (std::size_t rank = task * kRanksPerTask; rank < end; ++rank) {
                Crew::pause();
                surroundings[rank] = look_around(layer, static_cast<std::uint32_t>(rank));
            }
        });
        return surroundings;
    }

    Surroundings
    look_around(int layer, std::uint32_t rank) {
        const BatchLayer& built = layers_.back();
        const NearLinks near(built.links.of(rank));
        std::uint32_t points[NearLinks::kMost];
        std::size_t n = 0;
        for (const NodeId linked : near.ids())
            points[n++] = built.members[number_of(linked)];
        const std::span<const Candidate> measured =
            scratch_.finder.measure(task_.points, built.members[rank], {points, n});
        return judge_surroundings(task_.points.codec->metric(), measured,
                                  outside_.cover(layer, rank));
    }

    // Keeps of a layer's members, and their levels, those of the next layer. False if there are
    // none: both are as before.
    bool
    keep_risen(int layer, std::span<const std::uint32_t>& members,
               std::span<std::uint8_t>& levels) {
        const auto is_risen = [layer](std::uint8_t level) { return level > layer; };
        const auto n_risen =
            static_cast<std::size_t>(std::count_if(levels.begin(), levels.end(), is_risen));
        if (n_risen == 0)
            return false;
        const auto risen = allocate_shared<std::uint32_t>(crew_, n_risen);
        const auto risen_levels = allocate_shared<std::uint8_t>(crew_, n_risen);
        crew_.alone([&] {
            std::size_t n = 0;
            for (std::size_t rank = 0; rank < members.size(); ++rank)
                if (is_risen(levels[rank])) {
                    risen[n] = members[rank];
                    risen_levels[n++] = levels[rank];
                }
        });
        members = risen;
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
