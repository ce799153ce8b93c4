// The whole graph of a batch: layer 0 over all its points, each further layer over the points that
// rise to it, all built by the same text (layer_graph.h).

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

#include "core/batch/crew.h"
#include "core/batch/finder.h"
#include "core/batch/layer_graph.h"
#include "core/batch/options.h"
#include "core/batch/points.h"
#include "core/hash.h"

namespace vext::core {

/// Shape of the graph to be built.
struct GraphShape {
    std::size_t m;  ///< most links on an upper layer, half of layer 0's
    int max_layer;
};

struct BatchGraph {
    GraphShape shape;
    std::uint64_t seed;
    std::span<BatchLayer> layers;          ///< layer 0 first
    std::span<const std::uint32_t> order;  ///< ranks of layer 0 in leaf order
    std::uint32_t entry;                   ///< a point of the highest layer
};

/// The share of a layer's points that rise to the next. (HNSW takes 1 / m; half of it costs a
/// search nothing that could be measured, and its records half the space.)
inline double
rising_share(std::size_t m) {
    return 1 / static_cast<double>(2 * m);
}

/// The layer a point rises to.
inline int
draw_layer(std::uint64_t seed, std::uint32_t point, const GraphShape& shape) {
    const double uniform =
        (static_cast<double>(mix64(seed ^ point) >> 11) + 1) * 0x1p-53;  // in (0, 1]
    const double layer = std::log(uniform) / std::log(rising_share(shape.m));
    return static_cast<int>(std::min<double>(layer, shape.max_layer));
}

/// Bytes that building over `n` points takes for each of them, beside its record.
inline std::size_t
graph_bytes_per_point(const BatchOptions& options, const GraphShape& shape, std::size_t n) {
    const std::size_t layer_0 = LayerPlan(n, 2 * shape.m, options).bytes_per_rank(options);
    // Each further layer has fewer points, by 2m; each of them is listed.
    const std::size_t others = (layer_0 + sizeof(std::uint32_t)) / (2 * shape.m - 1);
    return layer_0 + others + 1;
}

/// Bytes that each member of the crew takes.
inline std::size_t
graph_bytes_per_member(const Codec& codec, const BatchOptions& options, const GraphShape& shape,
                       std::size_t n) {
    return LayerScratch::bytes_needed(codec, LayerPlan(n, 2 * shape.m, options), options);
}

/// Builds the graph over `members`, points in ascending order. Called by all members of the crew;
/// `local` is each one's own.
template <typename Crew>
BatchGraph
build_batch_graph(Crew& crew, Arena& local, const PointView& points,
                  std::span<const std::uint32_t> members, const BatchOptions& options,
                  const GraphShape& shape) {
    // How many points each layer has, then its points.
    const std::span<std::uint32_t> sizes =
        allocate_shared<std::uint32_t>(crew, static_cast<std::size_t>(shape.max_layer) + 1);
    crew.alone([&] {
        for (const std::uint32_t point : members)
            for (int layer = draw_layer(options.seed, point, shape); layer >= 0; --layer)
                ++sizes[static_cast<std::size_t>(layer)];
    });
    std::size_t n_layers = 1;
    while (n_layers < sizes.size() && sizes[n_layers] > 0)
        ++n_layers;
    const std::span<BatchLayer> layers = local.allocate<BatchLayer>(n_layers);
    std::span<const std::uint32_t> order;
    LayerScratch scratch(local, *points.codec, LayerPlan(members.size(), 2 * shape.m, options),
                         options);
    std::uint32_t entry = members[0];
    for (std::size_t layer = n_layers; layer-- > 0;) {
        std::span<const std::uint32_t> risen = members;
        if (layer > 0) {
            const auto points_of_layer = allocate_shared<std::uint32_t>(crew, sizes[layer]);
            crew.alone([&] {
                std::copy_if(members.begin(), members.end(), points_of_layer.begin(),
                             [&](std::uint32_t point) {
                                 return draw_layer(options.seed, point, shape) >=
                                        static_cast<int>(layer);
                             });
            });
            risen = points_of_layer;
        }
        if (layer + 1 == n_layers)
            entry = risen[0];
        const LayerPlan plan(risen.size(), layer == 0 ? 2 * shape.m : shape.m, options);
        LayerBuilder<Crew> builder(crew, local, points, risen, options, plan, scratch);
        builder.build(entry, layers, layer);
        order = builder.order();
    }
    return {shape, options.seed, layers, order, entry};
}

}  // namespace vext::core
