// See neighbours.h.

#include "hnsw/graph/neighbours.h"

#include <algorithm>

namespace vext::hnsw {

namespace {

// A list gives at most one in so many of its places to nodes that are handed over.
constexpr std::size_t kTakenOverShare = 4;

}  // namespace

NeighbourSelector::NeighbourSelector(Index& index, core::Arena& arena,
                                     std::size_t n_most_candidates)
    : index_(&index),
      selector_(arena, *index.codec, n_most_candidates),
      candidates_(arena, n_most_candidates),
      refs_(arena.allocate<core::CodeRef>(n_most_candidates)),
      hashes_(arena.allocate<std::uint32_t>(n_most_candidates)),
      codes_(arena.allocate<std::uint8_t>(n_most_candidates * index.meta.code_bytes)) {
}

void
NeighbourSelector::gather(std::span<const core::Candidate> candidates, NodeId self) {
    candidates_.clear();
    n_unlinked_ = 0;
    for (const core::Candidate& candidate : candidates) {
        if (candidate.is_dead || candidate.id == self || candidates_.size() == refs_.size())
            continue;
        const std::size_t i = candidates_.size();
        const bool is_live = with_record(*index_, candidate.id, [&](const std::uint8_t* record) {
            if (!is_live_node(record) || head_of(record).version != candidate.version)
                return false;
            n_unlinked_ += (head_of(record).flags & kFlagLinked) == 0 ? 1 : 0;
            refs_[i] = {code_header(record, index_->geometry), code_of(i)};
            hashes_[i] = node_of(record).hash;
            std::memcpy(codes_.data() + i * index_->meta.code_bytes,
                        hnsw::code_of(record, index_->geometry), index_->meta.code_bytes);
            return true;
        });
        if (is_live)
            candidates_.push_back(candidate);
    }
}

bool
NeighbourSelector::find_equal(const VectorContent& content, core::Candidate& equal) {
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
        if (hashes_[i] == content.hash && refs_[i].header.factor == content.header.factor &&
            refs_[i].header.offset == content.header.offset &&
            std::memcmp(code_of(i), content.code, index_->meta.code_bytes) == 0 &&
            has_residual(candidates_[i].id, content.residual) && is_linked(candidates_[i].id)) {
            equal = candidates_[i];
            return true;
        }
    }
    return false;
}

bool
NeighbourSelector::is_linked(NodeId id) {
    return with_record(*index_, id, [](const std::uint8_t* record) {
        return is_node(record) && (head_of(record).flags & kFlagLinked) != 0;
    });
}

bool
NeighbourSelector::has_residual(NodeId id, std::span<const std::uint8_t> residual) {
    if (residual.empty())
        return true;
    const Place place = index_->geometry.cold_place(id);
    check_cold_block(*index_, place.block);
    return pg::with_page(
        index_->relation, place.block, index_->hints, [&](const std::uint8_t* page) {
            return check_page_or_report(*index_, page, PageKind::kCold, place.block, true) &&
                   std::memcmp(page + place.offset, residual.data(), residual.size()) == 0;
        });
}

void
NeighbourSelector::select(int layer, std::size_t n_most, core::Array<ChosenLink>& chosen) {
    std::size_t n_diverse = 0;
    const std::span<const std::uint32_t> positions = selector_.select(
        candidates_.span(), refs_, n_most, core::occlusion_margin(layer), n_diverse);
    for (std::size_t i = 0; i < positions.size(); ++i)
        chosen.push_back({candidates_[positions[i]],
                          i < n_diverse ? core::LinkKind::kDiverse : core::LinkKind::kFiller});
}

void
NeighbourSelector::take_over(int layer, std::span<const core::Candidate> handed_over, NodeId self,
                             core::Array<ChosenLink>& chosen) {
    chosen.clear();
    if (handed_over.empty())
        return;
    gather(handed_over, self);
    select(layer, index_->geometry.max_links(layer) / kTakenOverShare, chosen);
    const ChosenLink* end = std::find_if(chosen.begin(), chosen.end(), [](const ChosenLink& link) {
        return link.kind != core::LinkKind::kDiverse;
    });
    chosen.truncate(static_cast<std::size_t>(end - chosen.begin()));
}

}  // namespace vext::hnsw
