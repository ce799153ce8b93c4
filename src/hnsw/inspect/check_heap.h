// Comparing an index with the rows of its table.

#pragma once

#include <cstdint>
#include <span>

#include "hnsw/inspect/check.h"

namespace vext::hnsw {

/// A heap TID and the record it was found in.
struct Row {
    Tid tid;
    NodeId record;  ///< a node or a tids record
};

/// Whether the record still holds the row: vacuum may have taken it out, and its place in the table
/// may be another row's now.
bool holds_row(Index& index, const Row& row);

/// Reports rows visible to `snapshot` that the index lacks, nodes whose code is not of their row's
/// vector, and rows of the index that the table lacks. `rows` are all rows of the index, in order,
/// read after the snapshot was taken.
void check_heap(Index& index, Relation heap, Snapshot snapshot, std::span<const Row> rows,
                core::Array<Finding>& findings);

}  // namespace vext::hnsw
