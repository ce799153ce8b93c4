// See merge.h: the searches of a batch, for neighbours of its points before they come in, and
// for the nodes that they have become.

#include <algorithm>
#include <numeric>

#include "hnsw/batch/merge.h"
#include "hnsw/graph/repair.h"
#include "hnsw/pages/chain.h"
#include "hnsw/pages/link_list.h"

namespace vext::hnsw {

// The neighbours that a search found of a point of a layer.
std::span<NodeId>
BatchMerger::found_near(std::uint32_t rank, int layer) {
    return layer == 0 ? found_->bottom[graph_.layers[0].members[rank]]
                      : found_->above[static_cast<std::size_t>(layer - 1)][rank];
}

NodeId
BatchMerger::find_entry(std::uint32_t point) {
    aim_at(point);
    return search_.find_entry();
}

// Nodes with near ids lie close in space and on few pages: searches that enter there one after
// another read what is in the cache.
void
BatchMerger::order_by(std::span<const NodeId> entries, std::span<std::uint32_t> order) {
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return entries[a] < entries[b] || (entries[a] == entries[b] && a < b);
    });
}

// Finds the point's neighbours in the graph, or a node with an equal vector.
void
BatchMerger::search(std::uint32_t point) {
    find_neighbours(point, 0, found_->bottom[point]);
    found_->covers[point][0] = search_.cover();
    join_equal(point);
}

// How the graph covers the layer near a point of it. Above layer 0, where points are known to be as
// the batch's layers are built, finds the point's neighbours too.
core::Cover
BatchMerger::find_cover(int layer, std::uint32_t rank) {
    const std::uint32_t point = members_[rank];
    if (layer == 0)
        return found_->covers[point][0];
    find_neighbours(point, layer, found_->above.back()[rank]);
    return search_.cover();
}

void
BatchMerger::find_neighbours(std::uint32_t point, int layer, std::span<NodeId> places) {
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
BatchMerger::join_equal(std::uint32_t point) {
    PointRow& row = store_->row(point);
    core::Candidate equal;
    if (!selector_.find_equal(store_->content(point), equal))
        return;
    while (row.next_equal != core::kNone) {
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
BatchMerger::drop_joined(std::span<std::uint32_t> members) {
    const auto end = std::remove_if(members.begin(), members.end(), [&](std::uint32_t point) {
        return store_->row(point).is_folded != 0;
    });
    return static_cast<std::size_t>(end - members.begin());
}

// Searches for a sample of a stretch of the leaf order. Where one does not find its node, the place
// where it ended gets a link there that is kept: groups far from all others are found by it. Where
// one node was lost, others may be: then all of the stretch are looked for.
void
BatchMerger::find_sample(std::size_t first, std::size_t n) {
    const std::size_t step = std::clamp<std::size_t>(n_members() / kFewFinds, 1, kPointsPerFind);
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
BatchMerger::is_lost(std::uint32_t rank) {
    CHECK_FOR_INTERRUPTS();
    const NodeId id = ids_[rank];
    const std::uint32_t point = point_of(rank);
    aim_at(point);
    const core::Sought sought = {
        id, index_->codec->distance(query_, store_->header(point), store_->code(point))};
    const std::span<const core::Candidate> found = search_.find_nearest(kFoundEf, &sought);
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
