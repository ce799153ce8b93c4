// An index scan: search, refine, return rows nearest first.

#pragma once

#include "hnsw/pages/index.h"

namespace vext::hnsw {

// Callbacks of the access method.
IndexScanDesc begin_scan(Relation index, int n_keys, int n_order_bys);
void rescan(IndexScanDesc scan, ScanKey keys, int n_keys, ScanKey order_bys, int n_order_bys);
bool get_next_row(IndexScanDesc scan, ScanDirection direction);
void end_scan(IndexScanDesc scan);

}  // namespace vext::hnsw
