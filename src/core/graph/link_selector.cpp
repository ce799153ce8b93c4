// See link_selector.h.

#include "core/graph/link_selector.h"

namespace vext::core {

LinkSelector::LinkSelector(Arena& arena, const Codec& codec, std::size_t n_most_candidates)
    : codec_(&codec), query_(codec.allocate_query(arena)), memory_(arena, n_most_candidates) {
}

std::size_t
LinkSelector::bytes_needed(const Codec& codec, std::size_t n_most_candidates) {
    return codec.query_bytes() + n_most_candidates * 2 * (sizeof(std::uint32_t) + sizeof(float)) +
           6 * Arena::kAlignment;
}

std::span<const std::uint32_t>
LinkSelector::select(std::span<const Candidate> candidates, std::span<const CodeRef> codes,
                     std::size_t n_most, float margin, std::size_t& n_diverse) {
    n_diverse = select_links(
        candidates, n_most, margin,
        [&](std::uint32_t chosen, std::span<const std::uint32_t> others, float* distances) {
            codec_->query_from_code(codes[chosen].header, codes[chosen].code, query_);
            codec_->distances(query_, codes, others, distances);
        },
        memory_);
    return memory_.chosen.span();
}

}  // namespace vext::core
