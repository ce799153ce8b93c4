// Scalar codes unpacked for the tiles of core/distance/kernels.h.
//
// With rows as levels z and columns as z - 2^(b-1), b bits each, and the centred levels
// u = z - (2^b - 1) / 2 of codec.h,
//   2 <u_r, u_c> = 2 <row, column> + sum(row) - (2^b - 1) (sum(column) + n / 2),
// exactly, in integers; the last two terms are the biases of row and column.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/batch/points.h"
#include "core/distance/kernels.h"

namespace vext::core {

/// Up to max_group points as rows and as many as columns, and what takes their products into
/// distances. Rows and columns beyond those packed, up to whole tiles, are at distance +infinity.
class Panels {
   public:
    Panels(Arena& arena, const Codec& codec, std::size_t max_group);

    static std::size_t bytes_needed(const Codec& codec, std::size_t max_group);

    void pack_rows(const PointView& points, std::span<const std::uint32_t> ids);
    void pack_columns(const PointView& points, std::span<const std::uint32_t> ids);

   private:
    friend class GroupPairs;

    const Codec* codec_;
};

static_assert(std::is_trivially_destructible_v<Panels>);

}  // namespace vext::core
