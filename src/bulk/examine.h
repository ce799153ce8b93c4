// Looks for bad rows without writing any, and puts the others in the order of their keys.

#pragma once

#include "bulk/rejects.h"
#include "bulk/request.h"

namespace vext::bulk {

struct Examined {
    Rows rows;     ///< to be written, a row for each key
    bool is_slow;  ///< bad rows may be left, and are found by writing
};

/// Raises the error of the first bad row unless bad rows are rejected.
/// Memory: the current context.
Examined examine(const Plan& plan, const Statements& statements, Rejects& rejects);

}  // namespace vext::bulk
