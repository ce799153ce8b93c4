// The total order of vectors: dimension by dimension, then the shorter first, as arrays compare.

#include <algorithm>
#include <span>

#include "pg/function.h"
#include "types/vector.h"

namespace vext::types {

namespace {

template <typename Number>
int
compare(std::span<const Number> a, std::span<const Number> b) {
    const std::size_t n_common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < n_common; ++i) {
        const float x = core::to_float(a[i]), y = core::to_float(b[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

// Sorts and index builds call comparisons many times in one context, so copies are freed.
template <typename Number>
int
compare_arguments(FunctionCallInfo fcinfo) {
    Argument<Number> a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    const int order = compare(a.values(), b.values());
    a.free_copy(PG_GETARG_DATUM(0));
    b.free_copy(PG_GETARG_DATUM(1));
    return order;
}

template <typename Number>
Datum
lt(FunctionCallInfo fcinfo) {
    PG_RETURN_BOOL(compare_arguments<Number>(fcinfo) < 0);
}

template <typename Number>
Datum
le(FunctionCallInfo fcinfo) {
    PG_RETURN_BOOL(compare_arguments<Number>(fcinfo) <= 0);
}

template <typename Number>
Datum
eq(FunctionCallInfo fcinfo) {
    PG_RETURN_BOOL(compare_arguments<Number>(fcinfo) == 0);
}

template <typename Number>
Datum
ne(FunctionCallInfo fcinfo) {
    PG_RETURN_BOOL(compare_arguments<Number>(fcinfo) != 0);
}

template <typename Number>
Datum
ge(FunctionCallInfo fcinfo) {
    PG_RETURN_BOOL(compare_arguments<Number>(fcinfo) >= 0);
}

template <typename Number>
Datum
gt(FunctionCallInfo fcinfo) {
    PG_RETURN_BOOL(compare_arguments<Number>(fcinfo) > 0);
}

template <typename Number>
Datum
cmp(FunctionCallInfo fcinfo) {
    PG_RETURN_INT32(compare_arguments<Number>(fcinfo));
}

}  // namespace

VEXT_FUNCTION_AS(vector_lt, lt<float>);
VEXT_FUNCTION_AS(halfvec_lt, lt<Half>);
VEXT_FUNCTION_AS(vector_le, le<float>);
VEXT_FUNCTION_AS(halfvec_le, le<Half>);
VEXT_FUNCTION_AS(vector_eq, eq<float>);
VEXT_FUNCTION_AS(halfvec_eq, eq<Half>);
VEXT_FUNCTION_AS(vector_ne, ne<float>);
VEXT_FUNCTION_AS(halfvec_ne, ne<Half>);
VEXT_FUNCTION_AS(vector_ge, ge<float>);
VEXT_FUNCTION_AS(halfvec_ge, ge<Half>);
VEXT_FUNCTION_AS(vector_gt, gt<float>);
VEXT_FUNCTION_AS(halfvec_gt, gt<Half>);
VEXT_FUNCTION_AS(vector_cmp, cmp<float>);
VEXT_FUNCTION_AS(halfvec_cmp, cmp<Half>);

}  // namespace vext::types
