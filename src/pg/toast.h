// Values that are stored out of line.

#pragma once

#include "pg/compat.h"

extern "C" {
#include "access/detoast.h"
}

namespace vext::pg {

/// What identifies the value. Requires: VARATT_IS_EXTERNAL_ONDISK(stored).
inline varatt_external
toast_pointer(const varlena* stored) {
    varatt_external pointer;
    VARATT_EXTERNAL_GET_POINTER(pointer, stored);
    return pointer;
}

}  // namespace vext::pg
