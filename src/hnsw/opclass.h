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

/// What SQL calls the type of the indexed column, for messages. Raises as metric_of().
const char* type_name_of(Relation index);

/// A value of the indexed column, or one that is searched for, as numbers; halves are widened. As
/// types::Argument where copies are concerned: the numbers live as long as this, and the current
/// context.
class IndexedValue {
   public:
    /// Raises as metric_of().
    IndexedValue(Relation index, Datum datum);
    IndexedValue(const IndexedValue&) = delete;

    std::span<const float>
    numbers() const {
        return numbers_;
    }
    /// Gives back memory that was taken for this; `datum` is the one it was made of.
    void free_copy(Datum datum);

   private:
    std::span<const float> numbers_;
    float* widened_ = nullptr;
    std::optional<types::VectorArgument> vector_;  ///< of a `vector`: what numbers_ shows
};

static_assert(std::is_trivially_destructible_v<IndexedValue>);

}  // namespace vext::hnsw
