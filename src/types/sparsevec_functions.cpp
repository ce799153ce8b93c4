// Functions of one sparse vector: its length and its direction.

#include <cmath>

#include "core/distance/dispatch.h"
#include "pg/function.h"
#include "types/sparsevec.h"

namespace vext::types {

namespace {

double
norm(const core::SparseView& a) {
    return std::sqrt(core::kernels().squared_norm(a.values.data(), a.size()));
}

// Entries that are too small beside the norm become zero and are left out.
SparseVector*
l2_normalize(const core::SparseView& a) {
    const double length = norm(a);
    std::size_t n_entries = 0;
    for (float value : a.values)
        n_entries += static_cast<float>(value / length) != 0;
    SparseVector* result = new_sparse(a.n_dims, n_entries);
    const auto indices = result->indices();
    const auto values = result->values();
    std::size_t n = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const auto value = static_cast<float>(a.values[i] / length);
        if (value == 0)
            continue;
        indices[n] = a.indices[i];
        values[n++] = value;
    }
    return result;
}

}  // namespace

VEXT_FUNCTION(sparsevec_l2_norm) {
    SparseArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_FLOAT8(norm(a.view()));
}

VEXT_FUNCTION(sparsevec_l2_normalize) {
    SparseArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(l2_normalize(a.view()));
}

}  // namespace vext::types
