// The links of one layer of a batch, built at once: leaves and far candidates, reverse candidates,
// selection, reachability.
//
// After PiPNN (partition into overlapping leaves, all pairs of a leaf by matrix products); far
// candidates, taken from ever thinner samples, keep the graph navigable where leaves alone see only
// what is near. Each candidate list has its own place in memory, written by one task, so the result
// depends on the seed alone and not on the number of members.

#pragma once

#include <algorithm>
#include <array>
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

/// A rank that chose a link to this one, as its `position`-th.
struct Offer {
    float distance;
    std::uint32_t rank;
    std::uint32_t position;
};

inline bool
is_nearer(const Offer& a, const Offer& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.rank < b.rank);
}

inline constexpr Offer kNoOffer = {std::numeric_limits<float>::infinity(), kNoNode, kNoNode};

/// Keeps the best of all offers made, in any order; unused places are kNoOffer. Those to whom the
/// link matters most come first, by its position with them, then the nearest.
void keep_best(std::span<Offer> best, const Offer& offer);

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
          selector(arena, codec, max_pool, max_links),
          query(codec.allocate_query(arena)),
          values(arena.allocate<float>(codec.n_padded())) {}

    /// Sorts the pool by distance and drops what stands in it twice.
    void settle_pool();

    Array<Near> pool;  ///< ids are ranks
    Array<Candidate> candidates;
    Array<CodeRef> codes;
    LinkSelector selector;
    Query query;
    std::span<float> values;
};

/// Makes every rank reachable from `entry` over anchors, at most half of a list's capacity while
/// that suffices; what no list leads to takes the place of a link of the nearest rank it links to.
/// Memory: 5 bytes a rank from `local`.
void make_reachable(const LayerLinks& layer, std::size_t n, std::uint32_t entry, Arena& local,
                    void (*pause)());

/// What is kept of a point to tell directions by: a few coordinates. Rotated ones are as good as
/// random projections.
inline constexpr std::size_t kSketchDims = 6;
using Sketch = std::array<float, kSketchDims>;

inline constexpr std::size_t kDirections = std::size_t{1} << kSketchDims;

/// One of kDirections, by the signs of the difference (as the hash of PiPNN's HashPrune).
inline std::size_t
direction_of(const Sketch& from, const Sketch& to) {
    std::size_t direction = 0;
    for (std::size_t i = 0; i < kSketchDims; ++i)
        direction |= static_cast<std::size_t>(to[i] > from[i]) << i;
    return direction;
}

