// Distances between two vectors. Sums are float32 (see core/distance/kernels.h): overflow gives
// infinity, never an error.

#include <algorithm>
#include <cmath>
#include <span>
#include <type_traits>

#include "core/distance/dispatch.h"
#include "pg/function.h"
#include "types/call_memory.h"
#include "types/checks.h"
#include "types/vector.h"

namespace vext::types {

namespace {

using Values = std::span<const float>;

/// Both arguments of a distance function; rows are taken to come in the first.
class Operands {
   public:
    explicit Operands(FunctionCallInfo fcinfo)
        : memory_(call_memory(fcinfo)), a_(argument(fcinfo, 0)), b_(argument(fcinfo, 1)) {
        if (likely(memory_ != nullptr))
            memory_->rows.pass(a_.values());
    }

    Values
    a() const {
        return a_.values();
    }
    Values
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
    VectorArgument a_;
    VectorArgument b_;
};

static_assert(std::is_trivially_destructible_v<Operands>);

double
l2_squared_distance(Values a, Values b) {
    check_same_dims(a, b);
    return core::kernels().l2_squared(a.data(), b.data(), a.size());
}

double
inner_product(Values a, Values b) {
    check_same_dims(a, b);
    return core::kernels().inner_product(a.data(), b.data(), a.size());
}

double
l1_distance(Values a, Values b) {
    check_same_dims(a, b);
    return core::kernels().l1(a.data(), b.data(), a.size());
}

// NaN, as from a zero vector, passes through the clamp.
double
cosine_distance(Values a, Values b) {
    check_same_dims(a, b);
    const core::CosineParts parts = core::kernels().cosine_parts(a.data(), b.data(), a.size());
    const double norms = std::sqrt(static_cast<double>(parts.squared_norm_a) *
                                   static_cast<double>(parts.squared_norm_b));
    return 1.0 - std::clamp(static_cast<double>(parts.dot) / norms, -1.0, 1.0);
}

// The angle between unit vectors as a part of pi.
double
spherical_distance(Values a, Values b) {
    return std::acos(std::clamp(inner_product(a, b), -1.0, 1.0)) / M_PI;
}

double
norm(Values a) {
    return std::sqrt(core::kernels().squared_norm(a.data(), a.size()));
}

}  // namespace

VEXT_FUNCTION(l2_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(std::sqrt(l2_squared_distance(operands.a(), operands.b())));
}

VEXT_FUNCTION(vector_l2_squared_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(l2_squared_distance(operands.a(), operands.b()));
}

VEXT_FUNCTION(inner_product) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(inner_product(operands.a(), operands.b()));
}

VEXT_FUNCTION(vector_negative_inner_product) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(-inner_product(operands.a(), operands.b()));
}

VEXT_FUNCTION(cosine_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(cosine_distance(operands.a(), operands.b()));
}

VEXT_FUNCTION(l1_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(l1_distance(operands.a(), operands.b()));
}

VEXT_FUNCTION(vector_spherical_distance) {
    const Operands operands(fcinfo);
    PG_RETURN_FLOAT8(spherical_distance(operands.a(), operands.b()));
}

VEXT_FUNCTION(vector_norm) {
    VectorArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_FLOAT8(norm(a.values()));
}

}  // namespace vext::types
