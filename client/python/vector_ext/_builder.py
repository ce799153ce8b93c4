"""The rows of a load on their way: where they come from, and what they become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray
from psycopg import errors, sql

from . import _vectors
from ._catalog import Column, Relation, require_table
from ._fields import Bytes, Field, IntField, join_rows
from ._ids import Ids, field_of_ids
from ._progress import Tracker
from ._run import CopyIn, Pull, Steps, compose, fetch, fetch_noted
from ._sources import Batch, Slices, Source, Stream, is_frame
from ._vector_fields import fill_vectors, vector_dtype
from .errors import InvalidRowError, invalid_row
from .results import Reject

# Vectors of up to this many dimensions fit a page, and are stored in the row of a table made here.
MAX_PLAIN_DIMENSIONS = 2000

# What messages call the rows.
NAME = "embeddings"


@dataclass
class Builder:
    """The rows of a load on their way: where they come from, and what they become."""

    embeddings: Any
    given_ids: Any
    tracker: Tracker
    batch_size: int
    column_name: Optional[str]
    id_name: Optional[str]
    id_start: Optional[int]
    n_dims: Optional[int]
    max_rejects: int

    def __post_init__(self) -> None:
        self._source: Source = Slices(0, 1, lambda start, stop: None)
        self._ids: Optional[Ids] = None
        self._first: Optional[Batch] = None
        self._id_field: Optional[Field] = None
        self._makes_ids = False

    def prepare(self, relation: Optional[Relation], table: str, schema: str,
                commands: list[str]) -> Steps[Relation]:
        """Looks at the first rows, and makes the table if there is none."""
        if relation is None:
            column_name, id_name = self.column_name or "embedding", self.id_name or "id"
        else:
            column = relation.vector_column(self.column_name)
            column_name = column.name
            id_name = self.id_name or self._id_name_of(relation)
            self._take_dimension(column)
        self.column_name = column_name
        self._open(column_name, id_name)
        self._first = yield Pull(self._source)
        if self.n_dims is None and self._first is not None:
            self.n_dims = _vectors.dimension_of(self._first.payload, NAME)
        if relation is None:
            relation = yield from self._create_table(table, schema, column_name, id_name, commands)
        yield from self._choose_ids(relation, id_name)
        return relation

    def _id_name_of(self, relation: Relation) -> str:
        """The name of the id column; "" where the table has none and no ids are given."""
        try:
            return relation.id_column(None).name
        except errors.UndefinedColumn:
            if self.given_ids is not None or self.id_start is not None:
                raise
            return ""

    def _take_dimension(self, column: Column) -> None:
        if column.n_dims is not None:
            if self.n_dims is not None and self.n_dims != column.n_dims:
                raise errors.DataException(f'column "{column.name}" has {column.n_dims} '
                                           f"dimensions, not {self.n_dims}")
            self.n_dims = column.n_dims

    def _open(self, column_name: str, id_name: str) -> None:
        """Finds out what the embeddings are."""
        value = self.embeddings
        ids = self.given_ids
        if is_frame(value):
            value, ids = _open_frame(value, column_name, id_name, ids)
        if isinstance(value, (str, bytes, dict)):
            raise TypeError(f"{NAME} must be rows of numbers, not {type(value).__name__}")
        if hasattr(value, "__array__") and not is_frame(value):
            self._source = self._open_array(_vectors.plain_array(value))
        elif isinstance(value, (list, tuple)):
            rows = value
            self._source = Slices(len(rows), self.batch_size,
                                  lambda start, stop: list(rows[start:stop]))
        elif isinstance(value, Source):
            self._source = value
        elif hasattr(value, "__iter__") or hasattr(value, "__aiter__"):
            self._source = Stream(value, self.batch_size, rows_of_chunk, cut_chunk)
        else:
            raise TypeError(f"{NAME} must be rows of numbers, not {type(value).__name__}")
        self.tracker.total = self._source.total
        if ids is not None:
            self._ids = Ids(ids, self._source.total, NAME)

    def _open_array(self, array: NDArray[Any]) -> Source:
        if array.dtype == np.dtype(object) and array.ndim == 1:
            return Slices(len(array), self.batch_size,
                          lambda start, stop: array[start:stop].tolist())
        array = _vectors.matrix_of(array, NAME)
        if self.n_dims is None and array.shape[1] > 0:
            self.n_dims = array.shape[1]
        return Slices(len(array), self.batch_size, lambda start, stop: array[start:stop])

    def _create_table(self, table: str, schema: str, column_name: str, id_name: str,
                      commands: list[str]) -> Steps[Relation]:
        if self.n_dims is None:
            raise ValueError(f"table {table} does not exist, and without a row it is not known how "
                             "many dimensions it is to have: give dimension")
        if not 1 <= self.n_dims <= _vectors.MAX_DIMENSIONS:
            raise invalid_row(0, "54000" if self.n_dims > 0 else "22000",
                              f"vectors have 1 to {_vectors.MAX_DIMENSIONS} dimensions, not "
                              f"{self.n_dims}")
        id_type = "bigint"
        if self._ids is not None and self._first is not None:
            id_type = self._ids.type_of_first()
        rows = yield from fetch("SELECT pg_catalog.parse_ident({table})", table=table)
        name = sql.Identifier(*rows[0][0])
        yield from fetch_noted(
            "CREATE TABLE {table} ({id} {id_type} PRIMARY KEY, {column} {type}({n_dims}))",
            commands, table=name, id=sql.Identifier(id_name), id_type=sql.SQL(id_type),
            column=sql.Identifier(column_name), type=sql.Identifier(schema, "vector"),
            n_dims=self.n_dims)
        if self.n_dims <= MAX_PLAIN_DIMENSIONS:
            yield from fetch_noted("ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE PLAIN", commands,
                            table=name, column=sql.Identifier(column_name))
        return (yield from require_table(table))

    def _choose_ids(self, relation: Relation, id_name: str) -> Steps[None]:
        """Decides what is sent as ids: those given, numbers, or none."""
        if not id_name:
            return
        column = relation.id_column(id_name)
        self.id_name = id_name
        if self._ids is None and self.id_start is None and column.has_default:
            return
        self._id_field = yield from field_of_ids(column)
        if self._ids is not None:
            return
        if not isinstance(self._id_field, IntField):
            raise ValueError(f'column "{column.name}" is of type {column.type_name}: give ids')
        self._makes_ids = True
        if self.id_start is None:
            rows = yield from fetch("SELECT pg_catalog.max({id}) FROM {table}",
                                    id=sql.Identifier(column.name), table=relation.name)
            self.id_start = 0 if rows[0][0] is None else rows[0][0] + 1

    def load(self, relation: Relation, column: Column, commands: list[str]) -> Steps[int]:
        names = [sql.Identifier(column.name)]
        if self._id_field is not None and self.id_name:
            names.insert(0, sql.Identifier(self.id_name))
        self.tracker.copy_target = relation.bare_name
        op = CopyIn(compose("COPY {table} ({columns}) FROM STDIN (FORMAT binary)",
                            table=relation.name, columns=sql.SQL(", ").join(names)),
                    self._first, self._source, self.encode)
        n_rows: int = yield op
        commands.append(op.text)
        if self._ids is not None:
            self._ids.check_end()
        return n_rows

    def encode(self, batch: Batch) -> bytes | memoryview:
        """The rows of a batch as COPY has them, without those that are rejected."""
        n_dims = self.n_dims
        assert n_dims is not None
        vectors, good, rejects = _vectors.judge(batch.payload, n_dims, batch.start, NAME)
        for error in rejects:
            self._reject(error)
        ids = None
        if self._ids is not None:
            ids = self._ids.take(batch.start, batch.n_rows)
        elif self._makes_ids:
            first = (self.id_start or 0) + batch.start
            if first + batch.n_rows > 1 << 63:
                raise invalid_row(batch.start, "22003", "ids are out of range for bigint")
            ids = np.arange(first, first + batch.n_rows, dtype=np.int64)
        data = self._join(vectors, ids, good, batch.start)
        n_good = batch.n_rows if good is None else int(good.sum())
        self.tracker.count(batch.n_rows, n_good)
        return data

    def _reject(self, error: InvalidRowError) -> None:
        if 0 <= self.max_rejects <= self.tracker.rejected:
            raise error
        self.tracker.reject(Reject(error.row, error.sqlstate or "", str(error)))

    def _join(self, vectors: _vectors.Floats, ids: Any, good: Optional[NDArray[np.bool_]],
              start: int) -> bytes | memoryview:
        id_field: Bytes | list[bytes] | None = None
        if self._id_field is not None:
            id_field = self._id_field.encode(ids, start)
            if good is not None and isinstance(id_field, list):
                id_field = [field for field, is_good in zip(id_field, good) if is_good]
            elif good is not None and id_field is not None:
                id_field = np.asarray(id_field)[good]
        if good is not None:
            vectors = vectors[good]
        n_rows, n_dims = vectors.shape
        if isinstance(id_field, list):
            field = np.empty(n_rows, vector_dtype(n_dims))
            fill_vectors(field, vectors)
            return join_rows([id_field, field], n_rows)
        # Numbers and vectors: one array, filled in place.
        parts: list[Any] = [("n_fields", ">i2"), ("vector", vector_dtype(n_dims))]
        if id_field is not None:
            parts.insert(1, ("id", id_field.dtype))
        rows = np.empty(n_rows, parts)
        rows["n_fields"] = len(parts) - 1
        if id_field is not None:
            rows["id"] = id_field
        fill_vectors(rows["vector"], vectors)
        return rows.data.cast("B") if n_rows else b""


def rows_of_chunk(item: Any) -> Optional[int]:
    """How many rows an item of an iterator has; None: it is one row itself."""
    if not hasattr(item, "__array__"):
        return None
    array = _vectors.plain_array(item)
    return len(array) if array.ndim == 2 else None


def cut_chunk(item: Any, start: int, stop: int) -> NDArray[Any]:
    array = _vectors.plain_array(item)
    _vectors.check_numbers(array, NAME)
    return array[start:stop]


def _open_frame(frame: Any, column_name: str, id_name: str, ids: Any) -> tuple[Any, Any]:
    """Rows and ids of a DataFrame."""
    names = list(frame.columns)
    if column_name in names:
        others = [name for name in names if name not in (column_name, id_name)]
        if others:
            raise ValueError(f"the DataFrame has columns beside {column_name!r} and {id_name!r}: "
                             f"{others}; bulk_upsert loads those too, or drop them")
        if ids is None and id_name in names:
            ids = frame[id_name].to_numpy()
        return frame[column_name].to_numpy(dtype=object), ids
    if ids is None and id_name in names:
        ids = frame[id_name].to_numpy()
    return frame.drop(columns=[id_name] if id_name in names else []).to_numpy(), ids
