// Walking over all hot pages of an index in block order.

#pragma once

#include <algorithm>
#include <cstdint>

#include "hnsw/pages/index.h"
#include "pg/compat.h"

namespace vext::hnsw {

/// Calls `visit(block)` for every hot block below the mark and the file's end as `index` knows them
/// (so of ids below `n_held`), checking for interrupts in between and, with `is_vacuum`, sleeping
/// as the vacuum cost settings say.
template <typename Visit>
void
for_each_hot_block(const Index& index, bool is_vacuum, Visit&& visit) {
    const BlockNumber n_blocks =
        std::min(index.geometry.n_blocks_for(index.meta.n_slots), index.n_blocks);
    for (BlockNumber block = index.geometry.first_block; block < n_blocks; ++block) {
        if (!index.geometry.is_hot_block(block))
            continue;
        if (is_vacuum)
            pg::delay_vacuum();
        else
            CHECK_FOR_INTERRUPTS();
        visit(block);
    }
}

/// Calls `visit(NodeId, const std::uint8_t* record)` for every record of a hot page that decodes
/// and is not free. Requires: `page` passed check_page_or_report.
template <typename Visit>
void
for_each_record(const Index& index, const std::uint8_t* page, BlockNumber block, Visit&& visit) {
    const NodeId first = index.geometry.first_id_of(block);
    for (std::uint32_t i = 0; i < index.geometry.hot_per_page; ++i) {
        const std::uint8_t* record = hot_record(page, index.geometry, i);
        if (const char* problem = check_record(record, index.geometry))
            report_damage(index.relation, block, problem);
        if (head_of(record).kind != RecordKind::kFree)
            visit(first + i, record);
    }
}

/// As for_each_record, on a share-locked page of the index; nothing for a page that is all zero.
template <typename Visit>
void
with_records_of(const Index& index, BlockNumber block, Visit&& visit) {
    pg::with_page(index.relation, block, index.hints, [&](const std::uint8_t* page) {
        if (check_page_or_report(index, page, PageKind::kHot, block, true))
            for_each_record(index, page, block, visit);
    });
}

}  // namespace vext::hnsw
