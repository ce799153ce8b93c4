// See check.h.
//
// The pages are read several times: records one by one (and what they own), links against what the
// first pass saw, and the graph (check_reach.h). A finding about two records is looked at
// again under fresh locks before it is reported, because writers go on meanwhile.

#include "hnsw/inspect/check.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/bitmap.h"
#include "hnsw/inspect/centroid_offset.h"
#include "hnsw/inspect/check_heap.h"
#include "hnsw/inspect/check_reach.h"
#include "hnsw/pages/chain.h"
#include "hnsw/pages/link_list.h"
#include "hnsw/pages/page_walk.h"
#include "pg/owner.h"
#include "pg/row_visibility.h"
#include "pg/table_bounds.h"

namespace vext::hnsw {

namespace {

constexpr int kMostChainChecks = 100;

class Check {
   public:
    Check(Index& index, core::Arena& arena, core::Array<Finding>& findings)
        : index_(&index),
          arena_(arena),
          findings_(&findings),
          nodes_(arena, index.n_held),
          live_(arena, index.n_held),
          linked_(arena, index.n_held),
          helpers_(arena, index.n_held),
          owned_(arena, index.n_held),
          ids_(arena, 256),
          links_(arena, 256),
          chain_(arena, 256),
          rows_(arena, 1024) {}

    /// `snapshot` tells whose rows are of no use to anybody.
    void
    run(Relation table, Snapshot snapshot) {
        check_first_pages();
        for_each_hot_block(*index_, false, [this](BlockNumber block) { check_hot_page(block); });
        check_cold_pages();
        check_pages_beyond_mark();
        if (has_damage())
            return;  // what follows relies on records that decode
        for (const NodeId id : core::ids_below(nodes_.size()))
            if (nodes_.has(id) && has_room())
                check_node(id);
        drop_detached_rows();
        check_rows(table);
        check_reachability(table, snapshot);
    }

    bool
    is_sound() const {
        return !has_damage();
    }
    std::span<const Row>
    rows() const {
        return rows_.span();
    }

   private:
    bool
    has_room() const {
        return findings_->size() < kMostFindings;
    }
    bool
    has_damage() const {
        return std::any_of(findings_->begin(), findings_->end(), [](const Finding& finding) {
            return finding.severity == Severity::kDamage;
        });
    }
    void
    report(BlockNumber block, NodeId id, const char* problem, Severity severity) {
        if (has_room())
            findings_->push_back({block, id, problem, severity});
    }
    void
    damage(NodeId id, const char* problem) {
        report(index_->geometry.hot_place(id).block, id, problem, Severity::kDamage);
    }
    bool
    is_known(NodeId id) const {
        return nodes_.covers(id);
    }

    void check_first_pages();
    void check_hot_page(BlockNumber block);
    void note_record(NodeId id, const std::uint8_t* record);
    void check_cold_pages();
    void check_pages_beyond_mark();
    void check_node(NodeId id);
    void check_list(NodeId id, int layer, NodeId list_record);
    bool is_target(NodeId id, int layer);
    void check_links_record(NodeId id, NodeId links_id, int layer);
    void check_chain(NodeId id);
    const char* read_chain(NodeId id);
    void drop_detached_rows();
    void check_rows(Relation table);
    bool has_seen_row(NodeId id, pg::RowVisibility& rows);
    void check_reachability(Relation table, Snapshot snapshot);

