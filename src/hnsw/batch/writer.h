// Writing a batch graph into the empty index: pages in block order, every record complete.

#pragma once

#include <cstdint>
#include <span>

#include "core/batch/batch_graph.h"
#include "core/batch/ids.h"
#include "hnsw/batch/point_store.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// A links or tids record that goes behind the nodes.
struct HelperRecord {
    RecordKind kind;
    NodeId owner;
    core::Point first;  ///< tids: that of its first row in the owner's list
    NodeId next;        ///< tids: the next record of the chain
};

class BatchWriter {
   public:
    /// Plans ids: nodes in leaf order, then their further records. `index` is empty; memory from
    /// the current context: about 8 bytes a point.
    BatchWriter(Index& index, PointStore& store, const core::BatchGraph& graph);

    std::uint32_t
    n_slots() const {
        return n_slots_;
    }

    /// Extents to be written, each by write_extent().
    std::uint32_t
    n_extents() const {
        return n_slots_ / index_->geometry.slots_per_extent();
    }

    /// Lengthens the file to its final size. Called once, before any extent is written.
    void extend_file();

    /// Writes the pages of one extent.
    void write_extent(std::uint32_t extent);

    /// Sets entry point and mark. Called once, after all extents.
    void finish();

   private:
    void plan_node(NodeId id);
    bool
    is_node_id(NodeId id) const {
        return number_of(id) < n_nodes_;
    }
    core::Rank
    rank_of(NodeId id) const {
        return graph_->order[number_of(id)];
    }
    core::Point
    point_of(NodeId id) const {
        return graph_->layers[0].ranked[rank_of(id)];
    }
    NodeId
    id_of_point(core::Point point) const {
        return ids_[graph_->layers[0].ranked.rank_of(point)];
    }
    template <typename Write>
    void write_page(std::uint32_t block, PageKind kind, Write&& write);
    void write_slot(NodeId id, std::uint8_t* record);
    void write_node(NodeId id, std::uint8_t* record);
    void write_links(const HelperRecord& helper, std::uint8_t* record);
    void write_tids(const HelperRecord& helper, std::uint8_t* record);

    core::Arena arena_;
    Index* index_;
    PointStore* store_;
    const core::BatchGraph* graph_;
    std::uint32_t n_nodes_;
    std::uint32_t n_slots_ = 0;
    core::IdSpan<core::Rank, NodeId> ids_;           // of layer 0
    core::Array<HelperRecord> helpers_;              // ids from n_nodes_ on
    core::IdSpan<NodeId, std::uint32_t> helper_of_;  // where the helpers of a node begin
    std::uint8_t* page_;
};

}  // namespace vext::hnsw
