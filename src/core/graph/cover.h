// Whether searches that descend to a layer come near to a place on it.
//
// A group of nodes that lies apart is entered from the layer above: links on its own layer seldom
// lead there, since any member of another group is nearer to that group than most of its links. So
// each group has a node above, which chance alone does not promise. What is asked of a node is
// asked as it comes, of its own group alone, so it holds in whichever order groups come; also of
// the first one, before there is a layer above (docs/decisions.md).

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/graph/candidate.h"
#include "core/metric.h"

namespace vext::core {

/// A group of more nodes has one on the layer above.
inline constexpr std::size_t kGroup = 4;

/// What a search saw of one layer and the next near its query; infinite where it saw too few.
struct Cover {
    float reach = std::numeric_limits<float>::infinity();  ///< of the kGroup-th nearest, at most
    float above = std::numeric_limits<float>::infinity();  ///< of the nearest above, at least
    bool is_crowded = false;                               ///< none of the many nearest is above
};

/// Whether none of a group that lies apart is above.
inline bool
is_group_alone(Metric metric, const Cover& cover) {
    if (std::isinf(cover.above))
        return !std::isinf(cover.reach);
    return is_thrice(metric, cover.reach, cover.above);
}

/// How far a candidate is at most, as far as its error says.
inline float
at_most(const Candidate& candidate) {
    return std::max(candidate.distance, 0.0F) + candidate.error;
}

/// How far it is at least.
inline float
at_least(const Candidate& candidate) {
    return candidate.distance - candidate.error;
}

}  // namespace vext::core
