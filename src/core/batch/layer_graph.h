// The links of one layer of a batch, built at once: leaves and far candidates, reverse candidates,
// selection, reachability.
//
// After PiPNN (partition into overlapping leaves, all pairs of a leaf by matrix products); far
// candidates, taken from ever thinner samples, keep the graph navigable where leaves alone see only
// what is near. Each candidate list has its own place in memory, written by one task, so the result
// depends on the seed alone and not on the number of members.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "core/batch/crew.h"
#include "core/batch/options.h"
#include "core/batch/partition.h"
#include "core/graph/link.h"
#include "core/graph/link_selector.h"

namespace vext::core {

/// The result; ids in links are ranks among the layer's members.
struct LayerLinks {
    Rows<Link> links;
    Rows<std::uint8_t> counts;  ///< width 1

    std::span<Link>
    of(std::size_t rank) const {
        return links[rank].first(counts[rank][0]);
    }
};

namespace internal {

/// Thinner samples than the leaves, as long as a sample is worth comparing with.
inline std::size_t
count_scales(std::size_t n, const BatchOptions& options) {
    std::size_t n_scales = 0;
    for (std::size_t thin = options.scale; n / thin >= options.far_columns / 2;
         thin *= options.scale)
        ++n_scales;
    return n_scales;
}

/// Keeps the nearest `nearest.size()` of all candidates offered, in any order; unused places are
/// {+infinity, kNoNode}. Nearer by distance, then id.
void keep_nearest(std::span<Near> nearest, const Near& candidate);

/// A lock for so short a time that nothing else is worth it.
class SpinLock {
   public:
    explicit SpinLock(std::uint8_t& byte) : byte_(&byte) {}
    void
    lock() {
        while (__atomic_test_and_set(byte_, __ATOMIC_ACQUIRE)) {
        }
    }
    void
    unlock() {
        __atomic_clear(byte_, __ATOMIC_RELEASE);
    }

   private:
    std::uint8_t* byte_;
};

/// The scratch of one member for the selection.
struct SelectScratch {
    SelectScratch(Arena& arena, const Codec& codec, std::size_t max_pool, std::size_t max_links)
        : pool(arena, max_pool),
          candidates(arena, max_pool),
          codes(arena, max_pool),
          selector(arena, codec, max_pool, max_links) {}

    /// Sorts the pool by distance and drops what stands in it twice.
    void settle_pool();

    Array<Near> pool;  ///< ids are ranks
    Array<Candidate> candidates;
    Array<CodeRef> codes;
    LinkSelector selector;
};

/// Makes every rank reachable from `entry` over anchors, at most half of a list's capacity while
/// that suffices; what no list leads to takes the place of a link of the nearest rank it links to.
/// Memory: 5 bytes a rank from `local`.
void make_reachable(const LayerLinks& layer, std::size_t n, std::uint32_t entry, Arena& local);

}  // namespace internal

/// Builds one layer. Construct, then call build() once, by all members of the crew with the same
/// arguments; `members` maps ranks to points, ascending.
template <typename Crew>
class LayerBuilder {
   public:
    LayerBuilder(Crew& crew, Arena& local, const PointView& points,
                 std::span<const std::uint32_t> members, const BatchOptions& options)
        : crew_(crew),
          local_(local),
          points_(points),
          members_(members),
          options_(options),
          n_scales_(internal::count_scales(members.size(), options)),
          is_one_leaf_(members.size() <= options.largest_leaf()),
          near_width_(is_one_leaf_ ? options.fan * options.near : options.near),
          n_slots_(is_one_leaf_ ? 1 : options.fan) {}

