// Casts between sparse vectors, dense ones and SQL arrays.

#include <algorithm>
#include <cmath>
#include <span>

#include "pg/array.h"
#include "pg/function.h"
#include "pg/numeric.h"
#include "types/checks.h"
#include "types/sparsevec.h"
#include "types/sparsevec_checks.h"
#include "types/vector.h"

namespace vext::types {

namespace {

using core::SparseError;

/// The entries of values that come by ascending index; zeros are left out.
class Collector {
   public:
    void
    add(std::size_t index, float value) {
        if (value == 0)
            return;
        if (std::isnan(value))
            report_sparse(SparseError::kNan);
        if (std::isinf(value))
            report_sparse(SparseError::kInfinite);
        if (n_entries_ == kMaxSparseEntries)
            report_sparse(SparseError::kTooManyElements);
        entries_[n_entries_++] = {static_cast<std::int32_t>(index), value};
    }

    SparseVector*
    make(std::size_t n_dims) const {
        return new_sparse(static_cast<std::int32_t>(n_dims),
                          std::span<const core::SparseEntry>(entries_, n_entries_));
    }

   private:
    std::size_t n_entries_ = 0;
    core::SparseEntry entries_[kMaxSparseEntries];
};

static_assert(std::is_trivially_destructible_v<Collector>);

template <typename Element, typename ToFloat>
SparseVector*
from_elements(std::span<Element> elements, ToFloat to_float) {
    constexpr std::size_t kBetweenInterrupts = 65536;
    Collector collector;
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (i % kBetweenInterrupts == 0)
            CHECK_FOR_INTERRUPTS();
        collector.add(i, to_float(elements[i]));
    }
    return collector.make(elements.size());
}

template <typename Element>
SparseVector*
from_numbers(std::span<Element> elements) {
    return from_elements(elements, [](Element element) { return static_cast<float>(element); });
}

SparseVector*
from_numerics(ArrayType* array) {
    Datum* elements = nullptr;
    int n = 0;
    deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &elements, nullptr, &n);
    return from_elements(std::span<Datum>(elements, n), pg::numeric_to_float);
}

SparseVector*
from_array(ArrayType* array, std::int32_t typmod) {
    if (ARR_NDIM(array) > 1)
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("array must be 1-D")));
    if (ARR_HASNULL(array) && array_contains_nulls(array))
        ereport(ERROR,
                (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
    const std::size_t n_dims = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    if (n_dims == 0)
        report_sparse(SparseError::kNoDimensions);
    if (n_dims > static_cast<std::size_t>(core::kMaxSparseDims))
        report_sparse(SparseError::kTooManyDimensions);
    check_expected_dims(typmod, n_dims);
    switch (ARR_ELEMTYPE(array)) {
        case INT4OID:
            return from_numbers(pg::array_elements<int32>(array, n_dims));
        case FLOAT4OID:
            return from_numbers(pg::array_elements<float4>(array, n_dims));
        case FLOAT8OID:
            return from_numbers(pg::array_elements<float8>(array, n_dims));
        case NUMERICOID:
            return from_numerics(array);
        default:
            ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("unsupported array type")));
    }
}

template <typename Number>
SparseVector*
from_dense(std::span<const Number> values, std::int32_t typmod) {
    check_expected_dims(typmod, values.size());
    return from_elements(values, [](Number number) { return core::to_float(number); });
}

template <typename Number>
Dense<Number>*
to_dense(const core::SparseView& sparse, std::int32_t typmod) {
    const auto n_dims = static_cast<std::size_t>(sparse.n_dims);
    check_dims(n_dims, kTypeName<Number>);
    check_expected_dims(typmod, n_dims);
    auto* result = new_vector<Number>(n_dims);
    const std::span<Number> numbers = result->values();
    std::fill(numbers.begin(), numbers.end(), Number{});
    for (std::size_t i = 0; i < sparse.size(); ++i) {
        const auto index = static_cast<std::size_t>(sparse.indices[i]);
        if (index >= n_dims)
            SparseArgument::raise_corrupt();
        numbers[index] = to_number<Number>(sparse.values[i]);
    }
    return result;
}

}  // namespace

VEXT_FUNCTION(array_to_sparsevec) {
    PG_RETURN_POINTER(from_array(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_INT32(1)));
}

VEXT_FUNCTION(vector_to_sparsevec) {
    Argument<float> a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(from_dense(a.values(), PG_GETARG_INT32(1)));
}

VEXT_FUNCTION(sparsevec_to_vector) {
    SparseArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(to_dense<float>(a.view(), PG_GETARG_INT32(1)));
}

VEXT_FUNCTION(halfvec_to_sparsevec) {
    Argument<Half> a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(from_dense(a.values(), PG_GETARG_INT32(1)));
}

VEXT_FUNCTION(sparsevec_to_halfvec) {
    SparseArgument a(PG_GETARG_DATUM(0));
    PG_RETURN_POINTER(to_dense<Half>(a.view(), PG_GETARG_INT32(1)));
}

}  // namespace vext::types
