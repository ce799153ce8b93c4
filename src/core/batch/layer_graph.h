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
#include "core/batch/layer_finding.h"
#include "core/batch/layer_links.h"
#include "core/batch/layer_plan.h"
#include "core/batch/layer_scratch.h"
#include "core/batch/offers.h"
#include "core/batch/options.h"
#include "core/batch/partition.h"

namespace vext::core {

/// Builds one layer. Construct, then call link() and make_found() once each, by all members of the
/// crew with the same arguments; `members` maps ranks to points, ascending.
template <typename Crew>
class LayerBuilder {
   public:
    /// `scratch` was made for a plan as large as this one.
    LayerBuilder(Crew& crew, Arena& local, const PointView& points,
                 std::span<const std::uint32_t> members, const BatchOptions& options,
                 const LayerPlan& plan, LayerScratch& scratch)
        : crew_(crew),
          local_(local),
          points_(points),
          members_(members),
          options_(options),
          plan_(plan),
          scratch_(scratch),
          found_(crew, local, plan.n, plan.row_width),
          order_(allocate_shared<std::uint32_t>(crew, plan.n)),
          layer_{Rows<Link>(found_, plan.max_links), Rows<std::uint8_t>(crew, local, plan.n, 1)} {}

    /// The ranks in leaf order, once built: neighbours in it are often near each other.
    std::span<const std::uint32_t>
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
    make_found(std::span<const BatchLayer> layers, std::size_t layer, std::uint32_t entry) {
        LayerFinding<Crew>(crew_, local_, points_, {layers, entry, static_cast<int>(layer)},
                           scratch_.finder)
            .run(order_);
    }

   private:
    static constexpr std::size_t kRanksPerTask = 256;
    static constexpr Near kNobody = {std::numeric_limits<float>::infinity(), kNone};

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
    store(std::span<const Near> picks, std::span<Near> place) const {
        for (std::size_t i = 0; i < picks.size(); ++i)
            if (picks[i].id != kNone)
                place[i] = {picks[i].distance, rank_among(members_, picks[i].id)};
    }

    void
    find_candidates() {
        for_each_place([&](std::size_t rank) {
            std::fill_n(found_[rank].begin(), plan_.n_candidates, kNobody);
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
            return partition(crew_, points_, members_, wanted, fan, seed, area, scratch_.partition);
        const std::span<std::uint32_t> bounds = allocate_shared<std::uint32_t>(crew_, 2);
        crew_.alone([&] {
            for (std::uint32_t rank = 0; rank < plan_.n; ++rank)
                area.entries[rank] = {rank, 0};
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
                    scratch.ids.push_back(members_[leaf[j].rank]);
            const std::span<Near> near{scratch.near.begin(), scratch.ids.size() * k};
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
        Array<std::uint32_t>& columns = scratch_.columns;
        crew_.report(Phase::kLinking, plan_.n);
        crew_.for_each(groups.size(), [&](std::size_t i) {
            const std::span<const Entry> entries = groups[i];
            columns.clear();
            for (const Entry& entry : entries)
                if (mix64(seed ^ entry.rank) % thin == 0 && columns.size() < plan_.max_group)
                    columns.push_back(members_[entry.rank]);
            if (columns.is_empty())
                return;
            for (std::size_t first = 0; first < entries.size(); first += internal::kRowsPerTask) {
                const std::size_t n = std::min(internal::kRowsPerTask, entries.size() - first);
                const std::span<Near> near = scratch_.partition.find_nearest(
                    points_, n, columns.span(), k,
                    [&](std::size_t j) { return members_[entries[first + j].rank]; }, false);
                for (std::size_t j = 0; j < n; ++j)
                    store(near.subspan(j * k, k),
                          found_[entries[first + j].rank].subspan(offset, k));
            }
        });
    }

    std::span<internal::Sketch>
    allocate_sketches() {
        const auto sketches = allocate_shared<internal::Sketch>(crew_, plan_.n);
        for_each_rank([&](std::uint32_t rank) {
            const std::uint32_t point = members_[rank];
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
        const std::span<const Near> pool = scratch_.pool.settle();
        for (const Near& candidate : pool)
            __builtin_prefetch(points_.record(members_[candidate.id]));
        for (const Near& candidate : pool) {
            const std::uint32_t point = members_[candidate.id];
            scratch_.candidates.push_back(
                {candidate.distance, 0, NodeId{candidate.id}, 0, false, false});
            scratch_.codes.push_back({points_.header(point), points_.code(point)});
        }
        return scratch_.selector.select(scratch_.candidates.span(), scratch_.codes.span(),
                                        plan_.max_links, plan_.occlusion_margin, n_diverse);
    }

    // Chooses each rank's links among its candidates; they take their place.
    void
    select(internal::OfferLists& offers) {
        crew_.report(Phase::kSelecting, plan_.n);
        for_each_rank([&](std::uint32_t rank) {
            const std::span<Near> row = found_[rank];
            scratch_.pool.clear();
            for (const Near& candidate : row.first(plan_.n_candidates))
                if (candidate.id != kNone && candidate.id != rank)
                    scratch_.pool.add(candidate);
            std::size_t n_diverse = 0;
            const std::span<const std::uint32_t> chosen = choose(n_diverse);
            for (std::size_t i = 0; i < chosen.size(); ++i) {
                const Candidate& candidate = scratch_.candidates[chosen[i]];
                row[i] = {candidate.distance, number_of(candidate.id)};
                offers.count(row[i].id);
            }
            layer_.counts[rank][0] = static_cast<std::uint8_t>(chosen.size());
        });
    }

    std::span<const Near>
    chosen_by(std::uint32_t rank) const {
        return found_[rank].first(layer_.counts[rank][0]);
    }

    // Offers each rank to those it links to.
    void
    make_offers(internal::OfferLists& offers) {
        crew_.report(Phase::kSelecting, plan_.n);
        for_each_rank([&](std::uint32_t rank) {
            std::uint32_t position = 0;
            for (const Near& linked : chosen_by(rank))
                offers.place(linked.id, {linked.distance, rank, position++});
        });
    }

    // Chooses each rank's links anew among those it has and the offers it got.
    void
    take_offers(const internal::OfferLists& offers, std::span<const internal::Sketch> sketches) {
        crew_.report(Phase::kSelecting, plan_.n);
        for_each_rank([&](std::uint32_t rank) {
            scratch_.pool.clear();
            for (const Near& linked : chosen_by(rank))
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
            const std::span<Link> links = layer_.links[rank];
            for (std::size_t i = 0; i < chosen.size(); ++i)
                links[i] = Link(scratch_.candidates[chosen[i]].id,
                                i < n_diverse ? LinkKind::kDiverse : LinkKind::kFiller);
            layer_.counts[rank][0] = static_cast<std::uint8_t>(chosen.size());
        });
    }

    Crew& crew_;
    Arena& local_;
    const PointView& points_;
    std::span<const std::uint32_t> members_;
    const BatchOptions& options_;
    LayerPlan plan_;
    LayerScratch& scratch_;
    Rows<Near> found_;  // of a rank: its candidates; then the chosen, and offers; then its links
    std::span<std::uint32_t> order_;
    LayerLinks layer_;
};

}  // namespace vext::core
