// Functions of one vector: its dimensions, its direction, its signs, a part of it.

#include <algorithm>
#include <cmath>
#include <span>

#include "core/distance/dispatch.h"
#include "pg/function.h"
#include "pg/varbit.h"
#include "types/checks.h"
#include "types/vector.h"

namespace vext::types {

namespace {

using Values = std::span<const float>;

// Norms are float64: neither a huge nor a subnormal vector loses its direction. Zeros stay zeros.
Vector*
l2_normalize(Values a) {
    const double norm = std::sqrt(core::kernels().squared_norm(a.data(), a.size()));
    Vector* result = new_vector(a);
    if (norm > 0)
        for (float& value : result->values())
            value = static_cast<float>(value / norm);
    return result;
}

// One bit per dimension, set where the value is positive; the first dimension is the highest bit.
VarBit*
binary_quantize(Values a) {
    VarBit* result = pg::new_zero_bits(a.size());
    bits8* bits = VARBITS(result);
    for (std::size_t i = 0; i < a.size(); ++i)
        bits[i / 8] |= static_cast<bits8>((a[i] > 0) << (7 - i % 8));
    return result;
}

// Counts from 1, as substring() does: what lies outside the vector is left out.
Vector*
subvector(Values a, std::int64_t start, std::int64_t count) {
    const std::int64_t n_dims = static_cast<std::int64_t>(a.size());
    const std::int64_t first = std::max<std::int64_t>(start - 1, 0);
    const std::int64_t end = std::min(start - 1 + count, n_dims);
    if (count < 1 || first >= end)
        report_no_dimensions();
    return new_vector(a.subspan(first, end - first));
}

}  // namespace

VEXT_FUNCTION(vector_dims) {
    VectorArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_INT32(static_cast<int32>(a.values().size()));
}

VEXT_FUNCTION(l2_normalize) {
    VectorArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(l2_normalize(a.values()));
}

VEXT_FUNCTION(binary_quantize) {
    VectorArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_VARBIT_P(binary_quantize(a.values()));
}

VEXT_FUNCTION(subvector) {
    VectorArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(subvector(a.values(), PG_GETARG_INT32(1), PG_GETARG_INT32(2)));
}

}  // namespace vext::types
