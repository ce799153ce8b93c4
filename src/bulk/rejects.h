// Bad rows: a table for them, or the error that the first one raises.

#pragma once

#include <span>

#include "bulk/plan.h"
#include "bulk/rows.h"
#include "bulk/statements.h"

namespace vext::bulk {

struct BadRow {
    RowPlace place;  ///< in the source
    int64 number;
    int state;  ///< SQLSTATE as the server packs it
    const char* message;
    int text_column = 0;  ///< whose text, in `message`, is no vector; beside state 0
};

/// Raises unless the table has the columns that rejects need.
void check_rejects_table(Oid table);

/// Requires: check_rejects_table.
RejectTable describe_rejects_table(Oid table);

class Rejects {
   public:
    Rejects(const Plan& plan, const Statements& statements, int64 most)
        : plan_(plan), statements_(statements), most_(most) {}

    /// Whether bad rows go into a table.
    bool
    is_wanted() const {
        return statements_.reject != nullptr;
    }
    int64
    n_rejected() const {
        return n_rejected_;
    }

    /// As a parameter: how many bad rows are worth looking for.
    pg::Parameter limit() const;

    /// Whether so many more than the written ones are too many.
    bool
    is_exceeded_by(std::size_t n_more) const {
        return most_ >= 0 && static_cast<int64>(n_more) > most_ - n_rejected_;
    }

    /// Writes bad rows; raises the error of the one that is one too many.
    void write(std::span<const BadRow> rows);

    /// Raises the error of the first bad row.
    [[noreturn]] void raise_first(const BadRow& row) const;

   private:
    const Plan& plan_;
    const Statements& statements_;
    int64 most_;
    int64 n_rejected_ = 0;
};

}  // namespace vext::bulk