/// Offers that are kept for a rank.
inline std::size_t
offers_per_rank(const BatchOptions& options) {
    return options.reverse + kDirections;
}

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
        // The offers come to lie where the candidates were.
        const std::size_t most_offers =
            (internal::offers_per_rank(options_) * sizeof(internal::Offer) + sizeof(Near) - 1) /
            sizeof(Near);
        const std::size_t width =
            std::max(n_slots_ * near_width_ + n_scales_ * options_.far_near, most_offers);
        Rows<Near> found(crew_, local_, n, width);
        Rows<std::uint8_t> locks(crew_, local_, n, 1);
        LayerLinks layer = {Rows<Link>(crew_, local_, n, max_links),
                            Rows<std::uint8_t>(crew_, local_, n, 1)};
        PartitionScratch scratch(local_, *points_.codec,
                                 std::max(kMostLeaders, options_.largest_leaf()),
                                 std::max(near_width_, options_.far_near));
        clear(found, kNone);
        find_near(found, order, scratch);
        std::size_t thin = options_.scale;
        for (std::size_t scale = 0; scale < n_scales_; ++scale, thin *= options_.scale)
            find_far(found, scale, thin, scratch);
        internal::SelectScratch select_scratch(local_, *points_.codec, width + max_links,
                                               max_links);
        select(found, layer, select_scratch);
        const Rows<internal::Offer> offers(found);
        clear(offers, internal::kNoOffer);
        make_offers(offers, layer, locks, select_scratch);
        take_offers(offers, layer, select_scratch);
        crew_.alone([&] { internal::make_reachable(layer, n, entry, local_, Crew::pause); });
        return layer;
    }

   private:
    static constexpr std::size_t kRanksPerTask = 256;
    static constexpr Near kNone = {std::numeric_limits<float>::infinity(), kNoNode};

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

    template <typename T>
    void
    clear(const Rows<T>& rows, const T& value) {
        for_each_rank(
            [&](std::uint32_t rank) { std::fill(rows[rank].begin(), rows[rank].end(), value); });
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
        crew_.report(Phase::kLinking, members_.size());
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
        crew_.report(Phase::kLinking, members_.size());
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

    void
    select(const Rows<Near>& found, const LayerLinks& layer, internal::SelectScratch& scratch) {
        crew_.report(Phase::kSelecting, members_.size());
        for_each_rank([&](std::uint32_t rank) {
            scratch.pool.clear();
            for (const Near& candidate : found[rank])
                if (candidate.id != kNoNode && candidate.id != rank)
                    scratch.pool.push_back(candidate);
            select_from_pool(rank, layer, scratch);
        });
    }

    // Chooses a rank's links among the pool.
    void
    select_from_pool(std::uint32_t rank, const LayerLinks& layer,
                     internal::SelectScratch& scratch) {
        scratch.settle_pool();
        scratch.candidates.clear();
        scratch.codes.clear();
        for (const Near& candidate : scratch.pool.span()) {
            const std::uint32_t point = members_[candidate.id];
            scratch.candidates.push_back({candidate.distance, 0, candidate.id, 0, false, false});
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
    }

    // Fills the pool with a rank's links and their distances, in the order of the list.
    void
    pool_links(std::uint32_t rank, const LayerLinks& layer, internal::SelectScratch& scratch) {
        const std::uint32_t base = members_[rank];
        points_.codec->query_from_code(points_.header(base), points_.code(base), scratch.query);
        scratch.pool.clear();
        for (const Link& link : layer.of(rank)) {
            const std::uint32_t point = members_[link.id()];
            scratch.pool.push_back(
                {points_.codec->distance(scratch.query, points_.header(point), points_.code(point)),
                 link.id()});
        }
    }

    // Offers each rank to those it links to. Kept are the offers that matter most to whoever makes
    // them, and the nearest of each direction, so that what lies far off keeps a way in.
    void
    make_offers(const Rows<internal::Offer>& offers, const LayerLinks& layer,
                const Rows<std::uint8_t>& locks, internal::SelectScratch& scratch) {
        const Rows<internal::Sketch> sketches(crew_, local_, members_.size(), 1);
        for_each_rank([&](std::uint32_t rank) {
            const std::uint32_t point = members_[rank];
            points_.codec->decode(points_.header(point), points_.code(point), nullptr,
                                  scratch.values.data());
            for (std::size_t i = 0; i < internal::kSketchDims; ++i)
                sketches[rank][0][i] = scratch.values[i % points_.codec->n_padded()];
        });
        crew_.report(Phase::kSelecting, members_.size());
        for_each_rank([&](std::uint32_t rank) {
            pool_links(rank, layer, scratch);
            for (std::uint32_t i = 0; i < scratch.pool.size(); ++i) {
                const Near& linked = scratch.pool[i];
                const internal::Offer offer = {linked.distance, rank, i};
                const std::span<internal::Offer> kept = offers[linked.id];
                const std::size_t direction =
                    internal::direction_of(sketches[linked.id][0], sketches[rank][0]);
                internal::SpinLock lock(locks[linked.id][0]);
                lock.lock();
                internal::keep_best(kept.first(options_.reverse), offer);
                internal::Offer& other = kept[options_.reverse + direction];
                if (internal::is_nearer(offer, other))
                    other = offer;
                lock.unlock();
            }
        });
    }

    // Chooses each rank's links anew among those it has and the offers it got.
    void
    take_offers(const Rows<internal::Offer>& offers, const LayerLinks& layer,
                internal::SelectScratch& scratch) {
        crew_.report(Phase::kSelecting, members_.size());
        for_each_rank([&](std::uint32_t rank) {
            pool_links(rank, layer, scratch);
            for (const internal::Offer& offer :
                 offers[rank].first(internal::offers_per_rank(options_)))
                if (offer.rank != kNoNode)
                    scratch.pool.push_back({offer.distance, offer.rank});
            select_from_pool(rank, layer, scratch);
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
