// Groups of points that lie near each other: each point goes to its nearest leaders, a random
// sample (the partition of PiPNN; a group that is much too large is halved between two of its
// points).

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/batch/crew.h"
#include "core/batch/ids.h"
#include "core/batch/options.h"
#include "core/batch/pairs.h"
#include "core/batch/points.h"
#include "core/hash.h"

namespace vext::core {

/// A point's place in a group: its rank among those that were partitioned, and which of its groups
/// this is.
struct Entry {
    Rank rank;
    std::uint32_t slot;
};

inline bool
is_before(const Entry& a, const Entry& b) {
    return a.rank < b.rank || (a.rank == b.rank && a.slot < b.slot);
}

/// Groups as ranges of `entries`: group g is entries[bounds[g], bounds[g + 1]).
struct Groups {
    std::span<Entry> entries;
    std::span<std::uint32_t> bounds;

    std::size_t
    size() const {
        return bounds.empty() ? 0 : bounds.size() - 1;
    }
    std::span<Entry>
    operator[](std::size_t group) const {
        return entries.subspan(bounds[group], bounds[group + 1] - bounds[group]);
    }
};

/// Points are compared with at most so many leaders; where there are more, each point is compared
/// with those near the top leader that is nearest to it.
inline constexpr std::size_t kMostLeaders = 1000;

/// Top leaders that a leader is near to.
inline constexpr std::size_t kLeaderFan = 8;

/// What partitions of the same points share, one after the other: a group lives until the next
/// partition.
struct PartitionArea {
    template <typename Crew>
    PartitionArea(Crew& crew, std::size_t n, std::size_t most_fan)
        : assigned(allocate_shared<std::uint32_t>(crew, n * most_fan)),
          entries(allocate_shared<Entry>(crew, n * most_fan)) {}

    std::span<std::uint32_t> assigned;  ///< by rank and slot: groups, one for each leader
    std::span<Entry> entries;
};

/// The scratch of one member of the crew.
struct PartitionScratch {
    PartitionScratch(Arena& arena, const Codec& codec, std::size_t max_group, std::size_t max_k)
        : pairs(arena, codec, max_group, max_k),
          ids(arena, room(max_group)),
          near(arena, room(max_group) * max_k) {}

    static std::size_t
    bytes_needed(const Codec& codec, std::size_t max_group, std::size_t max_k) {
        return GroupPairs::bytes_needed(codec, max_group, max_k) +
               room(max_group) * (sizeof(Point) + max_k * sizeof(Near<Point>)) +
               2 * Arena::kAlignment;
    }

    /// The points of the entries, in their order; valid until the next call.
    std::span<const Point>
    points_of(std::span<const Entry> entries, const RankedPoints& ranked) {
        ids.clear();
        for (const Entry& entry : entries)
            ids.push_back(ranked[entry.rank]);
        return ids.span();
    }

    /// The `k` nearest of `columns` to each of the rows; as leaders `by_direction` (GroupPairs).
    std::span<Near<Point>>
    find_nearest(const PointView& points, std::span<const Point> rows,
                 std::span<const Point> columns, std::size_t k, bool by_direction = true) {
        const std::span<Near<Point>> found{near.begin(), rows.size() * k};
        pairs.go_by_direction(by_direction);
        pairs.nearest_across(points, rows, columns, k, found);
        return found;
    }

    GroupPairs pairs;
    Array<Point> ids;
    Array<Near<Point>> near;

