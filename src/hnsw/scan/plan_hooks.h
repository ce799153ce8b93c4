// What the planner may do with an index, and what a plan expects of its scans: hooks into the
// server (../README.md, "Plans").

#pragma once

#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// Called once, when the module is loaded.
void install_plan_hooks();

/// Whether the scan with this ORDER BY key may return rows in an order that is a little wrong.
bool may_bend_order(const ScanKeyData& order_by);

}  // namespace vext::hnsw
