// The whole graph of a batch: layer 0 over all its points, each further layer over the points that
// rise to it, all built by the same text (layer_graph.h).

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/batch/crew.h"
#include "core/batch/layer_graph.h"
#include "core/batch/options.h"
#include "core/batch/points.h"
#include "core/batch/rising.h"

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

/// Bytes that building over `n` points takes for each of them, beside its record.
inline std::size_t
graph_bytes_per_point(const BatchOptions& options, const GraphShape& shape, std::size_t n) {
    const std::size_t layer_0 = LayerPlan(n, shape.m, 0, options).bytes_per_rank(options);
    // Each further layer has fewer points, by 2m, and layer 1 those that are raised to it; each of
    // them is listed.
    const std::size_t listed = layer_0 + sizeof(std::uint32_t);
    return layer_0 + listed / (2 * shape.m - 1) + listed / kRanksPerRaised + 1;
}

/// Bytes that each member of the crew takes.
inline std::size_t
graph_bytes_per_member(const Codec& codec, const BatchOptions& options, const GraphShape& shape,
                       std::size_t n) {
    return LayerScratch::bytes_needed(codec, LayerPlan(n, shape.m, 0, options), options);
}

/// Builds the graph over `members`, points in ascending order. Called by all members of the crew;
/// `local` is each one's own.
template <typename Crew>
BatchGraph
build_batch_graph(Crew& crew, Arena& local, const PointView& points,
                  std::span<const std::uint32_t> members, const BatchOptions& options,
                  const GraphShape& shape) {
    LayerScratch scratch(local, *points.codec, LayerPlan(members.size(), shape.m, 0, options),
                         options);
    const auto builder_of = [&](std::span<const std::uint32_t> risen, std::size_t layer) {
        return LayerBuilder<Crew>(crew, local, points, risen, options,
                                  LayerPlan(risen.size(), shape.m, layer, options), scratch);
    };
    LayerBuilder<Crew> bottom = builder_of(members, 0);
    bottom.link();

    // How many points each layer has, then its points.
    const auto levels = allocate_shared<std::uint8_t>(crew, members.size());
    const auto sizes =
        allocate_shared<std::uint32_t>(crew, static_cast<std::size_t>(shape.max_layer) + 1);
    crew.alone([&] {
        for (std::size_t rank = 0; rank < members.size(); ++rank)
            levels[rank] =
                static_cast<std::uint8_t>(draw_layer(options.seed, members[rank], shape));
        // Where searches of layer 0 see nearly all of it, they need no layer above.
        if (members.size() > 4 * shape.m && shape.max_layer > 0)
            raise_uncovered(bottom.links(), levels, local, Crew::pause);
        for (const std::uint8_t level : levels)
            for (int layer = level; layer >= 0; --layer)
                ++sizes[static_cast<std::size_t>(layer)];
    });
    std::size_t n_layers = 1;
    while (n_layers < sizes.size() && sizes[n_layers] > 0)
        ++n_layers;
    const std::span<BatchLayer> layers = local.allocate<BatchLayer>(n_layers);
    layers[0] = {members, bottom.links()};
    std::uint32_t entry = members[0];
    for (std::size_t layer = n_layers - 1; layer > 0; --layer) {
        const auto risen = allocate_shared<std::uint32_t>(crew, sizes[layer]);
        crew.alone([&] {
            std::size_t n = 0;
            for (std::size_t rank = 0; rank < members.size(); ++rank)
                if (levels[rank] >= layer)
                    risen[n++] = members[rank];
        });
        if (layer + 1 == n_layers)
            entry = risen[0];
        LayerBuilder<Crew> builder = builder_of(risen, layer);
        builder.link();
        layers[layer] = {risen, builder.links()};
        builder.make_found(layers, layer, entry);
    }
    bottom.make_found(layers, 0, entry);
    return {layers, bottom.order(), entry};
}

}  // namespace vext::core
