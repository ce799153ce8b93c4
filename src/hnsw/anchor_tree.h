// The tree of anchors on pages, as vacuum mends it.
//
// Every live linked node but the entry point shall hang on another one: that one keeps an anchor to
// it, and it keeps a link back, to its parent. Then layer 0 leads from the entry point to all and
// from all to the entry point. Where nodes died, their children hang on the dead. What still hangs
// on the entry point takes them in: by links it has, turned into anchors, else by a search.
//
// A node that is taken in keeps the link to its old parent until that hangs on the entry point too,
// or the lists around it have been mended. So at every moment all is reached that was reached
// before, through the dead if need be.

#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "core/array.h"
#include "core/bitmap.h"
#include "hnsw/index.h"
#include "hnsw/repair.h"

namespace vext::hnsw {

class AnchorTree {
   public:
    /// Memory: two bits a slot and a stack, from `arena`. `dead` is what died, by id; `repairer`
    /// searches.
    AnchorTree(Index& index, const core::Bitmap& dead, Repairer& repairer, core::Arena& arena);
    AnchorTree(const AnchorTree&) = delete;

    /// A live linked node of the highest layer; kNoNode where there is none.
    struct Top {
        NodeId id = kNoNode;
        int layer = -1;
    };

    /// Looks which nodes are live and linked. Requires: whoever can have inserted below a node that
    /// has died since has ended, so that all later ones hang on live nodes.
    Top look();

    /// Makes them hang on the entry point. False when a node found no place: it can be called again
    /// once lists have room, or the next vacuum goes on. Requires: look() was called, and the entry
    /// point is alive.
    bool grow();

    /// The nodes that grow() hung by a search.
    std::span<const NodeId>
    searched() const {
        return searched_.span();
    }

   private:
    struct Step {
        NodeId id;
        NodeId parent;  // kNoNode for the root
    };

    bool
    is_settled(NodeId id) const {
        return id < settled_.size() && settled_.has(id);
    }
    bool
    is_outside(NodeId id) const {
        return is_settled(id) && !inside_.has(id);
    }
    bool
    is_dead(NodeId id) const {
        return id < dead_->size() && dead_->has(id);
    }

    void come_in(NodeId id);
    void take_in(NodeId id, NodeId parent);
    bool hang(NodeId id, NodeId parent, bool drops_dead);
    bool read_list(NodeId id);
    void grow_from(NodeId id, std::uint32_t most_anchors);
    void grow_by_fresh(std::uint32_t most_anchors);
    void grow_at(NodeId id, std::uint32_t most_anchors);
    bool make_anchor(NodeId id, NodeId to);
    bool grow_by_search(NodeId id);
    template <typename Visit>
    void for_each_settled(Visit&& visit);

    Index* index_;
    const core::Bitmap* dead_;
    Repairer* repairer_;
    core::Bitmap settled_;  // live and linked
    core::Bitmap inside_;   // hangs on the entry point
    std::size_t n_outside_ = 0;
    core::Array<NodeId> page_ids_;
    core::Array<Step> steps_;
    core::Array<NodeId> fresh_;  // came in, and have not been looked at
    core::Array<NodeId> searched_;
    core::Array<Link> links_;  // the list last read
};

static_assert(std::is_trivially_destructible_v<AnchorTree>);

}  // namespace vext::hnsw
