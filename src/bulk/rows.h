// Rows of a source by place and number, and the search by halving for those that fail.

#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "pg/array.h"
#include "pg/memory.h"
#include "pg/spi.h"

namespace vext::bulk {

using RowPlace = ItemPointerData;

/// Rows in the order in which they are taken.
struct Rows {
    std::span<RowPlace> places;
    std::span<int64> numbers;

    std::size_t
    size() const {
        return places.size();
    }
    Rows
    range(std::size_t low, std::size_t high) const {
        return {places.subspan(low, high - low), numbers.subspan(low, high - low)};
    }
};

inline pg::Parameter
places_parameter(std::span<const RowPlace> places) {
    return {TIDARRAYOID, pg::array_datum<RowPlace>(TIDOID, places)};
}

inline pg::Parameter
numbers_parameter(std::span<const int64> numbers) {
    return {INT8ARRAYOID, pg::array_datum<int64>(INT8OID, numbers)};
}

constexpr std::size_t kChunk = 1000;

/// Calls `attempt(low, high)` for ranges of `n` rows in turn, which returns whether they are done.
/// A range that is not is halved; a single row is given to `fail(i)`, which returns whether to go
/// on. The first range has at most `n_first` rows. What an attempt allocates in the current memory
/// context is gone at the next one.
template <typename Attempt, typename Fail>
void
for_each_chunk(std::size_t n, const Attempt& attempt, const Fail& fail,
               std::size_t n_first = kChunk) {
    const MemoryContext scratch = AllocSetContextCreate(
        CurrentMemoryContext, "vector_bulk_upsert chunk", ALLOCSET_DEFAULT_SIZES);
    std::size_t size = n_first;
    for (std::size_t low = 0; low < n;) {
        const std::size_t high = std::min(low + size, n);
        MemoryContextReset(scratch);
        if (pg::in_context(scratch, [&] { return attempt(low, high); })) {
            size = std::min(2 * size, kChunk);
        } else if (high - low > 1) {
            size = (high - low) / 2;
            continue;
        } else if (!fail(low)) {
            return;
        }
        low = high;
    }
}

}  // namespace vext::bulk
