// Raw float32 bytes.

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "pg/function.h"
#include "pg/wire.h"
#include "types/checks.h"
#include "types/vector.h"

namespace vext::types {

namespace {

// Between float32 of this machine and little-endian bytes, in place: its own inverse.
void
swap_unless_little_endian(std::span<std::uint8_t> bytes) {
    if constexpr (std::endian::native == std::endian::big)
        for (std::size_t i = 0; i < bytes.size(); i += 4)
            std::reverse(&bytes[i], &bytes[i] + 4);
}

Vector*
from_f32(std::span<const std::uint8_t> bytes) {
    if (bytes.size() % sizeof(float) != 0)
        ereport(ERROR,
                (errcode(ERRCODE_DATA_EXCEPTION),
                 errmsg("length of float32 bytes must be a multiple of 4, not %zu", bytes.size())));
    const std::size_t n_dims = bytes.size() / sizeof(float);
    check_dims(n_dims, kTypeName<float>);
    Vector* result = new_vector<float>(n_dims);
    std::memcpy(result->x, bytes.data(), bytes.size());
    swap_unless_little_endian({reinterpret_cast<std::uint8_t*>(result->x), bytes.size()});
    check_finite<float>(result->values());
    return result;
}

bytea*
to_f32(std::span<const float> values) {
    bytea* result = pg::new_bytea(values.size_bytes());
    std::memcpy(pg::bytes_of(result).data(), values.data(), values.size_bytes());
    swap_unless_little_endian(pg::bytes_of(result));
    return result;
}

}  // namespace

VEXT_FUNCTION(vector_from_f32) {
    PG_RETURN_POINTER(from_f32(pg::bytes_of(PG_GETARG_BYTEA_PP(0))));
}

VEXT_FUNCTION(vector_to_f32) {
    VectorArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_BYTEA_P(to_f32(a.values()));
}

}  // namespace vext::types