    Index* index_;
    core::Arena arena_;
    core::Array<Finding>* findings_;
    core::Bitmap nodes_;
    core::Bitmap live_;
    core::Bitmap linked_;
    core::Bitmap helpers_;
    core::Bitmap owned_;
    core::Array<NodeId> ids_;
    core::Array<Link> links_;
    core::Array<NodeId> chain_;
    core::Array<Row> rows_;
};

const char*
check_header(const core::CodeHeader& header) {
    if (!std::isfinite(header.factor) || !std::isfinite(header.offset) ||
        !std::isfinite(header.error) || header.error < 0)
        return "the floats beside a code are out of range";
    return nullptr;
}

const char*
check_whole_page(const std::uint8_t* page, PageKind kind, BlockNumber block) {
    if (is_zero_page(page))
        return nullptr;
    const char* problem = check_page(page, kind, block);
    return problem != nullptr ? problem : check_page_header(page);
}

// What lies before the first extent was decoded when the index was opened.
void
Check::check_first_pages() {
    for (BlockNumber block = 0; block < index_->geometry.first_block; ++block)
        pg::with_page(index_->relation, block, index_->hints, [&](const std::uint8_t* page) {
            const PageKind kind = block == kMetaBlock ? PageKind::kMeta : PageKind::kCentroid;
            if (const char* problem = check_whole_page(page, kind, block))
                report(block, kNoNode, problem, Severity::kDamage);
        });
}

void
Check::check_hot_page(BlockNumber block) {
    const Geometry& geometry = index_->geometry;
    rows_.reserve(rows_.size() + kUsableSize / sizeof(Tid));
    pg::with_page(index_->relation, block, index_->hints, [&](const std::uint8_t* page) {
        if (const char* problem = check_whole_page(page, PageKind::kHot, block))
            return report(block, kNoNode, problem, Severity::kDamage);
        for (std::uint32_t i = 0; i < geometry.hot_per_page; ++i) {
            const NodeId id = geometry.first_id_of(block) + i;
            const std::uint8_t* record = hot_record(page, geometry, i);
            if (const char* problem = check_record(record, geometry, kMostSlots))
                report(block, id, problem, Severity::kDamage);
            else
                note_record(id, record);
        }
    });
}

void
Check::note_record(NodeId id, const std::uint8_t* record) {
    switch (head_of(record).kind) {
        case RecordKind::kFree:
            return;
        case RecordKind::kNode:
            nodes_.set(id);
            if (is_live_node(record))
                live_.set(id);
            if ((head_of(record).flags & kFlagLinked) != 0)
                linked_.set(id);
            if ((head_of(record).flags & ~(kFlagDead | kFlagLinked | kFlagAppended)) != 0)
                damage(id, "a node has unknown flags");
            if (const char* problem = check_header(code_header(record, index_->geometry)))
                damage(id, problem);
            else if (const char* flaw = index_->codec->check(code_header(record, index_->geometry),
                                                             code_of(record, index_->geometry)))
                damage(id, flaw);
            break;
        case RecordKind::kLinks:
        case RecordKind::kTids:
            helpers_.set(id);
            break;
    }
    for (const Tid& tid : rows_of(record, index_->geometry))
        if (tid.is_valid())
            rows_.push_back({tid, id});
}

void
Check::check_cold_pages() {
    if (index_->geometry.cold_bytes == 0)
        return;
    const BlockNumber n_blocks =
        std::min(index_->geometry.n_blocks_for(index_->meta.n_slots), index_->n_blocks);
    for (BlockNumber block = index_->geometry.first_block; block < n_blocks; ++block) {
        if (index_->geometry.is_hot_block(block))
            continue;
        CHECK_FOR_INTERRUPTS();
        pg::with_page(index_->relation, block, index_->hints, [&](const std::uint8_t* page) {
            if (const char* problem = check_whole_page(page, PageKind::kCold, block))
                report(block, kNoNode, problem, Severity::kDamage);
        });
    }
}

// Nothing is written to a page before the mark is above it.
void
Check::check_pages_beyond_mark() {
    const auto end_of_mark = [this] {
        return index_->geometry.n_blocks_for(refresh_meta(*index_).n_slots);
    };
    const BlockNumber n_blocks = RelationGetNumberOfBlocks(index_->relation);
    for (BlockNumber block = end_of_mark(); block < n_blocks && has_room(); ++block) {
        CHECK_FOR_INTERRUPTS();
        if (!pg::with_page(index_->relation, block, index_->hints, is_zero_page) &&
            block >= end_of_mark())
            report(block, kNoNode, "a page beyond the mark is in use", Severity::kDamage);
    }
}

void
Check::check_node(NodeId id) {
    CHECK_FOR_INTERRUPTS();
    int layer = 0;
    bool is_whole = false;
    NodeId links_id = kNoNode;
    NodeId chain_head = kNoNode;
    with_record(*index_, id, [&](const std::uint8_t* record) {
        if (!is_live_node(record))
            return;
        layer = head_of(record).layer;
        links_id = node_of(record).links_id;
        chain_head = node_of(record).tids_head;
        is_whole = (head_of(record).flags & kFlagLinked) != 0;
    });
    check_list(id, 0, id);
    if (links_id != kNoNode)
        check_links_record(id, links_id, layer);
    else if (layer > 0 && is_whole)
        damage(id, "a node of an upper layer has no links record");
    if (chain_head != kNoNode)
        check_chain(id);
}

void
Check::check_links_record(NodeId id, NodeId links_id, int layer) {
    int n_layers = -1;
    if (layer > 0)
        with_record(*index_, links_id, [&](const std::uint8_t* record) {
            if (holds_links(record, id, 1))
                n_layers = head_of(record).layer;
        });
    NodeId links_id_now = kNoNode;
    with_record(*index_, id, [&](const std::uint8_t* record) {
        links_id_now = is_live_node(record) ? node_of(record).links_id : kNoNode;
    });
    if (links_id_now != links_id)
        return;
    if (n_layers != layer)
        return damage(id, "a node's links record is not its own");
    for (int i = 1; i <= layer; ++i)
        check_list(id, i, links_id);
}

void
Check::check_list(NodeId id, int layer, NodeId list_record) {
    links_.clear();
    with_record(*index_, list_record, [&](const std::uint8_t* record) {
        if (!holds_links(record, id, layer) || (layer == 0 && !is_live_node(record)))
            return;
        for (const Link& link : links_of(record, index_->geometry, layer))
            links_.push_back(link);
    });
    if (std::count_if(links_.begin(), links_.end(), [](const Link& link) {
            return link.kind() == core::LinkKind::kParent;
        }) > (layer == 0 ? 1 : 0))
        damage(id, "a node has more parents than one");
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const NodeId target = links_[i].id();
        if (target == id)
            damage(id, "a node links to itself");
        for (std::size_t j = 0; j < i; ++j)
            if (links_[j].id() == target)
                damage(id, "a node links to another one twice");
        if (is_target(target, layer))
            continue;
        // Freed since the list was read?
        bool is_still_linked = false;
        with_record(*index_, list_record, [&](const std::uint8_t* record) {
            if (!holds_links(record, id, layer) || (layer == 0 && !is_live_node(record)))
                return;
            for (const Link& link : links_of(record, index_->geometry, layer))
                is_still_linked |= link.id() == target;
        });
        if (is_still_linked)
            damage(id, "a node links to a record that is no node of the layer");
    }
}

bool
Check::is_target(NodeId id, int layer) {
    if (number_of(id) >= index_->n_held) {
        refresh_meta(*index_);
        if (number_of(id) >= index_->n_held)
            return false;
    }
    return with_record(*index_, id, [&](const std::uint8_t* record) {
        return is_node(record) && head_of(record).layer >= layer;
    });
}

void
Check::check_chain(NodeId id) {
    // Vacuum may take a record out of the chain while it is read; then it can be read anew.
    const char* problem = nullptr;
    for (int i = 0; i < kMostChainChecks; ++i) {
        problem = read_chain(id);
        if (problem != nullptr)
            continue;
        for (const NodeId record : chain_.span())
            if (is_known(record))
                owned_.set(record);
        return;
    }
    damage(id, problem);
}

// Reads the ids of a live node's chain; null, or why it cannot be followed.
const char*
Check::read_chain(NodeId id) {
    NodeId next = kNoNode;
    with_record(*index_, id, [&](const std::uint8_t* record) {
        next = is_live_node(record) ? node_of(record).tids_head : kNoNode;
    });
    std::uint16_t version = 0;
    CircleWatch watch;
    chain_.clear();
    while (next != kNoNode) {
        CHECK_FOR_INTERRUPTS();
        const NodeId current = next;
        if (number_of(current) >= index_->n_held) {
            refresh_meta(*index_);
            if (number_of(current) >= index_->n_held)
                return "a node's chain leads beyond the index";
        }
        if (watch.is_met_again(current))
            return "a node's chain runs in a circle";
        const bool is_head = chain_.is_empty();
        chain_.push_back(current);
        const bool is_own = with_record(*index_, current, [&](const std::uint8_t* record) {
            if (!holds_rows(record, id) || (!is_head && head_of(record).version != version))
                return false;
            next = tids_record(record).next;
            version = tids_record(record).next_version;
            return true;
        });
        if (!is_own)
            return "a node's chain leads to a record that is not its own";
    }
    return nullptr;
}

// A row in a record that no chain leads to is not in the index: no search finds it.
void
Check::drop_detached_rows() {
    const auto is_detached = [this](const Row& row) {
        return helpers_.has(row.record) && !owned_.has(row.record);
    };
    const Row* const end = std::remove_if(rows_.begin(), rows_.end(), is_detached);
    rows_.truncate(static_cast<std::size_t>(end - rows_.begin()));
}

void
Check::check_rows(Relation table) {
    pg::TableBounds bounds(table);
    for (const Row& row : rows_.span())
        if (!bounds.hold(to_item_pointer(row.tid)) && holds_row(*index_, row))
            damage(row.record, "a row lies beyond the table");
    std::sort(rows_.begin(), rows_.end(),
              [](const Row& a, const Row& b) { return is_before(a.tid, b.tid); });
    for (std::size_t i = 1; i < rows_.size(); ++i)
        if (rows_[i].tid == rows_[i - 1].tid && rows_[i].record != rows_[i - 1].record &&
            holds_row(*index_, rows_[i]) && holds_row(*index_, rows_[i - 1]))
            damage(rows_[i].record, "a row is in the index twice");
}

// Rows that were deleted, or inserted by a transaction that was rolled back, stay until vacuum
// takes them. Of a node with further rows any may be seen.
bool
Check::has_seen_row(NodeId id, pg::RowVisibility& rows) {
    Tid tid = kNoTid;
    const bool is_alone = with_record(*index_, id, [&](const std::uint8_t* record) {
        if (!is_live_node(record) || node_of(record).tids_head != kNoNode)
            return false;
        tid = node_of(record).tid;
        return tid.is_valid();
    });
    return !is_alone || rows.has(to_item_pointer(tid));
}

void
Check::check_reachability(Relation table, Snapshot snapshot) {
    const MetaPage& meta = refresh_meta(*index_);
    if (meta.entry_node == kNoNode) {
        for (const NodeId id : core::ids_below(nodes_.size()))
            if (live_.has(id) && linked_.has(id))
                return report(kMetaBlock, kNoNode, "there are nodes but no entry point",
                              Severity::kDamage);
        return;
    }
    if (!is_target(meta.entry_node, meta.entry_layer))
        return report(kMetaBlock, meta.entry_node, "the entry point is no node of its layer",
                      Severity::kDamage);
    for (const NodeId id : core::ids_below(nodes_.size()))
        if (!live_.has(id) || !linked_.has(id))
            nodes_.clear(id);
    pg::RowVisibility rows(table, snapshot);
    arena_.make<ReachCheck>(*index_, nodes_, arena_)
        ->run(
            meta.entry_node, [&](NodeId id) { return has_seen_row(id, rows); },
            [this](NodeId id, const char* problem) {
                report(index_->geometry.hot_place(id).block, id, problem, Severity::kQuality);
            });
    rows.close();
}

}  // namespace

