// Links back to the nodes of a batch: each list is read and written once for all of them, and the
// lists of a page are written as one WAL record.

#pragma once

#include <cstdint>
#include <span>

#include "core/array.h"
#include "hnsw/index.h"
#include "hnsw/link_edit.h"
#include "hnsw/point_store.h"

namespace vext::hnsw {

/// A node of the batch that wants a link from `neighbour`, whose distance is theirs.
struct BackLinkWish {
    core::Candidate neighbour;
    std::uint32_t point;
    NodeId id;  ///< of the point
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
    /// give.
    void grant();

   private:
    /// A list that is to be written, its links in links_ from `first` on.
    struct PlannedList {
        std::span<const BackLinkWish> wishes;  ///< to its owner
        std::uint32_t first;
        std::uint8_t n_before;
        std::uint8_t n_after;
        bool is_written;
    };

    std::size_t grant_once();
    void plan_page(std::span<const BackLinkWish> wishes);
    void plan_list(std::span<const BackLinkWish> wishes);
    void write_page(std::uint32_t block);

    Index* index_;
    PointStore* store_;
    core::Query* query_;
    LinkEdit edit_;
    core::Array<BackLinkWish> wishes_;
    core::Array<PlannedList> planned_;
    core::Array<Link> links_;  // of each planned list: as read, then as it will be
};

static_assert(std::is_trivially_destructible_v<BatchBackLinker>);

}  // namespace vext::hnsw
