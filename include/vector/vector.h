/* A value of type vector, for C code of other extensions: the layout that pgvector made known, and the
 * names that it has there. The library has no functions for others to call; the server's fmgr calls what
 * SQL has. */

#ifndef VECTOR_H
#define VECTOR_H

#include "postgres.h"

#include "fmgr.h"

#define VECTOR_MAX_DIM 16000

/* `dim` numbers, 1 to VECTOR_MAX_DIM; none is NaN or infinite; `unused` is zero. */
typedef struct Vector {
    int32 vl_len_; /* a varlena: SET_VARSIZE */
    int16 dim;
    int16 unused;
    float x[FLEXIBLE_ARRAY_MEMBER];
} Vector;

/* Bytes of a vector of so many dimensions. */
#define VECTOR_SIZE(_dim) (offsetof(Vector, x) + sizeof(float) * (_dim))

#define DatumGetVector(_datum) ((Vector *) PG_DETOAST_DATUM(_datum))
#define PG_GETARG_VECTOR_P(_n) DatumGetVector(PG_GETARG_DATUM(_n))
#define PG_RETURN_VECTOR_P(_vector) PG_RETURN_POINTER(_vector)

#endif
