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
#include "core/batch/ids.h"
#include "core/batch/layer_finding.h"
#include "core/batch/layer_links.h"
#include "core/batch/layer_plan.h"
#include "core/batch/layer_scratch.h"
#include "core/batch/offers.h"
#include "core/batch/options.h"
#include "core/batch/partition.h"

namespace vext::core {

/// Builds one layer. Construct, then call link() and make_found() once each, by all members of the
/// crew with the same arguments.
template <typename Crew>
class LayerBuilder {
   public:
    /// `scratch` was made for a plan as large as this one.
    LayerBuilder(Crew& crew, Arena& local, const PointView& points, const RankedPoints& ranked,
                 const BatchOptions& options, const LayerPlan& plan, LayerScratch& scratch)
        : crew_(crew),
          local_(local),
          points_(points),
          ranked_(ranked),
          options_(options),
          plan_(plan),
          scratch_(scratch),
          found_(crew, local, plan.n, plan.row_width),
          order_(allocate_shared<Rank>(crew, plan.n)),
          layer_{Rows<Rank, RankLink>(found_, plan.max_links),
                 Rows<Rank, std::uint8_t>(crew, local, plan.n, 1)} {}

    /// The ranks in leaf order, once built: neighbours in it are often near each other.
    std::span<const Rank>
    order() const {
        return order_;
    }

    const LayerLinks&
    links() const {
        return layer_;
    }

    /// Makes links for each rank.
    void
    link() {
        find_candidates();
        internal::OfferLists offers(crew_, local_, found_, plan_.n, plan_.max_links,
                                    plan_.max_links);
        const auto sketches = allocate_sketches();
        select(offers);
        crew_.alone([&] { offers.begin_placing(plan_.n); });
        make_offers(offers);
        take_offers(offers, sketches);
    }

    /// Makes every rank reachable from the point `entry`, and on layer 0 it from every one.
    /// Requires: this layer, layers[layer], has its links, and those above are done.
    void
    make_found(std::span<const BatchLayer> layers, std::size_t layer, Point entry) {
        LayerFinding<Crew>(crew_, local_, points_, {layers, entry, static_cast<int>(layer)},
                           scratch_.finder)
            .run(order_);
    }

   private:
    using Sketches = IdSpan<Rank, const internal::Sketch>;

    static constexpr std::size_t kRanksPerTask = 256;
    static constexpr Near<Rank> kNobody = {std::numeric_limits<float>::infinity(), kNoRank};

    template <typename Visit>
    void
    for_each_place(Visit&& visit) {
        crew_.for_each((plan_.n + kRanksPerTask - 1) / kRanksPerTask, [&](std::size_t task) {
            const std::size_t end = std::min(plan_.n, (task + 1) * kRanksPerTask);
            for (std::size_t place = task * kRanksPerTask; place < end; ++place)
                visit(place);
        });
    }

    // In leaf order, so that what is read for one rank is still in the cache for the next.
    template <typename Visit>
    void
    for_each_rank(Visit&& visit) {
        for_each_place([&](std::size_t place) { visit(order_[place]); });
    }

    // Copies picks into a rank's part of `found_`, points turned into ranks.
    void
    store(std::span<const Near<Point>> picks, std::span<Near<Rank>> place) const {
        for (std::size_t i = 0; i < picks.size(); ++i)
            if (picks[i].id != kNoPoint)
                place[i] = {picks[i].distance, ranked_.rank_of(picks[i].id)};
    }

    void
    find_candidates() {
        for_each_place([&](std::size_t place) {
            std::fill_n(found_[static_cast<Rank>(place)].begin(), plan_.n_candidates, kNobody);
        });
        PartitionArea area(crew_, plan_.n, options_.fan);
        find_near(area);
        std::size_t thin = options_.scale;
        for (std::size_t scale = 0; scale < plan_.n_scales; ++scale, thin *= options_.scale)
            find_far(scale, thin, area);
    }

