// What a distance function remembers from one row of a query to the next.
//
// 1. An argument that is the same value out of line in two rows running, such as a query vector
//    read from a table, is fetched once more and then kept.
// 2. Rows come in the order in which they lie in memory, so the address of the next can be told
//    from the last: its cache lines are asked for while this one is worked on and the executor
//    finds the next. That changes nothing but time, whatever the guess.
//
// The memory belongs to the call site and lives as long as its expression: one query, or for
// expressions of procedural languages one transaction. A toasted value's id is given again only
// after vacuum removed the value and 2^32 ids were used up, so a kept copy cannot be of another.

#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

#include "pg/compat.h"

namespace vext::types {

/// One argument that may be toasted.
class KeptArgument {
   public:
    /// The datum, or a plain copy of it that stays until another value comes.
    Datum
    look_up(Datum datum, MemoryContext context) {
        const auto* stored = reinterpret_cast<const varlena*>(DatumGetPointer(datum));
        return VARATT_IS_EXTERNAL_ONDISK(stored) ? look_up_toasted(datum, context) : datum;
    }

   private:
    Datum look_up_toasted(Datum datum, MemoryContext context);

    varatt_external last_;  ///< of the row before; all zero at first, as no value is
    varlena* copy_;         ///< null until it came twice
};

/// The addresses of rows, as far as they repeat with a period of one or two: the rows of a table
/// page lie side by side, and where a page holds two rows or one, so do the pages.
class RowStream {
   public:
    /// Takes note of a row, and asks for the next when the steps before repeated.
    template <typename T>
    void
    pass(std::span<const T> row) {
        const auto here = reinterpret_cast<std::uintptr_t>(row.data());
        const std::uintptr_t next_step = steps_[0];
        const bool repeats = next_step != 0 && next_step == steps_[2];
        steps_[2] = steps_[1];
        steps_[1] = steps_[0];
        steps_[0] = here - last_;
        last_ = here;
        if (repeats)
            prefetch(here + next_step, row.size_bytes());
    }

   private:
    static constexpr std::size_t kLineBytes = 64;

    // From a line before, where the row's header and what precedes the vector usually are.
    static void
    prefetch(std::uintptr_t row, std::size_t n_bytes) {
        const auto* line = reinterpret_cast<const char*>(row - kLineBytes);
        const char* end = line + kLineBytes + std::min<std::size_t>(n_bytes, BLCKSZ);
        for (; line < end; line += kLineBytes)
            __builtin_prefetch(line);
    }

    std::uintptr_t last_;
    std::uintptr_t steps_[3];  ///< between rows, the last first
};

struct CallMemory {
    KeptArgument arguments[2];
    RowStream rows;
};

static_assert(std::is_trivial_v<CallMemory>, "made of zeros");

/// The memory of this call site; null when the caller keeps none.
template <typename Memory = CallMemory>
inline Memory*
call_memory(FunctionCallInfo fcinfo) {
    FmgrInfo* site = fcinfo->flinfo;
    if (unlikely(site == nullptr))
        return nullptr;
    if (unlikely(site->fn_extra == nullptr))
        site->fn_extra = MemoryContextAllocZero(site->fn_mcxt, sizeof(Memory));
    return static_cast<Memory*>(site->fn_extra);
}

}  // namespace vext::types
