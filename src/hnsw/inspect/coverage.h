// Which rows of its table an index holds, and which it does not.

#pragma once

#include <cstdint>

#include "pg/index_am.h"

namespace vext::hnsw {

struct Coverage {
    std::int64_t n_table_rows;  ///< of the table, visible now; the next five are all of them
    std::int64_t n_indexed;
    std::int64_t n_nulls;
    std::int64_t n_zeros;    ///< vectors without a direction, where the metric asks for one
    std::int64_t n_outside;  ///< that a predicate leaves out
    std::int64_t n_missing;  ///< that should be in the index
    std::int64_t n_entries;  ///< of the index: rows of any version
    std::int64_t n_dead;     ///< of them, those that no snapshot sees, which vacuum takes out
};

/// Reads all of the index and of its table. Evaluates the index's expression as the table's owner.
Coverage measure_coverage(Relation index);

}  // namespace vext::hnsw
