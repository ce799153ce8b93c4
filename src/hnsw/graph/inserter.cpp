// See inserter.h and ../README.md, "Insert beside insert" and "Insert beside vacuum".

#include "hnsw/graph/inserter.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/hash.h"
#include "hnsw/pages/centroid.h"
#include "hnsw/pages/chain.h"
#include "hnsw/pages/link_list.h"
#include "hnsw/pages/slots.h"
#include "pg/drain_lock.h"
#include "pg/random.h"
#include "types/checks.h"

namespace vext::hnsw {

namespace {

// Candidates of a search that only looks for an equal vector: it is the nearest, if there is one.
constexpr std::size_t kJoinEf = 8;

// Searches for a node that can anchor a new one before it is inserted alone.
constexpr int kTries = 3;

core::Array<ChosenLink>*
allocate_lists(core::Arena& arena, const Geometry& geometry) {
    auto lists = arena.allocate<core::Array<ChosenLink>>(kMaxLayers + 1);
    for (int layer = 0; layer <= kMaxLayers; ++layer)
        lists[static_cast<std::size_t>(layer)] =
            core::Array<ChosenLink>(arena, geometry.max_links(layer));
    return lists.data();
}

void
check_dims(const Index& index, std::span<const float> vector) {
    types::check_expected_dims(static_cast<std::int32_t>(index.codec->expected_dims()),
                               index.codec->dims_of(vector));
}

bool
accept(const Index& index, core::PrepareStatus status) {
    switch (status) {
        case core::PrepareStatus::kReady:
            return true;
        case core::PrepareStatus::kZeroVector:
            return false;
        case core::PrepareStatus::kOverflow:
            break;
    }
    ereport(ERROR, errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
            errmsg("vector is too long for index \"%s\"", RelationGetRelationName(index.relation)),
            errdetail("Its norm, or the square of it, is out of range for type real."));
    pg_unreachable();
}

}  // namespace

std::uint32_t
lock_current_epoch(Index& index) {
    for (;;) {
        const std::uint32_t epoch = refresh_meta(index).lock_epoch;
        pg::lock_drain_shared(index.relation, epoch);
        if (refresh_meta(index).lock_epoch == epoch)
            return epoch;
        pg::unlock_drain_shared(index.relation, epoch);
    }
}

Inserter::Inserter(Index& index, std::size_t ef_construction)
    : Inserter(index, SearchEffort{link_beam_width(index, ef_construction), true}) {
}

Inserter::Inserter(Index& index, const SearchEffort& effort)
    : index_(&index),
      arena_(pg::context_arena(CurrentMemoryContext)),
      prepared_(index.codec->allocate_prepared(arena_)),
      query_(index.codec->allocate_query(arena_)),
      graph_(index, query_),
      search_(index, graph_, arena_, effort),
      selector_(index, arena_, CandidateSearch::n_most(effort)),
      linker_(index, graph_, arena_),
      code_(arena_.allocate<std::uint8_t>(index.meta.code_bytes)),
      residual_(arena_.allocate<std::uint8_t>(index.meta.residual_bytes)),
      chosen_(allocate_lists(arena_, index.geometry)),
      reach_(arena_.allocate<float>(kMaxLayers + 1)) {
}

bool
prepare_vector(const Index& index, std::span<const float> vector, core::Prepared& prepared) {
    check_dims(index, vector);
    return accept(index, index.codec->prepare(vector.data(), prepared));
}

bool
is_indexed(const Index& index, std::span<const float> vector, core::Prepared& scratch) {
    check_dims(index, vector);
    return accept(index, index.codec->judge(vector.data(), scratch));
}

bool
Inserter::insert(std::span<const float> vector, const Tid& tid, NodeId* fate) {
    NodeId unasked = kNoNode;
    fate_ = fate != nullptr ? fate : &unasked;
    if (!encode(vector))
        return false;
    layer_ = draw_layer();
    id_ = kNoNode;
    if (index_->wal_mode == pg::WalMode::kBuilding) {
        try_insert(tid, true);
        return true;
    }
    if (lacks_centroid(*index_)) {
        CentroidSum first(index_->meta.metric, index_->meta.n_dims());
        first.add(vector);
        give_centroid(*index_, first);
    }
    insert_encoded(tid);
    return true;
}

// Alone only where it must be: into a graph that has no linked live node yet, or none that could be
// found.
void
Inserter::insert_encoded(const Tid& tid) {
    const std::uint32_t epoch = lock_current_epoch(*index_);
    const bool is_done = index_->has_stale_codec() || try_insert(tid, false);
    pg::unlock_drain_shared(index_->relation, epoch);
    if (is_done)
        return;
    pg::lock_drain_exclusive(index_->relation);
    refresh_meta(*index_);
    if (!index_->has_stale_codec())
        try_insert(tid, true);
    pg::unlock_drain_exclusive(index_->relation);
}

bool
Inserter::join(std::span<const float> vector, const Tid& tid) {
    if (!encode(vector))
        return true;
    const std::uint32_t epoch = lock_current_epoch(*index_);
    bool has_joined = false;
    if (!index_->has_stale_codec()) {
        selector_.gather(search_.find_nearest({kJoinEf}), kNoNode);
        has_joined = join_equal(tid);
    }
    pg::unlock_drain_shared(index_->relation, epoch);
    return has_joined;
}

// Makes the vector the one that is being inserted, unless it is not indexed.
bool
Inserter::encode(std::span<const float> vector) {
    if (!prepare_vector(*index_, vector, prepared_))
        return false;
    index_->codec->encode(prepared_, header_, code_.data(),
                          residual_.empty() ? nullptr : residual_.data());
    index_->codec->prepare_query(prepared_, query_);
    hash_ = core::hash_vector(vector.data(), vector.size());
    return true;
}

// Makes the row findable; false when it must be done alone.
bool
Inserter::try_insert(const Tid& tid, bool is_alone) {
    choose_neighbours();
    if (id_ != kNoNode) {
        rewrite_links();
    } else if (join_equal(tid)) {
        *fate_ = kJoinedNode;
        return true;
    } else {
        write_node(tid);
    }
    NodeId parent = kNoNode;
    if (!find_parent(is_alone, parent))
        return false;
    selector_.take_over(0, linker_.handed_over(), id_, chosen_[0]);
    link_above();
    mark_linked(parent);
    raise_entry();
    return true;
}

// Finds a node that anchors the new one; false when there is none and others insert at the same
// time. Alone, a node that nobody can anchor starts a graph, and `parent` is kNoNode.
bool
Inserter::find_parent(bool is_alone, NodeId& parent) {
    parent = kNoNode;
    bool is_anchored = linker_.link(id_, 0, chosen_[0].span(), reach_[0]);
    for (int i = 0; !is_anchored; ++i) {
        CHECK_FOR_INTERRUPTS();
        if (!is_alone && i == kTries)
            return false;
        // That no linked node is near does not mean that there is none.
        graph_.pass_unlinked(true);
        if (!search_.find_from_linked(
                id_, [&](std::span<const core::Candidate> candidates) { choose(candidates, 0); })) {
            if (!is_alone)
                return false;
            start_graph();
            return true;
        }
        rewrite_links();
        is_anchored = linker_.link(id_, 0, chosen_[0].span(), reach_[0]) ||
                      (is_alone && i >= kTries && linker_.anchor_between(id_, chosen_[0].span()));
    }
    parent = linker_.parent();
    return true;
}

// A node rises to each further layer with probability 1 / 2m.
int
Inserter::draw_layer() const {
    const double layer = -std::log(1.0 - pg::random_double()) / std::log(2 * index_->meta.m);
    return static_cast<int>(std::min<double>(layer, index_->geometry.max_layer));
}

// Makes a node that is on layer 0 alone the one at hand.
bool
Inserter::aim_at(NodeId id) {
    if (id == kNoNode)
        return false;
    const bool is_low = with_record(*index_, id, [&](const std::uint8_t* record) {
        if (!is_linked_node(record) || node_of(record).links_id != kNoNode)
            return false;
        copy_code(record, index_->geometry, header_, code_);
        return true;
    });
    if (!is_low)
        return false;
    index_->codec->query_from_code(header_, code_.data(), query_);
    id_ = id;
    layer_ = 0;
    return true;
}

// The layers come with one record, which holds its links; then others link to it.
void
Inserter::raise(NodeId id) {
    if (!aim_at(id))
        return;
    search_.leave_out(id);
    graph_.pass_unlinked(false);
    find_neighbours();
    rise_as_wanted();
    search_.leave_out(kNoNode);
    if (layer_ == 0)
        return;
    give_links_record(*index_, id_, layer_, [&](std::uint8_t* record) {
        for (int i = 1; i <= layer_; ++i)
            append_chosen(record, i);
    });
    link_above();
    raise_entry();
}

// To each further layer on which its group has no node.
void
Inserter::rise_as_wanted() {
    while (layer_ < index_->geometry.max_layer && is_wanted_above()) {
        ++layer_;
        find_neighbours();
    }
}

// Fills chosen_ for the node's layers with links for it. Neighbours that an insert left when it was
// cut off go with the next vacuum: where most are such, others are looked for behind them.
void
Inserter::choose_neighbours() {
    for (const bool passes_unlinked : {false, true}) {
        graph_.pass_unlinked(passes_unlinked);
        find_neighbours();
        if (id_ == kNoNode)
            rise_as_wanted();
        if (!selector_.are_mostly_unlinked())
            return;
    }
}

bool
Inserter::is_wanted_above() const {
    const core::Cover& cover = search_.cover();
    return cover.is_crowded || core::is_group_alone(index_->meta.metric, cover);
}

void
Inserter::find_neighbours() {
    for (int i = 0; i <= kMaxLayers; ++i)
        chosen_[i].clear();
    selector_.gather({}, id_);
    search_.find({layer_, 0}, seen_, [&](int layer, std::span<const core::Candidate> candidates) {
        choose(candidates, layer);
    });
}

void
Inserter::choose(std::span<const core::Candidate> candidates, int layer) {
    chosen_[layer].clear();
    reach_[layer] =
        candidates.empty() ? std::numeric_limits<float>::infinity() : candidates.back().distance;
    selector_.gather(candidates, id_);
    selector_.select(layer, index_->geometry.max_links(layer), chosen_[layer]);
}

// Adds the row to a node with an equal vector, if the search met one.
bool
Inserter::join_equal(const Tid& tid) {
    core::Candidate equal;
    return selector_.find_equal({hash_, header_, code_.data(), residual_}, equal) &&
           join_node(*index_, equal.id, equal.version, tid);
}

void
Inserter::append_chosen(std::uint8_t* record, int layer) const {
    const LinkList list = link_list(record, index_->geometry, layer);
    for (const ChosenLink& chosen : chosen_[layer].span())
        list.append(chosen.link());
}

void
Inserter::write_node(const Tid& tid) {
    const NodeContent content = {layer_, tid, {hash_, header_, code_.data(), residual_}};
    id_ =
        write_new_record(*index_, true, [&](NodeId own, std::uint8_t* record, std::uint8_t* cold) {
            init_node(content, index_->geometry, record, cold);
            append_chosen(record, 0);
            *fate_ = own;
        });
    if (layer_ > 0)
        give_links_record(*index_, id_, layer_, [&](std::uint8_t* record) {
            for (int i = 1; i <= layer_; ++i)
                append_chosen(record, i);
        });
}

// After a second search: adds the links that were found now to those the node has.
void
Inserter::rewrite_links() {
    const auto add_missing = [&](std::uint8_t* record, int layer) {
        const LinkList list = link_list(record, index_->geometry, layer);
        for (const ChosenLink& chosen : chosen_[layer].span())
            if (*list.count < list.capacity && !list.has(chosen.node.id))
                list.append(chosen.link());
    };
    NodeId links_id = kNoNode;
    change_record(
        *index_, id_,
        [&](const std::uint8_t* record) {
            links_id = is_node(record) ? node_of(record).links_id : kNoNode;
            return is_node(record);
        },
        [&](std::uint8_t* record) { add_missing(record, 0); });
    if (links_id == kNoNode)
        return;
    int n_layers = 0;
    change_record(
        *index_, links_id,
        [&](const std::uint8_t* record) {
            n_layers = head_of(record).layer;
            return holds_links(record, id_, 1);
        },
        [&](std::uint8_t* record) {
            for (int layer = 1; layer <= n_layers; ++layer)
                add_missing(record, layer);
        });
}

void
Inserter::link_above() {
    if (layer_ == 0)
        return;
    const NodeId links_id = with_record(*index_, id_, [](const std::uint8_t* record) {
        return is_node(record) ? node_of(record).links_id : kNoNode;
    });
    for (int i = 1; i <= layer_; ++i) {
        linker_.link(id_, i, chosen_[i].span(), reach_[i]);
        selector_.take_over(i, linker_.handed_over(), id_, chosen_[i]);
        if (chosen_[i].is_empty() || links_id == kNoNode)
            continue;
        change_record(
            *index_, links_id,
            [&](const std::uint8_t* record) { return holds_links(record, id_, i); },
            [&](std::uint8_t* record) {
                put_taken_over(link_list(record, index_->geometry, i), chosen_[i].span());
            });
    }
}

// Sets the flag, what was taken over on layer 0, and the way back to the parent, in one change.
void
Inserter::mark_linked(NodeId parent) {
    change_record(
        *index_, id_, [](const std::uint8_t* record) { return is_node(record); },
        [&](std::uint8_t* record) {
            head_of(record).flags |= kFlagLinked;
            put_taken_over(link_list(record, index_->geometry, 0), chosen_[0].span());
            if (parent != kNoNode)
                set_parent(link_list(record, index_->geometry, 0), parent);
        });
}

// Makes the node the entry point of a graph that has no linked live node.
void
Inserter::start_graph() {
    change_meta(
        *index_, [](const MetaPage&) { return true; },
        [&](MetaPage& meta) {
            meta.entry_node = id_;
            meta.entry_layer = layer_;
        });
}

void
Inserter::raise_entry() {
    if (layer_ <= seen_.entry_layer && seen_.entry_node != kNoNode)
        return;
    change_meta(
        *index_, [&](const MetaPage& meta) { return meta.entry_layer < layer_; },
        [&](MetaPage& meta) {
            meta.entry_node = id_;
            meta.entry_layer = layer_;
        });
}

}  // namespace vext::hnsw
