-- hnsw_recall measures the plan by the index it names, or says that it cannot: beside other indexes, under
-- row security, of partial indexes, of all partitions together.

SET jit = off;
CREATE FUNCTION recall_noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;
CREATE TABLE items (id int PRIMARY KEY, tenant int, v vector(8)) WITH (autovacuum_enabled = off);
INSERT INTO items SELECT i, i % 100, recall_noise(i, 8) FROM generate_series(1, 3000) i;
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
CREATE INDEX items_tenant ON items (tenant);
CREATE INDEX items_some ON items USING hnsw (v vector_l2_ops) WHERE tenant < 10;
ANALYZE items;

-- Rows are those returned for a query, k where there are as many.
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('items_v', 10, '{20,80}', 20);
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('items_some', 10, '{80}', 20);
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('items_some', 1000, '{80}', 3);
SET hnsw.iterative_scan = off;
SELECT ef_search, recall < 0.5 AS is_low, rows FROM hnsw_recall('items_v', 100, '{20}', 20);
RESET hnsw.iterative_scan;

-- Who sees one row of a hundred measures searches among these, not plans that another index is better for.
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE ROLE regress_hnsw_tenant;
GRANT SELECT ON items TO regress_hnsw_tenant;
CREATE POLICY own ON items USING (tenant = 7);
SET ROLE regress_hnsw_tenant;
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('items_v', 10, '{40}', 10);
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('items_v', 100, '{40}', 10);
SET hnsw.iterative_scan = off;
SELECT ef_search, recall < 0.5 AS is_low, rows < 5 AS are_few FROM hnsw_recall('items_v', 10, '{40}', 30);
RESET hnsw.iterative_scan;
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('items_some', 10, '{40}', 10);
RESET ROLE;
DROP POLICY own ON items;
SET ROLE regress_hnsw_tenant;
SELECT * FROM hnsw_recall('items_v', 10, '{40}', 10);
RESET ROLE;
DROP TABLE items;
DROP ROLE regress_hnsw_tenant;

-- All partitions together; each by itself.
CREATE TABLE parts (id int, v vector(8)) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (601);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (601) TO (3000) PARTITION BY RANGE (id);
CREATE TABLE parts_2a PARTITION OF parts_2 FOR VALUES FROM (601) TO (1001);
CREATE TABLE parts_2b PARTITION OF parts_2 FOR VALUES FROM (1001) TO (3000);
CREATE INDEX parts_v ON parts USING hnsw (v vector_l2_ops);
INSERT INTO parts SELECT i, recall_noise(i, 8) FROM generate_series(1, 1200) i;
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('parts_v', 10, '{40}', 20);
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('parts_v', 2000, '{40}', 2);
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('parts_2_v_idx', 700, '{40}', 2);
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('parts_1_v_idx', 10, '{40}', 20);
CREATE TABLE asked AS SELECT recall_noise(-i, 8)::vector(8) AS q FROM generate_series(1, 10) i;
SELECT ef_search, recall > 0.95 AS recalls, rows FROM hnsw_recall('parts_v', 10, '{40}', 20, 'asked');
-- A partition of another server has no index: its rows would be sorted.
CREATE EXTENSION file_fdw;
CREATE SERVER nowhere FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE parts_3 PARTITION OF parts FOR VALUES FROM (3000) TO (4000)
    SERVER nowhere OPTIONS (filename '/dev/null');
SELECT ef_search, recall FROM hnsw_recall('parts_v', 10, '{40}', 20);
DROP TABLE parts, asked;
DROP EXTENSION file_fdw CASCADE;
DROP FUNCTION recall_noise;
