"""Fields of COPY that hold vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _vectors
from ._fields import NULL_FIELD, Bytes, Field, with_nulls
from ._vectors import Floats

FLOAT4_OID = 700


def vector_dtype(n_dims: int) -> np.dtype[Any]:
    """A field of type vector: length, number of dimensions, zero, numbers in network order."""
    return np.dtype([("n_bytes", ">i4"), ("n_dims", ">u2"), ("zero", ">i2"),
                     ("values", ">f4", (n_dims,))])


def fill_vectors(field: Bytes, vectors: Floats) -> None:
    n_dims = vectors.shape[1]
    field["n_bytes"] = 4 + 4 * n_dims
    field["n_dims"] = n_dims
    field["zero"] = 0
    field["values"] = vectors


def array_dtype(n_dims: int) -> np.dtype[Any]:
    """A field of type real[] with one dimension: header, then numbers, each with its length."""
    return np.dtype([("n_bytes", ">i4"), ("rank", ">i4"), ("has_nulls", ">i4"), ("type", ">u4"),
                     ("size", ">i4"), ("lower", ">i4"),
                     ("values", [("n_bytes", ">i4"), ("value", ">f4")], (n_dims,))])


def fill_arrays(field: Bytes, values: NDArray[Any]) -> None:
    n_dims = values.shape[1]
    field["n_bytes"] = 20 + 8 * n_dims
    field["rank"] = 1
    field["has_nulls"] = 0
    field["type"] = FLOAT4_OID
    field["size"] = n_dims
    field["lower"] = 1
    field["values"]["n_bytes"] = 4
    with np.errstate(over="ignore", invalid="ignore"):
        field["values"]["value"] = values


class VectorField(Field):
    """Vectors of `n_dims` dimensions in the type's own form; a bad one is an error."""

    def __init__(self, name: str, n_dims: int) -> None:
        super().__init__(name)
        self._n_dims = n_dims

    def encode(self, values: Any, start: int) -> Bytes | list[bytes]:
        values, missing = split_nulls(values, self._n_dims)
        vectors, _, errors = _vectors.judge(values, self._n_dims, start, self.name)
        if errors:
            raise errors[0]
        field = np.empty(len(vectors), vector_dtype(self._n_dims))
        fill_vectors(field, vectors)
        return with_nulls(field, missing)


class ArrayField(Field):
    """Rows of numbers as real[], which the server casts: of any length, and bad ones too, so that
    the upsert judges them."""

    stage_type = "pg_catalog.float4[]"

    def encode(self, values: Any, start: int) -> Bytes | list[bytes]:
        if not isinstance(values, np.ndarray):
            array = _vectors.array_of_rows(values)
            if array is None:
                return [self._encode_row(row, start + index) for index, row in enumerate(values)]
            values = array
        field = np.empty(len(values), array_dtype(values.shape[1]))
        fill_arrays(field, values)
        return field

    def _encode_row(self, row: Any, index: int) -> bytes:
        if row is None:
            return NULL_FIELD
        numbers = _vectors.row_array(row, index, self.name)
        field = np.empty(1, array_dtype(len(numbers)))
        fill_arrays(field, numbers[None])
        return field.tobytes()


def split_nulls(values: Any, n_dims: int) -> tuple[Any, NDArray[np.bool_]]:
    """The rows with zeros in place of None, and a mask of those."""
    missing = np.zeros(len(values), np.bool_)
    if not isinstance(values, np.ndarray) and any(row is None for row in values):
        missing[:] = [row is None for row in values]
        zeros = np.zeros(n_dims, np.float32)
        values = [zeros if row is None else row for row in values]
    return values, missing
