// The file that this module was loaded from.

#pragma once

#include <dlfcn.h>

#include "pg/server.h"

namespace vext::pg {

/// Its path, as the server found it, by any symbol of the module.
inline const char*
library_path(const void* symbol) {
    Dl_info info = {};
    if (dladdr(symbol, &info) == 0 || info.dli_fname == nullptr)
        elog(ERROR, "cannot find the file of this module");
    return info.dli_fname;
}

}  // namespace vext::pg
