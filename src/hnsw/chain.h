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

#include "core/array.h"
#include "hnsw/index.h"

namespace vext::hnsw {

/// A chain that changed underneath is read again, but so often only where it is damaged.
inline constexpr int kMostChainReads = 1000;

/// Adds a row to the live node `id` of version `version`; false if the node is that no more.
bool join_node(Index& index, NodeId id, std::uint16_t version, const Tid& tid);

/// Appends all rows of a chain that starts at `chain_head` and belongs to `id`. False when the
/// chain changed underneath: what was appended is then incomplete.
bool collect_chain(Index& index, NodeId id, NodeId chain_head, core::Array<Tid>& tids);

/// Takes the record `id` out of its owner's chain and frees it, if it holds no row. Only vacuum
/// does this, and only one vacuum at a time.
void drop_empty_record(Index& index, NodeId id);

}  // namespace vext::hnsw
