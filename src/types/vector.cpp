// Making vectors, and reading them from arguments however they are stored.

#include "types/vector.h"

#include <cstring>

namespace vext::types {

template <typename Number>
Dense<Number>*
new_vector(std::size_t n_dims) {
    const std::size_t n_bytes = vector_size<Number>(n_dims);
    auto* vector = static_cast<Dense<Number>*>(palloc(n_bytes));
    SET_VARSIZE(vector, n_bytes);
    vector->dim = static_cast<std::int16_t>(n_dims);
    vector->unused = 0;
    return vector;
}

template <typename Number>
Dense<Number>*
new_vector(std::span<const Number> values) {
    auto* vector = new_vector<Number>(values.size());
    std::memcpy(vector->x, values.data(), values.size_bytes());
    return vector;
}

template <typename Number>
Dense<Number>*
Argument<Number>::unpack(varlena* stored) {
    // The server's macro holds for a pointer to the toast table, too.
    if (VARATT_IS_EXTERNAL(stored) || !VARATT_IS_SHORT(stored)) {
        varlena* plain = pg_detoast_datum(stored);
        if (VARSIZE(plain) < sizeof(Dense<Number>))
            raise_corrupt();
        return reinterpret_cast<Dense<Number>*>(plain);
    }
    const std::size_t n_bytes = VARSIZE_SHORT(stored) - VARHDRSZ_SHORT;
    std::memset(short_copy_, 0, sizeof(Dense<Number>));
    SET_VARSIZE(short_copy_, VARHDRSZ + n_bytes);
    std::memcpy(short_copy_ + VARHDRSZ, VARDATA_SHORT(stored), n_bytes);
    return reinterpret_cast<Dense<Number>*>(short_copy_);
}

template <typename Number>
void
Argument<Number>::free_copy(Datum datum) {
    const char* here = reinterpret_cast<const char*>(vector_);
    if (here != DatumGetPointer(datum) && here != short_copy_)
        pfree(vector_);
}

template <typename Number>
void
Argument<Number>::raise_corrupt() {
    ereport(ERROR,
            (errcode(ERRCODE_DATA_CORRUPTED),
             errmsg("length of stored %s does not match its dimensions", kTypeName<Number>)));
}

template Vector* new_vector(std::size_t n_dims);
template HalfVector* new_vector(std::size_t n_dims);
template Vector* new_vector(std::span<const float> values);
template HalfVector* new_vector(std::span<const Half> values);
template class Argument<float>;
template class Argument<Half>;

}  // namespace vext::types
