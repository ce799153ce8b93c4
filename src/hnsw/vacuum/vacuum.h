// Vacuum: removing rows, repairing links, freeing slots (../README.md, "Insert beside vacuum").

#pragma once

#include "hnsw/pages/index.h"
#include "pg/index_am.h"

namespace vext::hnsw {

// Callbacks of the access method.
IndexBulkDeleteResult* delete_rows(IndexVacuumInfo* info, IndexBulkDeleteResult* stats,
                                   IndexBulkDeleteCallback callback, void* callback_state);
IndexBulkDeleteResult* clean_up(IndexVacuumInfo* info, IndexBulkDeleteResult* stats);

}  // namespace vext::hnsw