    Groups
    group(std::size_t wanted, std::size_t fan, std::uint64_t seed, PartitionArea& area) {
        if (plan_.n > wanted + wanted / 2)
            return partition(crew_, points_, ranked_, wanted, fan, seed, area, scratch_.partition);
        const std::span<std::uint32_t> bounds = allocate_shared<std::uint32_t>(crew_, 2);
        crew_.alone([&] {
            for (const Rank rank : ranked_.ids())
                area.entries[number_of(rank)] = {rank, 0};
            bounds[1] = static_cast<std::uint32_t>(plan_.n);
        });
        return {area.entries, bounds};
    }

    void
    find_near(PartitionArea& area) {
        const Groups leaves = group(options_.leaf, options_.fan, mix64(options_.seed), area);
        const std::size_t k = plan_.near_width;
        PartitionScratch& scratch = scratch_.partition;
        crew_.report(Phase::kLinking, plan_.n);
        crew_.for_each(leaves.size(), [&](std::size_t i) {
            // A rank may have come to a leaf by two leaders: its second slot stays empty.
            const std::span<Entry> leaf = leaves[i];
            std::sort(leaf.begin(), leaf.end(), is_before);
            const auto is_first = [&](std::size_t j) {
                return j == 0 || leaf[j].rank != leaf[j - 1].rank;
            };
            scratch.ids.clear();
            for (std::size_t j = 0; j < leaf.size(); ++j)
                if (is_first(j))
                    scratch.ids.push_back(ranked_[leaf[j].rank]);
            const std::span<Near<Point>> near{scratch.near.begin(), scratch.ids.size() * k};
            scratch.pairs.nearest_within(points_, scratch.ids.span(), k, near);
            std::size_t n = 0;
            for (std::size_t j = 0; j < leaf.size(); ++j)
                if (is_first(j))
                    store(near.subspan(n++ * k, k),
                          found_[leaf[j].rank].subspan(leaf[j].slot * k, k));
        });
        crew_.alone([&] {
            std::size_t n = 0;
            for (std::size_t i = 0; i < leaves.size(); ++i)
                for (const Entry& entry : leaves[i])
                    if (entry.slot == 0)
                        order_[n++] = entry.rank;
        });
    }

    // Every rank against the sampled ranks of its group.
    void
    find_far(std::size_t scale, std::size_t thin, PartitionArea& area) {
        const std::uint64_t seed = mix64(options_.seed + 1 + scale);
        const Groups groups = group(options_.far_columns * thin, 1, seed, area);
        const std::size_t k = options_.far_near;
        const std::size_t offset = plan_.n_slots * plan_.near_width + scale * k;
        Array<Point>& columns = scratch_.columns;
        crew_.report(Phase::kLinking, plan_.n);
        crew_.for_each(groups.size(), [&](std::size_t i) {
            const std::span<const Entry> entries = groups[i];
            columns.clear();
            for (const Entry& entry : entries)
                if (mix64(seed ^ number_of(entry.rank)) % thin == 0 &&
                    columns.size() < plan_.max_group)
                    columns.push_back(ranked_[entry.rank]);
            if (columns.is_empty())
                return;
            for (std::size_t first = 0; first < entries.size(); first += internal::kRowsPerTask) {
                const auto rows = entries.subspan(
                    first, std::min(internal::kRowsPerTask, entries.size() - first));
                const std::span<const Near<Point>> near = scratch_.partition.find_nearest(
                    points_, scratch_.partition.points_of(rows, ranked_), columns.span(), k, false);
                for (std::size_t j = 0; j < rows.size(); ++j)
                    store(near.subspan(j * k, k), found_[rows[j].rank].subspan(offset, k));
            }
        });
    }

    Sketches
    allocate_sketches() {
        const IdSpan<Rank, internal::Sketch> sketches =
            allocate_shared<internal::Sketch>(crew_, plan_.n);
        for_each_rank([&](Rank rank) {
            const Point point = ranked_[rank];
            points_.codec->decode(points_.header(point), points_.code(point), nullptr,
                                  scratch_.values.data());
            for (std::size_t i = 0; i < internal::kSketchDims; ++i)
                sketches[rank][i] = scratch_.values[i % points_.codec->n_padded()];
        });
        return sketches;
    }

