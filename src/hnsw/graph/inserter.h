// Inserting rows into the graph, one at a time (../README.md, "Insert").

#pragma once

#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "hnsw/graph/backlink.h"
#include "hnsw/graph/candidates.h"
#include "hnsw/graph/neighbours.h"
#include "hnsw/graph/page_graph.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// Prepares a vector for its code. False for one that is not indexed, a zero vector by cosine;
/// raises 22003 when the norm overflows, 22000 when the dimensions are not the index's.
bool prepare_vector(const Index& index, std::span<const float> vector, core::Prepared& prepared);

/// Whether the vector is one to be indexed: prepare_vector() for less (Codec::judge).
bool is_indexed(const Index& index, std::span<const float> vector, core::Prepared& scratch);

/// What became of a row that stands in a node that was there (Inserter::insert).
inline constexpr NodeId kJoinedNode{number_of(kNoNode) - 1};

/// Takes the drain lock of the epoch that is current while it is held; returns that epoch. The
/// metapage is read under it.
std::uint32_t lock_current_epoch(Index& index);

/// Inserts rows into one index; holds the memory for it, all from the context current at its
/// making, so that many rows cost no more memory than one.
class Inserter {
   public:
    Inserter(Index& index, std::size_t ef_construction);
    Inserter(const Inserter&) = delete;

    /// Makes the row findable. A zero vector is not indexed by cosine; a vector whose norm
    /// overflows raises 22003, one of other dimensions (the column's type can have been changed
    /// since) 22000. Takes and releases the drain lock unless the index is being built.
    /// `fate` follows the row, for whoever must know after an error: it becomes the id of the node
    /// that is written for it, or kJoinedNode.
    bool insert(std::span<const float> vector, const Tid& tid, NodeId* fate = nullptr);

    /// An empty index got its centroid since this was made: nothing is inserted or joined, and all
    /// is to be opened anew.
    bool
    is_stale() const {
        return index_->has_stale_codec();
    }

    /// Adds the row to a node with an equal vector, if a short search meets one; true also for a
    /// vector that is not indexed. Else the row is still to be inserted. Errors and locks as
    /// insert.
    bool join(std::span<const float> vector, const Tid& tid);

    /// Gives the linked node `id`, which is on layer 0 alone, the further layers that it would get
    /// by its neighbours if it came now: its group has lost the node it had there. Nothing for
    /// other nodes, and for kNoNode. Requires: no vacuum but the caller's is under way.
    void raise(NodeId id);

   private:
    Inserter(Index& index, const SearchEffort& effort);

    bool encode(std::span<const float> vector);
    void insert_encoded(const Tid& tid);
    bool try_insert(const Tid& tid, bool is_alone);
    bool aim_at(NodeId id);
    int draw_layer() const;
    void rise_as_wanted();
    void choose_neighbours();
    bool is_wanted_above() const;
    void find_neighbours();
    void choose(std::span<const core::Candidate> candidates, int layer);
    bool join_equal(const Tid& tid);

    void append_chosen(std::uint8_t* record, int layer) const;
    void write_node(const Tid& tid);
    void rewrite_links();
    bool find_parent(bool is_alone, NodeId& parent);
    void link_above();
    void mark_linked(NodeId parent);
    void start_graph();
    void raise_entry();

    Index* index_;
    core::Arena arena_;
    core::Prepared prepared_;
    core::Query query_;
    PageGraph graph_;
    CandidateSearch search_;
    NeighbourSelector selector_;
    BackLinker linker_;
    MetaPage seen_ = {};  ///< as the search found it
    NodeId* fate_ = nullptr;
    int layer_ = 0;        ///< of the node that is being inserted
    NodeId id_ = kNoNode;  ///< once it is written

    core::CodeHeader header_ = {};
    std::span<std::uint8_t> code_;
    std::span<std::uint8_t> residual_;
    std::uint32_t hash_ = 0;
    core::Array<ChosenLink>* chosen_;  ///< per layer, the diverse ones first
    std::span<float> reach_;           ///< per layer, the distance of the farthest candidate
};

}  // namespace vext::hnsw
