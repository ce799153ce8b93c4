// See info.h.

#include "hnsw/inspect/info.h"

#include <algorithm>

#include "hnsw/inspect/centroid_offset.h"
#include "hnsw/options.h"
#include "hnsw/pages/page_walk.h"

namespace vext::hnsw {

namespace {

constexpr const char* kCodecNames[] = {"exact", "scalar8", "scalar4", "plain8", "bits", "sparse"};

void
count_pages(const Index& index, Info& info) {
    const BlockNumber n_blocks = RelationGetNumberOfBlocks(index.relation);
    for (BlockNumber block = 0; block < n_blocks; ++block)
        if (block < index.geometry.first_block || index.geometry.is_hot_block(block))
            ++info.hot_pages;
    info.cold_pages = n_blocks - info.hot_pages;
}

}  // namespace

Info
collect_info(Relation relation) {
    Index index = open_index(relation);
    Info info = {};
    info.format = index.meta.version;
    info.metric = core::kMetricNames[static_cast<std::size_t>(index.meta.metric)].data();
    info.codec = kCodecNames[static_cast<std::size_t>(index.meta.codec)];
    info.n_dims = static_cast<int>(index.meta.n_dims());
    info.m = index.meta.m;
    info.ef_construction = option_ef_construction(relation);
    info.n_layers = index.meta.entry_node == kNoNode ? 0 : index.meta.entry_layer + 1;
    if (index.hints != nullptr) {
        info.n_fallbacks = static_cast<std::int64_t>(index.hints->n_fallbacks);
        info.n_cut_short = static_cast<std::int64_t>(index.hints->n_cut_short);
    }
    std::int64_t n_used = 0;
    std::int64_t n_links = 0;
    for_each_hot_block(index, false, [&](BlockNumber block) {
        with_records_of(index, block, [&](NodeId, const std::uint8_t* record) {
            ++n_used;
            if (!is_node(record))
                return;
            ++info.n_nodes;
            if (!is_live_node(record)) {
                ++info.n_dead;
                return;
            }
            const int n = head_of(record).n_links;
            info.n_unlinked += (head_of(record).flags & kFlagLinked) == 0 ? 1 : 0;
            info.links_max = std::max(info.links_max, n);
            n_links += n;
        });
    });
    const std::int64_t n_live = info.n_nodes - info.n_dead;
    info.links_avg = n_live == 0 ? 0 : static_cast<double>(n_links) / static_cast<double>(n_live);
    info.fill =
        index.n_held == 0 ? 0 : static_cast<double>(n_used) / static_cast<double>(index.n_held);
    count_pages(index, info);
    info.centroid_offset = measure_centroid_offset(index);
    return info;
}

}  // namespace vext::hnsw
