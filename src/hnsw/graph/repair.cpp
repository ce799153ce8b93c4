// See repair.h. Repair through the dead node's own links is that of FreshDiskANN (Singh et al.);
// unlike there, a list that lost a few fillers is only shortened.

#include "hnsw/graph/repair.h"

#include <algorithm>

#include "core/graph/search.h"
#include "hnsw/graph/candidates.h"
#include "hnsw/pages/link_list.h"
#include "hnsw/pages/slots.h"

namespace vext::hnsw {

namespace {

// Candidates among which a list is chosen anew, at most: the nearest.
constexpr std::size_t kMostCandidates = 128;

// Dead nodes followed for one list, at most.
constexpr std::size_t kMostFollowed = 512;

// The candidate list of a search for a node's neighbours.
constexpr std::size_t kSearchEf = 64;

constexpr int kTries = 3;

}  // namespace

Repairer::Repairer(Index& index, const core::Bitmap& dead)
    : index_(&index),
      dead_(&dead),
      arena_(pg::context_arena(CurrentMemoryContext)),
      node_(index, arena_),
      graph_(index, node_.query()),
      landing_(index, arena_),
      selector_(index, arena_, std::max<std::size_t>(kMostCandidates, index.geometry.max_links(0))),
      linker_(index, graph_, arena_),
      memory_(arena_, std::max<std::size_t>(kSearchEf, index.geometry.max_links(0))),
      met_(arena_, 1024),
      looked_for_(arena_, index.n_held),
      links_(arena_, index.geometry.max_links(0)),
      frontier_(arena_, kMostFollowed),
      live_(arena_, 1024),
      through_(arena_, index.geometry.max_links(0)),
      found_(arena_, 1024),
      chosen_(arena_, index.geometry.max_links(0)),
      hosts_(arena_, kSearchEf),
      around_(arena_, kSearchEf) {
}

bool
Repairer::mend(NodeId id, int layer, NodeId list_record) {
    bool has_lost_most = false;
    for (int i = 0; i < kTries; ++i) {
        if (!read_list(id, layer, list_record))
            return false;
        const auto n_dead = static_cast<std::size_t>(std::count_if(
            links_.begin(), links_.end(), [this](const Link& link) { return is_dead(link.id()); }));
        if (n_dead == 0)
            return has_lost_most;
        has_lost_most |= 2 * n_dead >= links_.size();
        chosen_.clear();
        if (has_lost_way() ||
            (links_.size() - n_dead) * 4 < 3 * index_->geometry.max_links(layer)) {
            if (!node_.aim_at(id, is_live_node))
                return false;
            collect(id, layer);
        }
        if (rewrite(id, layer, list_record))
            return has_lost_most;
    }
    // Others keep changing the list: only take the dead out, whatever it is now.
    links_.clear();
    chosen_.clear();
    rewrite(id, layer, list_record);
    return has_lost_most;
}

// Whether a dead node had hidden others from the list, which it does no more, or was a way that is
// kept: fillers are neither.
bool
Repairer::has_lost_way() const {
    return std::any_of(links_.begin(), links_.end(), [this](const Link& link) {
        return link.kind() != core::LinkKind::kFiller && is_dead(link.id());
    });
}

NodeId
Repairer::anchor(NodeId id, const core::Bitmap& hosts, NodeId root) {
    if (!node_.aim_at(id, is_live_node))
        return kNoNode;
    search(0, kSearchEf);
    std::sort(found_.begin(), found_.end(), core::is_nearer);
    met_.clear();
    met_.add(id);
    hosts_.clear();
    const auto meet = [&](NodeId host) {
        if (hosts.covers(host) && hosts.has(host) && met_.add(host))
            hosts_.push_back(host);
    };
    for (const core::Candidate& candidate : found_.span())
        meet(candidate.id);
    meet(root);
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        pg::delay_vacuum();
        const NodeId host = hosts_[i];
        live_.clear();
        live_.push_back(host);
        found_.clear();
        graph_.measure(live_.span(), found_);
        if (!found_.is_empty() && linker_.anchor_at(id, found_[0]))
            return host;
        // Those anchored to it have places where it has none.
        if (read_list(host, 0, host))
            for (const Link& link : links_.span())
                if (link.kind() == core::LinkKind::kAnchor)
                    meet(link.id());
    }
    return kNoNode;
}

void
Repairer::make_found(NodeId id) {
    around_.clear();
    const auto look_for = [this](NodeId node) {
        if (!looked_for_.covers(node) || looked_for_.has(node) || is_dead(node))
            return;
        looked_for_.set(node);
        around_.push_back(node);
    };
    look_for(id);
    for (std::size_t i = 0; i < around_.size(); ++i) {
        pg::delay_vacuum();
        if (is_found(around_[i]) || !read_list(around_[i], 0, around_[i]))
            continue;
        for (const Link& link : links_.span())
            look_for(link.id());
    }
}

// Whether a search finds the node. Where it does not, the nearest that it found gets a link there.
bool
Repairer::is_found(NodeId id) {
    if (!node_.aim_at(id, is_live_node))
        return true;
    EntryPoint entry;
    if (!graph_.enter(entry))
        return true;
    const core::Sought sought = node_.sought();
    search_ground(graph_, entry, {kFoundEf, &sought}, landing_, memory_);
    const std::span<const core::Candidate> found = memory_.beam.entries();
    if (core::has_found(found, sought))
        return true;
    linker_.bridge(id, found);
    return false;
}

