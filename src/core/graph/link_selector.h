// Choosing links among candidates that are known by their codes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/array.h"
#include "core/codec/codec.h"
#include "core/graph/candidate.h"
#include "core/graph/select.h"

namespace vext::core {

/// Holds the memory for selections among up to `n_most_candidates`.
class LinkSelector {
   public:
    LinkSelector(Arena& arena, const Codec& codec, std::size_t n_most_candidates);

    /// What the constructor takes from the arena.
    static std::size_t bytes_needed(const Codec& codec, std::size_t n_most_candidates);

    /// select_links (core/graph/select.h) with distances from `codes`, which stand beside
    /// `candidates`. Returns the positions chosen, valid until the next call; the first `n_diverse`
    /// are the diverse ones.
    std::span<const std::uint32_t> select(std::span<const Candidate> candidates,
                                          std::span<const CodeRef> codes, std::size_t n_most,
                                          float margin, std::size_t& n_diverse);

   private:
    const Codec* codec_;
    Query query_;
    SelectMemory memory_;
};

static_assert(std::is_trivially_destructible_v<LinkSelector>);

}  // namespace vext::core
