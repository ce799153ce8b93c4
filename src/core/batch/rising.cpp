// See rising.h.

#include "core/batch/rising.h"

#include "core/bitmap.h"

namespace vext::core {

namespace {

constexpr std::size_t kPauseInterval = 4096;

// The ranks of `set`, and those that link to one of it.
Bitmap
widen(const LayerLinks& layer_0, const Bitmap& set, std::size_t n, Arena& local, void (*pause)()) {
    Bitmap wider(local, n);
    for (std::size_t rank = 0; rank < n; ++rank) {
        if (rank % kPauseInterval == 0)
            pause();
        bool is_near = set.has(rank);
        for (const Link& link : layer_0.of(rank))
            is_near |= set.has(link.id());
        if (is_near)
            wider.set(rank);
    }
    return wider;
}

}  // namespace

void
raise_uncovered(const LayerLinks& layer_0, std::span<std::uint8_t> levels, Arena& local,
                void (*pause)()) {
    const std::size_t n = levels.size();
    Bitmap risen(local, n);
    for (std::size_t rank = 0; rank < n; ++rank)
        if (levels[rank] > 0)
            risen.set(rank);
    const Bitmap near = widen(layer_0, risen, n, local, pause);
    Bitmap covered = widen(layer_0, near, n, local, pause);
    for (std::size_t rank = 0; rank < n; ++rank) {
        if (covered.has(rank))
            continue;
        levels[rank] = 1;
        covered.set(rank);
        for (const Link& link : layer_0.of(rank)) {
            covered.set(link.id());
            for (const Link& further : layer_0.of(link.id()))
                covered.set(further.id());
        }
    }
}

}  // namespace vext::core
