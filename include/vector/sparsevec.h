/* A value of type sparsevec, for C code of other extensions; see vector.h. */

#ifndef SPARSEVEC_H
#define SPARSEVEC_H

#include "postgres.h"

#include "fmgr.h"

#define SPARSEVEC_MAX_DIM 1000000000
#define SPARSEVEC_MAX_NNZ 16000

/* `nnz` entries: indices from 0 on, ascending, below `dim`; behind them as many numbers, none of them
 * zero, NaN or infinite. `unused` is zero. */
typedef struct SparseVector {
    int32 vl_len_; /* a varlena: SET_VARSIZE */
    int32 dim;
    int32 nnz;
    int32 unused;
    int32 indices[FLEXIBLE_ARRAY_MEMBER];
} SparseVector;

/* Bytes of a vector of so many entries. */
#define SPARSEVEC_SIZE(_nnz) (offsetof(SparseVector, indices) + (_nnz) * (sizeof(int32) + sizeof(float)))

/* The numbers of a vector. */
#define SPARSEVEC_VALUES(_vector) ((float *) ((_vector)->indices + (_vector)->nnz))

#define DatumGetSparseVector(_datum) ((SparseVector *) PG_DETOAST_DATUM(_datum))
#define PG_GETARG_SPARSEVEC_P(_n) DatumGetSparseVector(PG_GETARG_DATUM(_n))
#define PG_RETURN_SPARSEVEC_P(_vector) PG_RETURN_POINTER(_vector)

#endif
