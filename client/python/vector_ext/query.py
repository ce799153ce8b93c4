"""Searches by an index or exactly, and what an index is and holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from psycopg import errors, sql

from . import _vectors
from ._catalog import (OPERATORS, Relation, VectorIndex, check_metric, find_function,
                       find_relation, indexes_of)
from ._run import Call, ConnectionLike, Plan, Steps, awaitable, blocking, fetch
from ._sources import check_whole
from .build import Metric
from .results import IndexInfo, Neighbor

# The largest hnsw.ef_search that there is.
MAX_EF_SEARCH = 1000


def _bulk_query_index(table: str, query: Any, k: int = 10, ef_search: Optional[int] = None, *,
                      conn: ConnectionLike = None, metric: Optional[Metric] = None,
                      column: Optional[str] = None, id_column: Optional[str] = None,
                      exact: bool = False) -> Plan[list[Neighbor]]:
    """Finds the k rows whose vectors are nearest to a vector, nearest first.

    Parameters:
        table: a table, or one of its indexes, as SQL writes it.
        query: the vector, shape (dimensions,): an array or a sequence of numbers.
        k: the number of rows, at least 1.
        ef_search: candidates of the search, 1 to 1000: a larger number finds more of the true
            neighbours and takes longer. None: as the session or the index is set, but not fewer
            than `k`.
        conn: a psycopg connection, a connection string, or None for libpq's environment. Settings
            that the search changes are set back.
        metric: `l2`, `ip`, `cosine` or `l1`; None: that of the index, `l2` without one.
        column: the column of vectors; None: that of the index, or the only one.
        id_column: the column whose values are given as ids; None: the primary key, or `id`.
        exact: compares with every row, without an index.

    Returns: a list of `Neighbor(id, distance)`; fewer than `k` where the table has fewer, or where
    the search found fewer.

    Raises: `InvalidRowError` for a query that is no vector; `BulkError` for what the server
    refuses, such as 22000 for a query of other dimensions, 42P01 for a table that does not exist.
    """
    check_metric(metric)
    check_whole("k", k, 1)
    check_whole("ef_search", ef_search)
    if ef_search is not None and not 1 <= ef_search <= MAX_EF_SEARCH:
        raise ValueError(f"ef_search must be 1 to {MAX_EF_SEARCH}, not {ef_search}")
    array = _vectors.plain_array(query)
    if array.ndim == 2 and len(array) == 1:
        query, array = array[0], array[0]
    if array.ndim != 1:
        raise ValueError(f"query must be one vector, shape (dimensions,), not {array.shape}")
    search = _Search(query, k, ef_search, metric, column, id_column, exact)
    return Call(conn, reads_only=True), _search(table, search)


bulk_query_index = blocking(_bulk_query_index)
async_bulk_query_index = awaitable(_bulk_query_index)


@dataclass(frozen=True)
class _Search:
    query: Any
    k: int
    ef_search: Optional[int]
    metric: Optional[str]
    column: Optional[str]
    id_column: Optional[str]
    exact: bool


def _search(table: str, search: _Search) -> Steps[list[Neighbor]]:
    relation, index = yield from _table_and_index(table)
    column_name, metric = search.column, search.metric
    if index is not None:
        column_name, metric = column_name or index.column, metric or index.metric
    column = relation.vector_column(column_name)
    id_column = relation.id_column(search.id_column)
    if metric is None:
        metric = yield from _metric_of(relation, column.name)
    vector = _vectors.judge_row(search.query, column.n_dims or len(search.query), 0, "query")
    # A setting of the extension is checked once its library is loaded, which the first use of a
    # vector does.
    yield from fetch("SELECT {vector}::{type}", vector="[1]", type=_type(column.type_schema))
    yield from _set_up(search)
    text = "[" + ",".join(map(repr, _vectors.as_list(vector))) + "]"
    rows = yield from fetch(
        "SELECT {id}, {column} OPERATOR({schema}.{operator}) {vector}::{type} AS distance "
        "FROM {table} ORDER BY distance LIMIT {k}", id=sql.Identifier(id_column.name),
        column=sql.Identifier(column.name), schema=sql.Identifier(column.type_schema),
        operator=sql.SQL(OPERATORS[metric]), vector=text, type=_type(column.type_schema),
        table=relation.name, k=search.k)
    return [Neighbor(found, distance) for found, distance in rows if distance is not None]


def _set_up(search: _Search) -> Steps[None]:
    """The settings of a search, for its transaction or savepoint."""
    ef_search = search.ef_search
    if search.exact:
        yield from fetch("SELECT pg_catalog.set_config('enable_indexscan', 'off', true)")
        return
    if ef_search is None:
        rows = yield from fetch("SELECT pg_catalog.current_setting('hnsw.ef_search', true)")
        if rows[0][0] is not None and int(rows[0][0]) < search.k:
            ef_search = min(search.k, MAX_EF_SEARCH)
    if ef_search is not None:
        yield from fetch("SELECT pg_catalog.set_config('hnsw.ef_search', {ef}, true)",
                         ef=str(ef_search))


def _type(schema: str) -> sql.Identifier:
    return sql.Identifier(schema, "vector")


def _table_and_index(name: str) -> Steps[tuple[Relation, Optional[VectorIndex]]]:
    """The table of that name; or the index of that name, and its table."""
    relation = yield from find_relation(name)
    if relation is None:
        raise errors.UndefinedTable(f"table {name} does not exist")
    if relation.kind not in ("i", "I"):
        return relation, None
    found = yield from indexes_of(relation.oid)
    if not found:
        raise errors.WrongObjectType(f"{relation.text} is not an hnsw index over vectors")
    rows = yield from fetch("SELECT {oid}::pg_catalog.oid::pg_catalog.regclass::text",
                            oid=found[0].table_oid)
    table = yield from find_relation(rows[0][0])
    assert table is not None
    return table, found[0]


def _metric_of(relation: Relation, column: str) -> Steps[str]:
    indexes = yield from indexes_of(relation.oid)
    metrics = sorted({index.metric for index in indexes if index.column == column})
    if len(metrics) > 1:
        raise ValueError(f"{relation.text} has indexes for {', '.join(metrics)}: name a metric")
    return metrics[0] if metrics else "l2"


def _bulk_info(index: str, *, conn: ConnectionLike = None) -> Plan[IndexInfo]:
    """Tells what an index is and holds.

    Parameters:
        index: an `hnsw` index, or a table that has only one, as SQL writes it.
        conn: a psycopg connection, a connection string, or None for libpq's environment.

    Returns: `IndexInfo`.

    Raises: `BulkError`: 42P01 for a name that does not exist, 42809 for what is no such index,
    42501 without SELECT on the table.
    """
    return Call(conn, reads_only=True), _info(index)


bulk_info = blocking(_bulk_info)
async_bulk_info = awaitable(_bulk_info)


def _info(name: str) -> Steps[IndexInfo]:
    table, index = yield from _table_and_index(name)
    if index is None:
        found = yield from indexes_of(table.oid)
        if len(found) != 1:
            raise errors.WrongObjectType(
                f"{table.text} has {len(found)} hnsw indexes: "
                + ("name one of " + ", ".join(each.name for each in found) if found
                   else "bulk_build_index makes one"))
        index = found[0]
    info = yield from find_function("hnsw_info")
    rows = yield from fetch("""
        SELECT metric, dims, nodes, dead, m, ef_construction, layers, codec, hot_bytes, cold_bytes,
               pg_catalog.pg_relation_size({index}::pg_catalog.regclass),
               pg_catalog.pg_table_size({table}::pg_catalog.oid), fill
        FROM {function}({index}::pg_catalog.regclass)""",
                            index=index.name, table=table.oid,
                            function=info)
    return IndexInfo(index.name, table.text, index.column, *rows[0])
