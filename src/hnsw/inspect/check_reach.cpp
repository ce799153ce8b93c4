// See check_reach.h.

#include "hnsw/inspect/check_reach.h"

#include <algorithm>

#include "hnsw/options.h"
#include "hnsw/pages/link_list.h"
#include "hnsw/pages/page_walk.h"

namespace vext::hnsw {

ReachCheck::ReachCheck(Index& index, const core::Bitmap& nodes, core::Arena& arena)
    : index_(&index),
      nodes_(&nodes),
      met_(arena, nodes.size()),
      queue_(arena, 1024),
      lost_(arena),
      node_(index, arena),
      graph_(index, node_.query()),
      landing_(index, arena),
      memory_(arena, static_cast<std::size_t>(effective_ef_search(index.relation))),
      kept_(arena, index.geometry.max_links(0)),
      links_(arena, index.geometry.max_links(0)) {
}

void
ReachCheck::meet(NodeId id) {
    if (!met_.covers(id) || met_.has(id))
        return;
    met_.set(id);
    queue_.push_back(id);
}

void
ReachCheck::walk_from(NodeId entry) {
    queue_.clear();
    meet(entry);
    while (!queue_.is_empty()) {
        CHECK_FOR_INTERRUPTS();
        const NodeId id = queue_.back();
        queue_.pop_back();
        for_each_link(*index_, id, 0, std::nullopt, [&](NodeId linked) { meet(linked); });
    }
}

// Anchors and parents lead both ways: a walk over them finds what leads to the entry point by
// these, where the other node links back. Then all pages are looked at for nodes that link to one
// that leads there, until there are no more.
void
ReachCheck::gather_leading_to(NodeId entry) {
    met_.clear_all();
    queue_.clear();
    meet(entry);
    while (!queue_.is_empty()) {
        CHECK_FOR_INTERRUPTS();
        const NodeId id = queue_.back();
        queue_.pop_back();
        kept_.clear();
        with_record(*index_, id, [&](const std::uint8_t* record) {
            if (is_node(record))
                for (const Link& link : links_of(record, index_->geometry, 0))
                    if (core::is_kept(link.kind()) && met_.covers(link.id()) &&
                        !met_.has(link.id()))
                        kept_.push_back(link.id());
        });
        for (const NodeId linked : kept_.span()) {
            bool links_back = false;
            for_each_link(*index_, linked, 0, std::nullopt,
                          [&](NodeId back) { links_back |= back == id; });
            if (links_back)
                meet(linked);
        }
    }
    while (gather_once()) {
    }
}

// One look at all pages; whether it found any.
bool
ReachCheck::gather_once() {
    bool has_grown = false;
    for_each_hot_block(*index_, false, [&](BlockNumber block) {
        with_records_of(*index_, block, [&](NodeId id, const std::uint8_t* record) {
            if (!is_node(record) || !met_.covers(id) || met_.has(id))
                return;
            const std::span<const Link> links = links_of(record, index_->geometry, 0);
            if (std::any_of(links.begin(), links.end(), [&](const Link& link) {
                    return met_.covers(link.id()) && met_.has(link.id());
                })) {
                met_.set(id);
                has_grown = true;
            }
        });
    });
    return has_grown;
}

// Whether a search for the node meets it, one that is as near, or one that it links to.
bool
ReachCheck::is_found(NodeId id) {
    EntryPoint entry;
    if (!read_node(id) || !graph_.enter(entry))
        return true;
    const core::Sought sought = node_.sought();
    const auto ef = static_cast<std::size_t>(effective_ef_search(index_->relation));
    search_ground(graph_, entry, {ef, &sought}, landing_, memory_);
    const std::span<const core::Candidate> found = memory_.beam.entries();
    return core::has_found(found, sought) ||
           std::any_of(found.begin(), found.end(), [this](const core::Candidate& candidate) {
               return std::find(links_.begin(), links_.end(), candidate.id) != links_.end();
           });
}

// Makes the node the query, and reads its links; false where it has no row.
bool
ReachCheck::read_node(NodeId id) {
    links_.clear();
    return node_.aim_at(id, [this](const std::uint8_t* record) {
        if (!is_linked_node(record))
            return false;
        for (const Link& link : links_of(record, index_->geometry, 0))
            links_.push_back(link.id());
        return true;
    });
}

}  // namespace vext::hnsw
