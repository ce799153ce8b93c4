/* A value of type halfvec, for C code of other extensions; see vector.h. */

#ifndef HALFVEC_H
#define HALFVEC_H

#include "postgres.h"

#include "fmgr.h"

#define HALFVEC_MAX_DIM 16000

/* The largest number. */
#define HALF_MAX 65504

/* The bits of a number of IEEE 754 binary16; a compiler that has the type converts by _Float16. */
typedef uint16 half;

/* `dim` numbers, 1 to HALFVEC_MAX_DIM; none is NaN or infinite; `unused` is zero. */
typedef struct HalfVector {
    int32 vl_len_; /* a varlena: SET_VARSIZE */
    int16 dim;
    int16 unused;
    half x[FLEXIBLE_ARRAY_MEMBER];
} HalfVector;

/* Bytes of a vector of so many dimensions. */
#define HALFVEC_SIZE(_dim) (offsetof(HalfVector, x) + sizeof(half) * (_dim))

#define DatumGetHalfVector(_datum) ((HalfVector *) PG_DETOAST_DATUM(_datum))
#define PG_GETARG_HALFVEC_P(_n) DatumGetHalfVector(PG_GETARG_DATUM(_n))
#define PG_RETURN_HALFVEC_P(_vector) PG_RETURN_POINTER(_vector)

#endif
