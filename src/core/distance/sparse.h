// Distances between sparse vectors, by merging their sorted indices, or with one of them written
// out in a table.
//
// Sums are float64 and rounded to float32 once: so the result does not depend on the order of the
// sum, but for very rare last bits, and beyond float32 it is infinity, as for other vectors.
// Requires: as many dimensions on both sides.

#pragma once

#include <cstddef>

#include "core/distance/kernels.h"
#include "core/sparse.h"

namespace vext::core {

float sparse_l2_squared(const SparseView& a, const SparseView& b);
float sparse_inner_product(const SparseView& a, const SparseView& b);
float sparse_l1(const SparseView& a, const SparseView& b);
CosineParts sparse_cosine_parts(const SparseView& a, const SparseView& b);

/// A vector written out in a table, for comparing it with many. The table belongs to the caller.
struct SpreadVector {
    SparseView vector;
    const float* table;  ///< vector.n_dims numbers
    double squared_norm;
    double l1_norm;
};

/// Writes the entries to their places. Requires: a table of n_dims zeros, indices within it.
SpreadVector spread(const SparseView& vector, float* table);

/// Makes the table zeros again.
void unspread(const SparseView& vector, float* table);

// The same distances. Nothing is read beyond the table, whatever the indices of `a`.
float sparse_l2_squared(const SparseView& a, const SpreadVector& b);
float sparse_inner_product(const SparseView& a, const SpreadVector& b);
float sparse_l1(const SparseView& a, const SpreadVector& b);
CosineParts sparse_cosine_parts(const SparseView& a, const SpreadVector& b);

}  // namespace vext::core
