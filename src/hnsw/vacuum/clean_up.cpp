// See clean_up.h and ../README.md, "Insert beside vacuum" and "Scan beside vacuum".
//
// All is decided from what the pages say, so that it also picks up what an interrupted run left:
//   1. survey        which nodes have rows, which are dead
//   2. mark dead     nodes without rows
//   3. drain         inserts that may have chosen a node before it was marked
//   4. entry point   a live one
//   5. anchors       all live nodes hang on the entry point (anchor_tree.h)
//   6. mend          links to dead nodes
//   7. raise         a live node where a group has lost the one it had above
//   8. find          what dead nodes led to
//   9. drain         inserts and their memories of dead ids
//  10. free          dead nodes, what belonged to them, and records that no node points to
// Every prefix of this leaves a valid graph.

#include "hnsw/vacuum/clean_up.h"

#include <algorithm>

#include "core/bitmap.h"
#include "hnsw/graph/inserter.h"
#include "hnsw/graph/repair.h"
#include "hnsw/options.h"
#include "hnsw/pages/chain.h"
#include "hnsw/pages/link_list.h"
#include "hnsw/pages/page_walk.h"
#include "hnsw/pages/slots.h"
#include "hnsw/vacuum/anchor_tree.h"
#include "pg/drain_lock.h"

namespace vext::hnsw {

namespace {

struct Orphan {
    NodeId id;
    std::uint16_t version;
};

// What vacuum knows of an index, by node id.
struct Survey {
    Survey(core::Arena& arena, std::size_t n_slots)
        : nodes(arena, n_slots),
          have_rows(arena, n_slots),
          dead(arena, n_slots),
          owned(arena, n_slots),
          helpers(arena, n_slots),
          emptied(arena, n_slots),
          orphans(arena) {}

    core::Bitmap nodes;
    core::Bitmap have_rows;
    core::Bitmap dead;
    core::Bitmap owned;           // records that a node or a chain points to
    core::Bitmap helpers;         // links and tids records
    core::Bitmap emptied;         // nodes whose chains have tids records without rows
    core::Array<Orphan> orphans;  // records that nothing points to
};

class Vacuum {
   public:
    Vacuum(Index& index, core::Arena& arena)
        : index_(&index),
          arena_(arena),
          survey_(arena, index.n_held),
          repairer_(index, survey_.dead),
          page_ids_(arena, 1024),
          rows_(arena, 1024),
          bereft_(arena),
          ends_(arena, 256) {}

    // False when something is left to the next one.
    bool
    run() {
        look();
        note_orphans();
        mark_dead();
        shorten_chains();
        drain();
        AnchorTree* tree = arena_.make<AnchorTree>(*index_, survey_.dead, repairer_, arena_);
        replace_entry(tree->look());
        const NodeId entry = refresh_meta(*index_).entry_node;
        // The lists of all that hangs on the entry point may be full of ways through the dead.
        bool is_whole = tree->grow(entry) || tree->grow(tree->find_roomiest());
        mend_all();
        // Now no list has links to the dead.
        if (!is_whole)
            is_whole = tree->grow(entry);
        raise_heirs();
        for (const std::span<const NodeId> ids : {tree->searched(), bereft()})
            for (const NodeId id : ids)
                repairer_.make_found(id);
        find_ends_of_dead();
        drain();
        free_all();
        return is_whole;
    }

   private:
    bool
    is_known(NodeId id) const {
        return survey_.nodes.covers(id);
    }
    std::span<const NodeId>
    bereft() const {
        return bereft_.span();
    }
    bool
    is_dead(NodeId id) const {
        return is_known(id) && survey_.dead.has(id);
    }
    void
    own(NodeId id) {
        if (is_known(id))
            survey_.owned.set(id);
    }

