// See finder.h.

#include "core/batch/finder.h"

namespace vext::core {

namespace {

// A set of visited points holds twice as many slots, and grows by doubling.
constexpr std::size_t kMostVisited = 256 * BatchFinder::kEf;

}  // namespace

std::size_t
BatchFinder::bytes_needed(const Codec& codec) {
    return codec.n_padded() * (sizeof(float) + sizeof(std::int8_t)) +
           4 * kMostVisited * sizeof(std::uint32_t) + 4 * 256 * sizeof(Candidate) +
           8 * Arena::kAlignment;
}

std::span<const Candidate>
BatchFinder::find(std::span<const BatchLayer> layers, const PointView& points, std::uint32_t entry,
                  int layer, std::uint32_t point) {
    points.codec->query_from_code(points.header(point), points.code(point), query_);
    const internal::LayersGraph graph = {layers, points, query_};
    entry_.clear();
    graph.measure({&entry, 1}, entry_);
    const Entries entries =
        descend(graph, static_cast<int>(layers.size()) - 1, layer + 1, entry_[0], memory_);
    search_layer(graph, layer, kEf, entries.span(), memory_);
    return memory_.beam.entries();
}

bool
BatchFinder::has_found(const PointView& points, std::uint32_t point) {
    const float own = points.codec->distance(query_, points.header(point), points.code(point));
    return core::has_found(memory_.beam.entries(), point, own);
}

}  // namespace vext::core
