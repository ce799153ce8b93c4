// The total order of sparse vectors, that of the same vectors written out: dimension by dimension,
// then the shorter first.

#include <algorithm>

#include "pg/function.h"
#include "types/sparsevec.h"

namespace vext::types {

namespace {

using core::SparseView;

/// How a value that stands against a zero compares with it.
int
against_zero(float value) {
    return value < 0 ? -1 : 1;
}

int
compare(const SparseView& a, const SparseView& b) {
    const std::size_t n_common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < n_common; ++i) {
        if (a.indices[i] != b.indices[i])
            return a.indices[i] < b.indices[i] ? against_zero(a.values[i])
                                               : -against_zero(b.values[i]);
        if (a.values[i] != b.values[i])
            return a.values[i] < b.values[i] ? -1 : 1;
    }
    if (a.size() > n_common && a.indices[n_common] < b.n_dims)
        return against_zero(a.values[n_common]);
    if (b.size() > n_common && b.indices[n_common] < a.n_dims)
        return -against_zero(b.values[n_common]);
    return a.n_dims == b.n_dims ? 0 : (a.n_dims < b.n_dims ? -1 : 1);
}

// Sorts and index builds call comparisons many times in one context, so copies are freed.
int
compare_arguments(FunctionCallInfo fcinfo) {
    SparseArgument a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    const int order = compare(a.view(), b.view());
    a.free_copy(PG_GETARG_DATUM(0));
    b.free_copy(PG_GETARG_DATUM(1));
    return order;
}

}  // namespace

VEXT_FUNCTION(sparsevec_lt) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

VEXT_FUNCTION(sparsevec_le) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

VEXT_FUNCTION(sparsevec_eq) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

VEXT_FUNCTION(sparsevec_ne) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

VEXT_FUNCTION(sparsevec_ge) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

VEXT_FUNCTION(sparsevec_gt) {
    PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

VEXT_FUNCTION(sparsevec_cmp) {
    PG_RETURN_INT32(compare_arguments(fcinfo));
}

}  // namespace vext::types
