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

/// A code, wherever it lies.
struct CodeRef {
    CodeHeader header;
    const std::uint8_t* code;
};

/// Holds the memory for selections of up to `n_most_links` links among `n_most_candidates`.
class LinkSelector {
   public:
    LinkSelector(Arena& arena, const Codec& codec, std::size_t n_most_candidates,
                 std::size_t n_most_links);

    /// select_links (core/graph/select.h) with distances from `codes`, which stand beside
    /// `candidates`. Returns the positions chosen, valid until the next call; the first `n_diverse`
    /// are the diverse ones.
    std::span<const std::uint32_t> select(std::span<const Candidate> candidates,
                                          std::span<const CodeRef> codes, std::size_t n_most,
                                          std::size_t& n_diverse);

   private:
    float distance_between(std::span<const CodeRef> codes, std::size_t i, std::size_t chosen);

    const Codec* codec_;
    std::span<Query> queries_;          // of chosen candidates, made at need
    std::span<std::int32_t> query_of_;  // beside the candidates: position in queries_, or -1
    std::size_t n_queries_ = 0;
    Array<std::uint32_t> positions_;
};

static_assert(std::is_trivially_destructible_v<LinkSelector>);

}  // namespace vext::core
