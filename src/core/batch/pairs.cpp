// Walking the tiles of a group.

#include "core/batch/pairs.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

/// Rows of so many bytes meet all columns before the next ones do, from the L2 cache.
constexpr std::size_t kRowBlockBytes = 256 * 1024;

constexpr float kNothing = -std::numeric_limits<float>::infinity();
constexpr float kNothings[kTileColumns] = {
    kNothing, kNothing, kNothing, kNothing, kNothing, kNothing, kNothing, kNothing,
    kNothing, kNothing, kNothing, kNothing, kNothing, kNothing, kNothing, kNothing,
    kNothing, kNothing, kNothing, kNothing, kNothing, kNothing, kNothing, kNothing,
    kNothing, kNothing, kNothing, kNothing, kNothing, kNothing, kNothing, kNothing,
};

bool
has_products(const Codec& codec) {
    return codec.kind() == CodecKind::kScalar4 || codec.kind() == CodecKind::kScalar8;
}

/// Of a row in a tile.
std::size_t
row_bytes(const Codec& codec) {
    return has_products(codec) ? codec.n_padded() : BitPanels::row_bytes(codec);
}

std::size_t
most_columns(std::size_t max_group) {
    return std::min(max_group, SparsePairs::kMostColumns);
}

/// The lists of a group and of the rest of a tile.
std::size_t
lists_for(std::size_t max_group) {
    return (max_group + kTileColumns - 1) / kTileColumns * kTileColumns;
}

/// Calls visit(row, column) for every tile of a block of rows and the columns, block by block; with
/// `is_within` only for the tiles that reach below the diagonal.
template <typename Visit>
void
for_each_tile(std::size_t n_rows, std::size_t n_columns, std::size_t row_bytes, bool is_within,
              Visit visit) {
    const std::size_t n_block =
        std::max(kRowBlockBytes / row_bytes / kTileColumns, std::size_t{1}) * kTileColumns;
    for (std::size_t begin = 0; begin < n_rows; begin += n_block) {
        const std::size_t end = std::min(begin + n_block, n_rows);
        for (std::size_t column = 0; column < n_columns; column += kTileColumns)
            for (std::size_t row = is_within ? std::max(begin, column) : begin; row < end;
                 row += kTileRows)
                visit(row, column);
    }
}

}  // namespace

GroupPairs::GroupPairs(Arena& arena, const Codec& codec, std::size_t max_group, std::size_t max_k)
    : codec_(&codec), max_group_(max_group), lists_(arena, lists_for(max_group), max_k) {
    if (has_products(codec))
        panels_ = arena.make<Panels>(arena, codec, max_group, max_group);
    else if (codec.kind() == CodecKind::kBits)
        bits_ = arena.make<BitPanels>(arena, codec, max_group, max_group);
    else if (codec.kind() == CodecKind::kSparse)
        sparse_ = arena.make<SparsePairs>(arena, codec, most_columns(max_group));
    else
        query_ = codec.allocate_query(arena);
}

std::size_t
GroupPairs::bytes_needed(const Codec& codec, std::size_t max_group, std::size_t max_k) {
    const std::size_t lists = NearLists::bytes_needed(lists_for(max_group), max_k);
    if (has_products(codec))
        return lists + sizeof(Panels) + Arena::kAlignment +
               Panels::bytes_needed(codec, max_group, max_group);
    if (codec.kind() == CodecKind::kBits)
        return lists + sizeof(BitPanels) + Arena::kAlignment +
               BitPanels::bytes_needed(codec, max_group, max_group);
    if (codec.kind() == CodecKind::kSparse)
        return lists + sizeof(SparsePairs) + Arena::kAlignment +
               SparsePairs::bytes_needed(codec, most_columns(max_group));
    return lists + codec.query_bytes();
}

void
GroupPairs::nearest_within(const PointView& points, std::span<const Point> group, std::size_t k,
                           std::span<Near<Point>> out) {
    lists_.reset(group.size(), k);
    if (sparse_ != nullptr) {
        share_within(points, group);
    } else if (has_tiles()) {
        pack_rows(points, group);
        pack_columns(points, group);
        multiply_within(group);
    } else {
        compare_within(points, group);
    }
    lists_.write(out);
}

void
GroupPairs::nearest_across(const PointView& points, std::span<const Point> rows,
                           std::span<const Point> columns, std::size_t k,
                           std::span<Near<Point>> out) {
    if (has_tiles())
        pack_columns(points, columns);
    for (std::size_t begin = 0; begin < rows.size(); begin += max_group_) {
        const auto block = rows.subspan(begin, std::min(max_group_, rows.size() - begin));
        lists_.reset(block.size(), k);
        if (sparse_ != nullptr) {
            share_across(points, block, columns);
        } else if (has_tiles()) {
            pack_rows(points, block);
            multiply_across(block, columns);
        } else {
            compare_across(points, block, columns);
        }
        lists_.write(out.subspan(begin * k, block.size() * k));
    }
}

void
GroupPairs::pack_rows(const PointView& points, std::span<const Point> ids) {
    if (panels_ != nullptr)
        panels_->pack_rows(points, ids);
    else
        bits_->pack_rows(points, ids);
}

