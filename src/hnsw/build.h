// Building an index from the rows of its table.

#pragma once

#include "pg/index_am.h"

namespace vext::hnsw {

// Callbacks of the access method.
IndexBuildResult* build_index(Relation heap, Relation index, IndexInfo* info);
void build_empty(Relation index);
bool insert_row(Relation index, Datum* values, bool* is_null, ItemPointer tid, Relation heap,
                IndexUniqueCheck check_unique, bool index_unchanged, IndexInfo* info);

}  // namespace vext::hnsw
