// What a batch graph is built with.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/codec/code.h"

namespace vext::core {

/// Found by measurement; docs/decisions.md has the table of tries.
struct BatchOptions {
    std::size_t fan = 3;            ///< leaves that a point is put into
    std::size_t leaf = 1000;        ///< points of a leaf, about
    std::size_t near = 16;          ///< nearest of a leaf that are kept
    std::size_t far_near = 8;       ///< nearest of a sample that are kept, for each scale
    std::size_t far_columns = 200;  ///< points of a sample that a point is compared with, about
    std::size_t scale = 4;          ///< each sample is so much thinner than the one before
    std::size_t few = 8000;         ///< points of a layer whose samples get as thin as they can
    std::size_t reverse = 24;       ///< points to which a link to this one matters most
    std::uint64_t seed = 1;

    std::size_t
    largest_leaf() const {
        return leaf + leaf / 2;
    }
};

/// Options for HNSW's ef_construction: what it says about effort in one-by-one insertion, fan and
/// depth of the leaves say here. Sparse vectors have few neighbours in common, so that those of one
/// are spread over more leaves.
inline BatchOptions
batch_options(std::size_t ef_construction, std::uint64_t seed,
              CodecKind kind = CodecKind::kScalar8) {
    BatchOptions options;
    options.seed = seed;
    options.near = std::clamp<std::size_t>(ef_construction / 4, 8, 64);
    options.far_near = std::clamp<std::size_t>(options.near / 2, 4, 16);
    if (kind == CodecKind::kSparse) {
        options.fan = 8;
        options.near = options.near * 3 / 4;
    }
    return options;
}

}  // namespace vext::core
