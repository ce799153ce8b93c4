// Vacuum: removing rows, repairing links, freeing slots (README.md, "Insert beside vacuum").

#pragma once

#include "hnsw/index.h"
#include "pg/index_am.h"

namespace vext::hnsw {

/// Has the metapage say that a clean-up is due. Called before a row is taken away.
void announce_clean_up(Index& index);

// Callbacks of the access method.
IndexBulkDeleteResult* delete_rows(IndexVacuumInfo* info, IndexBulkDeleteResult* stats,
                                   IndexBulkDeleteCallback callback, void* callback_state);
IndexBulkDeleteResult* clean_up(IndexVacuumInfo* info, IndexBulkDeleteResult* stats);

}  // namespace vext::hnsw
