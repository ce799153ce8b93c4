// See rising.h.

#include "core/batch/rising.h"

#include "core/bitmap.h"

namespace vext::core {

namespace {

constexpr std::size_t kPauseInterval = 4096;

// As far as this a risen rank covers others.
constexpr int kSteps = 3;

// The distance within which `n` of the candidates are; infinite where they are fewer.
float
reach_of(std::span<const Candidate> candidates, std::size_t n) {
    float nearest[NearLinks::kMost];
    std::size_t n_sorted = 0;
    for (const Candidate& candidate : candidates) {
        const float reach = at_most(candidate);
        float* end = nearest + n_sorted++;
        float* place = std::upper_bound(nearest, end, reach);
        std::copy_backward(place, end, end + 1);
        *place = reach;
    }
    return n_sorted < n ? std::numeric_limits<float>::infinity() : nearest[n - 1];
}

// What covers what on one layer.
struct NearGraph {
    const LayerLinks* links;
    IdSpan<Rank, const Surroundings> surroundings;

    template <typename Visit>
    void
    for_each_own(Rank rank, Visit&& visit) const {
        const NearLinks near(links->of(rank));
        for (std::size_t i = 0; i < near.ranks().size(); ++i)
            if ((surroundings[rank].own >> i & 1) != 0)
                visit(near.ranks()[i]);
    }

    // The ranks of `set`, and those with a near link to one of it.
    Bitmap
    widen(const Bitmap& set, Arena& local, void (*pause)()) const {
        Bitmap wider(local, set.size());
        for (const Rank rank : surroundings.ids()) {
            if (number_of(rank) % kPauseInterval == 0)
                pause();
            bool is_near = set.has(rank);
            for_each_own(rank, [&](Rank near) { is_near |= set.has(near); });
            if (is_near)
                wider.set(rank);
        }
        return wider;
    }

    void
    mark_from(Rank rank, int n_steps, Bitmap& covered) const {
        covered.set(rank);
        if (n_steps > 0)
            for_each_own(rank, [&](Rank near) { mark_from(near, n_steps - 1, covered); });
    }
};

}  // namespace

Surroundings
judge_surroundings(Metric metric, std::span<const Candidate> near, const Cover& outside) {
    const Cover cover = {std::min(outside.reach, reach_of(near, kGroup)), outside.above};
    Surroundings surroundings = {0, outside.is_crowded || is_group_alone(metric, cover)};
    for (std::size_t i = 0; i < near.size(); ++i)
        if (!is_thrice(metric, cover.reach, at_least(near[i])))
            surroundings.own |= static_cast<std::uint8_t>(1U << i);
    return surroundings;
}

void
raise_wanting(const LayerLinks& links, const IdSpan<Rank, const Surroundings>& surroundings,
              const LayerLevels& levels, Arena& local, void (*pause)()) {
    const std::size_t n = levels.highest.size();
    const NearGraph graph = {&links, surroundings};
    Bitmap covered(local, n);
    for (const Rank rank : levels.highest.ids())
        if (levels.highest[rank] > levels.layer)
            covered.set(rank);
    for (int i = 0; i < kSteps; ++i)
        covered = graph.widen(covered, local, pause);
    std::size_t n_left = n / ranks_per_raised(levels.layer) + 1;
    for (const Rank rank : levels.highest.ids()) {
        if (n_left == 0)
            break;
        if (covered.has(rank) || !surroundings[rank].is_wanting)
            continue;
        levels.highest[rank] = static_cast<std::uint8_t>(levels.layer + 1);
        --n_left;
        graph.mark_from(rank, kSteps, covered);
    }
}

}  // namespace vext::core