    /// `max_links` a member; every member reachable from rank `entry`. `order` (one a rank, may be
    /// empty) gets the ranks in leaf order: neighbours in it are often near each other.
    LayerLinks
    build(std::size_t max_links, std::uint32_t entry, std::span<std::uint32_t> order) {
        const std::size_t n = members_.size();
        const std::size_t width = n_slots_ * near_width_ + n_scales_ * options_.far_near;
        const std::size_t max_pool = width + options_.reverse;
        Rows<Near> found(crew_, local_, n, width);
        Rows<Near> reverse(crew_, local_, n, options_.reverse);
        Rows<std::uint8_t> locks(crew_, local_, n, 1);
        LayerLinks layer = {Rows<Link>(crew_, local_, n, max_links),
                            Rows<std::uint8_t>(crew_, local_, n, 1)};
        PartitionScratch scratch(local_, *points_.codec,
                                 std::max(kMostLeaders, options_.largest_leaf()),
                                 std::max(near_width_, options_.far_near));
        clear(found, reverse);
        find_near(found, order, scratch);
        std::size_t thin = options_.scale;
        for (std::size_t scale = 0; scale < n_scales_; ++scale, thin *= options_.scale)
            find_far(found, scale, thin, scratch);
        find_reverse(found, reverse, locks);
        internal::SelectScratch select_scratch(local_, *points_.codec, max_pool, max_links);
        select(found, reverse, layer, select_scratch);
        crew_.alone([&] { internal::make_reachable(layer, n, entry, local_); });
        return layer;
    }

   private:
    static constexpr std::size_t kRanksPerTask = 256;

    template <typename Visit>
    void
    for_each_rank(Visit&& visit) {
        const std::size_t n = members_.size();
        crew_.for_each((n + kRanksPerTask - 1) / kRanksPerTask, [&](std::size_t task) {
            const std::size_t end = std::min(n, (task + 1) * kRanksPerTask);
            for (std::size_t rank = task * kRanksPerTask; rank < end; ++rank)
                visit(static_cast<std::uint32_t>(rank));
        });
    }

    void
    clear(const Rows<Near>& found, const Rows<Near>& reverse) {
        constexpr Near kNone = {std::numeric_limits<float>::infinity(), kNoNode};
        for_each_rank([&](std::uint32_t rank) {
            std::fill(found[rank].begin(), found[rank].end(), kNone);
            std::fill(reverse[rank].begin(), reverse[rank].end(), kNone);
        });
    }

    // Points are kept in ascending order, so that a point's rank is where it stands.
    std::uint32_t
    rank_of(std::uint32_t point) const {
        if (point < members_.size() && members_[point] == point)
            return point;  // the layer of all points
        const auto place = std::lower_bound(members_.begin(), members_.end(), point);
        return static_cast<std::uint32_t>(place - members_.begin());
    }

    // Copies picks into a rank's part of `found`, points turned into ranks.
    void
    store(std::span<const Near> picks, std::span<Near> place) const {
        for (std::size_t i = 0; i < picks.size(); ++i)
            if (picks[i].id != kNoNode)
                place[i] = {picks[i].distance, rank_of(picks[i].id)};
    }

    Groups
    one_group() {
        const std::size_t n = members_.size();
        const std::span<Entry> entries = allocate_shared<Entry>(crew_, n);
        const std::span<std::uint32_t> bounds = allocate_shared<std::uint32_t>(crew_, 2);
        crew_.alone([&] {
            for (std::size_t rank = 0; rank < n; ++rank)
                entries[rank] = {static_cast<std::uint32_t>(rank), 0};
            bounds[1] = static_cast<std::uint32_t>(n);
        });
        return {entries, bounds};
    }

    Groups
    group(std::size_t wanted, std::size_t fan, std::uint64_t seed, PartitionScratch& scratch) {
        if (members_.size() <= wanted + wanted / 2)
            return one_group();
        return partition(crew_, points_, members_, wanted, fan, seed, scratch);
    }

    void
    find_near(const Rows<Near>& found, std::span<std::uint32_t> order, PartitionScratch& scratch) {
        const Groups leaves = group(options_.leaf, options_.fan, mix64(options_.seed), scratch);
        const std::size_t k = near_width_;
        crew_.for_each(leaves.size(), [&](std::size_t i) {
            const std::span<const Entry> leaf = leaves[i];
            scratch.ids.clear();
            for (const Entry& entry : leaf)
                scratch.ids.push_back(members_[entry.rank]);
            scratch.near.reserve(leaf.size() * k);
            const std::span<Near> near{scratch.near.begin(), leaf.size() * k};
            scratch.pairs.nearest_within(points_, scratch.ids.span(), k, near);
            for (std::size_t j = 0; j < leaf.size(); ++j)
                store(near.subspan(j * k, k), found[leaf[j].rank].subspan(leaf[j].slot * k, k));
        });
        if (order.empty())
            return;
        crew_.alone([&] {
            std::size_t n = 0;
            for (std::size_t i = 0; i < leaves.size(); ++i)
                for (const Entry& entry : leaves[i])
                    if (entry.slot == 0)
                        order[n++] = entry.rank;
        });
    }

