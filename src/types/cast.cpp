// Casts between vectors and SQL arrays, and raw float32 bytes.

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "pg/array.h"
#include "pg/function.h"
#include "pg/numeric.h"
#include "pg/wire.h"
#include "types/checks.h"
#include "types/vector.h"

namespace vext::types {

namespace {

template <typename Element>
void
convert(ArrayType* array, std::span<float> out) {
    const std::span<Element> elements = pg::array_elements<Element>(array, out.size());
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<float>(elements[i]);
}

void
convert_numerics(ArrayType* array, std::span<float> out) {
    Datum* elements = nullptr;
    int n = 0;
    deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &elements, nullptr, &n);
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = pg::numeric_to_float(elements[i]);
}

Vector*
from_array(ArrayType* array, std::int32_t typmod) {
    if (ARR_NDIM(array) > 1)
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("array must be 1-D")));
    if (ARR_HASNULL(array) && array_contains_nulls(array))
        ereport(ERROR,
                (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
    const std::size_t n_dims = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    check_dims(n_dims);
    check_expected_dims(typmod, n_dims);
    Vector* result = new_vector(n_dims);
    switch (ARR_ELEMTYPE(array)) {
        case INT4OID:
            convert<int32>(array, result->values());
            break;
        case FLOAT4OID:
            convert<float4>(array, result->values());
            break;
        case FLOAT8OID:
            convert<float8>(array, result->values());
            break;
        case NUMERICOID:
            convert_numerics(array, result->values());
            break;
        default:
            ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("unsupported array type")));
    }
    check_finite(result->values());
    return result;
}

ArrayType*
to_float_array(std::span<const float> values) {
    ArrayType* array = pg::new_array<float4>(FLOAT4OID, values.size());
    std::memcpy(ARR_DATA_PTR(array), values.data(), values.size_bytes());
    return array;
}

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
    check_dims(n_dims);
    Vector* result = new_vector(n_dims);
    std::memcpy(result->x, bytes.data(), bytes.size());
    swap_unless_little_endian({reinterpret_cast<std::uint8_t*>(result->x), bytes.size()});
    check_finite(result->values());
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

VEXT_FUNCTION(array_to_vector) {
    PG_RETURN_POINTER(from_array(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_INT32(1)));
}

VEXT_FUNCTION(vector_to_float4) {
    VectorArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_ARRAYTYPE_P(to_float_array(a.values()));
}

VEXT_FUNCTION(vector_from_f32) {
    PG_RETURN_POINTER(from_f32(pg::bytes_of(PG_GETARG_BYTEA_PP(0))));
}

VEXT_FUNCTION(vector_to_f32) {
    VectorArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_BYTEA_P(to_f32(a.values()));
}

}  // namespace vext::types
