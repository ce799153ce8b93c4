// The centroid of an index, from which its codes are measured: the mean of a sample of its table,
// or of what comes first. It is never changed while the index has rows.

#pragma once

#include <cstddef>
#include <span>

#include "hnsw/pages/index.h"
#include "pg/index_am.h"

namespace vext::hnsw {

/// The mean of vectors as the codec sees them.
class CentroidSum {
   public:
    /// Memory from the current context.
    CentroidSum(core::Metric metric, std::size_t n_dims);

    /// Adds a vector of the index's dimensions; one without a direction (cosine) does not count.
    void add(std::span<const float> vector);

    bool
    is_empty() const {
        return n_vectors_ == 0;
    }

    /// n_dims floats in the current context; null where there is no vector, or the mean is too far
    /// from the origin to measure from.
    float* mean() const;

   private:
    core::Metric metric_;
    std::span<double> sums_;
    std::size_t n_vectors_ = 0;
};

/// What a sample tells of a table's vectors.
struct TableSample {
    const float* centroid;  ///< n_dims floats; null without rows, or where the codec needs none
    bool is_clumped;        ///< neighbours lie too close to each other for codes of 4 bits
    std::size_t n_entries;  ///< of sparse vectors: that nearly all have no more; 0 without rows
};

/// Samples the table; memory from the current context.
TableSample sample_table(Relation heap, Relation index, IndexInfo* info, const MetaPage& meta);

/// Whether this is an index without any row that still has to get its centroid, as the metapage was
/// last read.
bool lacks_centroid(const Index& index);

/// Gives an index that lacks it its centroid, if there is a mean. Whoever has it open finds its
/// codec stale then (Index::has_stale_codec), the caller too. Takes and releases the drain lock.
void give_centroid(Index& index, const CentroidSum& first_rows);

}  // namespace vext::hnsw
