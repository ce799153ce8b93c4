// Making vectors, and reading them from arguments however they are stored.

#include "types/vector.h"

#include <cstring>

namespace vext::types {

Vector*
new_vector(std::size_t n_dims) {
    const std::size_t n_bytes = vector_size(n_dims);
    auto* vector = static_cast<Vector*>(palloc(n_bytes));
    SET_VARSIZE(vector, n_bytes);
    vector->dim = static_cast<std::int16_t>(n_dims);
    vector->unused = 0;
    return vector;
}

Vector*
new_vector(std::span<const float> values) {
    Vector* vector = new_vector(values.size());
    std::memcpy(vector->x, values.data(), values.size_bytes());
    return vector;
}

Vector*
VectorArgument::unpack(varlena* stored) {
    // The server's macro holds for a pointer to the toast table, too.
    if (VARATT_IS_EXTERNAL(stored) || !VARATT_IS_SHORT(stored)) {
        varlena* plain = pg_detoast_datum(stored);
        if (VARSIZE(plain) < sizeof(Vector))
            raise_corrupt();
        return reinterpret_cast<Vector*>(plain);
    }
    const std::size_t n_bytes = VARSIZE_SHORT(stored) - VARHDRSZ_SHORT;
    std::memset(short_copy_, 0, sizeof(Vector));
    SET_VARSIZE(short_copy_, VARHDRSZ + n_bytes);
    std::memcpy(short_copy_ + VARHDRSZ, VARDATA_SHORT(stored), n_bytes);
    return reinterpret_cast<Vector*>(short_copy_);
}

void
VectorArgument::free_copy(Datum datum) {
    const char* here = reinterpret_cast<const char*>(vector_);
    if (here != DatumGetPointer(datum) && here != short_copy_)
        pfree(vector_);
}

void
VectorArgument::raise_corrupt() {
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("length of stored vector does not match its dimensions")));
}

}  // namespace vext::types
