"""Loads vectors into a table by COPY and builds its index."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from typing import Any, Literal, Optional

from psycopg import sql

from ._builder import Builder
from ._catalog import (Column, Relation, VectorIndex, check_metric, check_name, extension_schema,
                       find_function, find_relation, indexes_of, require_table)
from ._progress import ProgressCallback, Tracker
from ._run import (Call, ConnectionLike, Plan, Steps, Tell, awaitable, blocking, compose, fetch,
                   fetch_noted)
from ._sources import check_whole
from .results import BulkBuildStats

Metric = Literal["l2", "ip", "cosine", "l1"]
When = Literal["after", "before", "none"]


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
    check_metric(metric)
    if index not in ("after", "before", "none"):
        raise ValueError(f'index must be "after", "before" or "none", not {index!r}')
    for name, value, least in (("batch_size", batch_size, 1), ("threads", threads, 0),
                               ("id_start", id_start, None), ("dimension", dimension, 1),
                               ("max_rejects", max_rejects, -1),
                               ("recall_sample", recall_sample, 0)):
        check_whole(name, value, least)
    tracker = Tracker(progress, quiet)
    builder = Builder(embeddings, ids, tracker, batch_size, column, id_column, id_start, dimension,
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


def _build(builder: Builder, wanted: _IndexPlan, table: str, analyze: bool,
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
        yield from fetch_noted("ANALYZE {table}", commands, table=relation.name)

    recall = None
    if recall_sample > 0 and index is not None:
        function = yield from find_function("hnsw_recall")
        rows = yield from fetch(
            "SELECT recall FROM {function}({index}::pg_catalog.regclass, 10, '{{40}}', {sample})",
            function=function, index=index, sample=recall_sample)
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
    yield from fetch_noted(
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
