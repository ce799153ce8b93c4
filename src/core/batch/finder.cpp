// See finder.h.

#include "core/batch/finder.h"

namespace vext::core {

namespace {

// A set of visited points holds twice as many slots, and grows by doubling.
constexpr std::size_t kMostVisited = 256 * BatchFinder::kEf;

}  // namespace

std::size_t
BatchFinder::bytes_needed(const Codec& codec) {
    return codec.query_bytes() + 4 * kMostVisited * sizeof(std::uint32_t) +
           4 * 256 * sizeof(Candidate) + 8 * Arena::kAlignment;
}

std::span<const Candidate>
BatchFinder::find(std::span<const BatchLayer> layers, const PointView& points, Point entry,
                  int layer, Point point) {
    points.codec->query_from_code(points.header(point), points.code(point), query_);
    search(layers, points, entry, layer, nullptr);
    return memory_.beam.entries();
}

bool
BatchFinder::is_found(std::span<const BatchLayer> layers, const PointView& points, Point entry,
                      int layer, Point point, std::span<const Candidate>& found) {
    points.codec->query_from_code(points.header(point), points.code(point), query_);
    const Sought sought = {
        to_node(point), points.codec->distance(query_, points.header(point), points.code(point))};
    search(layers, points, entry, layer, &sought);
    if (has_found(memory_.beam.entries(), sought))
        return true;
    found = memory_.beam.entries();
    return false;
}

void
BatchFinder::search(std::span<const BatchLayer> layers, const PointView& points, Point entry,
                    int layer, const Sought* sought) {
    const internal::LayersGraph graph = {layers, points, query_};
    const Entries entries = descend(graph, static_cast<int>(layers.size()) - 1, layer + 1,
                                    graph.measure(entry), memory_);
    search_layer(graph, layer, kEf, entries.span(), memory_, sought);
}

std::span<const Candidate>
BatchFinder::measure(const PointView& points, Point point, std::span<const Point> others) {
    points.codec->query_from_code(points.header(point), points.code(point), query_);
    measured_.clear();
    const internal::LayersGraph graph = {{}, points, query_};
    for (const Point other : others)
        __builtin_prefetch(points.record(other));
    for (const Point other : others) {
        Candidate candidate = graph.measure(other);
        candidate.error = points.codec->estimate_error(query_, points.header(other));
        measured_.push_back(candidate);
    }
    return measured_.span();
}

}  // namespace vext::core
