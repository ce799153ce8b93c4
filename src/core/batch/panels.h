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

/// Points as rows, and points as columns. Where a tile reaches beyond those packed, distances are
/// +infinity.
class Panels {
   public:
    /// Requires: a scalar codec, which outlives this.
    Panels(Arena& arena, const Codec& codec, std::size_t max_rows, std::size_t max_columns);

    static std::size_t bytes_needed(const Codec& codec, std::size_t max_rows,
                                    std::size_t max_columns);

    void pack_rows(const PointView& points, std::span<const Point> ids);
    void pack_columns(const PointView& points, std::span<const Point> ids);

    /// The products of the tile at a row and column, multiples of kTileRows and kTileColumns.
    void
    multiply(std::size_t row, std::size_t column, std::int32_t* products) const {
        tile_products_(rows_.levels + row * n_padded_, columns(column), n_padded_, products);
    }
    const std::int8_t*
    columns(std::size_t column) const {
        return reinterpret_cast<const std::int8_t*>(columns_.levels + column * n_padded_);
    }

    /// What makes distances of the products; limits are the caller's.
    TileSide
    row_side(std::size_t row, const float* limits) const {
        return rows_.side(row, limits);
    }
    TileSide
    column_side(std::size_t column, const float* limits) const {
        return columns_.side(column, limits);
    }
    float
    weight() const {
        return weight_;
    }

   private:
    struct Side {
        std::uint8_t* levels;
        float* factors;
        float* offsets;
        std::int32_t* biases;

        TileSide
        side(std::size_t i, const float* limits) const {
            return {factors + i, offsets + i, biases + i, limits};
        }
    };

    static Side allocate_side(Arena& arena, std::size_t n, std::size_t n_padded);
    void set(const Side& side, std::size_t i, const CodeHeader& header, std::int32_t bias) const;
    void clear(const Side& side, std::size_t i) const;
    void unpack(const std::uint8_t* code, std::uint8_t* levels) const;
    void interleave(std::uint8_t* panel) const;
    std::int32_t sum_levels(const std::uint8_t* code) const;

    std::size_t n_padded_;
    bool is_code4_;
    float weight_;
    float half_constant_;  // of the part of every distance that depends on the codec alone
    decltype(Kernels::tile_products4) tile_products_;
    Side rows_;
    Side columns_;
    std::span<std::uint8_t> unpacked_;  // a tile's columns
    std::span<std::int8_t> ones_;
};

static_assert(std::is_trivially_destructible_v<Panels>);

}  // namespace vext::core
