// What vacuum does once the rows are removed: mark nodes without rows dead, mend the graph, free
// slots.

#pragma once

#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// Cleans the index up; `index` was just opened. Memory from the current context: about a byte a
/// node.
void clean_up_graph(Index& index);

}  // namespace vext::hnsw
