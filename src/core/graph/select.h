// Which candidates become links: the neighbour-selection heuristic of HNSW (algorithm 4 of Malkov
// and Yashunin), and which link gives way to a new one.

#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "core/metric.h"

namespace vext::core {

/// How a link came to be one. The numbers are part of the on-disk format.
enum class LinkKind : std::uint8_t {
    kDiverse = 0,  ///< nearer to the base than to any other diverse link
    kFiller = 1,   ///< there was room
    kAnchor = 2,   ///< kept for as long as both nodes live: the way to the other node
    kParent = 3,   ///< kept likewise: the way back to the node that anchors the list's owner
};

/// Whether a link is kept for as long as both of its nodes live.
constexpr bool
is_kept(LinkKind kind) {
    return kind == LinkKind::kAnchor || kind == LinkKind::kParent;
}

/// Of a list with so many places on layer 0, those that are for anchors while other lists have a
/// place for one. By inner product the longest nodes are the nearest to all others, and searches
/// pay for each way that such a node keeps; the measurement is in docs/decisions.md.
constexpr std::size_t
n_most_anchors(Metric metric, std::size_t capacity) {
    if (metric != Metric::kInnerProduct)
        return capacity / 2;
    return capacity / 8 < 2 ? 2 : capacity / 8;
}

/// The memory of select_links().
struct SelectMemory {
    SelectMemory(Arena& arena, std::size_t n_most_candidates)
        : chosen(arena, n_most_candidates),
          open(arena, n_most_candidates),
          distances(arena.allocate<float>(n_most_candidates)),
          limits(arena.allocate<float>(n_most_candidates)) {}

    Array<std::uint32_t> chosen;
    Array<std::uint32_t> open;  ///< may yet become diverse
    std::span<float> distances;
    std::span<float> limits;  ///< beside the candidates
};

/// By how much nearer to a link than to the base a node must lie to be occluded, as a share of its
/// distance to the base. On layer 0 by more than the noise of sums in float32: so nodes that are
/// equal to the base do not hide what lies elsewhere, and each of a group of equals has ways out of
/// it. Above, where a search follows one or two nodes at a time, so that a link that is missing
/// leads it astray, by more (as alpha in Subramanya et al., "DiskANN: Fast Accurate Billion-point
/// Nearest Neighbor Search on a Single Node"); the measurement is in docs/decisions.md.
constexpr float
occlusion_margin(int layer) {
    return layer == 0 ? 1e-4F : 1.0F / 3;
}

/// What is nearer than this to a candidate at `to_base` occludes it. `farthest` is the distance of
/// the farthest candidate: what is tiny beside it is zero, and such nodes hide each other.
inline float
occlusion_limit(float to_base, float farthest, float margin) {
    constexpr float kZero = 1e-6F;
    const float zero = kZero * std::abs(farthest);
    return std::abs(to_base) <= zero ? zero : to_base - margin * std::abs(to_base);
}

/// Chooses up to `n_most` of `candidates` (live, in order of their distance to the base): first
/// those that no chosen one occludes by the `margin`, then the nearest of the rest.
/// `measure(chosen, others, distances)` writes the distances of the chosen one to each of the
/// others, all by position and the others behind the chosen one. `memory.chosen` gets positions,
/// the diverse ones first, each part in order. Returns the number of diverse ones.
template <std::invocable<std::uint32_t, std::span<const std::uint32_t>, float*> Measure>
std::size_t
select_links(std::span<const Candidate> candidates, std::size_t n_most, float margin,
             Measure&& measure, SelectMemory& memory) {
    Array<std::uint32_t>& chosen = memory.chosen;
    Array<std::uint32_t>& open = memory.open;
    chosen.clear();
    open.clear();
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
        open.push_back(i);
        memory.limits[i] =
            occlusion_limit(candidates[i].distance, candidates.back().distance, margin);
    }
    while (!open.is_empty() && chosen.size() < n_most) {
        const std::uint32_t nearest = open[0];
        chosen.push_back(nearest);
        if (chosen.size() == n_most)
            break;
        const std::span<std::uint32_t> others = open.span().subspan(1);
        measure(nearest, others, memory.distances.data());
        std::size_t n_open = 0;
        for (std::size_t i = 0; i < others.size(); ++i) {
            const std::uint32_t other = others[i];
            open[n_open] = other;
            n_open += memory.distances[i] < memory.limits[other] ? 0 : 1;
        }
        open.truncate(n_open);
    }
    const std::size_t n_diverse = chosen.size();
    std::size_t n_passed = 0;
    for (std::uint32_t i = 0; i < candidates.size() && chosen.size() < n_most; ++i) {
        if (n_passed < n_diverse && chosen[n_passed] == i)
            ++n_passed;
        else
            chosen.push_back(i);
    }
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
/// were selected anew by the `margin`: the new node is diverse unless a nearer diverse link
/// occludes it; then it turns the farther diverse links that it occludes into fillers (in `links`).
/// The farthest filler gives way, or, without one, the farthest diverse link; that may be the new
/// node itself. Only the new node is compared with the old ones: a filler is never made diverse
/// again.
Replacement replace_link(std::span<RatedLink> links, float new_to_base, float margin);

/// As replace_link for a link that will be kept: it gets a place if the list has one to give.
Replacement replace_by_anchor(std::span<RatedLink> links, float new_to_base, float margin);

/// The kind of a new link in a list with room; turns links into fillers as replace_link does.
LinkKind rate_link(std::span<RatedLink> links, float new_to_base, float margin);

}  // namespace vext::core
