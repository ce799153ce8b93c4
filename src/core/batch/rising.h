// Which points of a batch rise above layer 0.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/batch/ids.h"
#include "core/batch/layer_links.h"
#include "core/graph/candidate.h"
#include "core/graph/cover.h"
#include "core/graph/link.h"
#include "core/hash.h"
#include "core/metric.h"

namespace vext::core {

/// Shape of the graph to be built.
struct GraphShape {
    std::size_t m;  ///< half of the most links on layer 0; a layer has 2m times those of the next
    int max_layer;
    std::size_t m_above = m;  ///< most links on a layer above 0

    std::size_t
    max_links(int layer) const {
        return layer == 0 ? 2 * m : m_above;
    }
};

/// The share of a layer's points that rise to the next. (HNSW takes 1 / m; half of it costs a
/// search nothing that could be measured, and its records half the space.)
inline double
rising_share(std::size_t m) {
    return 1 / static_cast<double>(2 * m);
}

/// The layer a point rises to.
inline int
draw_layer(std::uint64_t seed, Point point, const GraphShape& shape) {
    const double uniform =
        (static_cast<double>(mix64(seed ^ number_of(point)) >> 11) + 1) * 0x1p-53;  // in (0, 1]
    const double layer = std::log(uniform) / std::log(rising_share(shape.m));
    return static_cast<int>(std::min<double>(layer, shape.max_layer));
}

/// At most one rank of so many of a layer rises beside those that chance chose. There are few above
/// layer 0, and groups of them are small.
constexpr std::size_t
ranks_per_raised(int layer) {
    return layer == 0 ? 16 : 4;
}

/// How many points on all layers above 0 a batch has for each of its points, at most, nearly.
inline double
most_risen_share(std::size_t m) {
    const double chance = rising_share(m);
    return (chance + 1.0 / ranks_per_raised(0)) / (1 - chance - 1.0 / ranks_per_raised(1));
}

/// The links of a rank that do not lead out of its group, if that is larger than these: the
/// nearest, then fillers. Diverse links farther down lead elsewhere.
class NearLinks {
   public:
    static constexpr std::size_t kMost = 8;

    explicit NearLinks(std::span<const RankLink> links) {
        for (const bool takes_fillers : {true, false})
            for (std::size_t i = 0; i < links.size() && n_ < kMost; ++i)
                if ((i == 0 || links[i].kind() == LinkKind::kFiller) == takes_fillers)
                    ranks_[n_++] = links[i].id();
    }

    std::span<const Rank>
    ranks() const {
        return {ranks_, n_};
    }

   private:
    Rank ranks_[kMost];
    std::size_t n_ = 0;
};

/// What lies near one rank of a layer.
struct Surroundings {
    std::uint8_t own;  ///< bit i: its i-th near link leads to one of its group
    bool is_wanting;   ///< whether it needs a risen one near
};

/// `near` has a rank's near links, with distances; `outside` is how a graph that the batch joins
/// covers it (Cover() where there is none).
Surroundings judge_surroundings(Metric metric, std::span<const Candidate> near,
                                const Cover& outside);

/// The ranks of a layer, by the highest layer of each.
struct LayerLevels {
    int layer;
    IdSpan<Rank, std::uint8_t> highest;
};

/// Makes further ranks rise to the next layer, so that each that is wanting has a risen one within
/// three near links that stay in its group: chance alone leaves groups without any, and searches
/// come to a group from above. Where there are more groups than may have one (ranks_per_raised),
/// the last go without. Memory: four bits a rank from `local`. Calls `pause` now and then.
void raise_wanting(const LayerLinks& links, const IdSpan<Rank, const Surroundings>& surroundings,
                   const LayerLevels& levels, Arena& local, void (*pause)());

}  // namespace vext::core
