// Numbers: the SQL type numeric, and the text of a float32.

#pragma once

#include "pg/server.h"

extern "C" {
#include "common/shortest_dec.h"
#include "utils/fmgrprotos.h"
}

namespace vext::pg {

/// Raises an error when the value is beyond float32.
inline float
numeric_to_float(Datum numeric) {
    return DatumGetFloat4(DirectFunctionCall1(numeric_float4, numeric));
}

/// The shortest decimal that reads back to the same number, in the current memory context.
inline const char*
float_text(float value) {
    return float_to_shortest_decimal(value);
}

}  // namespace vext::pg