void
check_index(Relation relation, bool deep, core::Array<Finding>& findings) {
    const Relation table =
        table_open(IndexGetRelation(RelationGetRelid(relation), false), AccessShareLock);
    findings.reserve(kMostFindings);
    // Taken before the index is read: what it sees was inserted before.
    const Snapshot snapshot = RegisterSnapshot(GetTransactionSnapshot());
    Index index = open_index(relation);
    core::Arena arena = pg::context_arena(CurrentMemoryContext);
    Check* check = arena.make<Check>(index, arena, findings);
    check->run(table, snapshot);
    if (check->is_sound() && findings.size() < kMostFindings && has_far_centroid(index))
        findings.push_back(
            {kMetaBlock, kNoNode, "the centroid is far from the vectors", Severity::kQuality});
    if (check->is_sound() && findings.size() < kMostFindings && has_coarse_codes(index))
        findings.push_back({kMetaBlock, kNoNode,
                            "codes are too coarse for what lies close together",
                            Severity::kQuality});
    // Which evaluates the expression of the index, as the server's own maintenance does.
    if (deep && check->is_sound())
        pg::as_owner(table, [&] { check_heap(index, table, snapshot, check->rows(), findings); });
    UnregisterSnapshot(snapshot);
    table_close(table, AccessShareLock);
}

}  // namespace vext::hnsw
