// Inserting many rows of one index at once.

#pragma once

#include <cstdint>
#include <span>

#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// A row that waits to be inserted, and how far that has come.
struct QueuedRow {
    const float* values;  ///< core::Codec::value_at() them
    std::uint32_t hash;   ///< core::hash_vector of them
    NodeId id;            ///< of the node written for it; kNoNode before
    Tid tid;
    bool is_done;  ///< findable, or not to be inserted at all
};

/// Makes the rows findable that are not done, and marks each as done. An error can interrupt it
/// anywhere; called again with the same rows, it goes on from there. The rows are valid for this
/// index (prepare_vector).
void insert_rows(const Index& index, std::span<QueuedRow> rows);

}  // namespace vext::hnsw
