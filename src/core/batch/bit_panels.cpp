// Packing bit strings, and distances from what a tile counts.

#include "core/batch/bit_panels.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// What tile_distances() multiplies and adds beside the counts.
constexpr float kFactors[kTileColumns] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};
constexpr std::int32_t kBiases[kTileColumns] = {};

std::size_t
round_up_to(std::size_t n, std::size_t unit) {
    return (n + unit - 1) / unit * unit;
}

std::size_t
n_words_of(const Codec& codec) {
    return (codec.code_bytes() + 7) / 8;
}

/// As the codec has it, to the last bit; two strings without a set bit are equal.
float
jaccard_distance(std::int32_t common, float n_set_row, float n_set_column) {
    const double either = static_cast<double>(n_set_row) + n_set_column - common;
    if (either == 0)
        return 0;
    return static_cast<float>(1 - common / either);
}

}  // namespace

BitPanels::BitPanels(Arena& arena, const Codec& codec, std::size_t max_rows,
                     std::size_t max_columns)
    : codec_(&codec),
      n_words_(n_words_of(codec)),
      rows_(allocate_side(arena, round_up_to(max_rows, kTileRows), n_words_)),
      columns_(allocate_side(arena, round_up_to(max_columns, kTileColumns), n_words_)),
      unpacked_(arena.allocate<std::uint64_t>(n_words_)) {
}

std::size_t
BitPanels::bytes_needed(const Codec& codec, std::size_t max_rows, std::size_t max_columns) {
    const std::size_t n = round_up_to(max_rows, kTileRows) + round_up_to(max_columns, kTileColumns);
    return n * (row_bytes(codec) + sizeof(float)) + row_bytes(codec) + 5 * Arena::kAlignment;
}

std::size_t
BitPanels::row_bytes(const Codec& codec) {
    return n_words_of(codec) * sizeof(std::uint64_t);
}

BitPanels::Side
BitPanels::allocate_side(Arena& arena, std::size_t n, std::size_t n_words) {
    return {.words = arena.allocate<std::uint64_t>(n * n_words).data(),
            .n_set = arena.allocate<float>(n).data()};
}

/// What the last word has beyond the string is zero.
void
BitPanels::read(const PointView& points, Point point, std::uint64_t* words) const {
    words[n_words_ - 1] = 0;
    std::memcpy(words, points.code(point), codec_->code_bytes());
}

float
BitPanels::count(const PointView& points, Point point) const {
    const std::uint8_t* code = points.code(point);
    return static_cast<float>(bit_kernels().jaccard_parts(code, code, codec_->code_bytes()).common);
}

void
BitPanels::pack_rows(const PointView& points, std::span<const Point> ids) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
        read(points, ids[i], rows_.words + i * n_words_);
        rows_.n_set[i] = count(points, ids[i]);
    }
    const std::size_t end = round_up_to(ids.size(), kTileRows);
    std::fill(rows_.words + ids.size() * n_words_, rows_.words + end * n_words_, 0);
    std::fill(rows_.n_set + ids.size(), rows_.n_set + end, kInfinity);
}

void
BitPanels::pack_columns(const PointView& points, std::span<const Point> ids) {
    const std::size_t end = round_up_to(ids.size(), kTileColumns);
    for (std::size_t i = 0; i < end; ++i) {
        const bool is_there = i < ids.size();
        if (is_there)
            read(points, ids[i], unpacked_.data());
        else
            std::fill(unpacked_.begin(), unpacked_.end(), 0);
        columns_.n_set[i] = is_there ? count(points, ids[i]) : kInfinity;
        const std::size_t tile = i / kTileColumns * kTileColumns;
        std::uint64_t* out = columns_.words + tile * n_words_ + (i - tile);
        for (const std::uint64_t word : unpacked_) {
            *out = word;
            out += kTileColumns;
        }
    }
}

bool
BitPanels::pick(std::size_t row, std::size_t column, const float* row_limits,
                const float* column_limits, TilePicks& picks) const {
    alignas(64) std::int32_t common[kTileRows * kTileColumns];
    bit_kernels().tile_common(rows_.words + row * n_words_, columns_.words + column * n_words_,
                              n_words_, common);
    const TileSide rows = {kFactors, rows_.n_set + row, kBiases, row_limits};
    const TileSide columns = {kFactors, columns_.n_set + column, kBiases, column_limits};
    if (codec_->metric() == Metric::kHamming)
        return kernels().tile_distances(common, rows, columns, -1, picks);
    return pick_jaccard(common, rows, columns, picks);
}

bool
BitPanels::pick_jaccard(const std::int32_t* common, const TileSide& rows, const TileSide& columns,
                        TilePicks& picks) const {
    std::uint32_t any = 0;
    for (std::size_t r = 0; r < kTileRows; ++r) {
        std::uint32_t near_row = 0;
        std::uint32_t near_column = 0;
        for (std::size_t c = 0; c < kTileColumns; ++c) {
            const bool is_there = rows.offsets[r] < kInfinity && columns.offsets[c] < kInfinity;
            const float distance = is_there ? jaccard_distance(common[r * kTileColumns + c],
                                                               rows.offsets[r], columns.offsets[c])
                                            : kInfinity;
            picks.distances[r * kTileColumns + c] = distance;
            near_row |= static_cast<std::uint32_t>(distance <= rows.limits[r]) << c;
            near_column |= static_cast<std::uint32_t>(distance <= columns.limits[c]) << c;
        }
        picks.near_rows[r] = near_row;
        picks.near_columns[r] = near_column;
        any |= near_row | near_column;
    }
    return any != 0;
}

}  // namespace vext::core