void
GroupPairs::pack_columns(const PointView& points, std::span<const Point> ids) {
    if (panels_ != nullptr)
        panels_->pack_columns(points, ids);
    else
        bits_->pack_columns(points, ids);
}

void
GroupPairs::multiply_within(std::span<const Point> group) {
    const std::size_t n = group.size();
    for_each_tile(n, n, row_bytes(*codec_), true, [&](std::size_t row, std::size_t column) {
        TilePicks picks;
        if (!pick(row, column, lists_.limits() + column, picks))
            return;
        for (std::size_t r = 0; r < kTileRows; ++r) {
            // Columns from the diagonal on are left to the tiles where they are rows.
            const std::size_t n_below = row + r - column;
            const std::uint32_t below =
                n_below < kTileColumns ? (std::uint32_t{1} << n_below) - 1 : 0xffffffff;
            const float* distances = picks.distances + r * kTileColumns;
            if (const std::uint32_t bits = picks.near_rows[r] & below; bits != 0)
                lists_.offer_each(row + r, group[row + r], bits, distances, &group[column]);
            for (std::uint32_t bits = picks.near_columns[r] & below; bits != 0; bits &= bits - 1) {
                const auto c = static_cast<std::size_t>(std::countr_zero(bits));
                lists_.offer(column + c, distances[c], group[row + r]);
            }
        }
    });
}

void
GroupPairs::multiply_across(std::span<const Point> rows, std::span<const Point> columns) {
    for_each_tile(rows.size(), columns.size(), row_bytes(*codec_), false,
                  [&](std::size_t row, std::size_t column) {
                      TilePicks picks;
                      if (!pick(row, column, kNothings, picks))
                          return;
                      for (std::size_t r = 0; r < kTileRows; ++r)
                          if (picks.near_rows[r] != 0)
                              lists_.offer_each(row + r, rows[row + r], picks.near_rows[r],
                                                picks.distances + r * kTileColumns,
                                                &columns[column]);
                  });
}

/// Whether a tile has a distance within a limit of a row or column.
bool
GroupPairs::pick(std::size_t row, std::size_t column, const float* column_limits,
                 TilePicks& picks) const {
    if (bits_ != nullptr)
        return bits_->pick(row, column, lists_.limits() + row, column_limits, picks);
    alignas(64) std::int32_t products[kTileRows * kTileColumns];
    panels_->multiply(row, column, products);
    return kernels().tile_distances(products, panels_->row_side(row, lists_.limits() + row),
                                    panels_->column_side(column, column_limits), panels_->weight(),
                                    picks);
}

void
GroupPairs::share_within(const PointView& points, std::span<const Point> group) {
    for (std::size_t begin = 0; begin < group.size(); begin += most_columns(max_group_)) {
        const auto columns =
            group.subspan(begin, std::min(most_columns(max_group_), group.size() - begin));
        sparse_->set_columns(points, columns);
        for (std::size_t row = begin + 1; row < group.size(); ++row) {
            const float* distances = sparse_->measure(points, group[row]).data();
            // Columns from the diagonal on are left to where they are rows.
            const std::size_t n = std::min(row - begin, columns.size());
            for (std::size_t c = 0; c < n; ++c) {
                lists_.offer(row, distances[c], columns[c]);
                lists_.offer(begin + c, distances[c], group[row]);
            }
        }
    }
}

void
GroupPairs::share_across(const PointView& points, std::span<const Point> rows,
                         std::span<const Point> all_columns) {
    for (std::size_t begin = 0; begin < all_columns.size(); begin += most_columns(max_group_)) {
        const auto columns = all_columns.subspan(
            begin, std::min(most_columns(max_group_), all_columns.size() - begin));
        sparse_->set_columns(points, columns);
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const float* distances = sparse_->measure(points, rows[row], by_direction_).data();
            for (std::size_t c = 0; c < columns.size(); ++c)
                if (columns[c] != rows[row])
                    lists_.offer(row, distances[c], columns[c]);
        }
    }
}

void
GroupPairs::compare_within(const PointView& points, std::span<const Point> group) {
    for (std::size_t i = 0; i < group.size(); ++i)
        compare_one(points, group[i], group, [&](std::size_t j, float distance) {
            lists_.offer(i, distance, group[j]);
            lists_.offer(j, distance, group[i]);
        });
}

void
GroupPairs::compare_across(const PointView& points, std::span<const Point> rows,
                           std::span<const Point> columns) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        compare_one(points, rows[i], columns,
                    [&](std::size_t j, float distance) { lists_.offer(i, distance, columns[j]); });
    for (const Point column : columns)
        compare_one(points, column, rows,
                    [&](std::size_t i, float distance) { lists_.offer(i, distance, column); });
}

/// Visits those of `others` with a smaller number: of a pair the larger one is always the query,
/// since rounding may tell the two apart.
template <typename Visit>
void
GroupPairs::compare_one(const PointView& points, Point point, std::span<const Point> others,
                        Visit&& visit) {
    codec_->query_from_code(points.header(point), points.code(point), query_);
    for (std::size_t i = 0; i < others.size(); ++i)
        if (others[i] < point)
            visit(i, codec_->distance(query_, points.header(others[i]), points.code(others[i])));
}

}  // namespace vext::core
