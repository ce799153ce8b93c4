// The access method's callback for one new row of the table.

#pragma once

#include "pg/index_am.h"

namespace vext::hnsw {

bool insert_row(Relation index, Datum* values, bool* is_null, ItemPointer pointer, Relation heap,
                IndexUniqueCheck check_unique, bool is_unchanged, IndexInfo* info);

}  // namespace vext::hnsw
