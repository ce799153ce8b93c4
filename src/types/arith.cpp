// Element-wise arithmetic and concatenation. Unlike distances, a result that the type cannot hold
// is an error. Halves are reckoned with as float32, whose sums, differences and products of them
// are rounded to the half next to the true result.

#include <cstring>
#include <span>

#include "pg/function.h"
#include "types/checks.h"
#include "types/vector.h"

namespace vext::types {

namespace {

template <typename Number>
using Values = std::span<const Number>;

template <typename Number, typename Operation>
Dense<Number>*
combine(Values<Number> a, Values<Number> b, Operation operation) {
    check_same_dims(a, b);
    auto* result = new_vector<Number>(a.size());
    Number* x = result->x;
    for (std::size_t i = 0; i < a.size(); ++i)
        x[i] = core::round_to<Number>(operation(core::to_float(a[i]), core::to_float(b[i])));
    for (Number value : result->values())
        if (core::is_infinite(value))
            raise_overflow();
    return result;
}

template <typename Number>
Dense<Number>*
multiply(Values<Number> a, Values<Number> b) {
    auto* result = combine(a, b, [](float x, float y) { return x * y; });
    for (std::size_t i = 0; i < a.size(); ++i)
        if (core::to_float(result->x[i]) == 0 && core::to_float(a[i]) != 0 &&
            core::to_float(b[i]) != 0)
            raise_underflow();
    return result;
}

template <typename Number>
Dense<Number>*
concatenate(Values<Number> a, Values<Number> b) {
    check_dims(a.size() + b.size(), kTypeName<Number>);
    auto* result = new_vector<Number>(a.size() + b.size());
    std::memcpy(result->x, a.data(), a.size_bytes());
    std::memcpy(result->x + a.size(), b.data(), b.size_bytes());
    return result;
}

template <typename Number>
Datum
add(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    PG_RETURN_POINTER(combine(a.values(), b.values(), [](float x, float y) { return x + y; }));
}

template <typename Number>
Datum
sub(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    PG_RETURN_POINTER(combine(a.values(), b.values(), [](float x, float y) { return x - y; }));
}

template <typename Number>
Datum
mul(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    PG_RETURN_POINTER(multiply(a.values(), b.values()));
}

template <typename Number>
Datum
concat(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    PG_RETURN_POINTER(concatenate(a.values(), b.values()));
}

}  // namespace

VEXT_FUNCTION_AS(vector_add, add<float>);
VEXT_FUNCTION_AS(halfvec_add, add<Half>);
VEXT_FUNCTION_AS(vector_sub, sub<float>);
VEXT_FUNCTION_AS(halfvec_sub, sub<Half>);
VEXT_FUNCTION_AS(vector_mul, mul<float>);
VEXT_FUNCTION_AS(halfvec_mul, mul<Half>);
VEXT_FUNCTION_AS(vector_concat, concat<float>);
VEXT_FUNCTION_AS(halfvec_concat, concat<Half>);

}  // namespace vext::types
