"""Statements of other shapes than a condition and a LIMIT, for bench/plans: what is made for them, and
what recall a search by the index owes."""

from typing import NamedTuple


class Shape(NamedTuple):
    name: str
    statement: str  # {table} for the table, %1$L for the query vector
    floor: float = 0.9
    prepared: str = None
    settings: tuple = ()


def make_shapes(table, n_rows):
    """The tables of the statements, of the rows of one that is there."""
    yield f"""CREATE TABLE IF NOT EXISTS tags AS
              SELECT id, (id % 20)::int AS tag FROM {table};
              CREATE INDEX ON tags (id); CREATE INDEX ON tags (tag);
              CREATE TABLE few AS SELECT id FROM {table} ORDER BY id LIMIT {max(n_rows // 1000, 5)};
              CREATE INDEX ON few (id);
              CREATE TABLE parts (LIKE {table}) PARTITION BY RANGE (id)"""
    for i in range(4):
        yield f"""CREATE TABLE parts_{i} PARTITION OF parts
                  FOR VALUES FROM ({i * n_rows // 4 + 1}) TO ({(i + 1) * n_rows // 4 + 1})"""
    yield f"""INSERT INTO parts SELECT * FROM {table};
              CREATE INDEX ON parts USING hnsw (v vector_l2_ops); CREATE INDEX ON parts (f);
              CREATE TABLE owned AS SELECT * FROM {table};
              CREATE INDEX ON owned USING hnsw (v vector_l2_ops);
              CREATE INDEX owned_some ON owned USING hnsw (v vector_l2_ops) WHERE f < 0.05;
              CREATE TABLE secret AS SELECT * FROM {table};
              CREATE INDEX ON secret USING hnsw (v vector_l2_ops);
              ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
              CREATE POLICY half ON secret USING (f < 0.5);
              CREATE POLICY few ON secret AS RESTRICTIVE
                  USING (f < current_setting('bench.share')::float8);
              CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"""
    yield "VACUUM ANALYZE"


AS_READER = (("role", "reader"),)
NEAREST = "ORDER BY v <-> %1$L"

SHAPES = [
    Shape("join that keeps all", "SELECT t.id FROM {table} t JOIN tags USING (id) " + NEAREST + " LIMIT 10"),
    Shape("join that keeps 5 %",
          "SELECT t.id FROM {table} t JOIN tags USING (id) WHERE tag = 3 " + NEAREST + " LIMIT 10"),
    Shape("join that keeps 5 %, LIMIT 100",
          "SELECT t.id FROM {table} t JOIN tags USING (id) WHERE tag = 3 " + NEAREST + " LIMIT 100"),
    Shape("join with a few rows", "SELECT t.id FROM {table} t JOIN few USING (id) " + NEAREST + " LIMIT 10"),
    Shape("IN of a few rows",
          "SELECT id FROM {table} WHERE id IN (SELECT id FROM few) " + NEAREST + " LIMIT 10"),
    Shape("LATERAL, 5 queries",
          "SELECT n.id FROM queries q, LATERAL "
          "(SELECT id FROM {table} t ORDER BY t.v <-> q.v LIMIT 10) n "
          "WHERE q.id <= 5 AND %1$L <> ''"),
    Shape("LATERAL, 5 queries, 2 %",
          "SELECT n.id FROM queries q, LATERAL "
          "(SELECT id FROM {table} t WHERE f < 0.02 ORDER BY t.v <-> q.v LIMIT 10) n "
          "WHERE q.id <= 5 AND %1$L <> ''"),
    Shape("partitions", "SELECT id FROM parts " + NEAREST + " LIMIT 10"),
    Shape("partitions, LIMIT 1000", "SELECT id FROM parts " + NEAREST + " LIMIT 1000", 0.85),
    Shape("partitions, 2 %", "SELECT id FROM parts WHERE f < 0.02 " + NEAREST + " LIMIT 10"),
    Shape("partial index", "SELECT id FROM owned WHERE f < 0.05 " + NEAREST + " LIMIT 10"),
    Shape("partial index, a tenth of it",
          "SELECT id FROM owned WHERE f < 0.05 AND f < 0.005 " + NEAREST + " LIMIT 10"),
    Shape("row security, half", "SELECT id FROM secret " + NEAREST + " LIMIT 10",
          settings=(("bench.share", "1"), *AS_READER)),
    Shape("row security, 0.1 %", "SELECT id FROM secret " + NEAREST + " LIMIT 10",
          settings=(("bench.share", "0.001"), *AS_READER)),
    Shape("generic plan", "EXECUTE shape(%1$L, 10)",
          prepared="PREPARE shape(vector, int) AS SELECT id FROM {table} ORDER BY v <-> $1 LIMIT $2",
          settings=(("plan_cache_mode", "force_generic_plan"),)),
    Shape("generic plan, 2 %", "EXECUTE shape(%1$L, 10)",
          prepared="PREPARE shape(vector, int) AS SELECT id FROM {table} WHERE f < 0.02 "
                   "ORDER BY v <-> $1 LIMIT $2",
          settings=(("plan_cache_mode", "force_generic_plan"),)),
    Shape("custom plan, 2 %", "EXECUTE shape(%1$L, 10)",
          prepared="PREPARE shape(vector, int) AS SELECT id FROM {table} WHERE f < 0.02 "
                   "ORDER BY v <-> $1 LIMIT $2",
          settings=(("plan_cache_mode", "force_custom_plan"),)),
    Shape("subquery, LIMIT outside",
          "SELECT id FROM (SELECT id FROM {table} " + NEAREST + ") s LIMIT 10"),
    Shape("subquery, condition and LIMIT outside",
          "SELECT id FROM (SELECT id, f, v <-> %1$L AS d FROM {table} " + NEAREST + ") s "
          "WHERE f < 0.02 LIMIT 10"),
    Shape("distances below a bound",
          "SELECT id FROM (SELECT id, v <-> %1$L AS d FROM {table}) s WHERE d < 0.9 ORDER BY d LIMIT 10"),
    Shape("OFFSET 100", "SELECT id FROM {table} " + NEAREST + " LIMIT 10 OFFSET 100", 0.5),
    Shape("OFFSET 5000", "SELECT id FROM {table} " + NEAREST + " LIMIT 10 OFFSET 5000", 0.0),
    Shape("no LIMIT", "SELECT id FROM {table} WHERE f < 0.05 " + NEAREST),
    Shape("DISTINCT ON",
          "SELECT id FROM (SELECT DISTINCT ON (d) id, v <-> %1$L AS d FROM {table} ORDER BY d LIMIT 10) s"),
    Shape("LIMIT WITH TIES", "SELECT id FROM {table} " + NEAREST + " FETCH FIRST 10 ROWS WITH TIES"),
]
