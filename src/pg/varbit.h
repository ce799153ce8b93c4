// Bit strings.

#pragma once

#include <cstddef>

#include "pg/compat.h"

extern "C" {
#include "utils/varbit.h"
}

namespace vext::pg {

/// A bit string of zeros in the current memory context.
inline VarBit*
new_zero_bits(std::size_t n_bits) {
    const std::size_t n_bytes = VARBITTOTALLEN(n_bits);
    auto* result = static_cast<VarBit*>(palloc0(n_bytes));
    SET_VARSIZE(result, n_bytes);
    VARBITLEN(result) = static_cast<int32>(n_bits);
    return result;
}

}  // namespace vext::pg
