// Writes the rows of an upsert in the order of their keys.

#pragma once

#include "bulk/examine.h"

namespace vext::bulk {

struct Written {
    int64 inserted = 0;
    int64 updated = 0;
    int64 unchanged = 0;  ///< as counted by the statement, if the plan says so
    int64 n_merged = 0;   ///< rows that were not rejected meanwhile
};

/// Bad rows that only the server finds are found by halving, and rejected.
Written write_rows(const Plan& plan, const Statements& statements, const Examined& examined,
                   Rejects& rejects);

}  // namespace vext::bulk
