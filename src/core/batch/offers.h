// Who chose a link to a rank: every chosen link is an offer to be linked back.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/arena.h"
#include "core/batch/crew.h"
#include "core/batch/ids.h"
#include "core/batch/near_key.h"

namespace vext::core::internal {

/// A rank that chose a link to another one, as its `position`-th.
struct Offer {
    float distance;
    Rank rank;
    std::uint32_t position;
};

/// The offers to each rank, in a part of other rows: any number to one rank, in all no more than
/// the rows have room for. Used in three passes, with all of the crew in the same: count, place,
/// visit.
class OfferLists {
   public:
    /// Puts up to `per_row` offers behind the first `n_before` elements of each row.
    template <typename Crew>
    OfferLists(Crew& crew, Arena& local, const Rows<Rank, Near<Rank>>& rows, std::size_t n,
               std::size_t n_before, std::size_t per_row)
        : rows_(rows), ends_(crew, local, n, 1), n_before_(n_before), per_row_(per_row) {}

    static constexpr std::size_t
    bytes_per_row(std::size_t per_row) {
        return per_row * sizeof(Offer);
    }

    void
    count(Rank rank) {
        __atomic_fetch_add(&ends_[rank][0], 1, __ATOMIC_RELAXED);
    }

    /// Between the passes of counting and placing, by one member.
    void begin_placing(std::size_t n);

    void
    place(Rank rank, const Offer& offer) {
        at(__atomic_fetch_add(&ends_[rank][0], 1, __ATOMIC_RELAXED)) = offer;
    }

    /// Visits the offers to a rank, in an order that depends on who was first.
    template <typename Visit>
    void
    for_each(Rank rank, Visit&& visit) const {
        const std::uint64_t end = ends_[rank][0];
        for (std::uint64_t i = begin(rank); i < end; ++i)
            visit(at(i));
    }

   private:
    std::uint64_t
    begin(Rank rank) const {
        return rank == Rank{0} ? 0 : ends_[Rank{number_of(rank) - 1}][0];
    }
    // Whose row an offer lies in says nothing about it.
    Offer&
    at(std::uint64_t i) const {
        Near<Rank>* row = rows_[static_cast<Rank>(i / per_row_)].data() + n_before_;
        return reinterpret_cast<Offer*>(row)[i % per_row_];
    }

    Rows<Rank, Near<Rank>> rows_;
    Rows<Rank, std::uint64_t> ends_;  // where the next offer goes; at last where a rank's end
    std::size_t n_before_;
    std::size_t per_row_;
};

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

/// Keeps the best of many offers, whatever their order: those to whom the link matters most, by its
/// position with them, then the nearest; and the nearest of each direction, so that what lies far
/// off keeps a way in.
class OfferSieve {
   public:
    OfferSieve(Arena& arena, std::size_t n_important)
        : important_(arena.allocate<Offer>(n_important)) {}

    void
    clear() {
        n_important_ = 0;
        directions_ = 0;
    }
    void consider(const Offer& offer, std::size_t direction);

    /// Visits what is kept, some of it twice.
    template <typename Visit>
    void
    for_each(Visit&& visit) const {
        for (const Offer& offer : important_.first(n_important_))
            visit(offer);
        for (std::size_t direction = 0; direction < kDirections; ++direction)
            if ((directions_ >> direction & 1) != 0)
                visit(nearest_[direction]);
    }

   private:
    void find_least();

    std::span<Offer> important_;
    std::size_t n_important_ = 0;
    std::size_t least_ = 0;  // where important_ is full: the first to give way
    std::array<Offer, kDirections> nearest_;
    std::uint64_t directions_ = 0;  // which of nearest_ are in use
    static_assert(kDirections <= 64);
};

static_assert(std::is_trivially_destructible_v<OfferLists> &&
              std::is_trivially_destructible_v<OfferSieve>);

}  // namespace vext::core::internal
