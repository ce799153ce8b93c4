// Touching (touch.h) the table rows that an index scan is about to return.
//
// The executor fetches them one after the other; a row lies in a page of its own as a rule, so each
// fetch waits for memory several times. A page that is not in the buffer pool is asked for from the
// file, as far as the server's own settings allow that. Rows are looked at without a pin, and what
// is seen there is used for nothing but to load it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pg/server.h"

extern "C" {
#include "storage/itemptr.h"
#include "utils/rel.h"
}

namespace vext::pg {

class RowTouch {
   public:
    static constexpr std::size_t kMostRows = 8;

    /// Touches nothing without a table, and where blocks of rows may not be blocks of its file.
    explicit RowTouch(Relation table);

    bool
    is_possible() const {
        return table_ != nullptr;
    }

    /// Requires: is_possible(); at most kMostRows rows, which the table's TableBounds hold.
    void operator()(std::span<const ItemPointerData> rows) const;

   private:
    Relation table_;
};

}  // namespace vext::pg
