// The graph on pages, as the core's searches see it (core/graph/search.h, concept Graph).
//
// Links are read under a pin and a share lock. Distances come from glances where they can
// (pg/glance.h), else under a pin. A node that was freed or became another kind of record since its
// id was read is left out: that is not damage.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "hnsw/pages/index.h"
#include "pg/glance.h"

namespace vext::hnsw {

/// Where every search begins.
struct EntryPoint {
    MetaPage meta;         ///< as the search found it; it names the node
    core::Candidate node;  ///< at its distance to the query
};

class PageGraph {
   public:
    /// Distances are to `query`, which may be filled anew between searches.
    PageGraph(Index& index, const core::Query& query);

    core::Metric
    metric() const {
        return index_->meta.metric;
    }

    /// Reads the metapage and measures the node that it names; false where it names none.
    bool enter(EntryPoint& entry);

    /// Appends the ids that `node` links to on `layer`. Checks for interrupts.
    void
    links(const core::Candidate& node, int layer, core::Array<NodeId>& ids) {
        read_links(node.id, layer, node.version, ids);
    }

    /// Likewise of whichever node is in the slot now.
    void
    links_at(NodeId id, int layer, core::Array<NodeId>& ids) {
        read_links(id, layer, std::nullopt, ids);
    }

    /// Appends candidates for those `ids` that are nodes.
    void measure(std::span<const NodeId> ids, core::Array<core::Candidate>& found);

    /// How many nodes `links` and `measure` left out up to now since they were gone. What lies
    /// behind one is perhaps not met.
    std::size_t
    n_gone() const {
        return n_gone_;
    }

    /// Whether nodes that are not linked count as dead from now on: walked, but not found. They do
    /// not at first. Their rows are not committed, and an insert that was cut off may have left
    /// many.
    void
    pass_unlinked(bool passes) {
        live_flags_ = passes ? kFlagDead | kFlagLinked : kFlagDead;
        wanted_flags_ = passes ? kFlagLinked : 0;
    }

    /// Whether the node is live and linked, looked at under a pin.
    bool is_linked(NodeId id);

    /// Touches (pg/touch.h) what refining the node will read in the cold tier.
    void touch_residual(NodeId id) const;

   private:
    void read_links(NodeId id, int layer, std::optional<std::uint16_t> version,
                    core::Array<NodeId>& ids);
    void touch(std::span<const Place> places) const;
    bool glance(NodeId id, const Place& place, core::Candidate& candidate);
    bool look(NodeId id, core::Candidate& candidate);
    bool
    counts_as_dead(std::uint8_t flags) const {
        return (flags & live_flags_) != wanted_flags_;
    }
    void set_distance(const std::uint8_t* record, core::Candidate& candidate) const;

    Index* index_;
    const core::Query* query_;
    pg::Glance glance_;
    std::uint8_t live_flags_ = kFlagDead;  ///< that tell whether a node is found ...
    std::uint8_t wanted_flags_ = 0;        ///< ... namely by these values
    std::size_t n_gone_ = 0;
    std::size_t n_touched_;  ///< nodes whose bytes are touched before the first is measured
};

}  // namespace vext::hnsw
