// A sample of a table's rows, for what a new index has to know of them beforehand.

#pragma once

#include <cstddef>

#include "hnsw/opclass.h"
#include "pg/index_am.h"

namespace vext::hnsw {

/// What is done with a value; false where it says nothing. In memory that is then reset.
using TakeValue = bool (*)(void* state, const IndexedValue& value);

/// Calls `take` for rows of a few thousand blocks at most; returns how many said something. Where
/// those say nothing it looks at all.
std::size_t sample_rows(Relation heap, Relation index, IndexInfo* info, TakeValue take,
                        void* state);

}  // namespace vext::hnsw
