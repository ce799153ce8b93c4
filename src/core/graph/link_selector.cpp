// See link_selector.h.

#include "core/graph/link_selector.h"

#include <algorithm>

namespace vext::core {

LinkSelector::LinkSelector(Arena& arena, const Codec& codec, std::size_t n_most_candidates,
                           std::size_t n_most_links)
    : codec_(&codec),
      queries_(arena.allocate<Query>(n_most_links)),
      query_of_(arena.allocate<std::int32_t>(n_most_candidates)),
      positions_(arena, n_most_links) {
    for (Query& query : queries_)
        query = codec.allocate_query(arena);
}

std::span<const std::uint32_t>
LinkSelector::select(std::span<const Candidate> candidates, std::span<const CodeRef> codes,
                     std::size_t n_most, std::size_t& n_diverse) {
    n_queries_ = 0;
    std::fill_n(query_of_.begin(), candidates.size(), -1);
    n_diverse = select_links(
        candidates, n_most,
        [&](std::size_t i, std::size_t chosen) { return distance_between(codes, i, chosen); },
        positions_);
    return positions_.span();
}

float
LinkSelector::distance_between(std::span<const CodeRef> codes, std::size_t i, std::size_t chosen) {
    if (query_of_[chosen] < 0) {
        query_of_[chosen] = static_cast<std::int32_t>(n_queries_);
        codec_->query_from_code(codes[chosen].header, codes[chosen].code, queries_[n_queries_++]);
    }
    return codec_->distance(queries_[static_cast<std::size_t>(query_of_[chosen])], codes[i].header,
                            codes[i].code);
}

}  // namespace vext::core
