// Distances between two vectors. Sums are float32 (see core/distance/kernels.h): overflow gives
// infinity, never an error.

#include <algorithm>
#include <cmath>
#include <span>
#include <type_traits>

#include "pg/function.h"
#include "types/call_memory.h"
#include "types/checks.h"
#include "types/sums.h"
#include "types/vector.h"

namespace vext::types {

namespace {

template <typename Number>
using Values = std::span<const Number>;

/// Both arguments of a distance function; rows are taken to come in the first.
template <typename Number>
class Operands {
   public:
    explicit Operands(FunctionCallInfo fcinfo)
        : memory_(call_memory(fcinfo)), a_(argument(fcinfo, 0)), b_(argument(fcinfo, 1)) {
        if (likely(memory_ != nullptr))
            memory_->rows.pass(a_.values());
    }

    Values<Number>
    a() const {
        return a_.values();
    }
    Values<Number>
    b() const {
        return b_.values();
    }

   private:
    Datum
    argument(FunctionCallInfo fcinfo, int i) {
        const Datum datum = PG_GETARG_DATUM(i);
        if (unlikely(memory_ == nullptr))
            return datum;
        return memory_->arguments[i].look_up(datum, fcinfo->flinfo->fn_mcxt);
    }

    CallMemory* memory_;
    Argument<Number> a_;
    Argument<Number> b_;
};

static_assert(std::is_trivially_destructible_v<Operands<float>>);

template <typename Number>
double
l2_squared(Values<Number> a, Values<Number> b) {
    check_same_dims(a, b);
    return sums<Number>().l2_squared(bits(a), bits(b), a.size());
}

template <typename Number>
double
dot(Values<Number> a, Values<Number> b) {
    check_same_dims(a, b);
    return sums<Number>().inner_product(bits(a), bits(b), a.size());
}

template <typename Number>
double
l1(Values<Number> a, Values<Number> b) {
    check_same_dims(a, b);
    return sums<Number>().l1(bits(a), bits(b), a.size());
}

// NaN, as from a zero vector, passes through the clamp.
template <typename Number>
double
cosine(Values<Number> a, Values<Number> b) {
    check_same_dims(a, b);
    const core::CosineParts parts = sums<Number>().cosine_parts(bits(a), bits(b), a.size());
    const double norms = std::sqrt(static_cast<double>(parts.squared_norm_a) *
                                   static_cast<double>(parts.squared_norm_b));
    return 1.0 - std::clamp(static_cast<double>(parts.dot) / norms, -1.0, 1.0);
}

template <typename Number>
Datum
l2_distance(FunctionCallInfo fcinfo) {
    const Operands<Number> operands(fcinfo);
    PG_RETURN_FLOAT8(std::sqrt(l2_squared(operands.a(), operands.b())));
}

template <typename Number>
Datum
l2_squared_distance(FunctionCallInfo fcinfo) {
    const Operands<Number> operands(fcinfo);
    PG_RETURN_FLOAT8(l2_squared(operands.a(), operands.b()));
}

template <typename Number>
Datum
inner_product(FunctionCallInfo fcinfo) {
    const Operands<Number> operands(fcinfo);
    PG_RETURN_FLOAT8(dot(operands.a(), operands.b()));
}

template <typename Number>
Datum
negative_inner_product(FunctionCallInfo fcinfo) {
    const Operands<Number> operands(fcinfo);
    PG_RETURN_FLOAT8(-dot(operands.a(), operands.b()));
}

template <typename Number>
Datum
cosine_distance(FunctionCallInfo fcinfo) {
    const Operands<Number> operands(fcinfo);
    PG_RETURN_FLOAT8(cosine(operands.a(), operands.b()));
}

template <typename Number>
Datum
l1_distance(FunctionCallInfo fcinfo) {
    const Operands<Number> operands(fcinfo);
    PG_RETURN_FLOAT8(l1(operands.a(), operands.b()));
}

// The angle between unit vectors as a part of pi.
template <typename Number>
Datum
spherical_distance(FunctionCallInfo fcinfo) {
    const Operands<Number> operands(fcinfo);
    PG_RETURN_FLOAT8(std::acos(std::clamp(dot(operands.a(), operands.b()), -1.0, 1.0)) / M_PI);
}

}  // namespace

VEXT_FUNCTION_AS(l2_distance, l2_distance<float>);
VEXT_FUNCTION_AS(halfvec_l2_distance, l2_distance<Half>);
VEXT_FUNCTION_AS(vector_l2_squared_distance, l2_squared_distance<float>);
VEXT_FUNCTION_AS(halfvec_l2_squared_distance, l2_squared_distance<Half>);
VEXT_FUNCTION_AS(inner_product, inner_product<float>);
VEXT_FUNCTION_AS(halfvec_inner_product, inner_product<Half>);
VEXT_FUNCTION_AS(vector_negative_inner_product, negative_inner_product<float>);
VEXT_FUNCTION_AS(halfvec_negative_inner_product, negative_inner_product<Half>);
VEXT_FUNCTION_AS(cosine_distance, cosine_distance<float>);
VEXT_FUNCTION_AS(halfvec_cosine_distance, cosine_distance<Half>);
VEXT_FUNCTION_AS(l1_distance, l1_distance<float>);
VEXT_FUNCTION_AS(halfvec_l1_distance, l1_distance<Half>);
VEXT_FUNCTION_AS(vector_spherical_distance, spherical_distance<float>);
VEXT_FUNCTION_AS(halfvec_spherical_distance, spherical_distance<Half>);

}  // namespace vext::types
