"""Rows that may exist: a stage, COPY into it, and one call that merges."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Optional

import numpy as np
from psycopg import sql

from ._catalog import Column, Relation, check_name, find_function, require_table
from ._fields import AnyField, Field, FloatField, IntField, TextField, join_rows
from ._progress import ProgressCallback, Tracker
from ._records import columns_of, names_of, open_records
from ._run import (Call, ConnectionLike, CopyIn, Encoding, Execute, Plan, Pull, Steps, Tell,
                   awaitable, blocking, compose, fetch)
from ._sources import Batch, Source, check_whole
from ._vector_fields import ArrayField, VectorField
from .results import UpsertStats

OnConflict = Literal["error", "skip", "update"]
Duplicates = Literal["error", "first", "last"]

COUNTS = ("inserted", "updated", "unchanged", "skipped", "rejected")


def _bulk_upsert(conn: ConnectionLike, table: str, rows: Any,
                 on_conflict: OnConflict = "error", *, key: Optional[Sequence[str]] = None,
                 columns: Optional[Sequence[str]] = None,
                 update_columns: Optional[Sequence[str]] = None,
                 merge: Optional[Mapping[str, str]] = None, duplicates: Duplicates = "error",
                 reject_into: Optional[str] = None, max_rejects: int = -1, batch_size: int = 1000,
                 quiet: bool = True,
                 progress: Optional[ProgressCallback] = None) -> Plan[UpsertStats]:
    """Writes rows of which some may exist, by `vector_stage_for`, COPY and `vector_bulk_upsert`.

    All rows are written or, after an error, none.

    Parameters:
        conn: a psycopg connection, a connection string, or None for libpq's environment. On a
            connection inside a transaction nothing is committed.
        table: the table as SQL writes it.
        rows: any of
            - an iterable of dicts, which all have the same columns;
            - an iterable of tuples, with `columns`;
            - a dict of columns: sequences or arrays, vectors as an array of shape (rows,
              dimensions);
            - a structured array of numpy; a pandas DataFrame, or an iterator of those.
            A vector is a row of numbers, or text as SQL reads it if the first one is text. Values
            of other types are sent as psycopg writes them; a dict as JSON; None, and what is
            missing in a DataFrame, as NULL. Columns that are left out get their defaults.
        on_conflict: what becomes of a row whose key exists: `error`, `skip`, `update`.
        key: columns of a unique index; None: the primary key, else the only unique index.
        columns: the columns to send; None: those of the first row.
        update_columns: the columns that an update sets; None: all that are sent, but the key.
        merge: rules for columns on update, such as `{"hits": "sum"}`: `replace`, `keep`, `sum`,
            `concat`, `max`, `min`, `coalesce`, `now`.
        duplicates: which row counts when a key comes twice: `error`, `first`, `last`.
        reject_into: a table for bad rows, made if it does not exist; None: a bad row is an error.
            Vectors are then sent in twice the size.
        max_rejects: more bad rows than this are an error; -1: any number.
        batch_size: rows that are sent at a time.
        quiet: False shows progress on stderr if that is a terminal and there is no `progress`.
        progress: as for `bulk_build_index`; `inserted` is 0 until the end, then the rows written.

    Returns: `UpsertStats`; its counts add up to the number of rows.

    Raises:
        InvalidRowError: a row that cannot be sent: wrong columns, a vector of other dimensions or
            with NaN (without `reject_into`), a value that its column cannot have.
        BulkError: what the server refused, such as 23505 for a key that exists, 21000 for one that
            comes twice, 42P10 for a table without a key. `report.row` is the row, if one is known.
    """
    check_whole("batch_size", batch_size, 1)
    rules = UpsertRules(on_conflict, _names(key), _names(update_columns),
                        None if merge is None else dict(merge), duplicates, reject_into,
                        max_rejects)
    return plan_upsert(conn, table, rules, open_records(rows, batch_size), _names(columns),
                       Tracker(progress, quiet))


bulk_upsert = blocking(_bulk_upsert)
async_bulk_upsert = awaitable(_bulk_upsert)


@dataclass(frozen=True)
class UpsertRules:
    """The arguments of `vector_bulk_upsert`."""

    on_conflict: str
    key: Optional[list[str]]
    update_columns: Optional[list[str]] = None
    merge: Optional[dict[str, str]] = None
    duplicates: str = "error"
    reject_into: Optional[str] = None
    max_rejects: int = -1
    # Whether rules for columns that are not sent are left out; `now` needs no value.
    merge_what_is_sent: bool = False

    def merge_json(self, sent: list[str]) -> Optional[str]:
        if self.merge is None or not self.merge_what_is_sent:
            return None if self.merge is None else json.dumps(self.merge)
        return json.dumps({name: rule for name, rule in self.merge.items()
                           if name in sent or rule == "now"})


def plan_upsert(conn: ConnectionLike, table: str, rules: UpsertRules, source: Source,
                columns: Optional[list[str]], tracker: Tracker) -> Plan[UpsertStats]:
    check_name(table)
    tracker.total = source.total
    upsert = _Upsert(tracker, source, columns, rules)
    return Call(conn, tracker, finish=_with_time), _steps(upsert, table, rules)


def _names(names: Optional[Sequence[str]]) -> Optional[list[str]]:
    if isinstance(names, str):
        raise TypeError(f"columns are named by a sequence of strings, such as [{names!r}]")
    return None if names is None else list(names)


def _with_time(stats: UpsertStats, elapsed: float) -> UpsertStats:
    n_rows = sum(getattr(stats, name) for name in COUNTS)
    return replace(stats, elapsed=elapsed, rate=n_rows / elapsed if elapsed > 0 else 0.0)


def _steps(upsert: _Upsert, table: str, rules: UpsertRules) -> Steps[UpsertStats]:
    relation = yield from require_table(table)
    function = yield from find_function("vector_bulk_upsert")
    make_stage = yield from find_function("vector_stage_for")
    if rules.reject_into is not None:
        yield from _make_rejects_table(rules.reject_into)
    first = yield Pull(upsert.source)
    if first is None:
        yield Tell(0)
        return UpsertStats(0, 0, 0, 0, 0, 0.0, 0.0, ())
    yield from upsert.choose_fields(relation, first)
    commands: list[str] = []
    stage = yield from upsert.make_stage(relation, make_stage, commands)
    copy = CopyIn(compose("COPY {stage} ({columns}) FROM STDIN (FORMAT binary)",
                          stage=sql.SQL(stage), columns=upsert.column_list()),
                  first, upsert.source, upsert.encode)
    yield copy
    commands.append(copy.text)
    merge = Execute(compose(
        "SELECT inserted, updated, unchanged, skipped, rejected FROM {function}("
        "{target}::pg_catalog.regclass, {stage}::pg_catalog.regclass, {on_conflict}, "
        "{key}::name[], {update_columns}::name[], {merge}::pg_catalog.jsonb, {duplicates}, "
        "{reject_into}::pg_catalog.regclass, {max_rejects})",
        function=function, target=relation.text, stage=stage,
        on_conflict=rules.on_conflict, key=rules.key, update_columns=rules.update_columns,
        merge=rules.merge_json(upsert.names), duplicates=rules.duplicates,
        reject_into=rules.reject_into, max_rejects=rules.max_rejects))
    counts = (yield merge)[0]
    commands.append(merge.text)
    yield from fetch("DROP TABLE {stage}", stage=sql.SQL(stage))
    upsert.tracker.rejected = counts[4]
    yield Tell(counts[0] + counts[1])
    return UpsertStats(**dict(zip(COUNTS, counts)), elapsed=0.0, rate=0.0, command=tuple(commands))


def _make_rejects_table(name: str) -> Steps[None]:
    """Makes the table for rejects if there is none, as `vector_rejects_table` does, but in any
    schema."""
    rows = yield from fetch("SELECT pg_catalog.to_regclass({name}) IS NULL, "
                            "pg_catalog.parse_ident({name})", name=name)
    is_missing, parts = rows[0]
    if is_missing:
        yield from fetch("""
            CREATE TABLE {table} (source_row bigint, key pg_catalog.text, sqlstate pg_catalog.text,
                                  message pg_catalog.text, raw pg_catalog.text)""",
                         table=sql.Identifier(*parts))


class _Upsert:
    """The rows of an upsert on their way to the stage."""

    def __init__(self, tracker: Tracker, source: Source, columns: Optional[list[str]],
                 rules: UpsertRules) -> None:
        self.tracker = tracker
        self.source = source
        self.names: list[str] = []
        self._wanted = columns
        self._is_lenient = rules.reject_into is not None
        self._fields: list[Field] = []

    def choose_fields(self, relation: Relation, first: Batch) -> Steps[None]:
        """Decides how every column is sent, by its type and by the first values."""
        self.names = names_of(first, self._wanted)
        values = columns_of(first, self.names, exact=self._wanted is None)
        codec: str = yield Encoding()
        self._fields = [self._field(relation.column(name), values[name], codec)
                        for name in self.names]

    def _field(self, column: Column, values: Any, codec: str) -> Field:
        name = f"rows[{column.name!r}]"
        if column.is_vector:
            if isinstance(_first_value(values), str):
                field: Field = TextField(name, codec)
                field.stage_type = "text"
                return field
            if not self._is_lenient and column.n_dims is not None:
                return VectorField(name, column.n_dims)
            return ArrayField(name)
        type_name = column.type_name if column.type_schema == "pg_catalog" else ""
        if type_name in ("text", "varchar", "bpchar"):
            return TextField(name, codec)
        if not self._is_lenient:
            if type_name in ("int2", "int4", "int8"):
                return IntField(name, int(type_name[3:]))
            if type_name in ("float4", "float8"):
                return FloatField(name, int(type_name[5:]))
        return AnyField(name, type_name, codec)

    def column_list(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.names))

    def make_stage(self, relation: Relation, function: sql.Identifier,
                   commands: list[str]) -> Steps[str]:
        made = Execute(compose(
            "SELECT {function}({target}::pg_catalog.regclass, NULL, {columns}::name[])::text",
            function=function, target=relation.text,
            columns=self.names))
        stage = str((yield made)[0][0])
        commands.append(made.text)
        changes = [
            compose("ALTER COLUMN {column} DROP DEFAULT, ALTER COLUMN {column} TYPE {type} "
                    "USING NULL", column=sql.Identifier(name), type=sql.SQL(field.stage_type))
            for name, field in zip(self.names, self._fields) if field.stage_type is not None]
        if changes:
            altered = Execute(compose("ALTER TABLE {stage} {changes}", stage=sql.SQL(stage),
                                      changes=sql.SQL(", ").join(changes)))
            yield altered
            commands.append(altered.text)
        self.tracker.copy_target = stage.rsplit(".", 1)[-1]
        return stage

    def encode(self, batch: Batch) -> bytes | memoryview:
        values = columns_of(batch, self.names, exact=self._wanted is None)
        fields = [field.encode(values[name], batch.start)
                  for name, field in zip(self.names, self._fields)]
        data = join_rows(fields, batch.n_rows)
        self.tracker.read += batch.n_rows
        self.tracker.sent += batch.n_rows
        self.tracker.tell(0)
        return data


def _first_value(values: Any) -> Any:
    if isinstance(values, np.ndarray) and values.dtype.kind not in "OUS":
        return None
    return next((value for value in values if value is not None), None)
