// Building an index from the rows of its table.

#pragma once

#include "pg/index_am.h"

namespace vext::hnsw {

// Callbacks of the access method.
IndexBuildResult* build_index(Relation heap, Relation index, IndexInfo* info);
void build_empty(Relation index);

}  // namespace vext::hnsw
