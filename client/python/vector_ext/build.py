"""Loads vectors into a table by COPY and builds its index."""

from __future__ import annotations

import time
import uuid
import warnings
from dataclasses import dataclass, replace
from typing import Any, Literal, Optional

import numpy as np
from numpy.typing import NDArray
from psycopg import errors, sql

from . import _vectors
from ._catalog import (Column, Relation, VectorIndex, check_metric, check_name, extension_schema,
                       find_relation, indexes_of, require_function, require_table)
from ._fields import Bytes, Field, IntField, TextField, int_dtype, join_rows
from ._progress import ProgressCallback, Tracker
from ._run import (Call, ConnectionLike, CopyIn, Encoding, Execute, Plan, Pull, Steps, Tell,
                   awaitable, blocking, compose, fetch)
from ._sources import Batch, Slices, Source, Stream, check_batch_size, is_frame
from ._vector_fields import fill_vectors, vector_dtype
from .errors import InvalidRowError, invalid_row
from .results import BulkBuildStats, Reject

Metric = Literal["l2", "ip", "cosine", "l1"]
When = Literal["after", "before", "none"]

# Vectors of up to this many dimensions fit a page, and are stored in the row of a table made here.
MAX_PLAIN_DIMENSIONS = 2000

NAME = "embeddings"


def _bulk_build_index(embeddings: Any, table: str, *, conn: ConnectionLike = None, ids: Any = None,
                      m: int = 16, ef_construction: int = 64, batch_size: int = 1000,
                      threads: int = 0, quiet: bool = False, metric: Metric = "l2",
                      column: Optional[str] = None, id_column: Optional[str] = None,
                      id_start: Optional[int] = None, dimension: Optional[int] = None,
                      index: When = "after", index_name: Optional[str] = None,
                      maintenance_work_mem: Optional[str] = None, analyze: bool = True,
                      max_rejects: int = 0, recall_sample: int = 0,
                      progress: Optional[ProgressCallback] = None) -> Plan[BulkBuildStats]:
    """Loads vectors into a table, and builds an `hnsw` index on them: all of it, or nothing.

    A table that does not exist is made, with a column `id` (bigint, or text or uuid as the ids are)
    as primary key and a column `embedding`; rows are added to one that exists. An index on the
    column for the metric that exists is used as it is.

    Parameters:
        embeddings: the vectors, one a row, as any of
            - an array of shape (rows, dimensions) of floats or whole numbers of any width, also a
              memory-mapped one, in C or Fortran order;
            - a sequence of rows, such as a list of lists;
            - an iterator or generator of rows, or of arrays of shape (rows, dimensions);
            - a pandas DataFrame: of numbers, a column a dimension, or with a column of vectors
              under the name of the table's and, if it has one, its id column.
            They are stored as float32. Not more than `batch_size` rows are copied at a time.
        table: its name as SQL writes it: `items`, `my_schema.items`, `"Odd name"`.
        conn: a psycopg connection, a connection string, or None for libpq's environment. On a
            connection inside a transaction nothing is committed.
        ids: one for each vector, an array, sequence or iterator of whole numbers, strings or UUIDs,
            as the id column's type is. None: the column's default where it has one, else the rows'
            numbers from `id_start`, which is 0 for an empty table, else the greatest id plus 1.
        m: links of a node, 2 to 100.
        ef_construction: candidates looked at for a new node's links, 4 to 1000, at least 2 `m`.
        batch_size: rows that are judged and sent at a time.
        threads: processes that build the index; 0: as the server is set.
        quiet: False shows progress on stderr if that is a terminal and there is no `progress`.
        metric: `l2`, `ip` (inner product), `cosine` or `l1`.
        column: the column of vectors; None: the only one.
        id_column: the column of ids; None: the primary key, or `id`.
        id_start: the first id of those that are numbers of rows.
        dimension: dimensions of the vectors; None: those of the column, or of the first row.
        index: when to build it: `after` the load, which is faster, `before` it, or `none`.
        index_name: the index's name; None: as CREATE INDEX makes one.
        maintenance_work_mem: memory of the build, such as `1GB`; None: as the server is set.
        analyze: whether to run ANALYZE on the table at the end.
        max_rejects: bad rows to leave out before the load is ended; -1: any number.
        recall_sample: rows to measure recall with; 0: not measured.
        progress: called as `progress(read, inserted, rejected, total)` with numbers of rows,
            `total` None where it is unknown: after every batch, and at the end, before COMMIT. An
            exception in it cancels the load. After a load that failed the last call has 0 inserted.

    Returns: `BulkBuildStats`.

    Raises:
        InvalidRowError: a row is no vector of the dimensions expected, or an id is none of the
            type. Its `row` is the index in the input; its SQLSTATE is 22000 for dimensions, NaN and
            infinity, 22003 for what is out of range, 22004 for None, 22P02 for what is no number.
        BulkError: what the server refused, under the server's SQLSTATE.
        ValueError, TypeError: arguments that cannot be, such as an array of 3 dimensions, or 9 ids
            for 10 vectors.
    """
    check_name(table)
    check_batch_size(batch_size)
    check_metric(metric)
    if index not in ("after", "before", "none"):
        raise ValueError(f'index must be "after", "before" or "none", not {index!r}')
    if threads < 0:
        raise ValueError(f"threads must not be negative, but is {threads}")
    tracker = Tracker(progress, quiet)
    builder = _Builder(embeddings, ids, tracker, batch_size, column, id_column, id_start, dimension,
                       max_rejects)
    wanted = _IndexPlan(metric, m, ef_construction, threads, index, index_name,
                        maintenance_work_mem)
    steps = _build(builder, wanted, table, analyze, recall_sample)
    return Call(conn, tracker, finish=_with_time), steps


