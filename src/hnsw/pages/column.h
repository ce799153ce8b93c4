// The dimensions of an indexed column, without which there is no index on it.

#pragma once

#include "pg/index_am.h"

namespace vext::hnsw {

/// What the type of the indexed column says, also one made of it, or of the expression. Raises
/// 22023 where it says nothing.
int column_dims(Relation index);

/// Has it refused that a column loses its dimensions below an index, which could not be made anew.
void install_column_guard();

}  // namespace vext::hnsw
