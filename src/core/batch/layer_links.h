// The links of one layer of a batch.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/batch/crew.h"
#include "core/batch/ids.h"
#include "core/graph/link.h"

namespace vext::core {

using RankLink = LinkTo<Rank>;

struct LayerLinks {
    Rows<Rank, RankLink> links;
    Rows<Rank, std::uint8_t> counts;  ///< width 1

    std::span<RankLink>
    of(Rank rank) const {
        return links[rank].first(counts[rank][0]);
    }
};

}  // namespace vext::core