    // The ids of a page's nodes, in order.
    void
    read_nodes(BlockNumber block) {
        page_ids_.clear();
        page_ids_.reserve(index_->geometry.hot_per_page);
        with_records_of(*index_, block, [&](NodeId id, const std::uint8_t* record) {
            if (is_live_node(record))
                page_ids_.push_back(id);
        });
    }

    void look();
    void note_orphans();
    void mark_dead();
    void shorten_chains();
    bool has_rows_in_chain(NodeId id);
    void drain();
    void replace_entry(const AnchorTree::Top& top);
    void mend_all();
    void raise_heirs();
    void mend_node(NodeId id);
    void find_ends_of_dead();
    template <typename IsOver>
    void free_where(IsOver&& is_over);
    void free_all();
    void free_orphan(const Orphan& orphan);
    bool is_attached(NodeId id, NodeId owner);

    Index* index_;
    core::Arena arena_;
    Survey survey_;
    Repairer repairer_;
    core::Array<NodeId> page_ids_;
    core::Array<Tid> rows_;
    core::Array<NodeId> bereft_;  // lost most of their links
    core::Array<NodeId> ends_;    // of links of one dead node
};

void
Vacuum::look() {
    for_each_hot_block(*index_, true, [&](BlockNumber block) {
        with_records_of(*index_, block, [&](NodeId id, const std::uint8_t* record) {
            const std::span<const Tid> rows = rows_of(record, index_->geometry);
            const bool has_rows = std::any_of(rows.begin(), rows.end(),
                                              [](const Tid& tid) { return tid.is_valid(); });
            if (is_node(record)) {
                survey_.nodes.set(id);
                if (!is_live_node(record))
                    survey_.dead.set(id);
                if (has_rows)
                    survey_.have_rows.set(id);
                own(node_of(record).tids_head);
                own(node_of(record).links_id);
                return;
            }
            survey_.helpers.set(id);
            if (head_of(record).kind != RecordKind::kTids)
                return;
            own(tids_record(record).next);
            if (is_known(owner_of(record)))
                (has_rows ? survey_.have_rows : survey_.emptied).set(owner_of(record));
        });
    });
}

void
Vacuum::mark_dead() {
    for (const NodeId id : core::ids_below(survey_.nodes.size())) {
        if (!survey_.nodes.has(id) || survey_.have_rows.has(id) || survey_.dead.has(id))
            continue;
        pg::delay_vacuum();
        if (has_rows_in_chain(id))
            continue;
        const bool is_dead = change_record(
            *index_, id,
            [](const std::uint8_t* record) {
                return is_live_node(record) && !node_of(record).tid.is_valid() &&
                       (head_of(record).flags & kFlagAppended) == 0;
            },
            [](std::uint8_t* record) { head_of(record).flags |= kFlagDead; });
        if (is_dead)
            survey_.dead.set(id);
    }
}

// One walk for each chain that has empty records.
void
Vacuum::shorten_chains() {
    for (const NodeId id : core::ids_below(survey_.emptied.size()))
        if (survey_.emptied.has(id))
            drop_empty_records(*index_, id);
}

// Looks through the chain after clearing the mark of appended rows: if the mark is still clear when
// the node is marked dead, no row has joined since.
bool
Vacuum::has_rows_in_chain(NodeId id) {
    NodeId chain_head = kNoNode;
    bool is_marked = false;
    with_record(*index_, id, [&](const std::uint8_t* record) {
        if (!is_live_node(record))
            return;
        chain_head = node_of(record).tids_head;
        is_marked = (head_of(record).flags & kFlagAppended) != 0;
    });
    if (is_marked)
        change_record(
            *index_, id,
            [&](const std::uint8_t* record) {
                chain_head = is_node(record) ? node_of(record).tids_head : kNoNode;
                return is_live_node(record);
            },
            [](std::uint8_t* record) {
                head_of(record).flags &= static_cast<std::uint8_t>(~kFlagAppended);
            });
    if (chain_head == kNoNode)
        return false;
    rows_.clear();
    return !collect_chain(*index_, id, chain_head, rows_) || !rows_.is_empty();
}

void
Vacuum::drain() {
    std::uint32_t epoch = 0;
    change_meta(
        *index_, [](const MetaPage&) { return true; },
        [&](MetaPage& meta) { epoch = meta.lock_epoch++; });
    pg::wait_for_drain(index_->relation, epoch);
    refresh_meta(*index_);
}

// By a node that was live when it was looked at after the entry point had died: an insert that
// finds no live node begins a graph itself, and changes the entry point.
void
Vacuum::replace_entry(const AnchorTree::Top& top) {
    const NodeId entry = refresh_meta(*index_).entry_node;
    if (!is_dead(entry))
        return;
    change_meta(
        *index_, [&](const MetaPage& meta) { return meta.entry_node == entry; },
        [&](MetaPage& meta) {
            meta.entry_node = top.id;
            meta.entry_layer = std::max(top.layer, 0);
        });
}

void
Vacuum::mend_all() {
    for_each_hot_block(*index_, true, [&](BlockNumber block) {
        read_nodes(block);
        for (const NodeId id : page_ids_.span()) {
            pg::delay_vacuum();
            mend_node(id);
        }
    });
}

void
Vacuum::mend_node(NodeId id) {
    NodeId links_id = kNoNode;
    int layer = 0;
    with_record(*index_, id, [&](const std::uint8_t* record) {
        if (!is_live_node(record))
            return;
        layer = head_of(record).layer;
        links_id = node_of(record).links_id;
    });
    if (repairer_.mend(id, 0, id))
        bereft_.push_back(id);
    if (links_id != kNoNode)
        for (int i = 1; i <= layer; ++i)
            repairer_.mend(id, i, links_id);
}

// A group that lies apart is entered by a node that it has above (../README.md, "Groups far from
// each other"). Where that has died, the live node nearest to it takes its place if the group has
// no other.
void
Vacuum::raise_heirs() {
    Inserter inserter(*index_, static_cast<std::size_t>(option_ef_construction(index_->relation)));
    for (const NodeId id : core::ids_below(survey_.dead.size())) {
        if (!survey_.dead.has(id))
            continue;
        pg::delay_vacuum();
        const bool was_above = with_record(*index_, id, [](const std::uint8_t* record) {
            return is_node(record) && node_of(record).links_id != kNoNode;
        });
        if (was_above)
            inserter.raise(repairer_.find_heir(id));
    }
}

// Searches may have come to a group by nodes that have died. So of each the live neighbour that is
// farthest off is looked for, and those it had above layer 0.
void
Vacuum::find_ends_of_dead() {
    for (const NodeId id : core::ids_below(survey_.dead.size())) {
        if (!survey_.dead.has(id))
            continue;
        pg::delay_vacuum();
        ends_.clear();
        ends_.push_back(repairer_.farthest_end(id));
        NodeId links_id = kNoNode;
        with_record(*index_, id, [&](const std::uint8_t* record) {
            if (is_node(record))
                links_id = node_of(record).links_id;
        });
        if (links_id != kNoNode)
            with_record(*index_, links_id, [&](const std::uint8_t* record) {
                for (int layer = 1; holds_links(record, id, layer); ++layer)
                    for (const Link& link : links_of(record, index_->geometry, layer))
                        ends_.push_back(link.id());
            });
        for (const NodeId end : ends_.span())
            repairer_.make_found(end);
    }
}

// Notes the versions of links and tids records that nothing points to. If one is still the same and
// still nobody's when the inserts of this moment have ended, the insert that made it was cut off.
void
Vacuum::note_orphans() {
    for (const NodeId id : core::ids_below(survey_.helpers.size())) {
        if (!survey_.helpers.has(id) || survey_.owned.has(id))
            continue;
        pg::delay_vacuum();
        const std::uint16_t version = with_record(*index_, id, [](const std::uint8_t* record) {
            return record == nullptr ? std::uint16_t{0} : head_of(record).version;
        });
        survey_.orphans.push_back({id, version});
    }
}

// Frees the records for which `is_over(id, record)` holds, page by page, and announces pages with
// room.
template <typename IsOver>
void
Vacuum::free_where(IsOver&& is_over) {
    core::Array<NodeId>& freed = page_ids_;
    for_each_hot_block(*index_, true, [&](BlockNumber block) {
        const NodeId first = index_->geometry.first_id_of(block);
        pg::BlockSet blocks;
        blocks.add(block);
        std::uint32_t n_used = 0;
        freed.clear();
        freed.reserve(index_->geometry.hot_per_page);
        pg::with_change(
            index_->relation, index_->wal_mode, blocks, index_->hints,
            [&](const pg::ChangedPages& pages) {
                const std::uint8_t* page = pages(block);
                if (!check_page_to_change(*index_, page, PageKind::kHot, block))
                    return false;
                for_each_record(*index_, page, block, [&](NodeId id, const std::uint8_t* record) {
                    ++n_used;
                    if (is_over(id, record))
                        freed.push_back(id);
                });
                return !freed.is_empty();
            },
            [&](const pg::ChangedPages& pages) {
                for (const NodeId id : freed.span())
                    free_record(hot_record(pages(block), index_->geometry,
                                           number_of(id) - number_of(first)));
            });
        if (n_used - freed.size() < index_->geometry.hot_per_page)
            announce_free(*index_, block);
    });
}

// Records of dead nodes go before the nodes: a node's slot may be taken again at once, and its new
// owner's records must not be taken for the old one's.
void
Vacuum::free_all() {
    free_where([this](NodeId, const std::uint8_t* record) {
        return !is_node(record) && is_dead(owner_of(record));
    });
    for (const Orphan& orphan : survey_.orphans.span())
        free_orphan(orphan);
    free_where([this](NodeId id, const std::uint8_t* record) {
        return is_node(record) && !is_live_node(record) && is_dead(id);
    });
    IndexFreeSpaceMapVacuum(index_->relation);
}

void
Vacuum::free_orphan(const Orphan& orphan) {
    NodeId owner = kNoNode;
    const auto is_same = [&](const std::uint8_t* record) {
        return record != nullptr && !is_node(record) && head_of(record).kind != RecordKind::kFree &&
               head_of(record).version == orphan.version;
    };
    with_record(*index_, orphan.id, [&](const std::uint8_t* record) {
        if (is_same(record))
            owner = owner_of(record);
    });
    if (owner != kNoNode && !is_attached(orphan.id, owner))
        change_record(*index_, orphan.id, is_same, free_record);
}

bool
Vacuum::is_attached(NodeId id, NodeId owner) {
    NodeId next = kNoNode;
    bool is_links_record = false;
    with_record(*index_, owner, [&](const std::uint8_t* record) {
        if (!is_node(record))
            return;
        is_links_record = node_of(record).links_id == id;
        next = node_of(record).tids_head;
    });
    if (is_links_record)
        return true;
    CircleWatch watch;
    while (next != kNoNode && next != id) {
        CHECK_FOR_INTERRUPTS();
        if (watch.is_met_again(next))
            report_damage(index_->relation, index_->geometry.hot_place(owner).block,
                          "a node's chain runs in a circle");
        const NodeId current = next;
        next = kNoNode;
        with_record(*index_, current, [&](const std::uint8_t* record) {
            if (record != nullptr && head_of(record).kind == RecordKind::kTids)
                next = tids_record(record).next;
        });
    }
    return next == id;
}

}  // namespace

void
clean_up_graph(Index& index) {
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    if (!arena.make<Vacuum>(index, arena)->run())
        return;
    change_meta(
        index, [](const MetaPage& meta) { return meta.needs_clean_up != 0; },
        [](MetaPage& meta) { meta.needs_clean_up = 0; });
}

}  // namespace vext::hnsw
