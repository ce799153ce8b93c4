// See merge.h: the searches of a batch, for neighbours of its points before they come in, and
// for the nodes that they have become.

#include <algorithm>

#include "hnsw/batch/merge.h"
#include "hnsw/graph/repair.h"
#include "hnsw/pages/chain.h"
#include "hnsw/pages/link_list.h"

namespace vext::hnsw {

// The neighbours that a search found of a point of a layer.
std::span<NodeId>
BatchMerger::found_near(core::Rank rank, int layer) {
    return layer == 0 ? found_->bottom[point_of(rank)]
                      : found_->above[static_cast<std::size_t>(layer - 1)][rank];
}

NodeId
BatchMerger::find_entry(core::Point point) {
    aim_at(point);
    return search_.find_entry();
}

// Nodes with near ids lie close in space and on few pages: searches that enter there one after
// another read what is in the cache.
void
BatchMerger::order_by(const core::IdSpan<core::Point, const NodeId>& entries,
                      std::span<core::Point> points) {
    std::sort(points.begin(), points.end(), [&](core::Point a, core::Point b) {
        return entries[a] < entries[b] || (entries[a] == entries[b] && a < b);
    });
}

// Finds the point's neighbours in the graph, or a node with an equal vector.
void
BatchMerger::search(core::Point point) {
    find_neighbours(point, 0, found_->bottom[point]);
    found_->covers[point][0] = search_.cover();
    join_equal(point);
}

// How the graph covers the layer near a point of it. Above layer 0, where points are known to be as
// the batch's layers are built, finds the point's neighbours too.
core::Cover
BatchMerger::find_cover(int layer, core::Rank rank) {
    const core::Point point = ranked_[rank];
    if (layer == 0)
        return found_->covers[point][0];
    find_neighbours(point, layer, found_->above.back()[rank]);
    return search_.cover();
}

void
BatchMerger::find_neighbours(core::Point point, int layer, std::span<NodeId> places) {
    aim_at(point);
    for (const bool passes_unlinked : {false, true}) {
        pages_.pass_unlinked(passes_unlinked);
        std::ranges::fill(places, kNoNode);
        selector_.gather({}, kNoNode);
        MetaPage seen;
        search_.find({layer, layer}, seen, [&](int, std::span<const core::Candidate> candidates) {
            std::ranges::fill(places, kNoNode);
            selector_.gather(candidates, kNoNode);
            chosen_.clear();
            selector_.select(layer, index_->geometry.max_links(layer), chosen_);
            for (std::size_t i = 0; i < chosen_.size(); ++i)
                places[i] = chosen_[i].node.id;
        });
        if (!selector_.are_mostly_unlinked())
            break;
    }
}

// Adds the point's rows to a node with an equal vector. What cannot join, because the node dies at
// that moment, stays with the point.
void
BatchMerger::join_equal(core::Point point) {
    PointRow& row = store_->row(point);
    core::Candidate equal;
    if (!selector_.find_equal(store_->content(point), equal))
        return;
    while (row.next_equal != core::kNoPoint) {
        PointRow& further = store_->row(row.next_equal);
        if (!join_node(*index_, equal.id, equal.version, further.tid))
            return;
        note(row.next_equal, kJoinedNode);
        row.next_equal = further.next_equal;
    }
    if (!join_node(*index_, equal.id, equal.version, row.tid))
        return;
    note(point, kJoinedNode);
    row.is_folded = 1;
}

std::size_t
BatchMerger::drop_joined(std::span<core::Point> points) {
    const auto end = std::remove_if(points.begin(), points.end(), [&](core::Point point) {
        return store_->row(point).is_folded != 0;
    });
    return static_cast<std::size_t>(end - points.begin());
}

// Searches for a sample of a stretch of the leaf order. Where one does not find its node, the place
// where it ended gets a link there that is kept: groups far from all others are found by it. Where
// one node was lost, others may be: then all of the stretch are looked for.
void
BatchMerger::find_sample(std::size_t first, std::size_t n) {
    const std::size_t step = std::clamp<std::size_t>(n_nodes() / kFewFinds, 1, kPointsPerFind);
    bool is_any_lost = false;
    for (std::size_t i = first; i < first + n; i += step)
        is_any_lost |= is_lost(graph_.order[i]);
    for (std::size_t i = first; is_any_lost && step > 1 && i < first + n; ++i)
        is_lost(graph_.order[i]);
}

// Searches for the nodes that lists gave up for the batch.
void
BatchMerger::find_cut_off() {
    if (cut_off_.is_empty())
        return;
    const core::Bitmap nobody(arena_, 0);
    Repairer repairer(*index_, nobody);
    for (const core::Candidate& node : cut_off_.span())
        repairer.make_found(node.id);
}

// Sees to it that the node is found; whether a search for it ended where nothing is that it links
// to.
bool
BatchMerger::is_lost(core::Rank rank) {
    CHECK_FOR_INTERRUPTS();
    const NodeId id = ids_[rank];
    const core::Point point = point_of(rank);
    aim_at(point);
    const core::Sought sought = {
        id, index_->codec->distance(query_, store_->header(point), store_->code(point))};
    const std::span<const core::Candidate> found = search_.find_nearest({kFoundEf, &sought});
    if (core::has_found(found, sought))
        return false;
    bool is_near = false;
    for_each_link(*index_, id, 0, std::nullopt, [&](NodeId linked) {
        is_near |= std::any_of(
            found.begin(), found.end(),
            [linked](const core::Candidate& candidate) { return candidate.id == linked; });
    });
    linker_.bridge(id, found);
    return !is_near;
}

}  // namespace vext::hnsw
