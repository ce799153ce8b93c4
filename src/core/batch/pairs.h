// The nearest neighbours of points among a group, from their codes alone.
//
// Scalar codes are multiplied as integers, a tile of rows against a tile of columns (tile_products
// in core/distance/kernels.h); a tile becomes distances and is picked from while it lies in the L1
// cache, so that no matrix is ever in memory. Distances are the estimates of codec.h, with the
// levels of both codes taken exactly. A pair has one distance: which of the two is row or column,
// and in which group they meet, changes not a bit of it. Sparse codes are compared by the entries
// they share (sparse_pairs.h), bit strings by counting in tiles (bit_panels.h). The other codecs go
// pair by pair through the codec.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/batch/bit_panels.h"
#include "core/batch/near_lists.h"
#include "core/batch/panels.h"
#include "core/batch/points.h"
#include "core/batch/sparse_pairs.h"
#include "core/graph/candidate.h"

namespace vext::core {

/// Works on one group at a time, with memory taken once.
class GroupPairs {
   public:
    /// Memory from `arena`, bytes_needed() of it, for groups of up to `max_group` points and up to
    /// `max_k` nearest of each. Requires: the codec outlives it; max_group >= 1, max_k >= 1.
    GroupPairs(Arena& arena, const Codec& codec, std::size_t max_group, std::size_t max_k);

    /// What the constructor takes from the arena.
    static std::size_t bytes_needed(const Codec& codec, std::size_t max_group, std::size_t max_k);

    /// For every point of the group its k nearest others; each pair is computed once. `out` has k
    /// entries for each, row by row, ascending by distance, then point; where there are not k, the
    /// rest is {+infinity, kNoPoint}. Distances that are not finite are never picked.
    /// Requires: the points differ; at most max_group of them; 1 <= k <= max_k.
    void nearest_within(const PointView& points, std::span<const Point> group, std::size_t k,
                        std::span<Near<Point>> out);

    /// Whether nearest_across() takes the columns to be of one length by inner product, from now
    /// on: else of leaders the longest are near to all. Heeded for sparse codes alone; those of
    /// others are measured from a centroid.
    void
    go_by_direction(bool is_wanted) {
        by_direction_ = is_wanted;
    }

    /// For every row its k nearest of the columns, in the same form; a point never picks itself.
    /// Requires: columns differ; at most max_group of them, any number of rows; 1 <= k <= max_k.
    void nearest_across(const PointView& points, std::span<const Point> rows,
                        std::span<const Point> columns, std::size_t k, std::span<Near<Point>> out);

   private:
    bool
    has_tiles() const {
        return panels_ != nullptr || bits_ != nullptr;
    }
    void pack_rows(const PointView& points, std::span<const Point> ids);
    void pack_columns(const PointView& points, std::span<const Point> ids);
    void multiply_within(std::span<const Point> group);
    void multiply_across(std::span<const Point> rows, std::span<const Point> columns);
    bool pick(std::size_t row, std::size_t column, const float* column_limits,
              TilePicks& picks) const;
    void compare_within(const PointView& points, std::span<const Point> group);
    void compare_across(const PointView& points, std::span<const Point> rows,
                        std::span<const Point> columns);
    void share_within(const PointView& points, std::span<const Point> group);
    void share_across(const PointView& points, std::span<const Point> rows,
                      std::span<const Point> columns);
    template <typename Visit>
    void compare_one(const PointView& points, Point point, std::span<const Point> others,
                     Visit&& visit);

    const Codec* codec_;
    std::size_t max_group_;
    NearLists lists_;
    Panels* panels_ = nullptr;   // of a codec with integer products
    BitPanels* bits_ = nullptr;  // of bit strings
    bool by_direction_ = false;
    SparsePairs* sparse_ = nullptr;  // of sparse codes
    Query query_;                    // of any other
};

static_assert(std::is_trivially_destructible_v<GroupPairs>);

}  // namespace vext::core
