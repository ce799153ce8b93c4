// Which candidates become links: the neighbour-selection heuristic of HNSW (algorithm 4 of Malkov
// and Yashunin), and which link gives way to a new one.

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/graph/candidate.h"

namespace vext::core {

/// How a link came to be one. The numbers are part of the on-disk format.
enum class LinkKind : std::uint8_t {
    kDiverse = 0,  ///< nearer to the base than to any other diverse link
    kFiller = 1,   ///< there was room
    kAnchor = 2,   ///< the one link to a node that is never given up, so that it stays reachable
};

/// Chooses up to `n_most` of `candidates` (live, in order of their distance to the base): first
/// those nearer to the base than to any chosen one, then the nearest of the rest.
/// `distance_between(i, j)` is asked with i the candidate's and j the chosen one's position;
/// `chosen` gets positions, the diverse ones first, each part in order. Returns the number of
/// diverse ones.
template <std::invocable<std::size_t, std::size_t> Distance>
std::size_t
select_links(std::span<const Candidate> candidates, std::size_t n_most, Distance&& distance_between,
             Array<std::uint32_t>& chosen) {
    chosen.clear();
    const auto is_occluded = [&](std::size_t i) {
        for (const std::uint32_t j : chosen.span())
            if (distance_between(i, j) < candidates[i].distance)
                return true;
        return false;
    };
    std::uint64_t taken[16] = {};
    constexpr std::size_t kNoted = sizeof(taken) * 8;
    const std::span<const Candidate> considered =
        candidates.first(candidates.size() < kNoted ? candidates.size() : kNoted);
    for (std::size_t i = 0; i < considered.size() && chosen.size() < n_most; ++i) {
        if (!is_occluded(i)) {
            chosen.push_back(static_cast<std::uint32_t>(i));
            taken[i / 64] |= std::uint64_t{1} << (i % 64);
        }
    }
    const std::size_t n_diverse = chosen.size();
    for (std::size_t i = 0; i < considered.size() && chosen.size() < n_most; ++i)
        if ((taken[i / 64] >> (i % 64) & 1) == 0)
            chosen.push_back(static_cast<std::uint32_t>(i));
    return n_diverse;
}

/// A link of a list that a new one comes to.
struct RatedLink {
    float to_base;  ///< distance of the linked node to the owner of the list
    float to_new;   ///< distance of the linked node to the new node
    LinkKind kind;
};

/// Which link gives way to a new one, and what the new one becomes.
struct Replacement {
    static constexpr int kNobody = -1;
    int position;  ///< in the list; kNobody: the new node is not linked
    LinkKind kind;
};

/// Decides on a link to a new node at `new_to_base` from the owner of a full list, as if the list
/// were selected anew: the new node is diverse unless a nearer diverse link occludes it; then it
/// turns the farther diverse links that it occludes into fillers (in `links`). The farthest filler
/// gives way, or, without one, the farthest diverse link; that may be the new node itself. Only the
/// new node is compared with the old ones: a filler is never made diverse again.
Replacement replace_link(std::span<RatedLink> links, float new_to_base);

/// As replace_link for an anchor: it gets a place if the list has one to give.
Replacement replace_by_anchor(std::span<RatedLink> links, float new_to_base);

/// The kind of a new link in a list with room; turns links into fillers as replace_link does.
LinkKind rate_link(std::span<RatedLink> links, float new_to_base);

}  // namespace vext::core
