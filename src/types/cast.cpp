// Casts between the types of vectors, and between these and SQL arrays.

#include <span>

#include "pg/array.h"
#include "pg/function.h"
#include "pg/json.h"
#include "pg/numeric.h"
#include "types/checks.h"
#include "types/sums.h"
#include "types/vector.h"

namespace vext::types {

namespace {

template <typename Element, typename Number>
void
convert(ArrayType* array, std::span<Number> out) {
    const std::span<Element> elements = pg::array_elements<Element>(array, out.size());
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = to_number<Number>(static_cast<float>(elements[i]));
}

template <typename Number>
void
convert_numerics(ArrayType* array, std::span<Number> out) {
    Datum* elements = nullptr;
    int n = 0;
    deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &elements, nullptr, &n);
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = to_number<Number>(pg::numeric_to_float(elements[i]));
}

template <typename Number>
Dense<Number>*
from_array(ArrayType* array, std::int32_t typmod) {
    if (ARR_NDIM(array) > 1)
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("array must be 1-D")));
    if (ARR_HASNULL(array) && array_contains_nulls(array))
        ereport(ERROR,
                (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
    const std::size_t n_dims = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    check_dims(n_dims, kTypeName<Number>);
    check_expected_dims(typmod, n_dims);
    auto* result = new_vector<Number>(n_dims);
    switch (ARR_ELEMTYPE(array)) {
        case INT2OID:
            convert<int16>(array, result->values());
            break;
        case INT8OID:
            convert<int64>(array, result->values());
            break;
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
    check_finite<Number>(result->values());
    return result;
}

template <typename Number>
Dense<Number>*
from_json(Jsonb* json, std::int32_t typmod) {
    if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("cannot cast jsonb %s to type %s",
                               JB_ROOT_IS_OBJECT(json) ? "object" : "scalar", kTypeName<Number>),
                        errhint("A vector is an array of numbers, as in [1,2,3].")));
    const std::size_t n_dims = JB_ROOT_COUNT(json);
    check_dims(n_dims, kTypeName<Number>);
    check_expected_dims(typmod, n_dims);
    auto* result = new_vector<Number>(n_dims);
    std::size_t i = 0;
    pg::for_each_element(json, [&](const JsonbValue& value) {
        if (value.type != jbvNumeric)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                            errmsg("cannot cast jsonb array to type %s", kTypeName<Number>),
                            errdetail("Element %zu is no number.", i + 1)));
        result->values()[i++] =
            to_number<Number>(pg::numeric_to_float(NumericGetDatum(value.val.numeric)));
    });
    check_finite<Number>(result->values());
    return result;
}

template <typename Number>
ArrayType*
to_float_array(std::span<const Number> values) {
    ArrayType* array = pg::new_array<float4>(FLOAT4OID, values.size());
    widen(values, pg::array_elements<float4>(array, values.size()).data());
    return array;
}

HalfVector*
to_halves(std::span<const float> values, std::int32_t typmod) {
    check_expected_dims(typmod, values.size());
    auto* result = new_vector<Half>(values.size());
    core::half_kernels().narrow(values.data(), values.size(), &result->x->bits);
    for (std::size_t i = 0; i < values.size(); ++i)
        if (core::is_infinite(result->x[i])) [[unlikely]]
            raise_out_of_range(kTypeName<Half>, values[i]);
    return result;
}

Vector*
to_floats(std::span<const Half> values, std::int32_t typmod) {
    check_expected_dims(typmod, values.size());
    auto* result = new_vector<float>(values.size());
    widen(values, result->x);
    return result;
}

template <typename Number>
Datum
of_array(FunctionCallInfo fcinfo) {
    PG_RETURN_POINTER(from_array<Number>(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_INT32(1)));
}

template <typename Number>
Datum
to_float4(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0));
    PG_RETURN_ARRAYTYPE_P(to_float_array(a.values()));
}

template <typename Number>
Datum
of_json(FunctionCallInfo fcinfo) {
    PG_RETURN_POINTER(from_json<Number>(PG_GETARG_JSONB_P(0), PG_GETARG_INT32(1)));
}

}  // namespace

VEXT_FUNCTION_AS(array_to_vector, of_array<float>);
VEXT_FUNCTION_AS(array_to_halfvec, of_array<Half>);
VEXT_FUNCTION_AS(jsonb_to_vector, of_json<float>);
VEXT_FUNCTION_AS(jsonb_to_halfvec, of_json<Half>);
VEXT_FUNCTION_AS(vector_to_float4, to_float4<float>);
VEXT_FUNCTION_AS(halfvec_to_float4, to_float4<Half>);

VEXT_FUNCTION(vector_to_halfvec) {
    Argument<float> a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(to_halves(a.values(), PG_GETARG_INT32(1)));
}

VEXT_FUNCTION(halfvec_to_vector) {
    Argument<Half> a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(to_floats(a.values(), PG_GETARG_INT32(1)));
}

}  // namespace vext::types
