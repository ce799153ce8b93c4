// See partition.h.

#include "core/batch/partition.h"

namespace vext::core::internal {

namespace {

// Orders `group` so that the first `n_first` entries are those nearer to one random entry than to
// another.
void
cut(const PointView& points, std::span<const std::uint32_t> members, std::span<Entry> group,
    std::size_t n_first, std::uint64_t seed, PartitionScratch& scratch) {
    const std::uint32_t a = members[group[mix64(seed) % group.size()].rank];
    std::uint32_t b = members[group[mix64(seed + 1) % group.size()].rank];
    if (a == b)
        b = members[group[(mix64(seed) + 1) % group.size()].rank];
    const std::uint32_t poles[] = {std::min(a, b), std::max(a, b)};
    scratch.keyed.clear();
    scratch.keyed.reserve(group.size());
    scratch.near.reserve(kRowsPerTask * 2);
    for (std::size_t first = 0; first < group.size(); first += kRowsPerTask) {
        const std::size_t n = std::min(kRowsPerTask, group.size() - first);
        scratch.ids.clear();
        for (const Entry& entry : group.subspan(first, n))
            scratch.ids.push_back(members[entry.rank]);
        const std::span<Near> near{scratch.near.begin(), 2 * n};
        scratch.pairs.nearest_across(points, scratch.ids.span(), poles, 2, near);
        for (std::size_t i = 0; i < n; ++i) {
            // A pole has no distance to itself: it is nearest to itself.
            float to_pole[2] = {-std::numeric_limits<float>::max(),
                                -std::numeric_limits<float>::max()};
            for (const Near& found : near.subspan(2 * i, 2))
                if (found.id != kNoNode)
                    to_pole[found.id == poles[0] ? 0 : 1] = found.distance;
            scratch.keyed.push_back({to_pole[0] - to_pole[1], group[first + i]});
        }
    }
    std::nth_element(scratch.keyed.begin(), scratch.keyed.begin() + n_first, scratch.keyed.end(),
                     [](const PartitionScratch::Keyed& x, const PartitionScratch::Keyed& y) {
                         return x.key != y.key ? x.key < y.key : x.entry.rank < y.entry.rank;
                     });
    for (std::size_t i = 0; i < group.size(); ++i)
        group[i] = scratch.keyed[i].entry;
}

}  // namespace

std::size_t
sort_into_groups(std::span<const std::uint32_t> leaders, std::span<const std::uint32_t> assigned,
                 std::size_t fan, std::span<std::uint32_t> ranges, std::span<Entry> entries) {
    const std::size_t n = assigned.size() / fan;
    const auto visit = [&](auto&& take) {
        for (std::size_t rank = 0; rank < n; ++rank) {
            std::uint32_t slot = 0;
            for (std::size_t i = 0; i < fan; ++i) {
                const std::uint32_t leader = assigned[rank * fan + i];
                if (leader == kNoNode)
                    continue;
                const auto place = std::lower_bound(leaders.begin(), leaders.end(), leader);
                take(static_cast<std::size_t>(place - leaders.begin()),
                     Entry{static_cast<std::uint32_t>(rank), slot++});
            }
            if (slot == 0)
                take(0, Entry{static_cast<std::uint32_t>(rank), 0});
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
    return ranges.back();
}

void
order_by_halves(const PointView& points, std::span<const std::uint32_t> members,
                std::span<Entry> group, std::size_t n_pieces, std::uint64_t seed,
                PartitionScratch& scratch) {
    if (n_pieces < 2 || group.size() < 2)
        return;
    const std::size_t first_pieces = n_pieces / 2;
    const std::size_t n_first = group.size() * first_pieces / n_pieces;
    cut(points, members, group, n_first, seed, scratch);
    order_by_halves(points, members, group.first(n_first), first_pieces, mix64(seed), scratch);
    order_by_halves(points, members, group.subspan(n_first), n_pieces - first_pieces,
                    mix64(seed + 1), scratch);
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
