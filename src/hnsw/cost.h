// What the planner is told.

#pragma once

#include "pg/index_am.h"

namespace vext::hnsw {

// Callback of the access method.
void estimate_cost(PlannerInfo* root, IndexPath* path, double loop_count, Cost* startup,
                   Cost* total, Selectivity* selectivity, double* correlation, double* n_pages);

}  // namespace vext::hnsw
