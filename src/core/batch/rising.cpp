// See rising.h.

#include "core/batch/rising.h"

#include <algorithm>

#include "core/bitmap.h"

namespace vext::core {

namespace {

constexpr std::size_t kPauseInterval = 4096;

// As far as this a risen rank covers others: so many steps, along so many links of each.
constexpr int kSteps = 3;
constexpr std::size_t kNearLinks = 8;

// The links of one rank that do not lead out of its group, if that is larger than these: the
// nearest, then fillers. Diverse links farther down lead elsewhere.
class NearLinks {
   public:
    explicit NearLinks(std::span<const Link> links) {
        for (const bool takes_fillers : {true, false})
            for (std::size_t i = 0; i < links.size() && n_ < kNearLinks; ++i)
                if ((i == 0 || links[i].kind() == LinkKind::kFiller) == takes_fillers)
                    ids_[n_++] = links[i].id();
    }

    std::span<const NodeId>
    ids() const {
        return {ids_, n_};
    }

   private:
    NodeId ids_[kNearLinks];
    std::size_t n_ = 0;
};

// The ranks of `set`, and those with a near link to one of it.
Bitmap
widen(const LayerLinks& layer_0, const Bitmap& set, std::size_t n, Arena& local, void (*pause)()) {
    Bitmap wider(local, n);
    for (std::size_t rank = 0; rank < n; ++rank) {
        if (rank % kPauseInterval == 0)
            pause();
        const NearLinks near(layer_0.of(rank));
        if (set.has(rank) ||
            std::ranges::any_of(near.ids(), [&set](NodeId id) { return set.has(id); }))
            wider.set(rank);
    }
    return wider;
}

void
cover_from(const LayerLinks& layer_0, std::size_t rank, int n_steps, Bitmap& covered) {
    covered.set(rank);
    if (n_steps == 0)
        return;
    const NearLinks near(layer_0.of(rank));
    for (const NodeId id : near.ids())
        cover_from(layer_0, id, n_steps - 1, covered);
}

}  // namespace

void
raise_uncovered(const LayerLinks& layer_0, std::span<std::uint8_t> levels, Arena& local,
                void (*pause)()) {
    const std::size_t n = levels.size();
    Bitmap covered(local, n);
    for (std::size_t rank = 0; rank < n; ++rank)
        if (levels[rank] > 0)
            covered.set(rank);
    for (int i = 0; i < kSteps; ++i)
        covered = widen(layer_0, covered, n, local, pause);
    std::size_t n_left = n / kRanksPerRaised + 1;
    for (std::size_t rank = 0; rank < n && n_left > 0; ++rank) {
        if (covered.has(rank))
            continue;
        levels[rank] = 1;
        --n_left;
        cover_from(layer_0, rank, kSteps, covered);
    }
}

}  // namespace vext::core
