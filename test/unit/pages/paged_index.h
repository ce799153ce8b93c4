// An index in the memory of MemoryServer, and what must hold of it at any time.

#pragma once

// Before the server's headers: it cannot do with their macros.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "hnsw/graph/inserter.h"
#include "hnsw/pages/chain.h"
#include "hnsw/pages/create.h"
#include "hnsw/pages/link_list.h"
#include "hnsw/pages/record.h"
#include "memory_server.h"

extern "C" {
#include "common/pg_prng.h"
}

namespace vext::hnsw {

inline Tid
tid_of(std::uint32_t row) {
    return {0, static_cast<std::uint16_t>(row / 100), static_cast<std::uint16_t>(row % 100 + 1)};
}

/// Rows are numbers; each has a vector of its own.
class PagedIndex {
   public:
    PagedIndex(int n_dims, int m, core::Metric metric = core::Metric::kL2) {
        pg_prng_seed(&pg_global_prng_state, 1);
        EXPECT_EQ(server_.run([&] {
            MetaPage meta = make_meta({metric, n_dims, m, std::max(2 * m, 16), 0});
            meta.rotation_seed = 1;
            meta.has_centroid = 1;  // of zeros
            write_first_pages(server_.relation(), MAIN_FORKNUM, meta, nullptr);
            index_.emplace();
            index_->relation = server_.relation();
            index_->meta = meta;
            index_->geometry = geometry_of(meta);
            index_->wal_mode = pg::WalMode::kLogged;
            auto* centroid = static_cast<float*>(palloc0(sizeof(float) * n_dims));
            index_->codec = make_codec(meta, core::has_centroid(meta.codec) ? centroid : nullptr);
            index_->codec_has_centroid = true;
            refresh_meta(*index_);
            inserter_ = core_arena().make<Inserter>(*index_, std::size_t{64});
        }),
                  std::nullopt);
    }

    test::MemoryServer&
    server() {
        return server_;
    }
    Index&
    index() {
        return *index_;
    }
    core::Arena
    core_arena() {
        return pg::context_arena(CurrentMemoryContext);
    }

    void
    insert(std::uint32_t row, std::span<const float> vector) {
        inserter_->insert(vector, tid_of(row));
    }

    Inserter&
    inserter() {
        return *inserter_;
    }

    /// As another backend, which has opened the index for itself.
    void
    insert_beside(std::uint32_t row, std::span<const float> vector) {
        auto* other = core_arena().make<Index>(*index_);
        core_arena().make<Inserter>(*other, std::size_t{64})->insert(vector, tid_of(row));
    }

    const std::uint8_t*
    record(NodeId id) {
        const Place place = index_->geometry.hot_place(id);
        return server_.page(place.block) + place.offset;
    }
    std::uint8_t*
    record_to_change(NodeId id) {
        return const_cast<std::uint8_t*>(record(id));
    }

    /// All slots whose pages are there.
    core::IdRange<NodeId>
    ids() {
        refresh_meta(*index_);
        return core::ids_below(index_->n_held);
    }

    std::vector<NodeId>
    linked_nodes() {
        std::vector<NodeId> nodes;
        for (const NodeId id : ids())
            if (is_linked_node(record(id)))
                nodes.push_back(id);
        return nodes;
    }

    /// The node that has the row; kNoNode when no live one has it.
    NodeId
    node_of_row(std::uint32_t row) {
        for (const NodeId id : ids())
            if (is_live_node(record(id)))
                for (const Tid& tid : rows(id))
                    if (tid == tid_of(row))
                        return id;
        return kNoNode;
    }

    std::vector<Tid>
    rows(NodeId id) {
        core::Arena arena = core_arena();
        core::Array<Tid> tids(arena);
        if (node_of(record(id)).tid.is_valid())
            tids.push_back(node_of(record(id)).tid);
        EXPECT_TRUE(collect_chain(*index_, id, node_of(record(id)).tids_head, tids));
        return {tids.begin(), tids.end()};
    }

    /// What layer 0 leads to from `from`, through the dead too.
    std::set<NodeId>
    reached_from(NodeId from) {
        std::set<NodeId> met = {from};
        std::vector<NodeId> queue = {from};
        while (!queue.empty()) {
            const NodeId id = queue.back();
            queue.pop_back();
            if (!is_node(record(id)))
                continue;
            for (const Link& link : links_of(record(id), index_->geometry, 0))
                if (met.insert(link.id()).second)
                    queue.push_back(link.id());
        }
        return met;
    }

    /// Every record decodes, layer 0 leads from the entry point to every linked node and back, and
    /// anchors make a tree of them: all but one hang on another that keeps a link to them.
    void
    expect_sound() {
        for (const NodeId id : ids())
            ASSERT_EQ(check_record(record(id), index_->geometry, index_->meta.n_slots), nullptr);
        const std::vector<NodeId> nodes = linked_nodes();
        const NodeId entry = index_->meta.entry_node;
        if (entry == kNoNode) {
            ASSERT_TRUE(nodes.empty());
            return;
        }
        const std::set<NodeId> reached = reached_from(entry);
        for (const NodeId id : nodes) {
            ASSERT_TRUE(reached.contains(id)) << "node " << number_of(id) << " is not reached";
            ASSERT_TRUE(reached_from(id).contains(entry))
                << "node " << number_of(id) << " does not lead to the entry point";
        }
        expect_tree(nodes);
    }

    void
    expect_tree(const std::vector<NodeId>& nodes) {
        std::size_t n_roots = 0;
        for (const NodeId id : nodes) {
            const NodeId parent = parent_of(links_of(record(id), index_->geometry, 0));
            if (parent == kNoNode) {
                ++n_roots;
                continue;
            }
            const std::span<const Link> links = links_of(record(parent), index_->geometry, 0);
            ASSERT_TRUE(std::ranges::find(links, Link(id, core::LinkKind::kAnchor)) != links.end())
                << "node " << number_of(id) << " is not anchored by " << number_of(parent);
        }
        ASSERT_LE(n_roots, 1U);
    }

   private:
    test::MemoryServer server_;
    std::optional<Index> index_;
    Inserter* inserter_ = nullptr;
};

/// Groups of points far from each other, in turns.
inline std::vector<std::vector<float>>
grouped_vectors(std::size_t n, std::size_t n_dims, std::size_t n_groups, unsigned seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    std::vector<std::vector<float>> vectors(n, std::vector<float>(n_dims));
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t d = 0; d < n_dims; ++d)
            vectors[i][d] =
                normal(random) + (d == 0 ? 50.0F * static_cast<float>(i % n_groups) : 0.0F);
    return vectors;
}

}  // namespace vext::hnsw
