// Search of a layered proximity graph: greedy descent, then best-first with a beam (algorithms 2
// and 5 of Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using
// Hierarchical Navigable Small World graphs"; one sorted beam holds both their candidates and
// results).
//
// Written once over the concept `Graph`; the models are the graph on pages and the graph in memory.

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "core/visited.h"

namespace vext::core {

/// `links` appends the ids a node links to on a layer (nothing for a node that is gone). `measure`
/// turns ids into candidates at their distance to the query, leaving out nodes that are gone.
template <typename G>
concept Graph = requires(G graph, NodeId id, int layer, Array<NodeId>& ids,
                         Array<Candidate>& found) {
    { graph.links(id, layer, ids) } -> std::same_as<void>;
    { graph.measure(ids.span(), found) } -> std::same_as<void>;
};

/// Which live candidates a search keeps beside its beam.
enum class Discarded : std::uint8_t {
    kNone,
    kSpares,  ///< those that would be in the beam if their distance were less by its error
    kAll,
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
    CandidateHeap discarded;  ///< what the beam dropped or refused, as far as `keeps` says
    Array<NodeId> ids;
    Array<Candidate> found;
    Discarded keeps = Discarded::kNone;
};

/// Makes memory.found the nodes that `id` links to on `layer` and that were not visited.
template <Graph G>
void
find_new_links(G& graph, NodeId id, int layer, SearchMemory& memory) {
    memory.ids.clear();
    graph.links(id, layer, memory.ids);
    std::size_t n_new = 0;
    for (const NodeId linked : memory.ids.span())
        if (memory.visited.add(linked))
            memory.ids[n_new++] = linked;
    memory.ids.truncate(n_new);
    memory.found.clear();
    graph.measure(memory.ids.span(), memory.found);
}

/// Expands the beam until every candidate in it is expanded. The visited set is not cleared.
template <Graph G>
void
expand_beam(G& graph, int layer, SearchMemory& memory) {
    const auto discard = [&memory](const Candidate& candidate) {
        if (memory.keeps == Discarded::kNone || candidate.is_dead)
            return;
        if (memory.keeps == Discarded::kAll ||
            memory.beam.would_keep(candidate.distance - candidate.error))
            memory.discarded.push(candidate);
    };
    while (const Candidate* next = memory.beam.expand_next()) {
        find_new_links(graph, next->id, layer, memory);
        for (const Candidate& candidate : memory.found.span()) {
            if (memory.beam.would_keep(candidate.distance))
                memory.beam.insert(candidate, discard);
            else
                discard(candidate);
        }
    }
}

/// Searches `layer` from `entries`; the beam then holds the `ef` nearest live candidates found.
template <Graph G>
void
search_layer(G& graph, int layer, std::size_t ef, std::span<const Candidate> entries,
             SearchMemory& memory) {
    memory.visited.clear();
    memory.beam.reset(ef);
    for (Candidate entry : entries) {
        entry.is_expanded = false;
        if (memory.visited.add(entry.id) && memory.beam.would_keep(entry.distance))
            memory.beam.insert(entry, [](const Candidate&) {});
    }
    expand_beam(graph, layer, memory);
}

/// Walks to ever nearer nodes of the layers `top` down to `bottom`, on each until none is nearer.
/// No node is measured twice: one that was not nearer before is not nearer now.
template <Graph G>
Candidate
descend(G& graph, int top, int bottom, Candidate nearest, SearchMemory& memory) {
    memory.visited.clear();
    memory.visited.add(nearest.id);
    for (int layer = top; layer >= bottom;) {
        find_new_links(graph, nearest.id, layer, memory);
        const Candidate here = nearest;
        for (const Candidate& candidate : memory.found.span())
            if (candidate.distance < nearest.distance)
                nearest = candidate;
        if (nearest.id == here.id)
            --layer;
    }
    return nearest;
}

}  // namespace vext::core
