// Bit strings.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

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

/// A bit string as it lies in memory; the unused bits of its last byte are zero.
struct BitString {
    std::size_t n_bits;
    std::span<const std::uint8_t> bytes;
};

/// The bits of a detoasted value, with a short or a full header.
inline BitString
bits_of(const varlena* value) {
    const char* data = VARDATA_ANY(value);
    std::int32_t n_bits;
    std::memcpy(&n_bits, data, sizeof n_bits);
    return {static_cast<std::size_t>(n_bits),
            {reinterpret_cast<const std::uint8_t*>(data + sizeof n_bits),
             VARSIZE_ANY_EXHDR(value) - sizeof n_bits}};
}

}  // namespace vext::pg
