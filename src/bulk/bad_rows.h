// The queries for bad rows of a plan.

#pragma once

#include "bulk/pieces.h"
#include "bulk/statements.h"
#include "core/array.h"

namespace vext::bulk {

/// Rows that are bad by themselves: by their values, NULL, constraints.
void add_queries_before_order(const Pieces& pieces, core::Array<BadRowQuery>& queries);

/// Rows that are bad beside others: of the source, or of the target.
void add_queries_after_order(const Pieces& pieces, core::Array<BadRowQuery>& queries);

}  // namespace vext::bulk
