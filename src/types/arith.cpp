// Element-wise arithmetic and concatenation. Unlike distances, a result that float32 cannot hold is
// an error.

#include <cmath>
#include <cstring>
#include <span>

#include "pg/function.h"
#include "types/checks.h"
#include "types/vector.h"

namespace vext::types {

namespace {

using Values = std::span<const float>;

template <typename Operation>
Vector*
combine(Values a, Values b, Operation operation) {
    check_same_dims(a, b);
    Vector* result = new_vector(a.size());
    float* x = result->x;
    for (std::size_t i = 0; i < a.size(); ++i)
        x[i] = operation(a[i], b[i]);
    for (float value : result->values())
        if (std::isinf(value))
            raise_overflow();
    return result;
}

Vector*
add(Values a, Values b) {
    return combine(a, b, [](float x, float y) { return x + y; });
}

Vector*
subtract(Values a, Values b) {
    return combine(a, b, [](float x, float y) { return x - y; });
}

Vector*
multiply(Values a, Values b) {
    Vector* result = combine(a, b, [](float x, float y) { return x * y; });
    for (std::size_t i = 0; i < a.size(); ++i)
        if (result->x[i] == 0 && a[i] != 0 && b[i] != 0)
            raise_underflow();
    return result;
}

Vector*
concatenate(Values a, Values b) {
    check_dims(a.size() + b.size());
    Vector* result = new_vector(a.size() + b.size());
    std::memcpy(result->x, a.data(), a.size_bytes());
    std::memcpy(result->x + a.size(), b.data(), b.size_bytes());
    return result;
}

}  // namespace

VEXT_FUNCTION(vector_add) {
    VectorArgument a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    PG_RETURN_POINTER(add(a.values(), b.values()));
}

VEXT_FUNCTION(vector_sub) {
    VectorArgument a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    PG_RETURN_POINTER(subtract(a.values(), b.values()));
}

VEXT_FUNCTION(vector_mul) {
    VectorArgument a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    PG_RETURN_POINTER(multiply(a.values(), b.values()));
}

VEXT_FUNCTION(vector_concat) {
    VectorArgument a(PG_GETARG_DATUM(0)), b(PG_GETARG_DATUM(1));
    PG_RETURN_POINTER(concatenate(a.values(), b.values()));
}

}  // namespace vext::types
