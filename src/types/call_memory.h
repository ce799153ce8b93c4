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

#include "core/row_steps.h"
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

/// The rows of a call site, each asked for before it comes.
class RowStream {
   public:
    /// Takes note of a row, and asks for the next where it can be told.
    template <typename T>
    void
    pass(std::span<const T> row) {
        const std::uintptr_t next = steps_.pass(reinterpret_cast<std::uintptr_t>(row.data()));
        if (next != 0)
            prefetch(next, std::min<std::size_t>(row.size_bytes(), BLCKSZ));
    }

   private:
    static constexpr std::uintptr_t kLineBytes = 64;
    static constexpr std::uintptr_t kBytesBefore = 40;  ///< of both headers and a key

    static void
    prefetch(std::uintptr_t row, std::size_t n_bytes) {
        const std::uintptr_t begin = (row - kBytesBefore) & ~(kLineBytes - 1);
        for (std::uintptr_t line = begin; line < row + n_bytes; line += kLineBytes)
            __builtin_prefetch(reinterpret_cast<const char*>(line));
    }

    core::RowSteps steps_;
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
