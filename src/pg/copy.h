// The COPY that is running in this session.

#pragma once

#include "pg/compat.h"

extern "C" {
#include "commands/copy.h"
#include "commands/copyfrom_internal.h"
}

namespace vext::pg {

/// The line of the file that COPY FROM is at, its header and the lines within quoted fields counted
/// as well; 0 where no COPY FROM of text runs. COPY is found where errors would find it.
inline int64
line_of_copy() {
    for (const ErrorContextCallback* one = error_context_stack; one != nullptr; one = one->previous)
        if (one->callback == CopyFromErrorCallback) {
            const auto* copy = static_cast<const CopyFromStateData*>(one->arg);
            return is_binary(copy->opts) ? 0 : static_cast<int64>(copy->cur_lineno);
        }
    return 0;
}

}  // namespace vext::pg