NodeId
Repairer::farthest_end(NodeId id) {
    if (!node_.aim_at(id, is_node) || !read_list(id, 0, id))
        return kNoNode;
    live_.clear();
    for (const Link& link : links_.span())
        if (link.kind() != core::LinkKind::kFiller && !is_dead(link.id()))
            live_.push_back(link.id());
    found_.clear();
    graph_.measure(live_.span(), found_);
    const auto farthest = std::max_element(found_.begin(), found_.end(), core::is_nearer);
    return farthest == found_.end() ? kNoNode : farthest->id;
}

bool
Repairer::read_list(NodeId id, int layer, NodeId list_record) {
    links_.clear();
    return with_record(*index_, list_record, [&](const std::uint8_t* record) {
        if (!holds_links(record, id, layer))
            return false;
        for (const Link& link : links_of(record, index_->geometry, layer))
            links_.push_back(link);
        return true;
    });
}

NodeId
Repairer::find_heir(NodeId id) {
    if (!node_.aim_at(id, is_node) || !read_list(id, 0, id))
        return kNoNode;
    find_live(id, 0);
    const auto nearest = std::min_element(found_.begin(), found_.end(), core::is_nearer);
    return nearest == found_.end() ? kNoNode : nearest->id;
}

// Chooses links among the live ones of the list and what its dead ones lead to, directly or through
// more dead nodes while that gives too few.
void
Repairer::collect(NodeId id, int layer) {
    find_live(id, layer);
    if (found_.is_empty())
        search(layer, kSearchEf);
    choose_links(id, layer);
}

// Makes found_ what the list that was read leads to.
void
Repairer::find_live(NodeId id, int layer) {
    met_.clear();
    met_.add(id);
    live_.clear();
    frontier_.clear();
    const auto meet = [this](NodeId linked) {
        if (!met_.add(linked))
            return;
        if (!is_dead(linked))
            live_.push_back(linked);
        else if (frontier_.size() < kMostFollowed)
            frontier_.push_back(linked);
    };
    for (const Link& link : links_.span())
        meet(link.id());
    const std::size_t n_direct = frontier_.size();
    for (std::size_t i = 0; i < frontier_.size(); ++i) {
        if (i >= n_direct && live_.size() >= index_->geometry.max_links(layer))
            break;
        through_.clear();
        graph_.links_at(frontier_[i], layer, through_);
        for (const NodeId linked : through_.span())
            meet(linked);
    }
    found_.clear();
    graph_.measure(live_.span(), found_);
}

// Makes found_ what a search of the layer for the node finds.
void
Repairer::search(int layer, std::size_t ef) {
    found_.clear();
    EntryPoint entry;
    if (!graph_.enter(entry) || entry.meta.entry_layer < layer)
        return;
    const core::Entries entries =
        core::descend(graph_, entry.meta.entry_layer, layer + 1, entry.node, memory_);
    core::search_layer(graph_, layer, {ef}, entries.span(), memory_);
    for (const core::Candidate& candidate : memory_.beam.entries())
        found_.push_back(candidate);
}

// Chooses links for the node among found_.
void
Repairer::choose_links(NodeId id, int layer) {
    std::sort(found_.begin(), found_.end(), core::is_nearer);
    selector_.gather(found_.span().first(std::min(found_.size(), kMostCandidates)), id);
    chosen_.clear();
    selector_.select(layer, index_->geometry.max_links(layer), chosen_);
}

// Replaces the list by the chosen links, or, when none were chosen, by itself without the dead.
// False if it is no longer the list that was read (none read: any list will do).
bool
Repairer::rewrite(NodeId id, int layer, NodeId list_record) {
    bool is_unchanged = true;
    change_record(
        *index_, list_record,
        [&](const std::uint8_t* record) {
            if (!holds_links(record, id, layer))
                return false;
            const std::span<const Link> now = links_of(record, index_->geometry, layer);
            is_unchanged = links_.is_empty() ||
                           std::equal(now.begin(), now.end(), links_.begin(), links_.end());
            return is_unchanged;
        },
        [&](std::uint8_t* record) {
            const LinkList list = link_list(record, index_->geometry, layer);
            // What is kept stays: others are reached through it.
            std::uint32_t n = 0;
            for (const Link& link : list.span())
                if (!is_dead(link.id()) && (chosen_.is_empty() || core::is_kept(link.kind())))
                    list.links[n++] = link;
            *list.count = static_cast<std::uint8_t>(n);
            if (!chosen_.is_empty())
                fill(list);
        });
    return is_unchanged;
}

// Fills the list with the chosen links that hide each other from nobody, then with what it had,
// then with the other chosen ones. Those it had may be farther off, but they are proven ways: where
// a few nodes are the nearest to all, every list chosen anew leads to these alone. So they keep
// their kinds, too: as fillers they would be the first to give way to rows that come later.
void
Repairer::fill(const LinkList& list) const {
    const auto put = [&](const Link& link) {
        if (*list.count < list.capacity && !list.has(link.id()))
            list.append(link);
    };
    for (const ChosenLink& chosen : chosen_.span())
        if (chosen.kind == core::LinkKind::kDiverse)
            put(chosen.link());
    for (const Link& link : links_.span())
        if (!is_dead(link.id()))
            put(link);
    for (const ChosenLink& chosen : chosen_.span())
        put(chosen.link());
}

}  // namespace vext::hnsw
