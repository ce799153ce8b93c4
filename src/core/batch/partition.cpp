// See partition.h.

#include "core/batch/partition.h"

#include <limits>
#include <utility>

#include "core/batch/near_key.h"

namespace vext::core::internal {

namespace {

// Entries with their keys; keys order as unsigned integers, ties as ranks do.
struct KeyedGroup {
    std::span<Entry> entries;
    std::span<std::uint32_t> keys;

    std::size_t
    size() const {
        return entries.size();
    }
    std::uint64_t
    key(std::size_t i) const {
        return static_cast<std::uint64_t>(keys[i]) << 32 | number_of(entries[i].rank);
    }
    void
    swap(std::size_t i, std::size_t j) {
        std::swap(entries[i], entries[j]);
        std::swap(keys[i], keys[j]);
    }
};

// Moves the `n_first` smallest to the front (quickselect). Requires: keys with ranks differ.
void
move_smallest(KeyedGroup group, std::size_t n_first) {
    std::size_t begin = 0;
    std::size_t end = group.size();
    while (begin < n_first && n_first < end) {
        const std::size_t last = end - 1;
        const std::size_t middle = begin + (last - begin) / 2;
        if (group.key(middle) < group.key(begin))
            group.swap(begin, middle);
        if (group.key(middle) < group.key(last))
            group.swap(middle, last);
        if (group.key(last) < group.key(begin))
            group.swap(begin, last);
        // The last is now the middle one of the three.
        const std::uint64_t pivot = group.key(last);
        std::size_t n_below = begin;
        for (std::size_t i = begin; i < last; ++i)
            if (group.key(i) < pivot)
                group.swap(i, n_below++);
        group.swap(n_below, last);
        if (n_below >= n_first)
            end = n_below;
        else
            begin = n_below + 1;
    }
}

// Orders `group` so that its first `n_first` entries are those nearer to one random entry than to
// another.
void
cut(const PointView& points, const RankedPoints& ranked, KeyedGroup group, std::size_t n_first,
    std::uint64_t seed, PartitionScratch& scratch) {
    const std::size_t n = group.size();
    const Point a = ranked[group.entries[mix64(seed) % n].rank];
    Point b = ranked[group.entries[mix64(seed + 1) % n].rank];
    if (a == b)
        b = ranked[group.entries[(mix64(seed) + 1) % n].rank];
    const Point poles[] = {std::min(a, b), std::max(a, b)};
    for (std::size_t first = 0; first < n; first += kRowsPerTask) {
        const std::size_t n_rows = std::min(kRowsPerTask, n - first);
        const std::span<const Near<Point>> near = scratch.find_nearest(
            points, scratch.points_of(group.entries.subspan(first, n_rows), ranked), poles, 2);
        for (std::size_t i = 0; i < n_rows; ++i) {
            // A pole has no distance to itself: it is nearest to itself.
            float to_pole[2] = {-std::numeric_limits<float>::max(),
                                -std::numeric_limits<float>::max()};
            for (const Near<Point>& found : near.subspan(2 * i, 2))
                if (found.id != kNoPoint)
                    to_pole[found.id == poles[0] ? 0 : 1] = found.distance;
            group.keys[first + i] = order_of(to_pole[0] - to_pole[1]);
        }
    }
    move_smallest(group, n_first);
}

}  // namespace

void
choose_leaders(const RankedPoints& from, std::uint64_t seed, std::span<Point> chosen) {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        const std::size_t first = i * from.size() / chosen.size();
        const std::size_t next = (i + 1) * from.size() / chosen.size();
        chosen[i] = from.span()[first + mix64(seed + i) % (next - first)];
    }
}

void
sort_into_groups(std::span<const std::uint32_t> assigned, std::size_t fan,
                 std::span<std::uint32_t> ranges, std::span<Entry> entries) {
    const std::size_t n = assigned.size() / fan;
    const auto visit = [&](auto&& take) {
        for (const Rank rank : ids_below<Rank>(n)) {
            std::uint32_t slot = 0;
            for (const std::uint32_t group : assigned.subspan(number_of(rank) * fan, fan))
                if (group != kNoGroup)
                    take(group, Entry{rank, slot++});
            if (slot == 0)
                take(0, Entry{rank, 0});
        }
    };
    std::fill(ranges.begin(), ranges.end(), 0);
    visit([&](std::size_t group, const Entry&) { ++ranges[group + 1]; });
    for (std::size_t i = 1; i < ranges.size(); ++i)
        ranges[i] += ranges[i - 1];
    // ranges[g] serves as the place of the next entry of g and ends as the start of g + 1.
    visit([&](std::size_t group, const Entry& entry) { entries[ranges[group]++] = entry; });
    for (std::size_t i = ranges.size() - 1; i > 0; --i)
        ranges[i] = ranges[i - 1];
    ranges[0] = 0;
}

void
order_by_halves(const PointView& points, const RankedPoints& ranked, std::span<Entry> group,
                std::span<std::uint32_t> keys, std::size_t n_pieces, std::uint64_t seed,
                PartitionScratch& scratch) {
    if (n_pieces < 2 || group.size() < 2)
        return;
    const std::size_t first_pieces = n_pieces / 2;
    const std::size_t n_first = group.size() * first_pieces / n_pieces;
    cut(points, ranked, {group, keys}, n_first, seed, scratch);
    order_by_halves(points, ranked, group.first(n_first), keys.first(n_first), first_pieces,
                    mix64(seed), scratch);
    order_by_halves(points, ranked, group.subspan(n_first), keys.subspan(n_first),
                    n_pieces - first_pieces, mix64(seed + 1), scratch);
}

std::size_t
cut_bounds(std::span<const std::uint32_t> ranges, std::size_t wanted, std::size_t largest,
           std::span<std::uint32_t> pieces, std::span<std::uint32_t> bounds) {
    std::size_t n_bounds = 0;
    bounds[n_bounds++] = 0;
    for (std::size_t i = 0; i + 1 < ranges.size(); ++i) {
        const std::size_t size = ranges[i + 1] - ranges[i];
        pieces[i] = 1;
        if (size > largest) {
            if (bounds[n_bounds - 1] != ranges[i])
                bounds[n_bounds++] = ranges[i];
            const std::size_t n_pieces = (size + wanted - 1) / wanted;
            pieces[i] = static_cast<std::uint32_t>(n_pieces);
            for (std::size_t piece = 1; piece <= n_pieces; ++piece)
                bounds[n_bounds++] =
                    ranges[i] + static_cast<std::uint32_t>(size * piece / n_pieces);
            continue;
        }
        // The open range, from the last bound, takes this one in while it stays small.
        const std::size_t open = ranges[i] - bounds[n_bounds - 1];
        if (open > 0 && open + size > wanted / 2)
            bounds[n_bounds++] = ranges[i];
    }
    if (bounds[n_bounds - 1] != ranges.back())
        bounds[n_bounds++] = ranges.back();
    return n_bounds;
}

}  // namespace vext::core::internal
