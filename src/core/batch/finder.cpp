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
BatchFinder::find(const SearchedGraph& graph, const PointView& points, Point point) {
    points.codec->query_from_code(points.header(point), points.code(point), query_);
    search(graph, points, nullptr);
    return memory_.beam.entries();
}

bool
BatchFinder::is_found(const SearchedGraph& graph, const PointView& points, Point point,
                      std::span<const Candidate>& found) {
    points.codec->query_from_code(points.header(point), points.code(point), query_);
    const Sought sought = {
        to_node(point), points.codec->distance(query_, points.header(point), points.code(point))};
    search(graph, points, &sought);
    if (has_found(memory_.beam.entries(), sought))
        return true;
    found = memory_.beam.entries();
    return false;
}

void
BatchFinder::search(const SearchedGraph& searched, const PointView& points, const Sought* sought) {
    const internal::LayersGraph graph = {searched.layers, points, query_};
    const Entries entries = descend(graph, static_cast<int>(searched.layers.size()) - 1,
                                    searched.layer + 1, graph.measure(searched.entry), memory_);
    search_layer(graph, searched.layer, {kEf, sought}, entries.span(), memory_);
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
