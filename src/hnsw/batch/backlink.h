// Links back to the nodes of a batch: each list is read and written once for all of them, and the
// lists of a page are written as one WAL record.

#pragma once

#include <cstdint>
#include <span>

#include "core/array.h"
#include "hnsw/batch/point_store.h"
#include "hnsw/graph/link_edit.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// A node of the batch that wants a link from `neighbour`, whose distance is theirs.
struct BackLinkWish {
    core::Candidate neighbour;
    core::Point point;
    NodeId id;    ///< of the point
    float reach;  ///< LinkEdit::set_reach for it
};

/// A node that a list handed over to the node `to` of the batch, at its distance to that.
struct HandedOver {
    core::Candidate node;
    NodeId to;
    float beyond;  ///< by how much it is farther from `to` than the search for that reached
};

/// Works for one chunk of a batch after the other; memory from one arena.
class BatchBackLinker {
   public:
    /// Requires: `graph` measures distances to `query`, which is filled anew for each point.
    BatchBackLinker(Index& index, PointStore& store, PageGraph& graph, core::Query& query,
                    core::Arena& arena);

    void
    add(const BackLinkWish& wish) {
        wishes_.push_back(wish);
    }

    /// Grants on layer 0 what was wished since the last call, as far as the lists have places to
    /// give. `n_points` are those who wished.
    void grant(std::size_t n_points);

    /// What the lists handed over in the last grant(), by node and nearest first; some of it may
    /// be linked already, or be there twice.
    std::span<const HandedOver> handed_over();

    /// The bytes of what is handed over for `n` points, at most.
    static std::size_t
    bytes_handed_over(std::size_t n) {
        return 2 * n * kMostHandedOver * sizeof(HandedOver);  // pending_ can be as large
    }

   private:
    static constexpr std::size_t kMostHandedOver = 4;  ///< nodes, for each point on average

    /// A list that is to be written, its links in links_ from `first` on, and what it hands over in
    /// pending_ up to `end_pending`.
    struct PlannedList {
        std::span<const BackLinkWish> wishes;  ///< to its owner
        std::uint32_t first;
        std::uint32_t end_pending;
        std::uint8_t n_before;
        std::uint8_t n_after;
        bool is_written;
    };

    std::size_t grant_once();
    void plan_page(std::span<const BackLinkWish> wishes);
    void plan_list(std::span<const BackLinkWish> wishes);
    void write_page(std::uint32_t block);
    void take_pending();

    Index* index_;
    PointStore* store_;
    core::Query* query_;
    LinkEdit edit_;
    core::Array<BackLinkWish> wishes_;
    core::Array<PlannedList> planned_;
    core::Array<Link> links_;          // of each planned list: as read, then as it will be
    core::Array<HandedOver> pending_;  // by the planned lists
    core::Array<HandedOver> handed_over_;
    std::size_t n_most_handed_over_ = 0;
};

static_assert(std::is_trivially_destructible_v<BatchBackLinker>);

}  // namespace vext::hnsw
