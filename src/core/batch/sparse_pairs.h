// Distances between sparse codes, each of many rows to the same columns.
//
// The columns are written down by index: for each index who has it, and the value there. A row then
// only meets the entries that it shares with a column, few of all. Indices beyond 16 bits share
// lists by a hash, and are compared.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/batch/points.h"
#include "core/codec/sparse_code.h"

namespace vext::core {

class SparsePairs {
   public:
    static constexpr std::size_t kMostColumns = 256;

    /// Memory from `arena`, bytes_needed() of it, for up to `max_columns`, at most kMostColumns.
    SparsePairs(Arena& arena, const Codec& codec, std::size_t max_columns);

    static std::size_t bytes_needed(const Codec& codec, std::size_t max_columns);

    void set_columns(const PointView& points, std::span<const Point> columns);

    /// The distances of a point to the columns; valid until the next call. Those of a pair do not
    /// depend on which is the column, unless inner products are wanted `by_direction`: of columns
    /// of one length.
    std::span<const float> measure(const PointView& points, Point point, bool by_direction = false);

   private:
    // A column's value at some index.
    struct Entry {
        float value;
        std::uint32_t column;
    };

    SparseCode
    code_of(const PointView& points, Point point) const {
        return sparse_code(codec_->n_dims(), codec_->n_entries(), points.code(point));
    }
    std::size_t list_of(std::int32_t index) const;
    void count(const SparseCode& code);
    void place(const SparseCode& code, std::uint32_t column);
    template <bool kIsL1, typename Index>
    void sum_up(const SparseCode& row, const Index* indices);

    const Codec* codec_;
    unsigned list_bits_;
    std::span<std::uint32_t> places_;  // where the entries of a list begin; the next list ends them
    std::span<Entry> entries_;
    std::span<std::int32_t> indices_;  // beside entries_; empty where a list is of one index
    std::span<CodeHeader> headers_;    // of the columns
    std::span<double> norms_;
    std::span<double> sums_;
    std::span<float> distances_;
    std::size_t n_columns_ = 0;
};

static_assert(std::is_trivially_destructible_v<SparsePairs>);

}  // namespace vext::core
