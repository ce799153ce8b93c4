// One-dimensional SQL arrays of fixed-width elements.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pg/compat.h"

extern "C" {
#include "catalog/pg_type_d.h"
#include "utils/array.h"
}

namespace vext::pg {

/// The elements of an array without NULLs whose element type is stored as T.
template <typename T>
std::span<T>
array_elements(ArrayType* array, std::size_t n) {
    return {reinterpret_cast<T*>(ARR_DATA_PTR(array)), n};
}

/// A new array of `n` elements of type `element_type`, stored as T; the elements are not set. It
/// lives in the current memory context.
template <typename T>
ArrayType*
new_array(Oid element_type, std::size_t n) {
    const std::size_t n_bytes = ARR_OVERHEAD_NONULLS(1) + n * sizeof(T);
    auto* array = static_cast<ArrayType*>(palloc(n_bytes));
    SET_VARSIZE(array, n_bytes);
    array->ndim = 1;
    array->dataoffset = 0;
    array->elemtype = element_type;
    ARR_DIMS(array)[0] = static_cast<int>(n);
    ARR_LBOUND(array)[0] = 1;
    return array;
}

/// An array as a parameter of a statement, with elements like these. It lives in the current memory
/// context.
template <typename T>
Datum
array_datum(Oid element_type, std::span<const T> elements) {
    ArrayType* array = new_array<T>(element_type, elements.size());
    std::copy(elements.begin(), elements.end(), array_elements<T>(array, elements.size()).begin());
    return PointerGetDatum(array);
}

/// The elements of a one-dimensional array without NULLs that a statement returned, stored as T;
/// none for NULL.
template <typename T>
std::span<T>
elements_of(NullableDatum datum) {
    if (datum.isnull)
        return {};
    ArrayType* array = DatumGetArrayTypeP(datum.value);
    return array_elements<T>(array, ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
}

}  // namespace vext::pg
