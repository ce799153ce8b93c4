// See merge.h.

#include "hnsw/batch/merge.h"

#include "hnsw/pages/chain.h"
#include "hnsw/pages/link_list.h"
#include "hnsw/pages/slots.h"

namespace vext::hnsw {

namespace {

// A batch of at least this part of the graph finds half of its near neighbours, and those farther
// off, among its own points.
constexpr std::size_t kLargePart = 32;

// Searches for a node that can anchor the batch before it goes in alone.
constexpr int kTries = 3;

SearchEffort
effort_on_bottom(const Index& index, const BatchPlan& plan, std::size_t n_points) {
    if (n_points < index.n_held / kLargePart)
        return {plan.ef_construction, true};
    return {link_beam_width(index, plan.ef_construction / 2), false};
}

}  // namespace

BatchMerger::BatchMerger(Index& index, const BatchPlan& plan, const Batch& batch)
    : index_(&index),
      batch_(batch),
      store_(batch.store),
      options_(plan.options),
      shape_(plan.shape),
      effort_above_{plan.ef_construction, true},
      effort_(effort_on_bottom(index, plan, batch.n_points)),
      arena_(pg::context_arena(CurrentMemoryContext)),
      query_(index.codec->allocate_query(arena_)),
      pages_(index, query_),
      search_(index, pages_, arena_, effort_above_),
      selector_(index, arena_,
                std::max<std::size_t>(CandidateSearch::n_most(effort_above_),
                                      2 * index.geometry.max_links(0))),
      linker_(index, pages_, arena_),
      batch_linker_(index, *batch.store, pages_, query_, arena_),
      to_measure_(arena_, 2 * index.geometry.max_links(0)),
      candidates_(arena_, 2 * index.geometry.max_links(0)),
      chosen_(arena_, index.geometry.max_links(0)),
      taken_over_(arena_, 256),
      cut_off_(arena_, kFewFinds),
      lists_(arena_),
      ends_(arena_, kLinksPerTask) {
    options_.seed = batch.seed;
    search_.set_effort(effort_);
}

std::size_t
BatchMerger::bytes_per_member(const Index& index, const BatchPlan& plan) {
    // Arrays that grow leave as much behind.
    constexpr std::size_t kGrowth = 2;
    const std::size_t max_links = index.geometry.max_links(0);
    const std::size_t n_most =
        std::max(CandidateSearch::n_most({plan.ef_construction, true}), std::size_t{2} * max_links);
    // A set of ids is at most half full. A build will have more nodes than there are.
    std::size_t n_visited = plan.ef_construction * max_links;
    if (index.meta.n_slots > 0)
        n_visited = std::min<std::size_t>(n_visited, index.meta.n_slots);
    const std::size_t search =
        n_most * 4 * sizeof(core::Candidate) +
        kGrowth * 2 * sizeof(NodeId) * std::max(n_visited, 32 * plan.ef_construction);
    const std::size_t selection = n_most * (sizeof(core::Candidate) + sizeof(core::CodeRef) +
                                            sizeof(std::uint32_t) + index.meta.code_bytes) +
                                  core::LinkSelector::bytes_needed(*index.codec, n_most);
    const std::size_t n_nodes = links_per_task(plan.shape);
    const std::size_t task =
        kGrowth * (n_nodes * (plan.shape.m * sizeof(BackLinkWish) + max_links * sizeof(Link)) +
                   BatchBackLinker::bytes_handed_over(n_nodes));
    return search + selection + task + index.geometry.hot_per_page * 2 * max_links * sizeof(Link);
}

// Writes the records of a stretch of the leaf order, without links.
void
BatchMerger::write_nodes(std::size_t first, std::size_t n) {
    std::uint16_t versions[kNodesPerTask];
    for (std::size_t i = first; i < first + n;) {
        std::size_t next = i;
        write_new_records(
            *index_, true, first + n - i, [&](NodeId id, std::uint8_t* record, std::uint8_t* cold) {
                const core::Rank rank = graph_.order[next];
                const core::Point point = point_of(rank);
                versions[next - first] = head_of(record).version;
                init_node({graph_.layer_of(point), store_->row(point).tid, store_->content(point)},
                          index_->geometry, record, cold);
                ids_[rank] = id;
                note(point, id);
                ++next;
            });
        i = next;
    }
    for (std::size_t i = first; i < first + n; ++i) {
        const core::Rank rank = graph_.order[i];
        const core::Point point = point_of(rank);
        write_chain(point, ids_[rank], versions[i - first]);
        if (const int layer = graph_.layer_of(point); layer > 0)
            give_links_record(*index_, ids_[rank], layer, [](std::uint8_t*) {});
    }
}

// Adds the further rows of the point's vector to its node.
void
BatchMerger::write_chain(core::Point point, NodeId id, std::uint16_t version) {
    for (core::Point equal = store_->row(point).next_equal; equal != core::kNoPoint;
         equal = store_->row(equal).next_equal) {
        CHECK_FOR_INTERRUPTS();
        note(equal, id);
        if (!join_node(*index_, id, version, store_->row(equal).tid))
            report_damage(index_->relation, index_->geometry.hot_place(id).block,
                          "a node that is being inserted has changed");
    }
}

// Fills chosen_ with links for a node of the batch, among its neighbours in the graph and in the
// batch. Distances are then to its point.
void
BatchMerger::choose(core::Rank rank, int layer) {
    const core::BatchLayer& batch = graph_.layers[static_cast<std::size_t>(layer)];
    const core::Point point = batch.ranked[rank];
    aim_at(point);
    to_measure_.clear();
    for (const NodeId id : found_near(rank, layer))
        if (id != kNoNode)
            to_measure_.push_back(id);
    for (const core::RankLink& link : batch.links.of(rank))
        to_measure_.push_back(id_of(batch.ranked[link.id()]));
    candidates_.clear();
    pages_.measure(to_measure_.span(), candidates_);
    std::sort(candidates_.begin(), candidates_.end(), core::is_nearer);
    selector_.gather(candidates_.span(), kNoNode);
    chosen_.clear();
    selector_.select(layer, index_->geometry.max_links(layer), chosen_);
    if (layer == 0) {
        keep_own(batch.links.of(rank));
        if (point == graph_.entry && parent_ != kNoNode)
            keep(parent_, core::LinkKind::kParent);
        if (point == graph_.entry && behind_ != kNoNode)
            keep(behind_, core::LinkKind::kAnchor);
    }
}

// How far the candidates reached that the last links were chosen among.
float
BatchMerger::reach() const {
    return candidates_.is_empty() ? std::numeric_limits<float>::infinity()
                                  : candidates_.end()[-1].distance;
}

// The tree of the batch's own anchors stays.
void
BatchMerger::keep_own(std::span<const core::RankLink> own) {
    for (const core::RankLink& link : own)
        if (core::is_kept(link.kind()))
            keep(ids_[link.id()], link.kind());
}

// In chosen_ a link that is kept takes the place of the farthest filler.
void
BatchMerger::keep(NodeId id, core::LinkKind kind) {
    const auto chosen = std::find_if(chosen_.begin(), chosen_.end(),
                                     [id](const ChosenLink& c) { return c.node.id == id; });
    if (chosen != chosen_.end()) {
        chosen->kind = kind;
        return;
    }
    core::Candidate node = {};
    node.id = id;
    if (chosen_.size() < index_->geometry.max_links(0)) {
        chosen_.push_back({node, kind});
        return;
    }
    std::size_t last = chosen_.size();
    while (last > 0 && core::is_kept(chosen_[--last].kind)) {
    }
    chosen_[last] = {node, kind};
}

// Makes the graph lead to the batch: its entry point gets an anchor, or becomes the index's. False
// when there is nobody to anchor it and others insert at the same time.
bool
BatchMerger::attach() {
    const core::Point point = graph_.entry;
    const NodeId id = id_of(point);
    pages_.pass_unlinked(true);
    const auto choose_among = [&](std::span<const core::Candidate> candidates) {
        chosen_.clear();
        selector_.gather(candidates, id);
        selector_.select(0, index_->geometry.max_links(0), chosen_);
    };
    aim_at(point);
    chosen_.clear();
    MetaPage seen;
    search_.find({0, 0}, seen, [&](int, std::span<const core::Candidate> candidates) {
        choose_among(candidates);
    });
    for (int i = 0; !linker_.anchor(id, chosen_.span()); ++i) {
        CHECK_FOR_INTERRUPTS();
        if (!batch_.is_alone && i == kTries)
            return false;
        // That no linked node is near does not mean that there is none.
        if (search_.find_from_linked(id, choose_among)) {
            if (batch_.is_alone && i >= kTries && linker_.anchor_between(id, chosen_.span()))
                break;
            continue;
        }
        if (!batch_.is_alone)
            return false;
        change_meta(
            *index_, [](const MetaPage&) { return true; },
            [&](MetaPage& meta) {
                meta.entry_node = id;
                meta.entry_layer = graph_.layer_of(point);
            });
        return true;
    }
    parent_ = linker_.parent();
    behind_ = linker_.behind();
    // Whoever was not there at the first search: the batch must lead to it as well.
    const std::span<NodeId> found = found_->bottom[point];
    if (found[0] == kNoNode)
        for (std::size_t i = 0; i < chosen_.size(); ++i)
            found[i] = chosen_[i].node.id;
    return true;
}

// Writes the lists of a stretch of the leaf order, then grants the links back to its nodes.
void
BatchMerger::link_stretch(std::size_t first, std::size_t n) {
    lists_.clear();
    ends_.clear();
    for (std::size_t i = first; i < first + n; ++i) {
        CHECK_FOR_INTERRUPTS();
        const core::Rank rank = graph_.order[i];
        const core::Point point = point_of(rank);
        choose(rank, 0);
        const std::span<const NodeId> found = found_->bottom[point];
        for (std::size_t j = 0; j < chosen_.size(); ++j) {
            const ChosenLink& chosen = chosen_[j];
            lists_.push_back(chosen.link());
            // Fillers far down the list nearly always refuse.
            if ((j < shape_.m || chosen.kind != core::LinkKind::kFiller) &&
                std::ranges::find(found, chosen.node.id) != found.end())
                batch_linker_.add({chosen.node, point, ids_[rank], reach()});
        }
        ends_.push_back(static_cast<std::uint32_t>(lists_.size()));
    }
    write_lists(first, n);
    batch_linker_.grant(n);
    take_over();
}

// Links the nodes of a stretch to what was handed over to them.
void
BatchMerger::take_over() {
    std::span<const HandedOver> handed_over = batch_linker_.handed_over();
    for (const HandedOver& lost : handed_over)
        cut_off_.push_back({.distance = -lost.beyond, .id = lost.node.id});
    keep_farthest_cut_off();
    while (!handed_over.empty()) {
        CHECK_FOR_INTERRUPTS();
        const NodeId id = handed_over[0].to;
        std::size_t n = 0;
        taken_over_.clear();
        for (; n < handed_over.size() && handed_over[n].to == id; ++n)
            if (n == 0 || handed_over[n].node.id != handed_over[n - 1].node.id)
                taken_over_.push_back(handed_over[n].node);
        handed_over = handed_over.subspan(n);
        selector_.take_over(0, taken_over_.span(), id, chosen_);
        if (!chosen_.is_empty())
            change_record(*index_, id, is_node, [&](std::uint8_t* record) {
                put_taken_over(link_list(record, index_->geometry, 0), chosen_.span());
            });
    }
}

// Of the nodes that lists led to before the batch came, the farthest beyond what its searches
// reached: with such a link a group may have lost what led to it.
void
BatchMerger::keep_farthest_cut_off() {
    const auto by_id = [](const core::Candidate& a, const core::Candidate& b) {
        return a.id != b.id ? a.id < b.id : a.distance < b.distance;
    };
    std::sort(cut_off_.begin(), cut_off_.end(), by_id);
    const core::Candidate* end = std::unique(
        cut_off_.begin(), cut_off_.end(),
        [](const core::Candidate& a, const core::Candidate& b) { return a.id == b.id; });
    cut_off_.truncate(static_cast<std::size_t>(end - cut_off_.begin()));
    std::sort(cut_off_.begin(), cut_off_.end(), core::is_nearer);
    cut_off_.truncate(std::min(cut_off_.size(), kFewFinds + n_nodes() / kPointsPerFind));
}

// Calls `change(i, record)` for the nodes of a stretch of the leaf order, those of one page in one
// WAL record.
template <typename Change>
void
BatchMerger::change_nodes(std::size_t first, std::size_t n, Change&& change) {
    const Geometry& geometry = index_->geometry;
    const auto place_of = [&](std::size_t i) {
        return geometry.hot_place(ids_[graph_.order[first + i]]);
    };
    for (std::size_t i = 0; i < n;) {
        CHECK_FOR_INTERRUPTS();
        const std::uint32_t block = place_of(i).block;
        std::size_t end = i + 1;
        while (end < n && place_of(end).block == block)
            ++end;
        change_page(
            *index_, block,
            [&](const std::uint8_t* page) {
                for (std::size_t j = i; j < end; ++j) {
                    const std::uint8_t* record = page + place_of(j).offset;
                    const char* problem = check_record(record, geometry);
                    if (problem != nullptr || !is_node(record))
                        report_damage(index_->relation, block,
                                      problem != nullptr
                                          ? problem
                                          : "a node that is being inserted is none any more");
                }
                return true;
            },
            [&](std::uint8_t* page) {
                for (std::size_t j = i; j < end; ++j)
                    change(j, page + place_of(j).offset);
            });
        i = end;
    }
}

// Writes lists_. Links that others have given the nodes meanwhile stay, but where there is no room
// for one that is kept.
void
BatchMerger::write_lists(std::size_t first, std::size_t n) {
    change_nodes(first, n, [&](std::size_t i, std::uint8_t* record) {
        const std::uint32_t begin = i == 0 ? 0 : ends_[i - 1];
        const std::span<const Link> own = lists_.span().subspan(begin, ends_[i] - begin);
        const LinkList list = link_list(record, index_->geometry, 0);
        for (const Link& link : own)
            if (core::is_kept(link.kind()))
                list.put_kept(link);
        for (const Link& link : own)
            if (*list.count < list.capacity && !list.has(link.id()))
                list.append(link);
    });
}

// Writes the lists of a risen point on the layers above 0 and links back.
void
BatchMerger::link_above(core::Point point) {
    CHECK_FOR_INTERRUPTS();
    const NodeId id = id_of(point);
    const NodeId links_id = with_record(*index_, id, [](const std::uint8_t* record) {
        return is_node(record) ? node_of(record).links_id : kNoNode;
    });
    for (int layer = 1; layer <= graph_.layer_of(point); ++layer) {
        const core::Rank rank =
            graph_.layers[static_cast<std::size_t>(layer)].ranked.rank_of(point);
        choose(rank, layer);
        change_record(
            *index_, links_id,
            [&](const std::uint8_t* record) { return holds_links(record, id, layer); },
            [&](std::uint8_t* record) {
                const LinkList list = link_list(record, index_->geometry, layer);
                for (const ChosenLink& chosen : chosen_.span())
                    if (*list.count < list.capacity && !list.has(chosen.node.id))
                        list.append(chosen.link());
            });
        // Within the batch the links go both ways already.
        const std::span<const NodeId> found = found_near(rank, layer);
        const auto is_own = [&](const ChosenLink& chosen) {
            return std::ranges::find(found, chosen.node.id) == found.end();
        };
        ChosenLink* end = std::remove_if(chosen_.begin(), chosen_.end(), is_own);
        chosen_.truncate(static_cast<std::size_t>(end - chosen_.begin()));
        if (point == graph_.entry)
            linker_.link(id, layer, chosen_.span(), reach());
        else
            linker_.link_reached(id, layer, chosen_.span(), reach());
        selector_.take_over(layer, linker_.handed_over(), id, chosen_);
        if (!chosen_.is_empty())
            change_record(
                *index_, links_id,
                [&](const std::uint8_t* record) { return holds_links(record, id, layer); },
                [&](std::uint8_t* record) {
                    put_taken_over(link_list(record, index_->geometry, layer), chosen_.span());
                });
    }
}

void
BatchMerger::mark_linked(std::size_t first, std::size_t n) {
    change_nodes(first, n,
                 [](std::size_t, std::uint8_t* record) { head_of(record).flags |= kFlagLinked; });
}

void
BatchMerger::raise_entry() {
    const NodeId id = id_of(graph_.entry);
    const int layer = graph_.layer_of(graph_.entry);
    change_meta(
        *index_, [&](const MetaPage& meta) { return meta.entry_layer < layer; },
        [&](MetaPage& meta) {
            meta.entry_node = id;
            meta.entry_layer = layer;
        });
}

}  // namespace vext::hnsw