    // Chooses links among the pool: positions in scratch_.candidates.
    std::span<const std::uint32_t>
    choose(std::size_t& n_diverse) {
        scratch_.candidates.clear();
        scratch_.codes.clear();
        const std::span<const Near<Rank>> pool = scratch_.pool.settle();
        for (const Near<Rank>& candidate : pool)
            __builtin_prefetch(points_.record(ranked_[candidate.id]));
        for (const Near<Rank>& candidate : pool) {
            const Point point = ranked_[candidate.id];
            scratch_.candidates.push_back(
                {candidate.distance, 0, to_node(candidate.id), 0, false, false});
            scratch_.codes.push_back({points_.header(point), points_.code(point)});
        }
        return scratch_.selector.select(scratch_.candidates.span(), scratch_.codes.span(),
                                        plan_.max_links, plan_.occlusion_margin, n_diverse);
    }

    // Chooses each rank's links among its candidates; they take their place.
    void
    select(internal::OfferLists& offers) {
        crew_.report(Phase::kSelecting, plan_.n);
        for_each_rank([&](Rank rank) {
            const std::span<Near<Rank>> row = found_[rank];
            scratch_.pool.clear();
            for (const Near<Rank>& candidate : row.first(plan_.n_candidates))
                if (candidate.id != kNoRank && candidate.id != rank)
                    scratch_.pool.add(candidate);
            std::size_t n_diverse = 0;
            const std::span<const std::uint32_t> chosen = choose(n_diverse);
            for (std::size_t i = 0; i < chosen.size(); ++i) {
                const Candidate& candidate = scratch_.candidates[chosen[i]];
                row[i] = {candidate.distance, to_rank(candidate.id)};
                offers.count(row[i].id);
            }
            layer_.counts[rank][0] = static_cast<std::uint8_t>(chosen.size());
        });
    }

    std::span<const Near<Rank>>
    chosen_by(Rank rank) const {
        return found_[rank].first(layer_.counts[rank][0]);
    }

    // Offers each rank to those it links to.
    void
    make_offers(internal::OfferLists& offers) {
        crew_.report(Phase::kSelecting, plan_.n);
        for_each_rank([&](Rank rank) {
            std::uint32_t position = 0;
            for (const Near<Rank>& linked : chosen_by(rank))
                offers.place(linked.id, {linked.distance, rank, position++});
        });
    }

    // Chooses each rank's links anew among those it has and the offers it got.
    void
    take_offers(const internal::OfferLists& offers, const Sketches& sketches) {
        crew_.report(Phase::kSelecting, plan_.n);
        for_each_rank([&](Rank rank) {
            scratch_.pool.clear();
            for (const Near<Rank>& linked : chosen_by(rank))
                scratch_.pool.add(linked);
            scratch_.sieve.clear();
            offers.for_each(rank, [&](const internal::Offer& offer) {
                scratch_.sieve.consider(
                    offer, internal::direction_of(sketches[rank], sketches[offer.rank]));
            });
            scratch_.sieve.for_each([&](const internal::Offer& offer) {
                scratch_.pool.add({offer.distance, offer.rank});
            });
            std::size_t n_diverse = 0;
            const std::span<const std::uint32_t> chosen = choose(n_diverse);
            const std::span<RankLink> links = layer_.links[rank];
            for (std::size_t i = 0; i < chosen.size(); ++i)
                links[i] = RankLink(to_rank(scratch_.candidates[chosen[i]].id),
                                    i < n_diverse ? LinkKind::kDiverse : LinkKind::kFiller);
            layer_.counts[rank][0] = static_cast<std::uint8_t>(chosen.size());
        });
    }

    Crew& crew_;
    Arena& local_;
    const PointView& points_;
    RankedPoints ranked_;
    const BatchOptions& options_;
    LayerPlan plan_;
    LayerScratch& scratch_;
    Rows<Rank, Near<Rank>>
        found_;  // of a rank: its candidates; then the chosen, and offers; then its links
    std::span<Rank> order_;
    LayerLinks layer_;
};

}  // namespace vext::core
