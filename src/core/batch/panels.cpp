// Unpacking codes, eight levels at a time, and interleaving them.

#include "core/batch/panels.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/codec/lanes.h"
#include "core/distance/dispatch.h"

namespace vext::core {
namespace {

constexpr std::uint64_t kEveryByte = 0x0101010101010101;

std::size_t
round_up_to(std::size_t n, std::size_t unit) {
    return (n + unit - 1) / unit * unit;
}

/// The part of a distance that depends on neither vector: that of a query whose own is 0.
float
constant_of(Arena& arena, const Codec& codec) {
    Query query = codec.allocate_query(arena);
    std::span<std::uint8_t> code = arena.allocate_zeroed<std::uint8_t>(codec.code_bytes());
    codec.query_from_code({.factor = 0, .offset = 0, .error = 0}, code.data(), query);
    return query.constant;
}

/// Four rows of four words become columns of a tile.
void
transpose(const std::uint8_t* rows, std::size_t stride, std::uint8_t* out) {
    Ints words[4];
    for (std::size_t r = 0; r < 4; ++r)
        std::memcpy(&words[r], rows + r * stride, sizeof(Ints));
    const Ints low01 = __builtin_shufflevector(words[0], words[1], 0, 4, 1, 5);
    const Ints low23 = __builtin_shufflevector(words[2], words[3], 0, 4, 1, 5);
    const Ints high01 = __builtin_shufflevector(words[0], words[1], 2, 6, 3, 7);
    const Ints high23 = __builtin_shufflevector(words[2], words[3], 2, 6, 3, 7);
    const Ints columns[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                             __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                             __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
                             __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
    for (std::size_t i = 0; i < 4; ++i)
        std::memcpy(out + i * kTileColumns * 4, &columns[i], sizeof(Ints));
}

}  // namespace

Panels::Panels(Arena& arena, const Codec& codec, std::size_t max_rows, std::size_t max_columns)
    : n_padded_(codec.n_padded()),
      is_code4_(codec.kind() == CodecKind::kScalar4),
      weight_(codec.metric() == Metric::kInnerProduct ? -0.5f : -1.0f),
      half_constant_(0.5f * constant_of(arena, codec)),
      tile_products_(is_code4_ ? kernels().tile_products4 : kernels().tile_products8),
      rows_(allocate_side(arena, round_up_to(max_rows, kTileRows), n_padded_)),
      columns_(allocate_side(arena, round_up_to(max_columns, kTileColumns), n_padded_)),
      unpacked_(arena.allocate<std::uint8_t>(kTileColumns * n_padded_)),
      ones_(arena.allocate<std::int8_t>(n_padded_)) {
    std::fill(ones_.begin(), ones_.end(), 1);
}

std::size_t
Panels::bytes_needed(const Codec& codec, std::size_t max_rows, std::size_t max_columns) {
    constexpr std::size_t kSideBytes = 2 * sizeof(float) + sizeof(std::int32_t);
    const std::size_t n = round_up_to(max_rows, kTileRows) + round_up_to(max_columns, kTileColumns);
    // Beside the sides: the columns of a tile, the ones, a query and a code.
    return n * (codec.n_padded() + kSideBytes) +
           codec.n_padded() * (kTileColumns + 1 + 1 + sizeof(float) + 1) + 16 * Arena::kAlignment;
}

Panels::Side
Panels::allocate_side(Arena& arena, std::size_t n, std::size_t n_padded) {
    return {.levels = arena.allocate<std::uint8_t>(n * n_padded).data(),
            .factors = arena.allocate<float>(n).data(),
            .offsets = arena.allocate<float>(n).data(),
            .biases = arena.allocate<std::int32_t>(n).data()};
}

void
Panels::set(const Side& side, std::size_t i, const CodeHeader& header, std::int32_t bias) const {
    side.factors[i] = header.factor;
    side.offsets[i] = header.offset + half_constant_;
    side.biases[i] = bias;
}

void
Panels::clear(const Side& side, std::size_t i) const {
    side.factors[i] = 0;
    side.offsets[i] = std::numeric_limits<float>::infinity();
    side.biases[i] = 0;
}

void
Panels::unpack(const std::uint8_t* code, std::uint8_t* levels) const {
    if (!is_code4_) {
        std::memcpy(levels, code, n_padded_);
        return;
    }
    const std::size_t n_bytes = n_padded_ / 2;
    for (std::size_t i = 0; i < n_bytes; i += 8) {
        std::uint64_t bytes;
        std::memcpy(&bytes, code + i, 8);
        const std::uint64_t low = bytes & 15 * kEveryByte;
        const std::uint64_t high = bytes >> 4 & 15 * kEveryByte;
        std::memcpy(levels + i, &low, 8);
        std::memcpy(levels + n_bytes + i, &high, 8);
    }
}

std::int32_t
Panels::sum_levels(const std::uint8_t* code) const {
    return is_code4_ ? kernels().dot_code4(code, ones_.data(), n_padded_)
                     : kernels().dot_code8(code, ones_.data(), n_padded_);
}

void
Panels::pack_rows(const PointView& points, std::span<const Point> ids) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
        unpack(points.code(ids[i]), rows_.levels + i * n_padded_);
        set(rows_, i, points.header(ids[i]), sum_levels(points.code(ids[i])));
    }
    for (std::size_t i = ids.size(); i < round_up_to(ids.size(), kTileRows); ++i) {
        std::memset(rows_.levels + i * n_padded_, 0, n_padded_);
        clear(rows_, i);
    }
}

void
Panels::pack_columns(const PointView& points, std::span<const Point> ids) {
    const auto n = static_cast<std::int32_t>(n_padded_);
    const std::int32_t lift = is_code4_ ? 8 : 128;
    const std::int32_t max_level = 2 * lift - 1;
    for (std::size_t first = 0; first < ids.size(); first += kTileColumns) {
        for (std::size_t c = 0; c < kTileColumns; ++c) {
            const std::size_t i = first + c;
            if (i < ids.size()) {
                const std::uint8_t* code = points.code(ids[i]);
                unpack(code, &unpacked_[c * n_padded_]);
                const std::int32_t sum = sum_levels(code) - lift * n;
                set(columns_, i, points.header(ids[i]), -max_level * (sum + n / 2));
            } else {
                std::memset(&unpacked_[c * n_padded_], 0, n_padded_);
                clear(columns_, i);
            }
        }
        interleave(columns_.levels + first * n_padded_);
    }
}

/// Lowers the unpacked columns to signed levels on the way.
void
Panels::interleave(std::uint8_t* panel) const {
    // A byte with its highest bit set lends to no other one.
    const std::uint64_t top = 0x80 * kEveryByte;
    for (std::size_t i = 0; i < unpacked_.size(); i += 8) {
        std::uint64_t levels;
        std::memcpy(&levels, &unpacked_[i], 8);
        levels = is_code4_ ? ((levels | top) - 8 * kEveryByte) ^ top : levels ^ top;
        std::memcpy(&unpacked_[i], &levels, 8);
    }
    for (std::size_t c = 0; c < kTileColumns; c += 4)
        for (std::size_t i = 0; i < n_padded_; i += 16)
            transpose(&unpacked_[c * n_padded_ + i], n_padded_, panel + i * kTileColumns + c * 4);
}

}  // namespace vext::core
