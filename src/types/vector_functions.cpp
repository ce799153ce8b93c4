// Functions of one vector: its dimensions, its norm, its direction, its signs, a part of it.

#include <algorithm>
#include <cmath>
#include <span>

#include "pg/function.h"
#include "pg/varbit.h"
#include "types/checks.h"
#include "types/sums.h"
#include "types/vector.h"

namespace vext::types {

namespace {

template <typename Number>
using Values = std::span<const Number>;

// Norms are float64: neither a huge nor a subnormal vector loses its direction. Zeros stay zeros.
template <typename Number>
Dense<Number>*
normalized(Values<Number> a) {
    const double norm = std::sqrt(squared_norm(a));
    auto* result = new_vector(a);
    if (norm > 0)
        for (Number& value : result->values())
            value = to_number<Number>(static_cast<float>(core::to_float(value) / norm));
    return result;
}

// One bit per dimension, set where the value is positive; the first dimension is the highest bit.
template <typename Number>
VarBit*
signs(Values<Number> a) {
    VarBit* result = pg::new_zero_bits(a.size());
    std::uint8_t* bits = VARBITS(result);
    for (std::size_t i = 0; i < a.size(); ++i)
        bits[i / 8] |= static_cast<std::uint8_t>((core::to_float(a[i]) > 0) << (7 - i % 8));
    return result;
}

// Counts from 1, as substring() does: what lies outside the vector is left out.
template <typename Number>
Dense<Number>*
part(Values<Number> a, std::int64_t start, std::int64_t count) {
    const std::int64_t n_dims = static_cast<std::int64_t>(a.size());
    const std::int64_t first = std::max<std::int64_t>(start - 1, 0);
    const std::int64_t end = std::min(start - 1 + count, n_dims);
    if (count < 1 || first >= end)
        report_no_dimensions(kTypeName<Number>);
    return new_vector(a.subspan(first, end - first));
}

template <typename Number>
Datum
dims(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0));
    PG_RETURN_INT32(static_cast<int32>(a.values().size()));
}

template <typename Number>
Datum
norm(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0));
    PG_RETURN_FLOAT8(std::sqrt(squared_norm(a.values())));
}

template <typename Number>
Datum
l2_normalize(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(normalized(a.values()));
}

template <typename Number>
Datum
binary_quantize(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0));
    PG_RETURN_VARBIT_P(signs(a.values()));
}

template <typename Number>
Datum
subvector(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(part(a.values(), PG_GETARG_INT32(1), PG_GETARG_INT32(2)));
}

}  // namespace

VEXT_FUNCTION_AS(vector_dims, dims<float>);
VEXT_FUNCTION_AS(halfvec_vector_dims, dims<Half>);
VEXT_FUNCTION_AS(vector_norm, norm<float>);
VEXT_FUNCTION_AS(halfvec_l2_norm, norm<Half>);
VEXT_FUNCTION_AS(l2_normalize, l2_normalize<float>);
VEXT_FUNCTION_AS(halfvec_l2_normalize, l2_normalize<Half>);
VEXT_FUNCTION_AS(binary_quantize, binary_quantize<float>);
VEXT_FUNCTION_AS(halfvec_binary_quantize, binary_quantize<Half>);
VEXT_FUNCTION_AS(subvector, subvector<float>);
VEXT_FUNCTION_AS(halfvec_subvector, subvector<Half>);

}  // namespace vext::types
