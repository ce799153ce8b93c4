// Which points of a batch rise above layer 0.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/batch/layer_links.h"
#include "core/hash.h"

namespace vext::core {

/// Shape of the graph to be built.
struct GraphShape {
    std::size_t m;  ///< most links on an upper layer, half of layer 0's
    int max_layer;
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

/// At most one rank of so many rises beside those that chance chose.
inline constexpr std::size_t kRanksPerRaised = 16;

/// Makes further ranks rise to layer 1, so that each has a risen one within three near links:
/// chance alone leaves groups without any, and searches come to a group from above. Where there are
/// more groups than may have one (kRanksPerRaised), the last go without. `levels` has the layers of
/// all ranks. Memory: four bits a rank from `local`. Calls `pause` now and then.
void raise_uncovered(const LayerLinks& layer_0, std::span<std::uint8_t> levels, Arena& local,
                     void (*pause)());

}  // namespace vext::core
