"""Fields of binary COPY, built by numpy for a batch of rows at once.

A field of fixed size is part of one structured array with an element a row, filled column by
column, whose memory is what goes out. Where a value is NULL or of no fixed size, columns become
lists of byte strings, and rows are joined from those.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any, Optional

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import PyFormat, Transformer

from ._vectors import as_list, plain_array
from .errors import invalid_row

Bytes = NDArray[Any]

NULL_FIELD = b"\xff\xff\xff\xff"


class Field:
    """A column of COPY. `name` is what values are called in errors.

    `stage_type` is the type of the stage's column that the field is sent to, None for the target's.
    """

    stage_type: Optional[str] = None

    def __init__(self, name: str) -> None:
        self.name = name

    def encode(self, values: Any, start: int) -> Bytes | list[bytes]:
        """The values of a batch whose first row is row `start`, each with its length in front: an
        array with an element a row, or a list of byte strings. Raises InvalidRowError."""
        raise NotImplementedError


def join_rows(fields: list[Bytes | list[bytes]], n_rows: int) -> bytes | memoryview:
    """The rows of a batch as COPY has them, from its encoded columns."""
    if all(isinstance(field, np.ndarray) for field in fields):
        arrays = [field for field in fields if isinstance(field, np.ndarray)]
        rows = np.empty(n_rows, [("n_fields", ">i2")] + [
            (f"f{number}", array.dtype) for number, array in enumerate(arrays)])
        rows["n_fields"] = len(arrays)
        for number, array in enumerate(arrays):
            rows[f"f{number}"] = array
        return rows.data.cast("B") if n_rows else b""
    lists: list[Iterable[bytes]] = [
        field if isinstance(field, list) else byte_strings(field) for field in fields]
    header = itertools.repeat(len(fields).to_bytes(2, "big"), n_rows)
    return b"".join(itertools.chain.from_iterable(zip(header, *lists)))


def byte_strings(array: Bytes) -> list[bytes]:
    return as_list(array.view(f"V{array.dtype.itemsize}"))


def with_nulls(array: Bytes, missing: NDArray[np.bool_]) -> Bytes | list[bytes]:
    if not missing.any():
        return array
    strings = byte_strings(array)
    for index in np.flatnonzero(missing):
        strings[index] = NULL_FIELD
    return strings


# --- numbers ---

_INT_RANGE = {2: "smallint", 4: "integer", 8: "bigint"}


def int_dtype(n_bytes: int) -> np.dtype[Any]:
    return np.dtype([("n_bytes", ">i4"), ("value", f">i{n_bytes}")])


class IntField(Field):
    """smallint, integer or bigint, by its number of bytes."""

    def __init__(self, name: str, n_bytes: int, nullable: bool = True) -> None:
        super().__init__(name)
        self._n_bytes = n_bytes
        self._nullable = nullable

    def encode(self, values: Any, start: int) -> Bytes | list[bytes]:
        numbers, missing = self.judge(values, start)
        field = np.empty(len(numbers), int_dtype(self._n_bytes))
        field["n_bytes"] = self._n_bytes
        field["value"] = numbers
        return field if missing is None else with_nulls(field, missing)

    def judge(self, values: Any, start: int,
              ) -> tuple[NDArray[Any], Optional[NDArray[np.bool_]]]:
        """Whole numbers in range, and a mask of those that are None (None: no value is)."""
        array = _array_or_none(values)
        missing: Optional[NDArray[np.bool_]] = None
        if array is None or array.dtype.kind not in "iu":
            array, missing = self._judge_singly(values, start)
        low, high = -(1 << (8 * self._n_bytes - 1)), (1 << (8 * self._n_bytes - 1)) - 1
        if array.size and (int(array.max()) > high or int(array.min()) < low):
            index = next(index for index, value in enumerate(as_list(array))
                         if not low <= value <= high)
            raise self._out_of_range(start + index, array[index])
        return array, missing

    def _out_of_range(self, row: int, value: Any) -> Exception:
        return invalid_row(row, "22003", f"{self.name}[{row}] is out of range for "
                                         f"{_INT_RANGE[self._n_bytes]}: {value}")

    def _judge_singly(self, values: Any, start: int,
                      ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        numbers = np.zeros(len(values), np.int64)
        missing = np.zeros(len(values), np.bool_)
        for index, value in enumerate(values):
            row = start + index
            if value is None and self._nullable:
                missing[index] = True
                continue
            if isinstance(value, np.generic):
                value = value.item()
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int):
                raise invalid_row(row, "22P02" if value is not None else "22004",
                                  f"{self.name}[{row}] is not a whole number: {value!r:.80}")
            try:
                numbers[index] = value
            except OverflowError:
                raise self._out_of_range(row, value) from None
        return numbers, missing


class FloatField(Field):
    """real or double precision, by its number of bytes."""

    def __init__(self, name: str, n_bytes: int) -> None:
        super().__init__(name)
        self._n_bytes = n_bytes

    def encode(self, values: Any, start: int) -> Bytes | list[bytes]:
        array = _array_or_none(values)
        missing = None
        if array is None or array.dtype.kind not in "fiu":
            missing = np.array([value is None for value in values], np.bool_)
            array = np.zeros(len(values), np.float64)
            for index in np.flatnonzero(~missing):
                array[index] = self._number(values[index], start + int(index))
        field = np.empty(len(array), [("n_bytes", ">i4"), ("value", f">f{self._n_bytes}")])
        field["n_bytes"] = self._n_bytes
        with np.errstate(over="ignore"):
            field["value"] = array
        beyond = np.isinf(field["value"]) & np.isfinite(array.astype(np.float64))
        if beyond.any():
            row = start + int(np.flatnonzero(beyond)[0])
            raise invalid_row(row, "22003", f"{self.name}[{row}] is out of range for real: "
                                            f"{array[row - start]}")
        return field if missing is None else with_nulls(field, missing)

    def _number(self, value: Any, row: int) -> float:
        try:
            if isinstance(value, (str, bytes)):
                raise TypeError
            return float(value)
        except (TypeError, ValueError, OverflowError):
            raise invalid_row(row, "22P02", f"{self.name}[{row}] is not a number: "
                                            f"{value!r:.80}") from None


# --- values of any size ---


class TextField(Field):
    """text and its kin, in the encoding of the connection."""

    def __init__(self, name: str, codec: str) -> None:
        super().__init__(name)
        self._codec = codec

    def encode(self, values: Any, start: int) -> Bytes | list[bytes]:
        items = as_list(values) if isinstance(values, np.ndarray) else list(values)
        if set(map(type, items)) <= {str}:
            try:
                return prefixed(list(map(str.encode, items, itertools.repeat(self._codec))))
            except UnicodeEncodeError:
                pass
        return [self._encode_value(value, start + index) for index, value in enumerate(items)]

    def _encode_value(self, value: Any, row: int) -> bytes:
        if value is None:
            return NULL_FIELD
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, (bytes, bytearray, memoryview)):
            raise invalid_row(row, "22P02", f"{self.name}[{row}] is of bytes, not text")
        try:
            data = (value if isinstance(value, str) else str(value)).encode(self._codec)
        except UnicodeEncodeError as error:
            raise invalid_row(row, "22021", f"{self.name}[{row}] cannot be written in "
                                            f"{self._codec}: {error.reason}") from None
        return len(data).to_bytes(4, "big") + data


def prefixed(items: list[bytes]) -> list[bytes]:
    """Each item with its length in front."""
    lengths = byte_strings(np.fromiter(map(len, items), ">i4", len(items)))
    return list(map(bytes.__add__, lengths, items))


class AnyField(Field):
    """A value of any type, sent as the text that psycopg has for it; the server casts it.

    What cannot be cast is then judged by the upsert, row by row.
    """

    stage_type = "text"

    def __init__(self, name: str, type_name: str, codec: str) -> None:
        super().__init__(name)
        self._is_json = type_name in ("json", "jsonb")
        self._codec = codec
        self._transformer = Transformer()
        self._dumpers: dict[type, Callable[[Any], Any]] = {}

    def encode(self, values: Any, start: int) -> Bytes | list[bytes]:
        items: list[Any] = values.tolist() if _is_plain(values) else list(values)
        return [self._encode_value(value, start + index) for index, value in enumerate(items)]

    def _encode_value(self, value: Any, row: int) -> bytes:
        if isinstance(value, np.datetime64):
            value = None if np.isnat(value) else str(value)
        if value is None:
            return NULL_FIELD
        if isinstance(value, np.generic):
            value = value.item()
        try:
            data = self._text(value)
        except (psycopg.Error, TypeError, ValueError) as error:
            raise invalid_row(row, "22P02", f"{self.name}[{row}] cannot be written as text: "
                                            f"{error}") from None
        return NULL_FIELD if data is None else len(data).to_bytes(4, "big") + data

    def _text(self, value: Any) -> Optional[bytes]:
        if isinstance(value, str):
            return value.encode(self._codec)
        if self._is_json or isinstance(value, dict):
            return json.dumps(value, allow_nan=False, default=_json_value).encode(self._codec)
        dumper = self._dumpers.get(type(value))
        if dumper is None or isinstance(value, (list, tuple, int)):
            dumper = self._transformer.get_dumper(value, PyFormat.TEXT).dump
            self._dumpers[type(value)] = dumper
        data = dumper(value)
        return None if data is None else bytes(data)


def _json_value(value: Any) -> Any:
    """What numpy has in place of Python's own values."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _is_plain(values: Any) -> bool:
    """Does `tolist` give values of Python? Dates and times of numpy become numbers by it."""
    return isinstance(values, np.ndarray) and values.dtype.kind in "biufUO"


def _array_or_none(values: Any) -> Optional[NDArray[Any]]:
    if isinstance(values, list) and values and isinstance(values[0], str):
        return None
    try:
        array = plain_array(values)
    except (ValueError, TypeError, OverflowError):
        return None
    return array if array.ndim == 1 else None
