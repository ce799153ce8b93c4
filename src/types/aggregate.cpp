// The average of vectors. The state is a float8 array {number of rows, sum of each dimension}: an
// ordinary SQL value, so that parallel workers exchange it as it is. `sum` needs nothing here.
//
// As an aggregate the state is updated in place: the server keeps it in a context of its own and
// hands the same array back. Called by hand the argument is not ours, and a copy is updated.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <type_traits>

#include "pg/array.h"
#include "pg/function.h"
#include "types/checks.h"
#include "types/vector.h"

namespace vext::types {

namespace {

struct State {
    ArrayType* array;
    std::span<double> sums;  ///< empty before the first row

    double&
    n_rows() const {
        return sums.data()[-1];
    }
};

State
state_of(ArrayType* array, std::size_t n_dims) {
    return {array, pg::array_elements<double>(array, 1 + n_dims).subspan(1)};
}

State
state_argument(FunctionCallInfo fcinfo, int index, const char* function) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(index);
    if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] < 1 || ARR_HASNULL(array) ||
        ARR_ELEMTYPE(array) != FLOAT8OID)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%s: expected state array", function)));
    return state_of(array, ARR_DIMS(array)[0] - 1);
}

State
new_state(double n_rows, std::size_t n_dims) {
    State state = state_of(pg::new_array<double>(FLOAT8OID, 1 + n_dims), n_dims);
    state.n_rows() = n_rows;
    // What keeps the sign of every number that is added.
    std::fill(state.sums.begin(), state.sums.end(), -0.0);
    return state;
}

State
writable(State state, FunctionCallInfo fcinfo) {
    if (AggCheckCallContext(fcinfo, nullptr) != 0)
        return state;
    State copy =
        state_of(pg::new_array<double>(FLOAT8OID, 1 + state.sums.size()), state.sums.size());
    copy.n_rows() = state.n_rows();
    std::memcpy(copy.sums.data(), state.sums.data(), state.sums.size_bytes());
    return copy;
}

double
to_double(double sum) {
    return sum;
}

template <typename Number>
double
to_double(Number number) {
    return core::to_float(number);
}

// Adds `n_rows` rows with the given sums. Requires: `state` is writable, as many dimensions.
template <typename Sums>
ArrayType*
add_to(State state, double n_rows, Sums sums) {
    state.n_rows() += n_rows;
    for (std::size_t i = 0; i < sums.size(); ++i) {
        state.sums[i] += to_double(sums[i]);
        if (std::isinf(state.sums[i])) [[unlikely]]
            raise_overflow();
    }
    return state.array;
}

template <typename Number>
ArrayType*
accumulate(State state, std::span<const Number> values, FunctionCallInfo fcinfo) {
    if (state.sums.empty())
        return add_to(new_state(state.n_rows(), values.size()), 1, values);
    check_expected_dims(static_cast<std::int32_t>(state.sums.size()), values.size());
    return add_to(writable(state, fcinfo), 1, values);
}

ArrayType*
merge(State a, State b, FunctionCallInfo fcinfo) {
    if (a.n_rows() == 0)
        return b.array;
    if (b.n_rows() == 0)
        return a.array;
    check_expected_dims(static_cast<std::int32_t>(a.sums.size()), b.sums.size());
    return add_to(writable(a, fcinfo), b.n_rows(), b.sums);
}

// Requires: state.n_rows() is not 0.
template <typename Number>
Dense<Number>*
average(State state) {
    check_dims(state.sums.size(), kTypeName<Number>);
    auto* result = new_vector<Number>(state.sums.size());
    for (std::size_t i = 0; i < state.sums.size(); ++i)
        result->x[i] = to_number<Number>(static_cast<float>(state.sums[i] / state.n_rows()));
    check_finite<Number>(result->values());
    return result;
}

template <typename Number>
constexpr const char* kAccumName = std::is_same_v<Number, float> ? "vector_accum" : "halfvec_accum";
template <typename Number>
constexpr const char* kAvgName = std::is_same_v<Number, float> ? "vector_avg" : "halfvec_avg";

template <typename Number>
Datum
accum(FunctionCallInfo fcinfo) {
    State state = state_argument(fcinfo, 0, kAccumName<Number>);
    Argument<Number> value(PG_GETARG_DATUM(1));
    PG_RETURN_ARRAYTYPE_P(accumulate(state, value.values(), fcinfo));
}

template <typename Number>
Datum
avg(FunctionCallInfo fcinfo) {
    State state = state_argument(fcinfo, 0, kAvgName<Number>);
    if (state.n_rows() == 0)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(average<Number>(state));
}

}  // namespace

VEXT_FUNCTION_AS(vector_accum, accum<float>);
VEXT_FUNCTION_AS(halfvec_accum, accum<Half>);

// Of both types: the state is the same.
VEXT_FUNCTION(vector_combine) {
    State a = state_argument(fcinfo, 0, "vector_combine");
    State b = state_argument(fcinfo, 1, "vector_combine");
    for (const State& state : {a, b})
        if (!state.sums.empty())
            check_dims(state.sums.size(), kTypeName<float>);
    PG_RETURN_ARRAYTYPE_P(merge(a, b, fcinfo));
}

VEXT_FUNCTION_AS(vector_avg, avg<float>);
VEXT_FUNCTION_AS(halfvec_avg, avg<Half>);

}  // namespace vext::types
