// See writer.h.

#include "hnsw/batch/writer.h"

#include <algorithm>

#include "hnsw/pages/link_list.h"
#include "hnsw/pages/slots.h"

namespace vext::hnsw {

BatchWriter::BatchWriter(Index& index, PointStore& store, const core::BatchGraph& graph)
    : arena_(pg::context_arena(CurrentMemoryContext)),
      index_(&index),
      store_(&store),
      graph_(&graph),
      n_nodes_(static_cast<std::uint32_t>(graph.order.size())),
      helpers_(arena_, graph.order.size() / 8) {
    ids_ = arena_.allocate<NodeId>(n_nodes_);
    helper_of_ = arena_.allocate<std::uint32_t>(n_nodes_);
    page_ = arena_.allocate<std::uint8_t>(kPageSize).data();
    for (const NodeId id : core::ids_below(n_nodes_))
        ids_[rank_of(id)] = id;
    for (const NodeId id : core::ids_below(n_nodes_))
        plan_node(id);
    const std::uint32_t per_extent = index.geometry.slots_per_extent();
    const std::size_t n_records = n_nodes_ + helpers_.size();
    const std::size_t n_slots = (n_records + per_extent - 1) / per_extent * per_extent;
    if (n_slots > kMostSlots)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                errmsg("index \"%s\" is full", RelationGetRelationName(index.relation)));
    n_slots_ = static_cast<std::uint32_t>(n_slots);
}

// Gives a node's further records their ids.
void
BatchWriter::plan_node(NodeId id) {
    helper_of_[id] = static_cast<std::uint32_t>(helpers_.size());
    const core::Point point = point_of(id);
    if (graph_->layer_of(point) > 0)
        helpers_.push_back({RecordKind::kLinks, id, core::kNoPoint, kNoNode});
    core::Point next = store_->row(point).next_equal;
    while (next != core::kNoPoint) {
        const auto self = static_cast<NodeId>(n_nodes_ + helpers_.size());
        HelperRecord helper = {RecordKind::kTids, id, next, kNoNode};
        for (std::uint32_t i = 0; i < index_->geometry.tids_per_record && next != core::kNoPoint;
             ++i)
            next = store_->row(next).next_equal;
        if (next != core::kNoPoint)
            helper.next = self + 1;
        helpers_.push_back(helper);
    }
}

void
BatchWriter::extend_file() {
    const BlockNumber n_blocks = index_->geometry.n_blocks_for(n_slots_);
    for (BlockNumber n = RelationGetNumberOfBlocks(index_->relation); n < n_blocks; ++n) {
        CHECK_FOR_INTERRUPTS();
        ReleaseBuffer(
            ReadBufferExtended(index_->relation, MAIN_FORKNUM, P_NEW, RBM_NORMAL, nullptr));
    }
}

// Makes the page's image aside, so that no lock is held for long.
template <typename Write>
void
BatchWriter::write_page(std::uint32_t block, PageKind kind, Write&& write) {
    CHECK_FOR_INTERRUPTS();
    init_page(page_, kind, block);
    write();
    pg::write_page(index_->relation, MAIN_FORKNUM, block, page_);
}

void
BatchWriter::write_extent(std::uint32_t extent) {
    const Geometry& geometry = index_->geometry;
    const std::uint32_t n_before = extent * geometry.slots_per_extent();
    const NodeId first = NodeId{n_before};
    const std::uint32_t block = geometry.n_blocks_for(n_before);
    for (std::uint32_t i = 0; i < geometry.hot_blocks; ++i)
        write_page(block + i, PageKind::kHot, [&] {
            for (std::uint32_t slot = 0; slot < geometry.hot_per_page; ++slot)
                write_slot(first + i * geometry.hot_per_page + slot,
                           hot_record(page_, geometry, slot));
        });
    const NodeId end = first + geometry.slots_per_extent();
    for (std::uint32_t i = 0; i < geometry.cold_blocks; ++i)
        write_page(block + geometry.hot_blocks + i, PageKind::kCold, [&] {
            for (std::uint32_t slot = 0; slot < geometry.cold_per_page; ++slot) {
                const NodeId id = first + i * geometry.cold_per_page + slot;
                if (id < end && is_node_id(id))
                    std::memcpy(cold_record(page_, geometry, slot), store_->residual(point_of(id)),
                                index_->meta.residual_bytes);
            }
        });
}

void
BatchWriter::write_slot(NodeId id, std::uint8_t* record) {
    if (is_node_id(id))
        return write_node(id, record);
    const std::size_t i = number_of(id) - n_nodes_;
    if (i >= helpers_.size())
        return;
    const HelperRecord& helper = helpers_[i];
    if (helper.kind == RecordKind::kLinks)
        write_links(helper, record);
    else
        write_tids(helper, record);
}

void
BatchWriter::write_node(NodeId id, std::uint8_t* record) {
    const core::Point point = point_of(id);
    init_node({graph_->layer_of(point), store_->row(point).tid, store_->content(point)},
              index_->geometry, record, nullptr);
    NodeRecord& node = node_of(record);
    node.head.flags = kFlagLinked;
    const LinkList list = link_list(record, index_->geometry, 0);
    for (const core::RankLink& link : graph_->layers[0].links.of(rank_of(id)))
        list.append(Link(ids_[link.id()], link.kind()));
    std::size_t helper = helper_of_[id];
    if (helper < helpers_.size() && helpers_[helper].owner == id &&
        helpers_[helper].kind == RecordKind::kLinks)
        node.links_id = static_cast<NodeId>(n_nodes_ + helper++);
    if (helper < helpers_.size() && helpers_[helper].owner == id)
        node.tids_head = static_cast<NodeId>(n_nodes_ + helper);
}

void
BatchWriter::write_links(const HelperRecord& helper, std::uint8_t* record) {
    const core::Point point = point_of(helper.owner);
    const int top_layer = graph_->layer_of(point);
    init_links(record, helper.owner, top_layer);
    for (int i = 1; i <= top_layer; ++i) {
        const core::BatchLayer& layer = graph_->layers[static_cast<std::size_t>(i)];
        const LinkList list = link_list(record, index_->geometry, i);
        for (const core::RankLink& link : layer.links.of(layer.ranked.rank_of(point)))
            list.append(Link(id_of_point(layer.ranked[link.id()]), link.kind()));
    }
}

void
BatchWriter::write_tids(const HelperRecord& helper, std::uint8_t* record) {
    init_tids(record, helper.owner, helper.next, 0);
    core::Point point = helper.first;
    for (Tid& tid : rows_of(record, index_->geometry)) {
        if (point == core::kNoPoint)
            break;
        tid = store_->row(point).tid;
        point = store_->row(point).next_equal;
    }
}

void
BatchWriter::finish() {
    const core::Point entry = graph_->entry;
    change_meta(
        *index_, [](const MetaPage&) { return true; },
        [&](MetaPage& meta) {
            meta.n_slots = n_slots_;
            meta.entry_node = id_of_point(entry);
            meta.entry_layer = graph_->layer_of(entry);
        });
    refresh_meta(*index_);
    // Slots behind the last record, and nodes to come, are found through the free-space map.
    const auto first_free = static_cast<NodeId>(n_nodes_ + helpers_.size());
    for (const NodeId id : core::IdRange(first_free, NodeId{n_slots_}))
        announce_free(*index_, index_->geometry.hot_place(id).block);
    if (first_free < NodeId{n_slots_})
        publish_free(*index_, index_->geometry.hot_place(first_free).block,
                     index_->geometry.n_blocks_for(n_slots_));
}

}  // namespace vext::hnsw
