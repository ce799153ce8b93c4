// The total order of vectors: dimension by dimension, then the shorter first, as arrays compare.

#include <algorithm>
#include <span>

#include "pg/function.h"
#include "types/vector.h"

namespace vext::types {

namespace {

int
compare(std::span<const float> a, std::span<const float> b) {
    const std::size_t n_common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < n_common; ++i)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

// Sorts and index builds call comparisons many times in one context, so copies are freed.
int
compare_arguments(FunctionCallInfo fcinfo) {
    VectorArgument a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    const int order = compare(a.values(), b.values());
    a.free_copy(PG_GETARG_DATUM(0));
    b.free_copy(PG_GETARG_DATUM(1));
    return order;
}

}  // namespace

VEXT_FUNCTION(vector_lt) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

VEXT_FUNCTION(vector_le) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

VEXT_FUNCTION(vector_eq) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

VEXT_FUNCTION(vector_ne) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

VEXT_FUNCTION(vector_ge) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

VEXT_FUNCTION(vector_gt) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

VEXT_FUNCTION(vector_cmp) {
    PG_RETURN_INT32(compare_arguments(fcinfo));
}

}  // namespace vext::types
