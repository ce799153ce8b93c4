// The rows of one node: its own heap TID and the chain of `tids` records for further rows with an
// equal vector.
//
// Invariants. A row joins only under the node page's exclusive lock, while the node is live and of
// the version that was compared; it sets kFlagAppended, by which vacuum knows that the node
// changed. New records come in at the head of the chain, and rows are added to the head record
// only, so what lies behind the head only ever loses rows. TIDs are never moved. A record leaves
// the chain and is freed in one WAL record, so a reader that meets a record of another kind or
// owner starts over.

#pragma once

#include <cstdint>
#include <span>

#include "core/array.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// A chain that changed underneath is read again, but so often only where it is damaged.
inline constexpr int kMostChainReads = 1000;

/// Tells whether a walk along a chain runs in a circle (Brent, "An improved Monte Carlo
/// factorization algorithm"): at the latest when it has gone round twice and met three times what
/// leads there.
class CircleWatch {
   public:
    /// Whether the walk, which comes to `id` now, has been there before.
    bool
    is_met_again(NodeId id) {
        if (id == remembered_)
            return true;
        if (++n_met_ == next_) {
            remembered_ = id;
            next_ *= 2;
        }
        return false;
    }

   private:
    NodeId remembered_ = kNoNode;
    std::uint32_t n_met_ = 0;
    std::uint32_t next_ = 1;
};

/// Adds a row to the live node `id` of version `version`; false if the node is that no more.
bool join_node(Index& index, NodeId id, std::uint16_t version, const Tid& tid);

/// Takes a row of the node `id` away again, if it is there.
void remove_row(Index& index, NodeId id, const Tid& tid);

/// Appends all rows of a chain that starts at `chain_head` and belongs to `id`. False when the
/// chain changed underneath: what was appended is then incomplete.
bool collect_chain(Index& index, NodeId id, NodeId chain_head, core::Array<Tid>& tids);

/// Takes the records without rows out of the chain of the node `id` and frees them: one walk along
/// the chain, however many there are. Only vacuum does this, and only one vacuum at a time.
void drop_empty_records(Index& index, NodeId id);

}  // namespace vext::hnsw
