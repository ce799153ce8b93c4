// Groups of points that lie near each other: each point goes to its nearest leaders, a random
// sample (the partition of PiPNN; a group that is much too large is halved between two of its
// points).

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/array.h"
#include "core/batch/crew.h"
#include "core/batch/options.h"
#include "core/batch/pairs.h"
#include "core/batch/points.h"
#include "core/hash.h"

namespace vext::core {

/// A point's place in a group: its rank among the members, and which of its groups this is.
struct Entry {
    std::uint32_t rank;
    std::uint32_t slot;
};

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

/// Leaders are compared with at most this many at a time.
inline constexpr std::size_t kMostLeaders = 4096;

/// The scratch of one member of the crew.
struct PartitionScratch {
    PartitionScratch(Arena& arena, const Codec& codec, std::size_t max_group, std::size_t max_k)
        : pairs(arena, codec, max_group, max_k), ids(arena), near(arena), keyed(arena) {}

    struct Keyed {
        float key;
        Entry entry;
    };

    GroupPairs pairs;
    Array<std::uint32_t> ids;
    Array<Near> near;
    Array<Keyed> keyed;
};

namespace internal {

inline constexpr std::size_t kRowsPerTask = 512;

/// Sorts ranks into ranges by the leaders they were assigned to, `fan` a rank; an assignment of
/// kNoNode counts for none, and a rank without any goes to the first leader. Requires: leaders
/// ascend. Returns the number of entries.
std::size_t sort_into_groups(std::span<const std::uint32_t> leaders,
                             std::span<const std::uint32_t> assigned, std::size_t fan,
                             std::span<std::uint32_t> ranges, std::span<Entry> entries);

/// Orders a group so that its halves, their halves and so on lie on the two sides of random pairs
/// of its points; pieces of `n_pieces` equal sizes are then near each other.
void order_by_halves(const PointView& points, std::span<const std::uint32_t> members,
                     std::span<Entry> group, std::size_t n_pieces, std::uint64_t seed,
                     PartitionScratch& scratch);

/// Cuts ranges of more than `largest` into equal pieces of at most `wanted`, and joins neighbouring
/// ranges while they are tiny. Returns the number of bounds written; `pieces[g]` becomes the number
/// of pieces of the range g.
std::size_t cut_bounds(std::span<const std::uint32_t> ranges, std::size_t wanted,
                       std::size_t largest, std::span<std::uint32_t> pieces,
                       std::span<std::uint32_t> bounds);

}  // namespace internal

/// Puts each member into the groups of its `fan` nearest leaders, groups of about `wanted` points.
/// `members` maps ranks to points, in ascending order. All members of the crew call it.
template <typename Crew>
Groups
partition(Crew& crew, const PointView& points, std::span<const std::uint32_t> members,
          std::size_t wanted, std::size_t fan, std::uint64_t seed, PartitionScratch& scratch) {
    const std::size_t n = members.size();
    const std::size_t n_leaders = std::clamp<std::size_t>(
        n * fan / std::max<std::size_t>(wanted * 4 / 5, 1), 1, std::min(n, kMostLeaders));
    fan = std::min(fan, n_leaders);
    const std::span<std::uint32_t> leaders = allocate_shared<std::uint32_t>(crew, n_leaders);
    const std::span<std::uint32_t> assigned = allocate_shared<std::uint32_t>(crew, n * fan);
    const std::span<std::uint32_t> ranges = allocate_shared<std::uint32_t>(crew, n_leaders + 1);
    const std::span<std::uint32_t> pieces = allocate_shared<std::uint32_t>(crew, n_leaders);
    const std::size_t most_bounds =
        2 * n_leaders + 2 * n * fan / std::max<std::size_t>(wanted, 1) + 4;
    const std::span<std::uint32_t> bounds = allocate_shared<std::uint32_t>(crew, most_bounds);
    const std::span<std::uint32_t> n_bounds = allocate_shared<std::uint32_t>(crew, 1);
    const std::span<Entry> entries = allocate_shared<Entry>(crew, n * fan);

    crew.alone([&] {
        // One random member of each of n_leaders equal stretches.
        for (std::size_t i = 0; i < n_leaders; ++i) {
            const std::size_t first = i * n / n_leaders;
            const std::size_t next = (i + 1) * n / n_leaders;
            leaders[i] = members[first + mix64(seed + i) % (next - first)];
        }
    });
    crew.report(Phase::kPartitioning, n);
    crew.for_each((n + internal::kRowsPerTask - 1) / internal::kRowsPerTask, [&](std::size_t task) {
        const std::size_t first = task * internal::kRowsPerTask;
        const std::size_t n_rows = std::min(internal::kRowsPerTask, n - first);
        scratch.near.reserve(n_rows * fan);
        const std::span<Near> near{scratch.near.begin(), n_rows * fan};
        scratch.pairs.nearest_across(points, members.subspan(first, n_rows), leaders, fan, near);
        for (std::size_t i = 0; i < n_rows * fan; ++i)
            assigned[first * fan + i] = near[i].id;
    });
    crew.alone([&] {
        internal::sort_into_groups(leaders, assigned, fan, ranges, entries);
        n_bounds[0] = static_cast<std::uint32_t>(
            internal::cut_bounds(ranges, wanted, wanted + wanted / 2, pieces, bounds));
    });
    crew.for_each(n_leaders, [&](std::size_t i) {
        if (pieces[i] > 1)
            internal::order_by_halves(points, members,
                                      entries.subspan(ranges[i], ranges[i + 1] - ranges[i]),
                                      pieces[i], seed + i, scratch);
    });
    return {entries, bounds.first(n_bounds[0])};
}

}  // namespace vext::core