bulk_build_index = blocking(_bulk_build_index)
async_bulk_build_index = awaitable(_bulk_build_index)


def _with_time(stats: BulkBuildStats, elapsed: float) -> BulkBuildStats:
    return replace(stats, elapsed=elapsed, rate=stats.vectors / elapsed if elapsed > 0 else 0.0)


@dataclass(frozen=True)
class _IndexPlan:
    """The index that is wanted."""

    metric: str
    m: int
    ef_construction: int
    threads: int
    when: str
    name: Optional[str]
    maintenance_work_mem: Optional[str]


def _build(builder: _Builder, wanted: _IndexPlan, table: str, analyze: bool,
           recall_sample: int) -> Steps[BulkBuildStats]:
    commands: list[str] = []
    relation = yield from find_relation(table)
    if relation is not None:
        relation = yield from require_table(table)
    schema = yield from extension_schema()
    relation = yield from builder.prepare(relation, table, schema, commands)
    column = relation.vector_column(builder.column_name)

    index = None
    index_elapsed = 0.0
    if wanted.when == "before":
        index, index_elapsed = yield from _create_index(relation, column, wanted, schema, commands)
    started = time.perf_counter()
    vectors = yield from builder.load(relation, column, commands)
    load_elapsed = time.perf_counter() - started
    if wanted.when == "after":
        index, index_elapsed = yield from _create_index(relation, column, wanted, schema, commands)
    if analyze:
        yield from _run("ANALYZE {table}", commands, table=relation.name)

    recall = None
    if recall_sample > 0 and index is not None:
        yield from require_function(schema, "hnsw_recall")
        rows = yield from fetch(
            "SELECT recall FROM {function}({index}::pg_catalog.regclass, 10, '{{40}}', {sample})",
            function=sql.Identifier(schema, "hnsw_recall"), index=index, sample=recall_sample)
        recall = rows[0][0]
    sizes = yield from fetch(
        "SELECT pg_catalog.pg_table_size({table}::pg_catalog.oid), "
        "pg_catalog.pg_relation_size(pg_catalog.to_regclass({index}))",
        table=relation.oid, index=index)
    yield Tell(vectors)
    return BulkBuildStats(
        vectors=vectors, dimension=builder.n_dims or 0, elapsed=0.0, rate=0.0,
        load_elapsed=load_elapsed, index_elapsed=index_elapsed, table_bytes=sizes[0][0],
        index_bytes=sizes[0][1] or 0, table=relation.text, index=index,
        rejected=builder.tracker.rejected, rejects=tuple(builder.tracker.rejects), recall=recall,
        command=tuple(commands))


def _run(text: str, commands: list[str], **parts: Any) -> Steps[list[tuple[Any, ...]]]:
    """Runs a statement and notes it among the commands."""
    op = Execute(compose(text, **parts))
    rows: list[tuple[Any, ...]] = yield op
    commands.append(op.text)
    return rows


# --- the index ---


