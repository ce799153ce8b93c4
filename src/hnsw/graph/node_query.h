// A node of the graph as the query of a search: what lies beside it?

#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/graph/candidate.h"
#include "hnsw/pages/index.h"

namespace vext::hnsw {

/// Holds the query; memory from one arena.
class NodeQuery {
   public:
    NodeQuery(Index& index, core::Arena& arena)
        : index_(&index),
          query_(index.codec->allocate_query(arena)),
          code_(arena.allocate<std::uint8_t>(index.meta.code_bytes)) {}

    const core::Query&
    query() const {
        return query_;
    }

    /// Makes the node the query; false, and nothing changes, where `accept(record)` denies it.
    /// `accept` may copy more of the record: it is called under the page's lock.
    template <typename Accept>
    bool
    aim_at(NodeId id, Accept&& accept) {
        core::CodeHeader header = {};
        const bool is_accepted = with_record(*index_, id, [&](const std::uint8_t* record) {
            if (!accept(record))
                return false;
            copy_code(record, index_->geometry, header, code_);
            return true;
        });
        if (!is_accepted)
            return false;
        id_ = id;
        header_ = header;
        index_->codec->query_from_code(header_, code_.data(), query_);
        return true;
    }

    /// The node, as what a search looks for: its distance to itself is not 0 by inner product.
    core::Sought
    sought() const {
        return {id_, index_->codec->distance(query_, header_, code_.data())};
    }

   private:
    Index* index_;
    core::Query query_;
    NodeId id_ = kNoNode;
    core::CodeHeader header_ = {};
    std::span<std::uint8_t> code_;
};

static_assert(std::is_trivially_destructible_v<NodeQuery>);

}  // namespace vext::hnsw
