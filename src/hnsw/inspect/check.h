// Checking an index: what no sequence of writes and crashes may leave behind (../README.md,
// "Invariants").

#pragma once

#include "core/array.h"
#include "hnsw/pages/index.h"
#include "pg/index_am.h"

namespace vext::hnsw {

enum class Severity : std::uint8_t {
    kDamage,   ///< rows can be lost or wrong: REINDEX
    kQuality,  ///< rows are there, but a search may not find them
};

struct Finding {
    std::uint32_t block;
    NodeId node;  ///< kNoNode: the finding is about the page
    const char* problem;
    Severity severity;
};

/// Appends what is wrong with the index, at most kMostFindings. With `deep` also compares it with
/// the visible rows of its table. Beside writers it judges only what is stable.
void check_index(Relation index, bool deep, core::Array<Finding>& findings);

inline constexpr std::size_t kMostFindings = 1000;

}  // namespace vext::hnsw
