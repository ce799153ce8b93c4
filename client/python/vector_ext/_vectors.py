"""Judges vectors before they are sent: rows of the right number of finite numbers, as float32.

Whole batches are judged at once by numpy; rows are looked at one by one only where a batch has a
bad one, to tell which and why. What a row is called: `embeddings[17]`, as Python would write it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, cast

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidRowError, invalid_row

Floats = NDArray[np.float32]

MAX_DIMENSIONS = 16_000


def matrix_of(value: Any, name: str) -> NDArray[Any]:
    """An array of numbers with 2 dimensions, (rows, dimensions), or an error that says what it
    is."""
    array = plain_array(value)
    if array.ndim != 2:
        raise ValueError(f"{name} must have 2 dimensions (rows, dimensions of the vectors), not "
                         f"{array.ndim}: its shape is {array.shape}")
    check_numbers(array, name)
    return array


def plain_array(value: Any) -> NDArray[Any]:
    """The array of what numpy can read as one, without a copy where it can. What is masked becomes
    NaN, and so is judged."""
    if isinstance(value, np.ma.MaskedArray):
        masked: Any = value.astype(np.result_type(value.dtype, np.float32))
        return np.asarray(masked.filled(np.nan))
    return np.asarray(value)


def as_list(array: NDArray[Any]) -> list[Any]:
    """The elements as values of Python."""
    return cast(list[Any], array.tolist())


def check_numbers(array: NDArray[Any], name: str) -> None:
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold numbers, not {array.dtype}")


def dimension_of(payload: Any, name: str) -> int:
    """The number of dimensions that the first rows have, judged by the first one."""
    if isinstance(payload, np.ndarray):
        return int(payload.shape[1])
    for index, row in enumerate(payload):
        if row is not None:
            return len(row_array(row, index, name))
    raise invalid_row(0, "22004", f"{name}[0] is None")


def judge(payload: Any, n_dims: int, start: int, name: str,
          ) -> tuple[Floats, Optional[NDArray[np.bool_]], list[InvalidRowError]]:
    """Vectors of `n_dims` dimensions as an array of float32.

    `payload` is a 2-D array, or a list of rows whose first is row `start` of the input. Gives the
    array of the rows, a mask of those that are good (None: all) and, for each bad one in turn, why.
    Rows of the array that are bad hold anything.
    """
    if not isinstance(payload, np.ndarray):
        array = array_of_rows(payload)
        if array is None or array.shape[1] != n_dims:
            return _judge_singly(payload, n_dims, start, name)
        payload = array
    elif payload.shape[1] != n_dims:
        text = f"has {payload.shape[1]} dimensions, expected {n_dims}"
        bad = [invalid_row(start + index, "22000", f"{name}[{start + index}] {text}")
               for index in range(len(payload))]
        return (np.zeros((len(payload), n_dims), np.float32), np.zeros(len(payload), np.bool_), bad)
    with np.errstate(over="ignore", invalid="ignore"):
        floats: Floats = payload.astype(np.float32, copy=False)
    finite = np.isfinite(floats)
    if finite.all():
        return floats, None, []
    good: NDArray[np.bool_] = np.asarray(finite.all(axis=1))
    return floats, good, [_not_finite(payload[index], finite[index], start + int(index), name)
                          for index in np.flatnonzero(~good)]


def array_of_rows(rows: list[Any]) -> Optional[NDArray[Any]]:
    """The 2-D array of rows, or None where they do not make one of numbers."""
    try:
        array = np.asarray(rows)
    except (ValueError, TypeError, OverflowError):
        return None
    is_matrix = array.ndim == 2 and array.dtype.kind in "fiu" and not _any_masked(rows)
    return array if is_matrix else None


def _any_masked(rows: list[Any]) -> bool:
    """Is a row masked? An array of all of them would show what is beneath the mask."""
    return np.ma.MaskedArray in set(map(type, rows))


def _judge_singly(rows: list[Any], n_dims: int, start: int, name: str,
                  ) -> tuple[Floats, Optional[NDArray[np.bool_]], list[InvalidRowError]]:
    floats = np.zeros((len(rows), n_dims), np.float32)
    good = np.ones(len(rows), np.bool_)
    errors = []
    for index, row in enumerate(rows):
        try:
            floats[index] = judge_row(row, n_dims, start + index, name)
        except InvalidRowError as error:
            good[index] = False
            errors.append(error)
    return floats, (None if not errors else good), errors


def judge_row(row: Any, n_dims: int, index: int, name: str) -> Floats:
    """One vector as float32, shape (n_dims,). Raises InvalidRowError."""
    array = row_array(row, index, name)
    if len(array) != n_dims:
        raise invalid_row(index, "22000",
                          f"{name}[{index}] has {len(array)} dimensions, expected {n_dims}")
    with np.errstate(over="ignore", invalid="ignore"):
        floats: Floats = array.astype(np.float32)
    finite = np.isfinite(floats)
    if not finite.all():
        raise _not_finite(array, finite, index, name)
    return floats


def row_array(row: Any, index: int, name: str) -> NDArray[Any]:
    """The 1-D array of a row of numbers. Raises InvalidRowError."""
    if row is None:
        raise invalid_row(index, "22004", f"{name}[{index}] is None")
    try:
        array = plain_array(row)
    except (ValueError, TypeError, OverflowError):
        array = np.empty((), object)
    if array.ndim == 1 and array.dtype.kind in "OSUb" and len(array) > 0:
        values = row if isinstance(row, (list, tuple)) else array.tolist()
        array = _array_of_objects(values, index, name)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise invalid_row(index, "22P02", f"{name}[{index}] is not a row of numbers: "
                                          f"{_short(row)}")
    if len(array) == 0:
        raise invalid_row(index, "22000", f"{name}[{index}] has no dimensions")
    return array


def _array_of_objects(values: Sequence[Any], index: int, name: str) -> NDArray[Any]:
    """Numbers that numpy does not have as such (Decimal, whole numbers beyond 64 bits), as
    float64."""
    numbers = np.empty(len(values), np.float64)
    for dimension, value in enumerate(values):
        where = f"{name}[{index}][{dimension}]"
        if value is None:
            raise invalid_row(index, "22004", f"{where} is None")
        if isinstance(value, (str, bytes, bool)):
            raise invalid_row(index, "22P02", f"{where} is not a number: {_short(value)}")
        try:
            numbers[dimension] = float(value)
        except OverflowError:
            raise invalid_row(index, "22003", f"{where} is out of range for float32") from None
        except (TypeError, ValueError):
            raise invalid_row(index, "22P02",
                              f"{where} is not a number: {_short(value)}") from None
    return numbers


def _not_finite(row: NDArray[Any], finite: NDArray[np.bool_], index: int,
                name: str) -> InvalidRowError:
    dimension = int(np.flatnonzero(~finite)[0])
    value = float(row[dimension])
    where = f"{name}[{index}][{dimension}]"
    if value != value:
        return invalid_row(index, "22000", f"{where} is NaN")
    if value in (float("inf"), float("-inf")):
        return invalid_row(index, "22000", f"{where} is infinite")
    return invalid_row(index, "22003", f"{where} is out of range for float32: {value!r}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
