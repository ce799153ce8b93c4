// The dimensions of an indexed column, without which there is no index on it.

#pragma once

#include <cstddef>

#include "pg/index_am.h"

namespace vext::hnsw {

/// What the type of the indexed column says, also one made of it, or of the expression. Raises
/// 22023 where it says nothing, and 0A000 for varbit, whose values are of any length.
int column_dims(Relation index);

/// Raises 22000 where a value of the column has other dimensions than the column says.
void check_column_dims(Relation index, std::size_t n_dims);

/// Has it refused that a column loses its dimensions below an index, which could not be made anew.
void install_column_guard();

}  // namespace vext::hnsw