    // Every rank against the sampled ranks of its group.
    void
    find_far(const Rows<Near>& found, std::size_t scale, std::size_t thin,
             PartitionScratch& scratch) {
        const std::uint64_t seed = mix64(options_.seed + 1 + scale);
        const Groups groups = group(options_.far_columns * thin, 1, seed, scratch);
        const std::size_t k = options_.far_near;
        const std::size_t offset = n_slots_ * near_width_ + scale * k;
        Array<std::uint32_t> columns(local_, 2 * options_.far_columns);
        crew_.for_each(groups.size(), [&](std::size_t i) {
            const std::span<const Entry> entries = groups[i];
            columns.clear();
            for (const Entry& entry : entries)
                if (mix64(seed ^ entry.rank) % thin == 0 && columns.size() < kMostLeaders)
                    columns.push_back(members_[entry.rank]);
            if (columns.is_empty())
                return;
            for (std::size_t first = 0; first < entries.size(); first += internal::kRowsPerTask) {
                const std::size_t n = std::min(internal::kRowsPerTask, entries.size() - first);
                scratch.ids.clear();
                for (const Entry& entry : entries.subspan(first, n))
                    scratch.ids.push_back(members_[entry.rank]);
                scratch.near.reserve(n * k);
                const std::span<Near> near{scratch.near.begin(), n * k};
                scratch.pairs.nearest_across(points_, scratch.ids.span(), columns.span(), k, near);
                for (std::size_t j = 0; j < n; ++j)
                    store(near.subspan(j * k, k),
                          found[entries[first + j].rank].subspan(offset, k));
            }
        });
    }

    // Tells the nearest of each rank about it.
    void
    find_reverse(const Rows<Near>& found, const Rows<Near>& reverse,
                 const Rows<std::uint8_t>& locks) {
        for_each_rank([&](std::uint32_t rank) {
            const std::span<const Near> near = found[rank].first(n_slots_ * near_width_);
            for (const Near& candidate : near) {
                if (candidate.id == kNoNode)
                    continue;
                internal::SpinLock lock(locks[candidate.id][0]);
                lock.lock();
                internal::keep_nearest(reverse[candidate.id], {candidate.distance, rank});
                lock.unlock();
            }
        });
    }

    void
    select(const Rows<Near>& found, const Rows<Near>& reverse, const LayerLinks& layer,
           internal::SelectScratch& scratch) {
        for_each_rank([&](std::uint32_t rank) {
            scratch.pool.clear();
            for (const std::span<const Near> list : {found[rank], reverse[rank]})
                for (const Near& candidate : list)
                    if (candidate.id != kNoNode && candidate.id != rank)
                        scratch.pool.push_back(candidate);
            scratch.settle_pool();
            scratch.candidates.clear();
            scratch.codes.clear();
            for (const Near& candidate : scratch.pool.span()) {
                const std::uint32_t point = members_[candidate.id];
                scratch.candidates.push_back(
                    {candidate.distance, 0, candidate.id, 0, false, false});
                scratch.codes.push_back({points_.header(point), points_.code(point)});
            }
            std::size_t n_diverse = 0;
            const std::span<const std::uint32_t> chosen = scratch.selector.select(
                scratch.candidates.span(), scratch.codes.span(), layer.links.width(), n_diverse);
            const std::span<Link> links = layer.links[rank];
            for (std::size_t i = 0; i < chosen.size(); ++i)
                links[i] = Link(scratch.candidates[chosen[i]].id,
                                i < n_diverse ? LinkKind::kDiverse : LinkKind::kFiller);
            layer.counts[rank][0] = static_cast<std::uint8_t>(chosen.size());
        });
    }

    Crew& crew_;
    Arena& local_;
    const PointView& points_;
    std::span<const std::uint32_t> members_;
    BatchOptions options_;
    std::size_t n_scales_;
    bool is_one_leaf_;
    std::size_t near_width_;  // of one slot
    std::size_t n_slots_;
};

}  // namespace vext::core
