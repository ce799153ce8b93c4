// How well the centroid of an index fits the vectors that are in it now.

#pragma once

#include <optional>

#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// How far vectors are from the centroid that their codes are measured from, in distances between
/// two vectors (medians of a sample): some 0.7 where it is their mean. Nothing where the codec
/// needs no centroid, or the index has hardly a vector. Memory from the current context.
std::optional<double> measure_centroid_offset(Index& index);

/// Whether it is so far that codes are coarse beside the distances between vectors, so that
/// searches may miss rows, and farther than the vectors' mean, which REINDEX would take.
bool has_far_centroid(Index& index);

/// Whether live nodes lie so close to each other that codes of 4 bits are too coarse: REINDEX takes
/// finer ones.
bool has_coarse_codes(Index& index);

}  // namespace vext::hnsw
