"""The memory of an agent in three tables, each loaded by one call.

| table | holds | key |
|---|---|---|
| `memory_entries` | what the agent remembers | namespace, key |
| `patterns` | what worked; an update adds to the counters | name, pattern_type |
| `trajectories` | what was done | trajectory_id, step_number |

The columns are those of `sql/examples/agent_memory.sql`.
"""

from __future__ import annotations

from typing import Any, Optional

from psycopg import sql

from ._catalog import extension_schema
from ._progress import ProgressCallback, Tracker
from ._records import open_records
from ._run import Call, ConnectionLike, Plan, Steps, awaitable, blocking, fetch
from .results import UpsertStats
from .upsert import Duplicates, OnConflict, UpsertRules, plan_upsert

__all__ = [
    "async_create_tables", "async_insert_memory_entries", "async_insert_patterns",
    "async_insert_trajectories", "create_tables", "insert_memory_entries", "insert_patterns",
    "insert_trajectories",
]

BATCH_ROWS = 1000
MEMORY_KEY = ("namespace", "key")
PATTERN_KEY = ("name", "pattern_type")
TRAJECTORY_KEY = ("trajectory_id", "step_number")

_TABLES = (
    ("memory_entries", "embedding", "vector_cosine_ops", """
        namespace text NOT NULL,
        key text NOT NULL,
        value text NOT NULL,
        metadata jsonb NOT NULL DEFAULT '{{}}',
        embedding {vector} NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (namespace, key)"""),
    ("patterns", "embedding", "vector_cosine_ops", """
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL,
        pattern_type text NOT NULL,
        embedding {vector} NOT NULL,
        confidence real NOT NULL DEFAULT 0.5 CHECK (confidence BETWEEN 0 AND 1),
        usage_count bigint NOT NULL DEFAULT 0,
        success_count bigint NOT NULL DEFAULT 0,
        last_used timestamptz NOT NULL DEFAULT now(),
        UNIQUE (name, pattern_type)"""),
    ("trajectories", "state_embedding", "vector_l2_ops", """
        trajectory_id text NOT NULL,
        step_number integer NOT NULL CHECK (step_number > 0),
        action text NOT NULL,
        state_embedding {vector} NOT NULL,
        reward double precision,
        PRIMARY KEY (trajectory_id, step_number)"""),
)


def _create_tables(dimension: int, *, conn: ConnectionLike = None,
                   schema: Optional[str] = None) -> Plan[None]:
    """Makes the three tables and their indexes, those that do not exist.

    Parameters:
        dimension: dimensions of the vectors, 1 to 8,000.
        conn: a psycopg connection, a connection string, or None for libpq's environment.
        schema: the schema they are made in, by its exact name; None: the current one.
    """
    if isinstance(dimension, bool) or not isinstance(dimension, int):
        raise TypeError(f"dimension must be a whole number, not {dimension!r}")
    return Call(conn), _create_steps(dimension, schema)


create_tables = blocking(_create_tables)
async_create_tables = awaitable(_create_tables)


def _create_steps(dimension: int, schema: Optional[str]) -> Steps[None]:
    types = yield from extension_schema()
    if schema is None:
        schema = (yield from fetch("SELECT pg_catalog.current_schema()::text"))[0][0]
    vector = sql.SQL("{}({})").format(sql.Identifier(types, "vector"), sql.Literal(dimension))
    for name, column, opclass, columns in _TABLES:
        table = sql.Identifier(name) if schema is None else sql.Identifier(schema, name)
        yield from fetch("CREATE TABLE IF NOT EXISTS {table} (" + columns + ")", table=table,
                         vector=vector)
        yield from fetch("CREATE INDEX IF NOT EXISTS {index} ON {table} "
                         "USING hnsw ({column} {ops})",
                         index=sql.Identifier(f"{name}_{column}"), table=table,
                         column=sql.Identifier(column), ops=sql.Identifier(types, opclass))


