// Facts about an index, counted from its pages.

#pragma once

#include <cstdint>
#include <optional>

#include "hnsw/pages/index.h"

namespace vext::hnsw {

struct Info {
    std::uint32_t format;
    const char* metric;
    const char* codec;
    int n_dims;
    int m;
    int ef_construction;
    int n_layers;  ///< 0 when empty, 1 when there is only layer 0
    std::int64_t n_nodes;
    std::int64_t n_dead;
    std::int64_t n_unlinked;
    double links_avg;  ///< on layer 0, of live nodes
    int links_max;
    std::int64_t hot_pages;  ///< metapage and centroid included
    std::int64_t cold_pages;
    double fill;               ///< share of slots in use
    std::int64_t n_fallbacks;  ///< glances of this session that had to be repeated under a pin
    std::int64_t n_cut_short;  ///< searches of this session that a limit of theirs ended
    std::optional<double> centroid_offset;  ///< see centroid_offset.h
};

Info collect_info(Relation relation);

}  // namespace vext::hnsw
