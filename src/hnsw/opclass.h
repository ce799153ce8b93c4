// What an index knows of its column: operator class and values. The only place that knows by which
// functions a class is told from another, and what a datum holds.

#pragma once

#include <optional>
#include <span>
#include <type_traits>

#include "core/metric.h"
#include "pg/index_am.h"
#include "types/vector.h"

namespace vext::hnsw {

/// The metric of an index, by the support functions of its operator class: the distance (1) and,
/// where vectors are compared by direction, the norm (2). Raises 0A000 for others.
core::Metric metric_of(Relation index);

/// Whether the values of an index are sparse vectors.
bool has_sparse_values(Relation index);

/// The bytes of a value by what the column's type says; 0 where it does not, as of a sparse one.
std::size_t value_bytes(Relation index);

/// Raises 22000 where a value that is searched for has other dimensions than the index.
void check_query_dims(Relation index, std::size_t index_dims, std::size_t query_dims);

/// A value of the indexed column, or one that is searched for, as the numbers that a codec takes
/// (core::n_values, core::pack_sparse); halves are widened. As types::Argument where copies are
/// concerned: the numbers live as long as this, and the current context.
class IndexedValue {
   public:
    /// Raises as metric_of().
    IndexedValue(Relation index, Datum datum);
    IndexedValue(const IndexedValue&) = delete;

    /// Dimensions, or bits.
    std::size_t
    n_dims() const {
        return n_dims_;
    }
    std::span<const float>
    numbers() const {
        return numbers_;
    }
    /// Gives back memory that was taken for this; `datum` is the one it was made of.
    void free_copy(Datum datum);

   private:
    void take_halves(Datum datum);
    void take_bits(Datum datum);
    void take_sparse(Datum datum);

    std::size_t n_dims_ = 0;
    std::span<const float> numbers_;
    float* widened_ = nullptr;  ///< of another type: numbers_ in memory of its own
    std::optional<types::VectorArgument> vector_;  ///< of a `vector`: what numbers_ shows
};

static_assert(std::is_trivially_destructible_v<IndexedValue>);

}  // namespace vext::hnsw
