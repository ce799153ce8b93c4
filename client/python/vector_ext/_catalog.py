"""What the catalogue says of the tables, columns and indexes that a call names.

A table or index is named as SQL writes it (`items`, `my_schema.items`, `"Odd name"`); a column by
its exact name. The type vector and its functions are found by their extension, not by search_path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Optional

from psycopg import errors, sql

from ._run import Steps, fetch

METRICS = ("l2", "ip", "cosine", "l1")
OPERATORS = {"l2": "<->", "ip": "<#>", "cosine": "<=>", "l1": "<+>"}

# Kinds of relation that rows can be copied into.
TABLE_KINDS = ("r", "p", "v", "f", "m")


@dataclass(frozen=True)
class Column:
    name: str
    number: int
    # Of a domain, those of the type beneath.
    type_name: str
    type_schema: str
    is_vector: bool
    n_dims: Optional[int]
    has_default: bool
    is_identity_always: bool
    is_generated: bool


@dataclass(frozen=True)
class Relation:
    """A table with its columns. `name` is quoted for SQL, `text` is for people."""

    oid: int
    kind: str
    name: sql.Identifier
    text: str
    bare_name: str
    columns: tuple[Column, ...]
    # Columns of the primary key.
    key: tuple[str, ...]

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise errors.UndefinedColumn(f'table {self.text} has no column "{name}"; it has '
                                     + ", ".join(f'"{column.name}"' for column in self.columns))

    def vector_column(self, name: Optional[str]) -> Column:
        """The column named, or the only one of type vector."""
        if name is not None:
            column = self.column(name)
            if not column.is_vector:
                raise errors.WrongObjectType(f'column "{name}" of {self.text} is of type '
                                             f"{column.type_name}, not vector")
            return column
        found = [column for column in self.columns if column.is_vector]
        if not found:
            raise errors.UndefinedColumn(f"table {self.text} has no column of type vector")
        if len(found) > 1:
            raise errors.AmbiguousColumn(f"table {self.text} has {len(found)} columns of type "
                                         "vector: name one by column: " + ", ".join(
                                             f'"{column.name}"' for column in found))
        return found[0]

    def id_column(self, name: Optional[str]) -> Column:
        """The column named, or the primary key of one column, or the column `id`."""
        if name is not None:
            return self.column(name)
        if len(self.key) == 1:
            return self.column(self.key[0])
        for column in self.columns:
            if column.name == "id":
                return column
        raise errors.UndefinedColumn(f"table {self.text} has neither a primary key of one column "
                                     'nor a column "id": name one by id_column')


@dataclass(frozen=True)
class VectorIndex:
    """An hnsw index; `column` is None if it is over an expression."""

    name: str
    table_oid: int
    column: Optional[str]
    metric: str
    opclass: str
    options: dict[str, str]
    is_partial: bool
    is_valid: bool


def find_relation(table: str) -> Steps[Optional[Relation]]:
    """The relation of that name, of any kind, or None."""
    check_name(table)
    rows = yield from fetch("""
        SELECT c.oid::pg_catalog.int8, c.relkind::text, n.nspname::text, c.relname::text,
               c.oid::pg_catalog.regclass::text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = pg_catalog.to_regclass({table})""", table=table)
    if not rows:
        return None
    oid, kind, schema, name, text = rows[0]
    return Relation(oid, kind, sql.Identifier(schema, name), text, name,
                    (yield from _columns_of(oid)), (yield from _key_of(oid)))


def require_table(table: str) -> Steps[Relation]:
    relation = yield from find_relation(table)
    if relation is None:
        raise errors.UndefinedTable(f"table {table} does not exist")
    if relation.kind not in TABLE_KINDS:
        raise errors.WrongObjectType(f"{relation.text} is not a table")
    return relation


def check_name(table: str) -> None:
    if not isinstance(table, str):
        raise TypeError(f"a table is named by a string, not by {type(table).__name__}")


def _columns_of(oid: int) -> Steps[tuple[Column, ...]]:
    rows = yield from fetch("""
        WITH RECURSIVE base (attnum, type, typmod) AS (
            SELECT attnum, atttypid, atttypmod FROM pg_catalog.pg_attribute
            WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped
            UNION ALL
            SELECT b.attnum, t.typbasetype,
                   CASE WHEN b.typmod < 0 THEN t.typtypmod ELSE b.typmod END
            FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
        SELECT a.attname::text, a.attnum::int, t.typname::text, n.nspname::text,
               t.typname = 'vector' AND EXISTS (
                   SELECT FROM pg_catalog.pg_depend d
                   JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
                   WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid
                       AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                       AND d.deptype = 'e' AND e.extname IN ('vector_ext', 'vector')),
               b.typmod, a.atthasdef OR a.attidentity <> '', a.attidentity = 'a',
               a.attgenerated <> ''
        FROM base b JOIN pg_catalog.pg_attribute a ON a.attrelid = {oid} AND a.attnum = b.attnum
        JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        ORDER BY a.attnum""", oid=oid)
    return tuple(Column(name, number, type_name, schema, is_vector,
                        typmod if is_vector and typmod > 0 else None,
                        has_default and not is_generated, is_always, is_generated)
                 for (name, number, type_name, schema, is_vector, typmod, has_default, is_always,
                      is_generated) in rows)


def _key_of(oid: int) -> Steps[tuple[str, ...]]:
    rows = yield from fetch("""
        SELECT a.attname::text FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid
            AND a.attnum = ANY ((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1])
        WHERE i.indrelid = {oid} AND i.indisprimary ORDER BY a.attnum""", oid=oid)
    return tuple(name for name, in rows)


def extension_schema() -> Steps[str]:
    """The schema of the type vector, or an error if the database has none."""
    rows = yield from fetch("""
        SELECT n.nspname::text FROM pg_catalog.pg_extension e
        JOIN pg_catalog.pg_depend d ON d.refobjid = e.oid AND d.deptype = 'e'
            AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
        JOIN pg_catalog.pg_type t ON t.oid = d.objid AND t.typname = 'vector'
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE e.extname IN ('vector_ext', 'vector')""")
    if not rows:
        raise errors.UndefinedObject("this database has no type vector: "
                                     "CREATE EXTENSION vector_ext, as a superuser")
    return str(rows[0][0])


def find_function(name: str) -> Steps[sql.Identifier]:
    """A function of ours by its name and schema. An error where no extension has it: another one has
    the type then, or `vector` is without `vector_tools`."""
    rows = yield from fetch("""
        SELECT n.nspname::text FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
            AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE p.proname = {name} AND e.extname IN ('vector_ext', 'vector_tools') LIMIT 1""",
                            name=name)
    if not rows:
        raise errors.UndefinedFunction(f"the extension of this database has no {name}: it takes "
                                       "vector_ext, or vector_tools beside vector")
    return sql.Identifier(str(rows[0][0]), name)


def indexes_of(oid: int) -> Steps[list[VectorIndex]]:
    """The hnsw indexes over vectors of a table, or the index itself if `oid` is one."""
    rows = yield from fetch("""
        SELECT i.indexrelid::pg_catalog.regclass::text, i.indrelid::pg_catalog.int8,
               a.attname::text, o.opcname::text, c.reloptions, i.indpred IS NOT NULL, i.indisvalid
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        JOIN pg_catalog.pg_am am ON am.oid = c.relam AND am.amname IN ('hnsw', 'ivfflat')
        JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0]
        LEFT JOIN pg_catalog.pg_attribute a
            ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attnum > 0
        WHERE {oid} IN (i.indrelid::pg_catalog.int8, i.indexrelid::pg_catalog.int8)
        ORDER BY i.indexrelid""", oid=oid)
    found = []
    for name, table_oid, column, opclass, options, is_partial, is_valid in rows:
        match = re.fullmatch(r"vector_(l2|ip|cosine|l1)_ops", opclass)
        if match:
            pairs = dict(option.split("=", 1) for option in _text_array(options))
            found.append(VectorIndex(name, table_oid, column, match[1], opclass, pairs, is_partial,
                                     is_valid))
    return found


def _text_array(value: Any) -> list[str]:
    return [] if value is None else list(value)


def check_metric(metric: Optional[str]) -> None:
    if metric is not None and metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}; there are " + ", ".join(METRICS))
