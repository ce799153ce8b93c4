// What vector_load_progress shows of rows that wait to come into an index.

#pragma once

#include "pg/index_am.h"

namespace vext::hnsw {

/// The access method's callback for a new row: insert_row, counted.
bool insert_counted_row(Relation index, Datum* values, bool* is_null, ItemPointer pointer,
                        Relation heap, IndexUniqueCheck check_unique, bool is_unchanged,
                        IndexInfo* info);

/// Has COMMIT shown as long as it brings rows in. Requires: install_flush_points was called, whose
/// callback does that after this one's.
void install_load_progress();

}  // namespace vext::hnsw
