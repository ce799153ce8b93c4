// What the planner is told.

#pragma once

#include "pg/index_am.h"

namespace vext::hnsw {

/// Whether scans of the path give what it promises; the others are taken away (plan_hooks.cpp).
bool is_usable(const IndexPath* path);

/// Whether the index is of this access method.
bool is_hnsw_index(const IndexOptInfo* index);

// Callback of the access method.
void estimate_cost(PlannerInfo* root, IndexPath* path, double loop_count, Cost* startup,
                   Cost* total, Selectivity* selectivity, double* correlation, double* n_pages);

}  // namespace vext::hnsw
