// The links of one layer of a batch.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/batch/crew.h"
#include "core/graph/link.h"

namespace vext::core {

/// Ids in links are ranks among the layer's members.
struct LayerLinks {
    Rows<Link> links;
    Rows<std::uint8_t> counts;  ///< width 1

    std::span<Link>
    of(std::size_t rank) const {
        return links[rank].first(counts[rank][0]);
    }
};

}  // namespace vext::core
