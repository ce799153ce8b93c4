// The statements of an upsert, as SQL made from its plan. Nothing here needs a server.
//
// A statement takes rows of the source in one of two forms. *All rows* are numbered by a scan, but
// for those known as bad. *Chosen rows* are given by arrays of their places (ctid) and numbers, in
// the order in which they are to be taken.

#pragma once

#include <span>

#include "bulk/plan.h"
#include "core/arena.h"

namespace vext::bulk {

/// When a query for bad rows runs, and what it takes.
enum class When {
    kEarly,      ///< on all rows
    kCondition,  ///< on all rows; has conditions of the table, in the words of the catalogue
    kIfTwice,    ///< on all rows, if a key comes more than once
    kLate,       ///< on the rows chosen to be written
    kReferences  ///< on those as well, until it finds none: the rows found are missed by others
};

/// A query for bad rows. Its parameters are $1 rows known as bad, $2 only rows before this one, $3
/// at most so many; for kLate and kReferences, $4 and $5 the chosen rows. It returns place, number,
/// SQLSTATE and message of each; without a SQLSTATE, the text that is no vector.
struct BadRowQuery {
    When when;
    const char* text;
};

struct Statements {
    const char* lock;        ///< keeps away loads that might deadlock with this one
    const char* count;       ///< the rows of the source
    const char* drop;        ///< the copy of the source; null without one
    const char* every_row;   ///< places and numbers of all rows
    const char* trial;       ///< converts all values; null if none is converted
    const char* some_trial;  ///< the same of chosen rows, $1 and $2
    const char* order;       ///< $1 and $2 as for bad rows: the chosen ones, how often keys recur
    const char* write;       ///< $1 and $2 the chosen rows; returns counts, then places of rows
                             ///< whose key has come to exist
    const char* reject;      ///< null without a table for rejects
    const char* key_of_row;  ///< $1 a place; null without a key
    std::span<const BadRowQuery> before_order;
    std::span<const BadRowQuery> after_order;
};

Statements make_statements(core::Arena& arena, const Plan& plan);

/// The message for a row whose key exists.
const char* message_of_existing_key(core::Arena& arena, const Plan& plan);

}  // namespace vext::bulk