def _insert(conn: ConnectionLike, table: str, rows: Any, on_conflict: OnConflict,
            key: tuple[str, ...], merge: dict[str, str], duplicates: Duplicates,
            progress: Optional[ProgressCallback]) -> Plan[UpsertStats]:
    """An upsert whose rules hold for the columns that are sent; `now` also for those that are
    not."""
    rules = UpsertRules(on_conflict, list(key), merge=merge if on_conflict == "update" else None,
                        duplicates=duplicates, merge_what_is_sent=True)
    return plan_upsert(conn, table, rules, open_records(rows, BATCH_ROWS), None, Tracker(progress))


def _insert_memory_entries(rows: Any, *, conn: ConnectionLike = None,
                           on_conflict: OnConflict = "skip", duplicates: Duplicates = "error",
                           table: str = "memory_entries",
                           progress: Optional[ProgressCallback] = None) -> Plan[UpsertStats]:
    """Inserts memories: columns `namespace`, `key`, `value`, `embedding` and, if you like,
    `metadata` (a dict), `created_at`, `updated_at`.

    Parameters:
        rows: as for `bulk_upsert`.
        conn: a psycopg connection, a connection string, or None for libpq's environment.
        on_conflict: what becomes of one whose namespace and key exist: `skip`; `update`, which also
            sets `updated_at` to now; `error`.
        duplicates: which counts when a key comes twice: `error`, `first`, `last`.
        table: the table, as SQL writes it.
        progress: as for `bulk_upsert`.

    Returns and raises: as `bulk_upsert`.
    """
    merge = {"updated_at": "now"}
    return _insert(conn, table, rows, on_conflict, MEMORY_KEY, merge, duplicates, progress)


insert_memory_entries = blocking(_insert_memory_entries)
async_insert_memory_entries = awaitable(_insert_memory_entries)


def _insert_patterns(rows: Any, *, conn: ConnectionLike = None, on_conflict: OnConflict = "skip",
                     duplicates: Duplicates = "error", table: str = "patterns",
                     progress: Optional[ProgressCallback] = None) -> Plan[UpsertStats]:
    """Inserts patterns: columns `name`, `pattern_type`, `embedding` and, if you like, `confidence`
    (0 to 1), `usage_count`, `success_count`, `last_used`.

    Parameters:
        rows: as for `bulk_upsert`.
        conn: a psycopg connection, a connection string, or None for libpq's environment.
        on_conflict: what becomes of one whose name and type exist: `skip`; `update`, which adds to
            `usage_count` and `success_count`, keeps the greater `confidence` and sets `last_used`
            to now; `error`.
        duplicates: which counts when a key comes twice: `error`, `first`, `last`.
        table: the table, as SQL writes it.
        progress: as for `bulk_upsert`.

    Returns and raises: as `bulk_upsert`.
    """
    merge = {"usage_count": "sum", "success_count": "sum", "confidence": "max", "last_used": "now"}
    return _insert(conn, table, rows, on_conflict, PATTERN_KEY, merge, duplicates, progress)


insert_patterns = blocking(_insert_patterns)
async_insert_patterns = awaitable(_insert_patterns)


def _insert_trajectories(rows: Any, *, conn: ConnectionLike = None,
                         on_conflict: OnConflict = "skip", duplicates: Duplicates = "error",
                         table: str = "trajectories",
                         progress: Optional[ProgressCallback] = None) -> Plan[UpsertStats]:
    """Inserts steps of trajectories: columns `trajectory_id`, `step_number` (from 1), `action`,
    `state_embedding` and, if you like, `reward`.

    Parameters:
        rows: as for `bulk_upsert`.
        conn: a psycopg connection, a connection string, or None for libpq's environment.
        on_conflict: what becomes of one whose trajectory and step exist: `skip`, `update`, `error`.
        duplicates: which counts when a key comes twice: `error`, `first`, `last`.
        table: the table, as SQL writes it.
        progress: as for `bulk_upsert`.

    Returns and raises: as `bulk_upsert`.
    """
    return _insert(conn, table, rows, on_conflict, TRAJECTORY_KEY, {}, duplicates, progress)


insert_trajectories = blocking(_insert_trajectories)
async_insert_trajectories = awaitable(_insert_trajectories)
