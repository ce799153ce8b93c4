// Sizes that options and the file have in common.

#pragma once

namespace vext::hnsw {

inline constexpr int kMinM = 2, kMaxM = 100;
inline constexpr int kMaxLayers = 16;  ///< upper layers of a node, at most

}  // namespace vext::hnsw
