// See page_graph.h.

#include "hnsw/graph/page_graph.h"

#include <algorithm>

#include "hnsw/options.h"
#include "hnsw/pages/link_list.h"

namespace vext::hnsw {

namespace {

// Ids whose places are computed at a time; a node has at most 2 * kMaxM links.
constexpr std::size_t kMostPlaces = 256;

// How many bytes are touched before the first of them is used: they must stay in the nearest cache.
constexpr std::uint32_t kTouchedBytes = 16384;

}  // namespace

PageGraph::PageGraph(Index& index, const core::Query& query)
    : index_(&index),
      query_(&query),
      glance_(index.relation, setting_glance_reads ? index.hints : nullptr),
      n_touched_(std::max<std::size_t>(kTouchedBytes / index.geometry.hot_bytes, 1)) {
}

bool
PageGraph::enter(EntryPoint& entry) {
    NodeId missed = kNoNode;
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        entry.meta = refresh_meta(*index_);
        const NodeId id = entry.meta.entry_node;
        if (id == kNoNode)
            return false;
        entry.node = {};
        entry.node.id = id;
        if (look(id, entry.node))
            return true;
        // Vacuum names another entry point before it frees the old one.
        if (id == missed)
            report_damage(index_->relation, kMetaBlock, "the entry point is no node");
        missed = id;
    }
}

void
PageGraph::read_links(NodeId id, int layer, std::optional<std::uint16_t> version,
                      core::Array<NodeId>& ids) {
    CHECK_FOR_INTERRUPTS();
    const bool is_there = for_each_link(*index_, id, layer, version, [&](NodeId linked) {
        check_id(*index_, linked);
        ids.push_back(linked);
    });
    n_gone_ += is_there ? 0 : 1;
}

void
PageGraph::measure(std::span<const NodeId> ids, core::Array<core::Candidate>& found) {
    Place places[kMostPlaces];
    while (!ids.empty()) {
        const std::size_t n = std::min(ids.size(), kMostPlaces);
        found.reserve(found.size() + n);
        for (std::size_t i = 0; i < n; ++i)
            places[i] = index_->geometry.hot_place(ids[i]);
        for (std::size_t i = 0; i < n; ++i) {
            if (i % n_touched_ == 0)
                touch({places + i, std::min(n - i, n_touched_)});
            core::Candidate candidate = {};
            candidate.id = ids[i];
            if (glance(ids[i], places[i], candidate) || look(ids[i], candidate))
                found.push_back(candidate);
            else
                ++n_gone_;
        }
        ids = ids.subspan(n);
    }
}

bool
PageGraph::is_linked(NodeId id) {
    return with_record(*index_, id, is_linked_node);
}

// Touches what a glance reads: the record's first fields and its code, not the links between them.
void
PageGraph::touch(std::span<const Place> places) const {
    if (!glance_.is_possible())
        return;
    for (const Place& place : places)
        glance_.touch(place.block, [&](const std::uint8_t* page) {
            pg::load_lines(page + place.offset, sizeof(NodeRecord));
            pg::load_lines(page + place.offset + index_->geometry.code_offset,
                           index_->meta.code_bytes);
        });
}

void
PageGraph::touch_residual(NodeId id) const {
    if (!glance_.is_possible() || index_->geometry.cold_bytes == 0)
        return;
    const Place place = index_->geometry.cold_place(id);
    glance_.touch(place.block, [&](const std::uint8_t* page) {
        pg::load_lines(page + place.offset, index_->geometry.cold_bytes);
        pg::load_lines(trailer_of(page), sizeof(PageTrailer));
    });
}

// Only kind, flags and version are believed, and those only as far as they order the search:
// whoever returns or links the node looks again under a pin.
bool
PageGraph::glance(NodeId id, const Place& place, core::Candidate& candidate) {
    if (!glance_.is_possible())
        return false;
    bool is_usable = false;
    const bool was_there = glance_(place.block, [&](const std::uint8_t* page) {
        const std::uint8_t* record = page + place.offset;
        const volatile RecordHead& head = head_of(record);
        candidate.version = head.version;
        candidate.is_dead = counts_as_dead(head.flags);
        is_usable = head.kind == RecordKind::kNode && node_of(record).factor != 0;
        pg_read_barrier();
        set_distance(record, candidate);
    });
    if (was_there && is_usable)
        return true;
    ++index_->hints->n_fallbacks;
    return false;
}

bool
PageGraph::look(NodeId id, core::Candidate& candidate) {
    return with_record(*index_, id, [&](const std::uint8_t* record) {
        if (!is_node(record))
            return false;
        candidate.version = head_of(record).version;
        candidate.is_dead = counts_as_dead(head_of(record).flags);
        set_distance(record, candidate);
        return true;
    });
}

void
PageGraph::set_distance(const std::uint8_t* record, core::Candidate& candidate) const {
    const core::CodeHeader header = code_header(record, index_->geometry);
    candidate.distance =
        index_->codec->distance(*query_, header, code_of(record, index_->geometry));
    candidate.error = index_->codec->estimate_error(*query_, header);
}

}  // namespace vext::hnsw
