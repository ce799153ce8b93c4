// What an index would take, before it is made: by the arithmetic that building and writing use.

#pragma once

#include <cstdint>

#include "hnsw/pages/create.h"

namespace vext::hnsw {

struct Estimate {
    std::uint64_t
        build_memory;      ///< maintenance_work_mem that takes all rows, or the most, as one batch
    double build_seconds;  ///< given that memory, by the rates of estimate.cpp
    const char* build_time;   ///< of that "seconds", "minutes", "hours" or "days"
    std::uint64_t hot_bytes;  ///< metapage and centroid included
    std::uint64_t cold_bytes;
};

/// For `n_rows` different vectors, built by `n_members` processes. Raises what CREATE INDEX would
/// raise of the definition; a wrong number (22023), too many rows for an index (54000).
Estimate estimate_index(std::int64_t n_rows, const Definition& definition, int n_members);

}  // namespace vext::hnsw
