// The centroid of an index, from a sample of its table.

#pragma once

#include <cstddef>
#include <span>

#include "hnsw/layout.h"
#include "pg/index_am.h"

namespace vext::hnsw {

/// The mean of vectors as the codec sees them.
class CentroidSum {
   public:
    /// Memory from the current context.
    CentroidSum(core::Metric metric, std::size_t n_dims);

    /// Adds a vector of the index's dimensions; one without a direction (cosine) does not count.
    void add(std::span<const float> vector);

    /// n_dims floats in the current context; null where there are too few vectors to tell, fewer
    /// than about 1,000, or the mean is not finite.
    float* mean() const;

   private:
    core::Metric metric_;
    std::span<double> sums_;
    std::size_t n_vectors_ = 0;
};

/// Whether codes of this kind are centred.
inline bool
has_centroid(core::CodecKind codec) {
    return codec == core::CodecKind::kScalar4 || codec == core::CodecKind::kScalar8;
}

/// The mean of a sample of the table's vectors (n_dims floats, in the current context), or null
/// where the codec needs none or the table has fewer than about 1,000 rows.
float* sample_centroid(Relation heap, Relation index, IndexInfo* info, const MetaPage& meta);

}  // namespace vext::hnsw