   private:
    static std::size_t room(std::size_t max_group);
};

namespace internal {

inline constexpr std::size_t kRowsPerTask = 512;

/// In the place of a group: none.
inline constexpr std::uint32_t kNoGroup = 0xffffffff;

/// Sorts ranks into ranges by the groups that they were assigned to, `fan` a rank; an assignment of
/// kNoGroup counts for none, and a rank without any goes to the first group.
void sort_into_groups(std::span<const std::uint32_t> assigned, std::size_t fan,
                      std::span<std::uint32_t> ranges, std::span<Entry> entries);

/// Orders a group so that its halves, their halves and so on lie on the two sides of random pairs
/// of its points; pieces of `n_pieces` equal sizes are then near each other. `keys` has an element
/// for each entry.
void order_by_halves(const PointView& points, const RankedPoints& ranked, std::span<Entry> group,
                     std::span<std::uint32_t> keys, std::size_t n_pieces, std::uint64_t seed,
                     PartitionScratch& scratch);

/// Cuts ranges of more than `largest` into equal pieces of at most `wanted`, and joins neighbouring
/// ranges while they are tiny. Returns the number of bounds written; `pieces[g]` becomes the number
/// of pieces of the range g.
std::size_t cut_bounds(std::span<const std::uint32_t> ranges, std::size_t wanted,
                       std::size_t largest, std::span<std::uint32_t> pieces,
                       std::span<std::uint32_t> bounds);

/// The group of the leader `point`, which has the number of its rank; kNoGroup for kNoPoint.
inline std::uint32_t
group_of(const RankedPoints& leaders, Point point) {
    return point == kNoPoint ? kNoGroup : number_of(leaders.rank_of(point));
}

/// One random element of each of `chosen.size()` equal stretches of `from`.
void choose_leaders(const RankedPoints& from, std::uint64_t seed, std::span<Point> chosen);

/// A partition in the making: leaders, and who is assigned to which of them.
template <typename Crew>
class Assignment {
   public:
    Assignment(Crew& crew, const PointView& points, const RankedPoints& ranked, PartitionArea& area,
               PartitionScratch& scratch)
        : crew_(crew), points_(points), ranked_(ranked), area_(area), scratch_(scratch) {}

    /// Assigns each rank to its `fan` nearest of `n_leaders` random ones.
    void
    run(std::size_t n_leaders, std::size_t fan, std::uint64_t seed) {
        fan_ = fan;
        const auto leaders = allocate_shared<Point>(crew_, n_leaders);
        crew_.alone([&] { choose_leaders(ranked_, seed, leaders); });
        leaders_ = leaders;
        if (n_leaders > kMostLeaders)
            assign_by_tops(mix64(seed));
        else
            for_each_rank_stretch([&](std::size_t first, std::size_t n) {
                const auto near = scratch_.find_nearest(points_, ranked_.span().subspan(first, n),
                                                        leaders_.span(), fan);
                for (std::size_t i = 0; i < near.size(); ++i)
                    area_.assigned[first * fan + i] = group_of(leaders_, near[i].id);
            });
    }

    std::span<const std::uint32_t>
    assigned() const {
        return area_.assigned.first(ranked_.size() * fan_);
    }

   private:
    template <typename Visit>
    void
    for_each_stretch(std::size_t n, Visit&& visit) {
        crew_.for_each((n + kRowsPerTask - 1) / kRowsPerTask, [&](std::size_t task) {
            const std::size_t first = task * kRowsPerTask;
            visit(first, std::min(kRowsPerTask, n - first));
        });
    }

    template <typename Visit>
    void
    for_each_rank_stretch(Visit&& visit) {
        crew_.report(Phase::kPartitioning, ranked_.size());
        for_each_stretch(ranked_.size(), visit);
    }

    // Each leader goes to some top leaders, each rank to one: it is compared with the leaders
    // there.
    void
    assign_by_tops(std::uint64_t seed) {
        // So many make the fewest comparisons.
        const auto n_tops = std::min<std::size_t>(
            kMostLeaders, static_cast<std::size_t>(std::sqrt(kLeaderFan * leaders_.size())));
        const auto chosen = allocate_shared<Point>(crew_, n_tops);
        const auto tops_of = allocate_shared<std::uint32_t>(crew_, kLeaderFan * leaders_.size());
        const auto leaders_at = allocate_shared<Entry>(crew_, kLeaderFan * leaders_.size());
        const auto leader_ranges = allocate_shared<std::uint32_t>(crew_, n_tops + 1);
        const auto ranges = allocate_shared<std::uint32_t>(crew_, n_tops + 1);
        crew_.alone([&] { choose_leaders(leaders_, seed, chosen); });
        const RankedPoints tops = chosen;
        for_each_stretch(leaders_.size(), [&](std::size_t first, std::size_t n) {
            const auto near = scratch_.find_nearest(points_, leaders_.span().subspan(first, n),
                                                    tops.span(), kLeaderFan);
            for (std::size_t i = 0; i < near.size(); ++i)
                tops_of[first * kLeaderFan + i] = group_of(tops, near[i].id);
        });
        for_each_rank_stretch([&](std::size_t first, std::size_t n) {
            const auto near =
                scratch_.find_nearest(points_, ranked_.span().subspan(first, n), tops.span(), 1);
            for (std::size_t i = 0; i < n; ++i)
                area_.assigned[first + i] = group_of(tops, near[i].id);
        });
        crew_.alone([&] {
            sort_into_groups(tops_of, kLeaderFan, leader_ranges, leaders_at);
            sort_into_groups(area_.assigned.first(ranked_.size()), 1, ranges, area_.entries);
        });
        for_each_rank_stretch([&](std::size_t first, std::size_t n) {
            const auto after = std::upper_bound(ranges.begin(), ranges.end(), first);
            auto top = static_cast<std::size_t>(after - ranges.begin()) - 1;
            for (const std::size_t end = first + n; first < end; ++top) {
                const std::size_t next = std::min<std::size_t>(ranges[top + 1], end);
                const std::size_t n_leaders = leader_ranges[top + 1] - leader_ranges[top];
                assign_to(leaders_at.subspan(leader_ranges[top], n_leaders),
                          area_.entries.subspan(first, next - first));
                first = next;
            }
        });
    }

