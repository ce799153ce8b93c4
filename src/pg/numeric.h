// The SQL type numeric.

#pragma once

#include "pg/server.h"

extern "C" {
#include "utils/fmgrprotos.h"
}

namespace vext::pg {

/// Raises an error when the value is beyond float32.
inline float
numeric_to_float(Datum numeric) {
    return DatumGetFloat4(DirectFunctionCall1(numeric_float4, numeric));
}

}  // namespace vext::pg
