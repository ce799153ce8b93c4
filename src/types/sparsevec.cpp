// Making sparse vectors, and reading them from arguments however they are stored.

#include "types/sparsevec.h"

#include <cstring>

namespace vext::types {

SparseVector*
new_sparse(std::int32_t n_dims, std::size_t n_entries) {
    const std::size_t n_bytes = sparse_size(n_entries);
    auto* vector = static_cast<SparseVector*>(palloc(n_bytes));
    SET_VARSIZE(vector, n_bytes);
    vector->dim = n_dims;
    vector->nnz = static_cast<std::int32_t>(n_entries);
    vector->unused = 0;
    return vector;
}

SparseVector*
new_sparse(std::int32_t n_dims, std::span<const core::SparseEntry> entries) {
    SparseVector* vector = new_sparse(n_dims, entries.size());
    const std::span<std::int32_t> indices = vector->indices();
    const std::span<float> values = vector->values();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        indices[i] = entries[i].index;
        values[i] = entries[i].value;
    }
    return vector;
}

SparseVector*
SparseArgument::unpack(varlena* stored) {
    // The server's macro holds for a pointer to the toast table, too.
    if (VARATT_IS_EXTERNAL(stored) || !VARATT_IS_SHORT(stored)) {
        varlena* plain = pg_detoast_datum(stored);
        if (VARSIZE(plain) < sizeof(SparseVector))
            raise_corrupt();
        return reinterpret_cast<SparseVector*>(plain);
    }
    const std::size_t n_bytes = VARSIZE_SHORT(stored) - VARHDRSZ_SHORT;
    std::memset(short_copy_, 0, sizeof(SparseVector));
    SET_VARSIZE(short_copy_, VARHDRSZ + n_bytes);
    std::memcpy(short_copy_ + VARHDRSZ, VARDATA_SHORT(stored), n_bytes);
    return reinterpret_cast<SparseVector*>(short_copy_);
}

void
SparseArgument::free_copy(Datum datum) {
    const char* here = reinterpret_cast<const char*>(vector_);
    if (here != DatumGetPointer(datum) && here != short_copy_)
        pfree(vector_);
}

void
SparseArgument::raise_corrupt() {
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("length of stored sparsevec does not match its entries")));
}

}  // namespace vext::types