    // Assigns the ranks of the entries to the nearest of the leaders `at` one top leader.
    void
    assign_to(std::span<const Entry> at, std::span<const Entry> entries) {
        Point columns[kMostLeaders];
        const std::size_t n_columns = std::min(at.size(), kMostLeaders);
        for (std::size_t i = 0; i < n_columns; ++i)
            columns[i] = leaders_[at[i].rank];
        const auto near = scratch_.find_nearest(points_, scratch_.points_of(entries, ranked_),
                                                {columns, n_columns}, fan_);
        for (std::size_t i = 0; i < entries.size(); ++i)
            for (std::size_t slot = 0; slot < fan_; ++slot)
                area_.assigned[number_of(entries[i].rank) * fan_ + slot] =
                    group_of(leaders_, near[i * fan_ + slot].id);
    }

    Crew& crew_;
    const PointView& points_;
    RankedPoints ranked_;
    PartitionArea& area_;
    PartitionScratch& scratch_;
    RankedPoints leaders_;
    std::size_t fan_ = 0;
};

}  // namespace internal

inline std::size_t
PartitionScratch::room(std::size_t max_group) {
    return std::max(max_group, internal::kRowsPerTask);
}

/// Puts each point into the groups of its `fan` nearest leaders, groups of about `wanted` points
/// and at most half as many more; where groups were joined, it may stand in one twice. All members
/// of the crew call it.
template <typename Crew>
Groups
partition(Crew& crew, const PointView& points, const RankedPoints& ranked, std::size_t wanted,
          std::size_t fan, std::uint64_t seed, PartitionArea& area, PartitionScratch& scratch) {
    const std::size_t n = ranked.size();
    const std::size_t n_leaders =
        std::clamp<std::size_t>(n * fan / std::max<std::size_t>(wanted * 4 / 5, 1), 1, n);
    fan = std::min(fan, n_leaders);
    internal::Assignment<Crew> assignment(crew, points, ranked, area, scratch);
    assignment.run(n_leaders, fan, seed);
    const std::span<std::uint32_t> ranges = allocate_shared<std::uint32_t>(crew, n_leaders + 1);
    const std::span<std::uint32_t> pieces = allocate_shared<std::uint32_t>(crew, n_leaders);
    const std::size_t most_bounds =
        2 * n_leaders + 2 * n * fan / std::max<std::size_t>(wanted, 1) + 4;
    const std::span<std::uint32_t> bounds = allocate_shared<std::uint32_t>(crew, most_bounds);
    const std::span<std::uint32_t> n_bounds = allocate_shared<std::uint32_t>(crew, 1);
    crew.alone([&] {
        internal::sort_into_groups(assignment.assigned(), fan, ranges, area.entries);
        n_bounds[0] = static_cast<std::uint32_t>(
            internal::cut_bounds(ranges, wanted, wanted + wanted / 2, pieces, bounds));
    });
    crew.for_each(n_leaders, [&](std::size_t i) {
        if (pieces[i] < 2)
            return;
        const std::size_t size = ranges[i + 1] - ranges[i];
        internal::order_by_halves(points, ranked, area.entries.subspan(ranges[i], size),
                                  area.assigned.subspan(ranges[i], size), pieces[i], seed + i,
                                  scratch);
    });
    return {area.entries, bounds.first(n_bounds[0])};
}

}  // namespace vext::core
