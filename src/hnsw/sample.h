// The centroid of an index, from a sample of its table.

#pragma once

#include "hnsw/layout.h"
#include "pg/index_am.h"

namespace vext::hnsw {

/// The mean of a sample of the table's vectors (n_dims floats, in the current context), or null
/// where the codec needs none or the table has fewer than about 1,000 rows.
float* sample_centroid(Relation heap, Relation index, IndexInfo* info, const MetaPage& meta);

}  // namespace vext::hnsw
