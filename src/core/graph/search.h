// Search of a layered proximity graph: greedy descent, then best-first with a beam (algorithms 2
// and 5 of Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using
// Hierarchical Navigable Small World graphs"; one sorted beam holds both their candidates and
// results).
//
// Written once over the concept `Graph`; the models are the graph on pages and the graph in memory.

#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "core/visited.h"

namespace vext::core {

/// `links` appends the ids a node links to on a layer, nothing where the node that was measured is
/// gone. `measure` turns ids into candidates at their distance to the query, leaving out nodes that
/// are gone.
template <typename G>
concept Graph = requires(G graph, const Candidate& node, int layer, Array<NodeId>& ids,
                         Array<Candidate>& found) {
    { graph.links(node, layer, ids) } -> std::same_as<void>;
    { graph.measure(ids.span(), found) } -> std::same_as<void>;
};

/// Which candidates a search keeps beside its beam.
enum class Discarded : std::uint8_t {
    kNone,
    kSpares,  ///< live ones that would be in the beam if their distance were less by its error
    kAll,     ///< all, dead ones too
};

/// What one search needs besides the graph; allocated once, reset for each search.
struct SearchMemory {
    SearchMemory(Arena& arena, std::size_t ef)
        : visited(arena, 32 * ef),
          beam(arena, ef),
          discarded(arena),
          ids(arena, 256),
          found(arena, 256) {}

    VisitedSet visited;
    Beam beam;
    Array<Candidate> discarded;  ///< what the beam dropped or refused, as far as `keeps` says
    Array<NodeId> ids;
    Array<Candidate> found;
    Discarded keeps = Discarded::kNone;
};

/// Makes memory.found the nodes that `node` links to on `layer` and that were not visited; how many
/// it links to.
template <Graph G>
std::size_t
find_new_links(G& graph, const Candidate& node, int layer, SearchMemory& memory) {
    memory.ids.clear();
    graph.links(node, layer, memory.ids);
    const std::size_t n_links = memory.ids.size();
    std::size_t n_new = 0;
    for (const NodeId linked : memory.ids.span())
        if (memory.visited.add(linked))
            memory.ids[n_new++] = linked;
    memory.ids.truncate(n_new);
    memory.found.clear();
    graph.measure(memory.ids.span(), memory.found);
    return n_links;
}

/// Puts a candidate into the beam or, as far as `memory.keeps` says, among the discarded; likewise
/// what falls out of the beam for it.
inline void
add_to_beam(const Candidate& candidate, SearchMemory& memory) {
    const auto discard = [&memory](const Candidate& refused) {
        // A dead one may be the only way to what lies behind it.
        if (memory.keeps == Discarded::kAll ||
            (memory.keeps == Discarded::kSpares && !refused.is_dead &&
             memory.beam.would_keep(refused.distance - refused.error)))
            memory.discarded.push_back(refused);
    };
    if (memory.beam.would_keep(candidate.distance))
        memory.beam.insert(candidate, discard);
    else
        discard(candidate);
}

/// Expands the beam until every candidate in it is expanded or, where only that is asked, it has
/// found the node `sought`: going on would lose none of what has_found() counts. The visited set is
/// not cleared.
template <Graph G>
void
expand_beam(G& graph, int layer, SearchMemory& memory, const Sought* sought = nullptr) {
    while (sought == nullptr || !has_found(memory.beam.entries(), *sought)) {
        const Candidate* next = memory.beam.expand_next();
        if (next == nullptr)
            return;
        find_new_links(graph, *next, layer, memory);
        for (const Candidate& candidate : memory.found.span())
            add_to_beam(candidate, memory);
    }
}

/// What a search is for: the `ef` nearest live candidates; or one node, when it may end with what
/// had been found by then.
struct Wanted {
    std::size_t ef;
    const Sought* sought = nullptr;
};

/// Searches `layer` from `entries`; the beam then holds what is wanted, as far as it was found.
template <Graph G>
void
search_layer(G& graph, int layer, const Wanted& wanted, std::span<const Candidate> entries,
             SearchMemory& memory) {
    memory.visited.clear();
    memory.beam.reset(wanted.ef);
    for (Candidate entry : entries) {
        entry.is_expanded = false;
        if (memory.visited.add(entry.id))
            add_to_beam(entry, memory);
    }
    expand_beam(graph, layer, memory, wanted.sought);
}

/// Where a search enters a layer: the nearest nodes met on the layers above, nearest first.
class Entries {
   public:
    explicit Entries(const Candidate& node) { nodes_[n_++] = node; }

    std::span<const Candidate>
    span() const {
        return {nodes_, n_};
    }
    const Candidate&
    nearest() const {
        return nodes_[0];
    }

    void
    add(const Candidate& node) {
        if (n_ == kMost && !is_nearer(node, nodes_[kMost - 1]))
            return;
        std::size_t i = n_ < kMost ? n_++ : kMost - 1;
        for (; i > 0 && is_nearer(node, nodes_[i - 1]); --i)
            nodes_[i] = nodes_[i - 1];
        nodes_[i] = node;
    }

    void
    begin_layer() {
        for (Candidate& node : std::span<Candidate>(nodes_, n_))
            node.is_expanded = false;
    }

    /// One of the nearest `n` that was not expanded on this layer, now marked so; null when there
    /// is none.
    const Candidate*
    expand_next(std::size_t n) {
        for (Candidate& node : std::span<Candidate>(nodes_, std::min(n_, n)))
            if (!node.is_expanded) {
                node.is_expanded = true;
                return &node;
            }
        return nullptr;
    }

   private:
    static constexpr std::size_t kMost = 8;

    Candidate nodes_[kMost];
    std::size_t n_ = 0;
};

/// How many of the nearest a descent follows where lists have `n_links`: two, and more where lists
/// are short. One candidate alone walks into the wrong one of groups that lie far apart, and out of
/// it only by chance; what the others cost is little (docs/decisions.md).
inline std::size_t
n_followed(std::size_t n_links) {
    constexpr std::size_t kFew = 2;
    constexpr std::size_t kLinks = 32;
    return std::max(kFew, kLinks / std::max<std::size_t>(n_links, 1));
}

/// Walks to ever nearer nodes of the layers `top` down to `bottom`, on each until none is nearer
/// than the nearest few. No node is measured twice.
template <Graph G>
Entries
descend(G& graph, int top, int bottom, const Candidate& entry, SearchMemory& memory) {
    Entries entries(entry);
    memory.visited.clear();
    memory.visited.add(entry.id);
    for (int layer = top; layer >= bottom; --layer) {
        entries.begin_layer();
        std::size_t n = 1;
        while (const Candidate* next = entries.expand_next(n)) {
            n = n_followed(find_new_links(graph, *next, layer, memory));
            for (const Candidate& candidate : memory.found.span())
                entries.add(candidate);
        }
    }
    return entries;
}

/// Walks down likewise with a beam of `ef` on each layer: finds the one of many groups that lie
/// about equally far off, for its price. `entries` is where it begins and becomes where it ends,
/// nearest first. What was discarded before is forgotten.
template <Graph G>
void
descend_widely(G& graph, int top, int bottom, std::size_t ef, Array<Candidate>& entries,
               SearchMemory& memory) {
    const Discarded keeps = std::exchange(memory.keeps, Discarded::kNone);
    for (int layer = top; layer >= bottom; --layer) {
        search_layer(graph, layer, {ef}, entries.span(), memory);
        entries.clear();
        for (const Candidate& candidate : memory.beam.entries())
            entries.push_back(candidate);
    }
    memory.keeps = keeps;
    memory.discarded.clear();
}

}  // namespace vext::core
