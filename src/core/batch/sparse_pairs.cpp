// See sparse_pairs.h.

#include "core/batch/sparse_pairs.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/codec/models.h"

namespace vext::core {
namespace {

constexpr unsigned kMostListBits = 16;

unsigned
list_bits_for(const Codec& codec) {
    return std::min(static_cast<unsigned>(std::bit_width(codec.n_dims() - 1)), kMostListBits);
}

std::size_t
n_places(unsigned list_bits) {
    return (std::size_t{1} << list_bits) + 2;
}

}  // namespace

SparsePairs::SparsePairs(Arena& arena, const Codec& codec, std::size_t max_columns)
    : codec_(&codec),
      list_bits_(list_bits_for(codec)),
      places_(arena.allocate<std::uint32_t>(n_places(list_bits_))),
      entries_(arena.allocate<Entry>(max_columns * codec.n_entries())),
      headers_(arena.allocate<CodeHeader>(max_columns)),
      norms_(arena.allocate<double>(max_columns)),
      sums_(arena.allocate<double>(max_columns)),
      distances_(arena.allocate<float>(max_columns)) {
    if (!has_short_indices(codec.n_dims()))
        indices_ = arena.allocate<std::int32_t>(max_columns * codec.n_entries());
}

std::size_t
SparsePairs::bytes_needed(const Codec& codec, std::size_t max_columns) {
    constexpr std::size_t kColumn = sizeof(CodeHeader) + 2 * sizeof(double) + sizeof(float);
    return n_places(list_bits_for(codec)) * sizeof(std::uint32_t) +
           max_columns * (codec.n_entries() * (sizeof(Entry) + sizeof(std::int32_t)) + kColumn) +
           7 * Arena::kAlignment;
}

std::size_t
SparsePairs::list_of(std::int32_t index) const {
    const auto bits = static_cast<std::uint32_t>(index);
    if (indices_.empty())
        return bits & ((std::size_t{1} << list_bits_) - 1);
    return (bits * 0x9e3779b1U) >> (32 - list_bits_);
}

void
SparsePairs::count(const SparseCode& code) {
    code.with_indices([&](const auto* indices) {
        for (std::size_t i = 0; i < code.n; ++i)
            ++places_[list_of(static_cast<std::int32_t>(indices[i])) + 2];
    });
}

void
SparsePairs::place(const SparseCode& code, std::uint32_t column) {
    code.with_indices([&](const auto* indices) {
        for (std::size_t i = 0; i < code.n; ++i) {
            const auto index = static_cast<std::int32_t>(indices[i]);
            const std::uint32_t at = places_[list_of(index) + 1]++;
            entries_[at] = {code.values[i], column};
            if (!indices_.empty())
                indices_[at] = index;
        }
    });
}

void
SparsePairs::set_columns(const PointView& points, std::span<const Point> columns) {
    n_columns_ = columns.size();
    std::fill(places_.begin(), places_.end(), 0);
    for (const Point point : columns)
        count(code_of(points, point));
    for (std::size_t i = 1; i < places_.size(); ++i)
        places_[i] += places_[i - 1];
    // places_[list + 1] serves as the place of the next entry, and ends as the start of list + 1.
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const SparseCode code = code_of(points, columns[i]);
        place(code, static_cast<std::uint32_t>(i));
        headers_[i] = points.header(columns[i]);
        norms_[i] = code.norm;
    }
}

// Sums over the shared indices, in ascending order whichever of a pair is the column: products, or
// what they change of an L1 distance.
template <bool kIsL1, typename Index>
void
SparsePairs::sum_up(const SparseCode& row, const Index* indices) {
    // What is written could be members as far as the compiler knows.
    double* const sums = sums_.data();
    const std::uint32_t* const places = places_.data();
    const Entry* const entries = entries_.data();
    const std::int32_t* const entry_indices = indices_.data();
    std::fill_n(sums, n_columns_, 0);
    for (std::size_t i = 0; i < row.n; ++i) {
        const auto index = static_cast<std::int32_t>(indices[i]);
        const std::size_t list = list_of(index);
        const double x = row.values[i];
        const double magnitude = std::fabs(x);
        const std::size_t end = places[list + 1];
        for (std::size_t at = places[list]; at < end; ++at) {
            if (sizeof(Index) > sizeof(std::uint16_t) && entry_indices[at] != index)
                continue;
            const double y = entries[at].value;
            sums[entries[at].column] +=
                kIsL1 ? std::fabs(x - y) - (magnitude + std::fabs(y)) : x * y;
        }
    }
}

std::span<const float>
SparsePairs::measure(const PointView& points, Point point, bool by_direction) {
    const SparseCode row = code_of(points, point);
    const CodeHeader header = points.header(point);
    const Metric metric = codec_->metric();
    row.with_indices([&](const auto* indices) {
        if (metric == Metric::kL1)
            sum_up<true>(row, indices);
        else
            sum_up<false>(row, indices);
    });
    for (std::size_t i = 0; i < n_columns_; ++i) {
        const double factor =
            static_cast<double>(header.factor) * static_cast<double>(headers_[i].factor);
        double distance = row.norm + norms_[i];
        if (metric == Metric::kInnerProduct)
            distance = by_direction && headers_[i].offset > 0
                           ? -factor * sums_[i] / std::sqrt(static_cast<double>(headers_[i].offset))
                           : -factor * sums_[i];
        else if (metric == Metric::kL1)
            distance += sums_[i];
        else if (factor == 1)
            distance -= 2 * sums_[i];
        else
            distance = static_cast<double>(header.offset) +
                       static_cast<double>(headers_[i].offset) - 2 * factor * sums_[i];
        distances_[i] = finite_or_infinity(narrow(distance));
    }
    return distances_.first(n_columns_);
}

}  // namespace vext::core
