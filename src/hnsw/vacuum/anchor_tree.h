// The tree of anchors on pages, as vacuum mends it.
//
// Every live linked node but one, the root, shall hang on another one: that one keeps an anchor to
// it, and it keeps a link back, to its parent. Then layer 0 leads from each node to every other.
// Where nodes died, their children hang on the dead. What still hangs on the root takes them in: by
// links it has, turned into anchors, else by a search.
//
// A node that is taken in keeps the link to its old parent until that hangs on the root too, or the
// lists around it have been mended. So at every moment all is reached that was reached before,
// through the dead if need be.
//
// A node whose list is full of what is kept gives up one of its links to the dead, but none that
// all else is reached by: the tree of ways, from what is inside over kept links, says which those
// are. What hangs on the root needs no way to it, so the way to itself is one it can give up.

#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "core/array.h"
#include "core/bitmap.h"
#include "hnsw/graph/repair.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

class AnchorTree {
   public:
    /// Memory: two bits a slot and a stack, from `arena`; where a full list has to give something
    /// up, four bytes more. `dead` is what died, by id; `repairer` searches.
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

    /// Makes them hang on the live node `root`. False when a node found no place: it can be called
    /// again with another root or once lists have room, or the next vacuum goes on. Requires:
    /// look() was called.
    bool grow(NodeId root);

    /// The one of them with the most places for anchors in its list; kNoNode when there are none.
    NodeId find_roomiest();

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
        return settled_.covers(id) && settled_.has(id);
    }
    bool
    is_outside(NodeId id) const {
        return is_settled(id) && !inside_.has(id);
    }
    bool
    is_dead(NodeId id) const {
        return dead_->covers(id) && dead_->has(id);
    }

    /// Requires: find_ways() was called.
    NodeId
    way_to(NodeId id) const {
        return ways_[number_of(id)];
    }

    void begin_at(NodeId root);
    void come_in(NodeId id);
    void take_in(NodeId id, NodeId parent);
    bool hang(NodeId id, NodeId parent);
    void find_ways();
    void follow_ways(NodeId from, bool both_ways);
    bool may_give_up(NodeId id, const Link& link) const;
    bool read_list(NodeId id);
    std::size_t count_kept(NodeId id);
    void grow_from(NodeId id, std::uint32_t most_anchors);
    void grow_by_fresh(std::uint32_t most_anchors);
    void grow_at(NodeId id, std::uint32_t most_anchors);
    bool make_anchor(NodeId id, NodeId to);
    void grow_by_search(NodeId id);
    NodeId find_child(NodeId id);
    template <typename Visit>
    void for_each_settled(Visit&& visit);

    Index* index_;
    const core::Bitmap* dead_;
    Repairer* repairer_;
    core::Bitmap settled_;  // live and linked
    core::Bitmap inside_;   // hangs on the root
    std::size_t n_settled_ = 0;
    std::size_t n_outside_ = 0;
    NodeId root_ = kNoNode;
    bool is_full_ = false;  // nothing inside has a place for another anchor
    core::Array<NodeId> page_ids_;
    core::Array<Step> steps_;
    core::Array<NodeId> fresh_;  // came in, and have not been looked at
    core::Array<NodeId> searched_;
    core::Array<Link> links_;   // the list last read
    core::Array<NodeId> ways_;  // by id: the node from which it is reached; empty while not needed
};

static_assert(std::is_trivially_destructible_v<AnchorTree>);

}  // namespace vext::hnsw
