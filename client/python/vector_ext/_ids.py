"""The ids of rows that are loaded: those given, and the column that they go to."""

from __future__ import annotations

import uuid
from typing import Any, Optional

import numpy as np
from psycopg import errors

from ._catalog import Column
from ._fields import Bytes, Field, IntField, TextField
from ._run import Encoding, Steps
from .errors import invalid_row


def field_of_ids(column: Column) -> Steps[Field]:
    """How ids are sent to this column."""
    widths = {"int2": 2, "int4": 4, "int8": 8}
    if column.type_schema == "pg_catalog" and column.type_name in widths:
        return IntField("ids", widths[column.type_name], nullable=False)
    if column.type_schema == "pg_catalog" and column.type_name in ("text", "varchar", "bpchar"):
        codec: str = yield Encoding()
        return _TextIds("ids", codec)
    if column.type_schema == "pg_catalog" and column.type_name == "uuid":
        return _UuidIds("ids")
    raise errors.FeatureNotSupported(f'column "{column.name}" is of type {column.type_name}, which '
                                     "ids cannot be sent as: use bulk_upsert")


class _TextIds(TextField):
    def encode(self, values: Any, start: int) -> Bytes | list[bytes]:
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise invalid_row(start + index, "22004" if value is None else "22P02",
                                  f"ids[{start + index}] is not a string: {value!r:.80}")
        return super().encode(values, start)


class _UuidIds(Field):
    def encode(self, values: Any, start: int) -> Bytes | list[bytes]:
        fields = []
        for index, value in enumerate(values):
            try:
                value = value if isinstance(value, uuid.UUID) else uuid.UUID(value)
            except (ValueError, TypeError, AttributeError):
                raise invalid_row(start + index, "22P02", f"ids[{start + index}] is not a UUID: "
                                                          f"{value!r:.80}") from None
            fields.append(b"\0\0\0\x10" + value.bytes)
        return fields


class Ids:
    """The ids that were given, taken in step with the rows, which messages call `rows`."""

    def __init__(self, ids: Any, n_rows: Optional[int], rows: str) -> None:
        if isinstance(ids, (str, bytes, dict)) or hasattr(ids, "__aiter__"):
            raise TypeError(f"ids must be a sequence or iterator, not {type(ids).__name__}")
        self._rows = rows
        self._iterator: Any = None
        self._first: list[Any] = []
        if hasattr(ids, "__array__"):
            ids = ids if isinstance(ids, np.ndarray) else np.asarray(ids)
            if ids.ndim != 1:
                raise ValueError(f"ids must have 1 dimension, not {ids.ndim}")
        if hasattr(ids, "__len__") and hasattr(ids, "__getitem__"):
            if n_rows is not None and len(ids) != n_rows:
                raise ValueError(f"{len(ids)} ids for {n_rows} {self._rows}")
            self._ids: Any = ids
        else:
            self._ids = None
            self._iterator = iter(ids)
        self._taken = 0

    def type_of_first(self) -> str:
        """The SQL type of an id column for them."""
        if self._ids is None:
            self._first = _take_from(self._iterator, 1)
            value = self._first[0] if self._first else None
        else:
            value = self._ids[0] if len(self._ids) > 0 else None
        if isinstance(value, str):
            return "text"
        return "uuid" if isinstance(value, uuid.UUID) else "bigint"

    def take(self, start: int, n_rows: int) -> Any:
        if self._ids is not None:
            taken = self._ids[start:start + n_rows]
        else:
            taken = self._first + _take_from(self._iterator, n_rows - len(self._first))
            self._first = []
        self._taken += len(taken)
        if len(taken) != n_rows:
            raise ValueError(f"ids end after {self._taken}, but there are more {self._rows}")
        return taken

    def check_end(self) -> None:
        if self._ids is not None:
            more = len(self._ids) - self._taken
        else:
            more = len(self._first) + len(_take_from(self._iterator, 1))
        if more:
            raise ValueError(f"there are only {self._taken} {self._rows}, but more ids")


def _take_from(iterator: Any, n_items: int) -> list[Any]:
    taken = []
    for _ in range(n_items):
        try:
            taken.append(next(iterator))
        except StopIteration:
            break
    return taken
