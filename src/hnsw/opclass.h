// What an index knows of its column: operator class and values. The only place that knows by which
// functions a class is told from another, and what a datum holds.

#pragma once

#include <span>

#include "core/metric.h"
#include "pg/index_am.h"
#include "types/vector.h"

namespace vext::hnsw {

/// The metric of an index, by the support functions of its operator class: the distance (1) and,
/// where vectors are compared by direction, the norm (2). Raises 0A000 for others.
core::Metric metric_of(Relation index);

/// A value of the indexed column, or one that is searched for, as numbers. As types::VectorArgument
/// where copies are concerned: the numbers live as long as this, and the current context.
class IndexedValue {
   public:
    explicit IndexedValue(Datum datum) : vector_(datum) {}
    IndexedValue(const IndexedValue&) = delete;

    std::span<const float>
    numbers() const {
        return vector_.values();
    }
    /// Gives back the memory of a toasted value; `datum` is the one this was made of.
    void
    free_copy(Datum datum) {
        vector_.free_copy(datum);
    }

   private:
    types::VectorArgument vector_;
};

}  // namespace vext::hnsw
