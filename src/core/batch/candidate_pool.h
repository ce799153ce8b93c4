// The candidates for one rank's links, in order and each once.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/batch/ids.h"
#include "core/batch/near_key.h"

namespace vext::core {

class CandidatePool {
   public:
    CandidatePool(Arena& arena, std::size_t max_size);

    static std::size_t bytes_needed(std::size_t max_size);

    void
    clear() {
        n_ = 0;
    }
    /// Requires: fewer than max_size since clear(); the same rank comes at the same distance.
    void
    add(const Near<Rank>& candidate) {
        keys_[n_++] = key_of(candidate);
    }

    /// Ascending by distance, then rank; valid until the next add().
    std::span<const Near<Rank>> settle();

   private:
    std::span<std::int64_t> keys_;
    std::span<std::int64_t> sorted_;
    std::span<Near<Rank>> settled_;
    std::size_t n_ = 0;
};

static_assert(std::is_trivially_destructible_v<CandidatePool>);

}  // namespace vext::core