def _create_index(relation: Relation, column: Column, wanted: _IndexPlan, schema: str,
                  commands: list[str]) -> Steps[tuple[str, float]]:
    """The name of the index that there is or that was made, and the seconds that it took."""
    opclass = f"vector_{wanted.metric}_ops"
    before = yield from indexes_of(relation.oid)
    for found in before:
        if (found.column == column.name and found.opclass == opclass and found.is_valid
                and not found.is_partial):
            _compare_options(found, wanted)
            return found.name, 0.0
    started = time.perf_counter()
    changed = {}
    if wanted.threads > 0:
        changed["max_parallel_maintenance_workers"] = str(wanted.threads - 1)
    if wanted.maintenance_work_mem is not None:
        changed["maintenance_work_mem"] = wanted.maintenance_work_mem
    old = yield from _set_locally(changed)
    name = compose("" if wanted.name is None else "{name} ", name=sql.Identifier(wanted.name or ""))
    yield from _run(
        "CREATE INDEX {name}ON {table} USING hnsw ({column} {opclass}) "
        "WITH (m = {m}, ef_construction = {ef_construction})", commands, name=name,
        table=relation.name, column=sql.Identifier(column.name),
        opclass=sql.Identifier(schema, opclass), m=wanted.m,
        ef_construction=wanted.ef_construction)
    yield from _set_locally(old)
    known = {found.name for found in before}
    after = yield from indexes_of(relation.oid)
    made = [found.name for found in after if found.name not in known]
    return made[-1], time.perf_counter() - started


def _compare_options(found: VectorIndex, wanted: _IndexPlan) -> None:
    for option, value, default in (("m", wanted.m, 16),
                                   ("ef_construction", wanted.ef_construction, 64)):
        has = int(found.options.get(option, default))
        if has != value:
            warnings.warn(f"index {found.name} is there, with {option} = {has}, not {value}: "
                          "it stays as it is", stacklevel=2)


def _set_locally(settings: dict[str, str]) -> Steps[dict[str, str]]:
    """Sets them for the transaction, and gives what they were: a caller's transaction goes on."""
    old = {}
    for name, value in settings.items():
        rows = yield from fetch(
            "SELECT pg_catalog.current_setting({name}), "
            "pg_catalog.set_config({name}, {value}, true)", name=name, value=value)
        old[name] = rows[0][0]
    return old


# --- the rows ---


@dataclass
class _Builder:
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
        self._ids: Optional[_Ids] = None
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
            self._source = Stream(value, self.batch_size, _rows_of_chunk, _cut_chunk)
        else:
            raise TypeError(f"{NAME} must be rows of numbers, not {type(value).__name__}")
        self.tracker.total = self._source.total
        if ids is not None:
            self._ids = _Ids(ids, self._source.total)

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
        yield from _run(
            "CREATE TABLE {table} ({id} {id_type} PRIMARY KEY, {column} {type}({n_dims}))",
            commands, table=name, id=sql.Identifier(id_name), id_type=sql.SQL(id_type),
            column=sql.Identifier(column_name), type=sql.Identifier(schema, "vector"),
            n_dims=self.n_dims)
        if self.n_dims <= MAX_PLAIN_DIMENSIONS:
            yield from _run("ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE PLAIN", commands,
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
        self._id_field = yield from _id_field(column)
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


def _rows_of_chunk(item: Any) -> Optional[int]:
    """How many rows an item of an iterator has; None: it is one row itself."""
    if not hasattr(item, "__array__"):
        return None
    array = _vectors.plain_array(item)
    return len(array) if array.ndim == 2 else None


def _cut_chunk(item: Any, start: int, stop: int) -> NDArray[Any]:
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


# --- ids ---


def _id_field(column: Column) -> Steps[Field]:
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


class _Ids:
    """The ids that were given, taken in step with the rows."""

    def __init__(self, ids: Any, n_rows: Optional[int]) -> None:
        if isinstance(ids, (str, bytes, dict)) or hasattr(ids, "__aiter__"):
            raise TypeError(f"ids must be a sequence or iterator, not {type(ids).__name__}")
        self._iterator: Any = None
        self._first: list[Any] = []
        if hasattr(ids, "__array__"):
            ids = ids if isinstance(ids, np.ndarray) else np.asarray(ids)
            if ids.ndim != 1:
                raise ValueError(f"ids must have 1 dimension, not {ids.ndim}")
        if hasattr(ids, "__len__") and hasattr(ids, "__getitem__"):
            if n_rows is not None and len(ids) != n_rows:
                raise ValueError(f"{len(ids)} ids for {n_rows} {NAME}")
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
            raise ValueError(f"ids end after {self._taken}, but there are more {NAME}")
        return taken

    def check_end(self) -> None:
        if self._ids is not None:
            more = len(self._ids) - self._taken
        else:
            more = len(self._first) + len(_take_from(self._iterator, 1))
        if more:
            raise ValueError(f"there are only {self._taken} {NAME}, but more ids")


def _take_from(iterator: Any, n_items: int) -> list[Any]:
    taken = []
    for _ in range(n_items):
        try:
            taken.append(next(iterator))
        except StopIteration:
            break
    return taken
