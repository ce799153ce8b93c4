// See anchors.h.

#include "core/batch/anchors.h"

namespace vext::core::internal {

namespace {

constexpr std::size_t kPauseInterval = 4096;

// Ranks asked for a place behind those that have none.
constexpr int kMostSteps = 32;

// Places that the entry point of a batch spares: it hangs on the graph that the batch joins, and
// where that has no other place for it, becomes part of a way there, and leads on.
constexpr std::size_t kSpared = 2;

}  // namespace

AnchorWalk::AnchorWalk(const LayerLinks& layer, std::size_t n, bool has_parents,
                       std::size_t n_most_given, Arena& local, void (*pause)())
    : layer_(layer),
      n_(n),
      has_parents_(has_parents),
      n_most_given_(n_most_given),
      pause_(pause),
      reached_(local, n),
      queue_(local, n),
      n_anchors_(local.allocate_zeroed<std::uint8_t>(n)),
      n_given_(local.allocate_zeroed<std::uint8_t>(n)) {
}

void
AnchorWalk::walk_from(Rank entry) {
    entry_ = entry;
    reach(entry);
    if (has_parents_)
        n_anchors_[entry] = 1;
    walk(layer_.links.width() / 2, 0);
    if (has_parents_)
        n_anchors_[entry] += kSpared - 1;
    walk(layer_.links.width(), 0);
}

void
AnchorWalk::reach(Rank rank) {
    reached_.set(rank);
    queue_.push_back(rank);
}

// From the reached ranks behind the first on, giving up to `most_anchors` anchors of each list.
void
AnchorWalk::walk(std::size_t most_anchors, std::size_t first) {
    for (std::size_t i = first; i < queue_.size(); ++i) {
        if (i % kPauseInterval == 0)
            pause_();
        const Rank rank = queue_[i];
        for (RankLink& link : layer_.of(rank)) {
            if (n_anchors_[rank] >= most_anchors)
                break;
            if (!reached_.has(link.id()))
                adopt(rank, link, link.id());
        }
    }
}

// Makes `link` of the list of `from` the anchor of `to`, which was not reached.
void
AnchorWalk::adopt(Rank from, RankLink& link, Rank to) {
    link = RankLink(to, LinkKind::kAnchor);
    ++n_anchors_[from];
    reach(to);
    if (has_parents_)
        set_parent(to, from);
}

// A rank that was just reached has no anchors: it has a place.
void
AnchorWalk::set_parent(Rank rank, Rank parent) {
    for (RankLink& link : layer_.of(rank))
        if (link.id() == parent) {
            link = RankLink(parent, LinkKind::kParent);
            return;
        }
    *find_place(rank) = RankLink(parent, LinkKind::kParent);
}

// A free place of a list, or that of its last link that may be given up: links stand diverse first,
// each kind from near to far. Null when all are kept. The entry point spares some.
RankLink*
AnchorWalk::find_place(Rank from) {
    const std::size_t n_spared = has_parents_ && from == entry_ ? kSpared : 0;
    std::uint8_t& count = layer_.counts[from][0];
    if (count + n_spared < layer_.links.width())
        return &layer_.links[from][count++];
    const std::span<RankLink> links = layer_.of(from);
    RankLink* last = nullptr;
    std::size_t n_kept = 0;
    for (RankLink& link : links) {
        if (is_kept(link.kind()))
            ++n_kept;
        else
            last = &link;
    }
    return n_kept + n_spared < layer_.links.width() ? last : nullptr;
}

bool
AnchorWalk::anchor_from_linked(Rank rank) {
    return std::ranges::any_of(layer_.of(rank),
                               [&](const RankLink& link) { return give_place(link.id(), rank); });
}

// Down the tree from the nearest reached rank, another way each time.
bool
AnchorWalk::anchor_behind_linked(Rank rank) {
    const std::span<const RankLink> linked = layer_.of(rank);
    const auto reached = std::ranges::find_if(
        linked, [this](const RankLink& link) { return reached_.has(link.id()); });
    if (reached == linked.end())
        return false;
    Rank from = reached->id();
    for (int i = 0; i < kMostSteps; ++i) {
        Rank next = from;
        std::uint32_t n_ways = 0;
        for (const RankLink& link : layer_.of(from))
            if (link.kind() == LinkKind::kAnchor && turn_++ % ++n_ways == 0)
                next = link.id();
        if (next == from)
            return false;
        from = next;
        if (give_place(from, rank))
            return true;
    }
    return false;
}

// Within n_most_given_.
bool
AnchorWalk::give_place(Rank from, Rank to) {
    if (!reached_.has(from) || n_given_[from] >= n_most_given_)
        return false;
    RankLink* place = find_place(from);
    if (place == nullptr)
        return false;
    ++n_given_[from];
    adopt(from, *place, to);
    return true;
}

bool
AnchorWalk::anchor_from_first(std::span<const Rank> from, Rank rank) {
    for (std::size_t i = 0; i < from.size(); ++i) {
        RankLink* place = reached_.has(from[i]) ? find_place(from[i]) : nullptr;
        if (place != nullptr) {
            adopt(from[i], *place, rank);
            return true;
        }
    }
    return false;
}

void
AnchorWalk::add_bridge(std::span<const Rank> from, Rank rank) {
    for (const Rank near : from) {
        if (near == rank)
            continue;
        const std::span<RankLink> links = layer_.of(near);
        const auto present = std::find_if(
            links.begin(), links.end(), [rank](const RankLink& link) { return link.id() == rank; });
        RankLink* place = present != links.end() ? &*present : find_place(near);
        if (place == nullptr)
            continue;
        if (!is_kept(place->kind()) || place->id() != rank)
            *place = RankLink(rank, LinkKind::kAnchor);
        return;
    }
}

}  // namespace vext::core::internal
