// See neighbours.h.

#include "hnsw/neighbours.h"

#include "core/graph/select.h"

namespace vext::hnsw {

NeighbourSelector::NeighbourSelector(Index& index, core::Arena& arena,
                                     std::size_t n_most_candidates)
    : index_(&index),
      candidates_(arena, n_most_candidates),
      copies_(arena.allocate<Copy>(n_most_candidates)),
      codes_(arena.allocate<std::uint8_t>(n_most_candidates * index.meta.code_bytes)),
      queries_(arena.allocate<core::Query>(index.geometry.max_links(0))),
      positions_(arena, index.geometry.max_links(0)) {
    for (core::Query& query : queries_)
        query = index.codec->allocate_query(arena);
}

void
NeighbourSelector::gather(std::span<const core::Candidate> candidates, NodeId self) {
    candidates_.clear();
    for (const core::Candidate& candidate : candidates) {
        if (candidate.is_dead || candidate.id == self || candidates_.size() == copies_.size())
            continue;
        const std::size_t i = candidates_.size();
        const bool is_live = with_record(*index_, candidate.id, [&](const std::uint8_t* record) {
            if (!is_live_node(record) || head_of(record).version != candidate.version)
                return false;
            copies_[i] = {code_header(record, *index_), node_of(record).hash, -1};
            std::memcpy(codes_.data() + i * index_->meta.code_bytes,
                        record + index_->geometry.code_offset, index_->meta.code_bytes);
            return true;
        });
        if (is_live)
            candidates_.push_back(candidate);
    }
}

NodeId
NeighbourSelector::find_same_code(std::uint32_t hash, const core::CodeHeader& header,
                                  const std::uint8_t* code, std::size_t& from) const {
    for (; from < candidates_.size(); ++from) {
        const Copy& copy = copies_[from];
        if (copy.hash == hash && copy.header.factor == header.factor &&
            copy.header.offset == header.offset &&
            std::memcmp(code_of(from), code, index_->meta.code_bytes) == 0)
            return candidates_[from++].id;
    }
    return kNoNode;
}

void
NeighbourSelector::select(std::size_t n_most, core::Array<ChosenLink>& chosen) {
    n_queries_ = 0;
    for (std::size_t i = 0; i < candidates_.size(); ++i)
        copies_[i].query = -1;
    const std::size_t n_diverse = core::select_links(
        candidates_.span(), n_most,
        [this](std::size_t i, std::size_t j) { return distance_between(i, j); }, positions_);
    for (std::size_t i = 0; i < positions_.size(); ++i)
        chosen.push_back({candidates_[positions_[i]],
                          i < n_diverse ? core::LinkKind::kDiverse : core::LinkKind::kFiller});
}

float
NeighbourSelector::distance_between(std::size_t i, std::size_t chosen) {
    Copy& other = copies_[chosen];
    if (other.query < 0) {
        other.query = static_cast<std::int32_t>(n_queries_++);
        index_->codec->query_from_code(other.header, code_of(chosen),
                                       queries_[static_cast<std::size_t>(other.query)]);
    }
    return index_->codec->distance(queries_[static_cast<std::size_t>(other.query)],
                                   copies_[i].header, code_of(i));
}

}  // namespace vext::hnsw
