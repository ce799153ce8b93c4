// Seeing to it that every rank of a layer is reached.

#pragma once

#include <cstddef>
#include <cstdint>

#include "core/arena.h"
#include "core/batch/layer_links.h"

namespace vext::core::internal {

/// Makes every rank reachable from `entry` over anchors, at most half of a list's capacity while
/// that suffices; what no list leads to takes the place of a link of the nearest rank it links to.
/// Calls `pause` now and then. Memory: 5 bytes a rank and a bit from `local`.
void make_reachable(const LayerLinks& layer, std::size_t n, std::uint32_t entry, Arena& local,
                    void (*pause)());

}  // namespace vext::core::internal
