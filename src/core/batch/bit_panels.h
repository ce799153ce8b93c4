// Bit strings packed for the tiles of core/distance/kernels.h.
//
// A tile counts the bits that a row and a column have in common. With how many each has by itself,
// that gives both distances exactly: Hamming's is r + c - 2 common, Jaccard's 1 - common / (r + c -
// common).

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
class BitPanels {
   public:
    /// Requires: a codec of bits, which outlives this.
    BitPanels(Arena& arena, const Codec& codec, std::size_t max_rows, std::size_t max_columns);

    static std::size_t bytes_needed(const Codec& codec, std::size_t max_rows,
                                    std::size_t max_columns);
    /// Of a packed row.
    static std::size_t row_bytes(const Codec& codec);

    void pack_rows(const PointView& points, std::span<const Point> ids);
    void pack_columns(const PointView& points, std::span<const Point> ids);

    /// The distances of the tile at a row and column, multiples of kTileRows and kTileColumns, and
    /// which are within the limits of theirs. Returns whether any is.
    bool pick(std::size_t row, std::size_t column, const float* row_limits,
              const float* column_limits, TilePicks& picks) const;

   private:
    struct Side {
        std::uint64_t* words;
        float* n_set;  ///< bits of each; +infinity where there is none
    };

    static Side allocate_side(Arena& arena, std::size_t n, std::size_t n_words);
    void read(const PointView& points, Point point, std::uint64_t* words) const;
    float count(const PointView& points, Point point) const;
    bool pick_jaccard(const std::int32_t* common, const TileSide& rows, const TileSide& columns,
                      TilePicks& picks) const;

    const Codec* codec_;
    std::size_t n_words_;
    Side rows_;
    Side columns_;
    std::span<std::uint64_t> unpacked_;  // a column
};

static_assert(std::is_trivially_destructible_v<BitPanels>);

}  // namespace vext::core
