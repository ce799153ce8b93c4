// Choosing a node's links among candidates, from copies of their codes.

#pragma once

#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/graph/candidate.h"
#include "core/graph/link_selector.h"
#include "hnsw/pages/index.h"
#include "hnsw/pages/link_list.h"

namespace vext::hnsw {

/// A node chosen to be linked to.
struct ChosenLink {
    core::Candidate node;
    core::LinkKind kind;

    Link
    link() const {
        return {node.id, kind};
    }
};

/// Holds the memory for selections of up to `n_most_candidates`, from one arena.
class NeighbourSelector {
   public:
    NeighbourSelector(Index& index, core::Arena& arena, std::size_t n_most_candidates);

    /// Copies the codes of those `candidates` (in order of distance) that are live nodes of the
    /// version seen, without `self`.
    void gather(std::span<const core::Candidate> candidates, NodeId self);

    /// The gathered candidates, in order.
    std::span<const core::Candidate>
    gathered() const {
        return candidates_.span();
    }

    /// Whether most of the gathered are not linked: an insert that was cut off has left them, or a
    /// large one is under way.
    bool
    are_mostly_unlinked() const {
        return 2 * n_unlinked_ > candidates_.size();
    }

    /// Finds a gathered node with an equal vector; false when there is none. Not one that is not
    /// linked: if its insert was cut off, later ones can take the last link to it.
    bool find_equal(const VectorContent& content, core::Candidate& equal);

    /// Chooses up to `n_most` links on `layer` of the gathered (core/graph/select.h) and appends
    /// them to `chosen`, the diverse ones first.
    void select(int layer, std::size_t n_most, core::Array<ChosenLink>& chosen);

    /// Makes `chosen` those of `handed_over` that the node `self` takes over on `layer`
    /// (../README.md, "Groups far from each other"): the diverse ones, few beside all its links.
    /// `handed_over` is in order of the distance to it.
    void take_over(int layer, std::span<const core::Candidate> handed_over, NodeId self,
                   core::Array<ChosenLink>& chosen);

   private:
    bool is_linked(NodeId id);
    bool has_residual(NodeId id, std::span<const std::uint8_t> residual);

    const std::uint8_t*
    code_of(std::size_t i) const {
        return codes_.data() + i * index_->meta.code_bytes;
    }

    Index* index_;
    core::LinkSelector selector_;
    core::Array<core::Candidate> candidates_;
    std::size_t n_unlinked_ = 0;       // of candidates_
    std::span<core::CodeRef> refs_;    // beside candidates_
    std::span<std::uint32_t> hashes_;  // beside candidates_
    std::span<std::uint8_t> codes_;    // beside candidates_
};

static_assert(std::is_trivially_destructible_v<NeighbourSelector>);

/// Puts what was taken over into the list of the node that took it.
inline void
put_taken_over(const LinkList& list, std::span<const ChosenLink> chosen) {
    for (const ChosenLink& link : chosen)
        list.put_over_filler(link.link());
}

}  // namespace vext::hnsw
