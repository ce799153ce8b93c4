// Rows put aside, in memory while they are few, then in a temporary file.

#pragma once

#include <cstdint>
#include <span>

#include "pg/server.h"

extern "C" {
#include "catalog/pg_type_d.h"
#include "executor/tuptable.h"
#include "storage/itemptr.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"
}

namespace vext::pg {

/// Keeps (TID, bytes) pairs in the order they came; from the current context.
class RowSpill {
   public:
    explicit RowSpill(int max_kilobytes) : max_kilobytes_(max_kilobytes) {}

    bool
    is_empty() const {
        return store_ == nullptr;
    }

    /// Requires: the current context lives as long as the spill.
    void
    add(const ItemPointerData& tid, std::span<const std::uint8_t> bytes) {
        if (store_ == nullptr)
            open();
        auto* copy = static_cast<bytea*>(palloc(VARHDRSZ + bytes.size()));
        SET_VARSIZE(copy, VARHDRSZ + bytes.size());
        std::memcpy(VARDATA(copy), bytes.data(), bytes.size());
        ItemPointerData pointer = tid;
        Datum values[] = {PointerGetDatum(&pointer), PointerGetDatum(copy)};
        bool is_null[] = {false, false};
        tuplestore_putvalues(store_, description_, values, is_null);
        pfree(copy);
    }

    /// Calls `visit(tid, bytes)` for each row, and forgets them. The bytes lie aligned as the
    /// server aligns data.
    template <typename Visit>
    void
    for_each(Visit&& visit) {
        if (store_ == nullptr)
            return;
        TupleTableSlot* slot = MakeSingleTupleTableSlot(description_, &TTSOpsMinimalTuple);
        tuplestore_rescan(store_);
        while (tuplestore_gettupleslot(store_, true, false, slot)) {
            slot_getallattrs(slot);
            auto* bytes = reinterpret_cast<bytea*>(DatumGetPointer(slot->tts_values[1]));
            visit(*reinterpret_cast<ItemPointer>(DatumGetPointer(slot->tts_values[0])),
                  std::span<const std::uint8_t>(
                      reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(bytes)),
                      VARSIZE_ANY_EXHDR(bytes)));
        }
        ExecDropSingleTupleTableSlot(slot);
        tuplestore_end(store_);
        store_ = nullptr;
    }

   private:
    void
    open() {
        store_ = tuplestore_begin_heap(false, false, max_kilobytes_);
        description_ = CreateTemplateTupleDesc(2);
        TupleDescInitEntry(description_, 1, "tid", TIDOID, -1, 0);
        TupleDescInitEntry(description_, 2, "bytes", BYTEAOID, -1, 0);
    }

    int max_kilobytes_;
    Tuplestorestate* store_ = nullptr;
    TupleDesc description_ = nullptr;
};

}  // namespace vext::pg
