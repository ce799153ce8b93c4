-- Making indexes: on every kind of table, in every way, before and after its rows.

-- A sequential scan that is disabled looks dear enough to be compiled.
SET jit = off;

-- Numbers between -1 and 1 that look random and are the same everywhere.
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;
-- The ids of a query by index, whose plan must be an index scan.
CREATE FUNCTION pg_temp.by_index(query text) RETURNS int[] LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_sort = off AS $$
DECLARE
    line text;
    plan text := '';
    ids int[];
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        plan := plan || line || E'\n';
    END LOOP;
    IF plan NOT LIKE '%Index Scan using%Order By: %' THEN
        RAISE EXCEPTION 'not by index: %', plan;
    END IF;
    EXECUTE format('SELECT array_agg(id) FROM (%s) s', query) INTO ids;
    RETURN ids;
END $$;

-- An empty table, then rows; NULLs and, by cosine, zero vectors are not in the index.
CREATE TABLE items (id int, v vector(3));
CREATE INDEX items_l2 ON items USING hnsw (v vector_l2_ops);
SELECT format, metric, codec, dims, m, ef_construction, layers, nodes, fill
FROM hnsw_info('items_l2');
SELECT pg_temp.by_index($$SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5$$);
INSERT INTO items VALUES (1, NULL), (2, NULL);
SELECT pg_temp.by_index($$SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5$$);
INSERT INTO items VALUES (3, '[0,0,0]'), (4, '[1,2,3]'), (5, '[1,2,4]'), (6, '[-1,-2,-3]');
CREATE INDEX items_cosine ON items USING hnsw (v vector_cosine_ops);
INSERT INTO items VALUES (7, '[0,0,0]'), (8, '[2,4,6.1]'), (9, NULL);
SELECT pg_temp.by_index($$SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 10$$);
SELECT pg_temp.by_index($$SELECT id FROM items ORDER BY v <=> '[1,2,3]' LIMIT 10$$);
SELECT metric, nodes FROM hnsw_info('items_l2')
UNION ALL SELECT metric, nodes FROM hnsw_info('items_cosine') ORDER BY 1;
SELECT * FROM hnsw_check('items_l2', true);
SELECT * FROM hnsw_check('items_cosine', true);
DROP TABLE items;

-- Rows, then the index.
CREATE TABLE items (id int, v vector(3));
INSERT INTO items SELECT i, pg_temp.noise(i, 3) FROM generate_series(1, 1500) i;
INSERT INTO items VALUES (1501, NULL);
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
SELECT reltuples, relpages > 20 AS has_pages FROM pg_class WHERE relname = 'items_v';
SELECT nodes, dead, unlinked, layers BETWEEN 2 AND 8 AS has_layers, links_avg > 10 AS has_links
FROM hnsw_info('items_v');
SELECT ef_search, recall >= 0.99 AS recalls FROM hnsw_recall('items_v', 10, '{40,100}', 50);

-- REINDEX, also concurrently; CREATE INDEX CONCURRENTLY; another of the same column.
REINDEX INDEX items_v;
REINDEX TABLE items;
REINDEX INDEX CONCURRENTLY items_v;
CREATE INDEX CONCURRENTLY items_ip ON items USING hnsw (v vector_ip_ops);
SELECT c.relname, i.indisvalid, (SELECT nodes FROM hnsw_info(c.oid)),
       (SELECT count(*) AS problems FROM hnsw_check(c.oid, true))
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = 'items'::regclass ORDER BY 1;
SELECT ef_search, recall >= 0.95 AS recalls FROM hnsw_recall('items_ip', 10, '{100}', 50);
DROP INDEX CONCURRENTLY items_ip;

-- What rewrites the table makes the index anew.
VACUUM FULL items;
SELECT * FROM hnsw_check('items_v', true);
ALTER TABLE items SET UNLOGGED;
SELECT * FROM hnsw_check('items_v', true);
ALTER TABLE items SET LOGGED;
SELECT * FROM hnsw_check('items_v', true);
ALTER TABLE items ALTER v TYPE vector(4) USING v || '[0]';
SELECT dims, nodes FROM hnsw_info('items_v');
SELECT cardinality(pg_temp.by_index($$SELECT id FROM items ORDER BY v <-> '[0,0,0,0]' LIMIT 10$$));
SELECT * FROM hnsw_check('items_v', true);

-- A column takes no other dimensions, nor another type, below its index.
INSERT INTO items VALUES (1502, '[1,2]');
INSERT INTO items VALUES (1502, '[1,2,3,4,5]');
INSERT INTO items VALUES (1502, '[1,2,3,4]');
ALTER TABLE items ALTER v TYPE vector(5);
ALTER TABLE items ALTER v TYPE real[];
SELECT * FROM hnsw_check('items_v', true);
SELECT dims, nodes FROM hnsw_info('items_v');

-- TRUNCATE, alone and in the transaction that fills the table.
TRUNCATE items;
SELECT nodes, layers FROM hnsw_info('items_v');
BEGIN;
INSERT INTO items SELECT i, pg_temp.noise(i, 4) FROM generate_series(1, 50) i;
TRUNCATE items;
INSERT INTO items SELECT i, pg_temp.noise(i, 4) FROM generate_series(51, 80) i;
SELECT nodes FROM hnsw_info('items_v');
SAVEPOINT filled;
TRUNCATE items;
SELECT nodes FROM hnsw_info('items_v');
ROLLBACK TO filled;
SELECT nodes FROM hnsw_info('items_v');
COMMIT;
SELECT cardinality(pg_temp.by_index($$SELECT id FROM items ORDER BY v <-> '[0,0,0,0]' LIMIT 50$$));
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;

-- Table and index in one transaction, with rows before, between and after; then not to be.
BEGIN;
CREATE TABLE items (id int, v vector(40));
INSERT INTO items SELECT i, pg_temp.noise(i, 40) FROM generate_series(1, 60) i;
CREATE INDEX items_v ON items USING hnsw (v vector_cosine_ops);
INSERT INTO items SELECT i, pg_temp.noise(i, 40) FROM generate_series(61, 100) i;
SAVEPOINT again;
CREATE INDEX items_l1 ON items USING hnsw (v vector_l1_ops);
INSERT INTO items SELECT i, pg_temp.noise(i, 40) FROM generate_series(101, 120) i;
ROLLBACK TO again;
INSERT INTO items SELECT i, pg_temp.noise(i, 40) FROM generate_series(101, 110) i;
COMMIT;
SET hnsw.ef_search = 200;
SELECT cardinality(pg_temp.by_index(
    format('SELECT id FROM items ORDER BY v <=> %L LIMIT 200', pg_temp.noise(0, 40))));
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;
BEGIN;
CREATE TABLE items (id int, v vector(2));
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
INSERT INTO items VALUES (1, '[1,2]');
ROLLBACK;
SELECT to_regclass('items') IS NULL AS gone;

-- Partial indexes and indexes of expressions.
CREATE TABLE items (id int, category int, v vector, r real[]);
INSERT INTO items
SELECT i, i % 3, pg_temp.noise(i, 2 + i % 3), ARRAY[i, 0, -i] FROM generate_series(1, 300) i;
CREATE INDEX items_part ON items USING hnsw ((v::vector(3)) vector_l2_ops) WHERE category = 1;
CREATE INDEX items_array ON items USING hnsw ((r::vector(3)) vector_l2_ops);
CREATE INDEX items_prefix ON items USING hnsw ((subvector(v, 1, 2)::vector(2)) vector_cosine_ops);
SELECT relname, (SELECT nodes FROM hnsw_info(oid)) FROM pg_class
WHERE relname IN ('items_part', 'items_array', 'items_prefix') ORDER BY 1;
SELECT cardinality(pg_temp.by_index($$SELECT id FROM items WHERE category = 1
    ORDER BY v::vector(3) <-> '[0,0,0]' LIMIT 500$$));
SELECT pg_temp.by_index(
    $$SELECT id FROM items ORDER BY r::vector(3) <-> '[100,0,-100.3]' LIMIT 3$$);
SELECT cardinality(pg_temp.by_index($$SELECT id FROM items
    ORDER BY subvector(v, 1, 2)::vector(2) <=> '[1,1]' LIMIT 500$$));
UPDATE items SET category = 1 WHERE id = 2;
UPDATE items SET category = 1, v = '[1,1,1]' WHERE id = 3;
SELECT pg_temp.by_index($$SELECT id FROM items WHERE category = 1
    ORDER BY v::vector(3) <-> '[1,1,1]' LIMIT 1$$);
UPDATE items SET category = 2 WHERE id = 3;
SELECT cardinality(pg_temp.by_index($$SELECT id FROM items WHERE category = 1
    ORDER BY v::vector(3) <-> '[0,0,0]' LIMIT 500$$));
SELECT * FROM hnsw_check('items_part', true);
SELECT * FROM hnsw_check('items_array', true);
SELECT * FROM hnsw_check('items_prefix', true);
SELECT ef_search, recall >= 0.99 AS recalls FROM hnsw_recall('items_part', 5, '{100}', 20);
DROP TABLE items;

-- Partitions: an index of the parent makes one of each, also of those that come later.
CREATE TABLE items (id int, v vector(3)) PARTITION BY RANGE (id);
CREATE TABLE items_1 PARTITION OF items FOR VALUES FROM (0) TO (100);
INSERT INTO items SELECT i, pg_temp.noise(i, 3) FROM generate_series(1, 99) i;
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops) WITH (m = 8);
CREATE TABLE items_2 PARTITION OF items FOR VALUES FROM (100) TO (200);
INSERT INTO items SELECT i, pg_temp.noise(i, 3) FROM generate_series(100, 199) i;
SELECT relname, (SELECT nodes FROM hnsw_info(oid)), (SELECT m FROM hnsw_info(oid))
FROM pg_class WHERE relname LIKE 'items%v%' AND relkind = 'i' ORDER BY 1;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[0,0,0]' LIMIT 3;
SELECT array_agg(id) FROM (SELECT id FROM items ORDER BY v <-> pg_temp.noise(150, 3) LIMIT 1) s;
RESET enable_seqscan;
UPDATE items SET id = 250 - id WHERE id = 60;
SELECT * FROM hnsw_check('items_1_v_idx', true);
SELECT * FROM hnsw_check('items_2_v_idx', true);
DROP TABLE items;

-- Temporary and unlogged tables.
CREATE TEMPORARY TABLE items (id int, v vector(300)) ON COMMIT DELETE ROWS;
CREATE INDEX items_v ON items USING hnsw (v vector_ip_ops);
BEGIN;
INSERT INTO items SELECT i, pg_temp.noise(i, 300) FROM generate_series(1, 100) i;
SELECT cardinality(pg_temp.by_index(
    format('SELECT id FROM items ORDER BY v <#> %L LIMIT 200', pg_temp.noise(0, 300))));
SELECT * FROM hnsw_check('items_v', true);
COMMIT;
SELECT nodes FROM hnsw_info('items_v');
DROP TABLE items;
CREATE UNLOGGED TABLE items (id int, v vector(300));
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
INSERT INTO items SELECT i, pg_temp.noise(i, 300) FROM generate_series(1, 100) i;
SELECT cardinality(pg_temp.by_index(
    format('SELECT id FROM items ORDER BY v <-> %L LIMIT 200', pg_temp.noise(0, 300))));
SELECT pg_relation_size('items_v', 'init') / 8192 AS init_pages;
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;

-- Materialized views.
CREATE TABLE source (id int, v vector(3));
INSERT INTO source SELECT i, pg_temp.noise(i, 3) FROM generate_series(1, 50) i;
CREATE MATERIALIZED VIEW seen AS SELECT id, v FROM source;
CREATE INDEX seen_v ON seen USING hnsw (v vector_l2_ops);
INSERT INTO source VALUES (51, '[5,5,5]');
REFRESH MATERIALIZED VIEW seen;
SELECT pg_temp.by_index($$SELECT id FROM seen ORDER BY v <-> '[5,5,5]' LIMIT 1$$);
SELECT * FROM hnsw_check('seen_v', true);
DROP TABLE source CASCADE;
RESET hnsw.ef_search;

-- Where clusters lie far from each other, codes of 4 bits would tell nothing of neighbours apart: a
-- build that sees it takes 8.
CREATE TABLE clumped (id int, v vector(300)) WITH (autovacuum_enabled = off);
INSERT INTO clumped
SELECT i, ARRAY(SELECT (hashint8extended(i::bigint * 1000 + j, 0) % 1000 +
                        16 * (hashint8extended((i % 20)::bigint * 1000 + j, 1) % 1000)) / 1000.0
                FROM generate_series(1, 300) j)::vector
FROM generate_series(1, 2000) i;
CREATE INDEX clumped_v ON clumped USING hnsw (v vector_l2_ops);
CREATE INDEX clumped_cosine ON clumped USING hnsw (v vector_cosine_ops);
-- One cluster is as any other table.
CREATE INDEX clumped_one ON clumped USING hnsw (v vector_l2_ops) WHERE id % 20 = 0;
SELECT codec FROM hnsw_info('clumped_v');
SELECT codec FROM hnsw_info('clumped_cosine');
SELECT codec FROM hnsw_info('clumped_one');
SELECT recall > 0.98 AS finds_them FROM hnsw_recall('clumped_v', 10, '{40}', 50);
SELECT * FROM hnsw_check('clumped_v', true);
-- One that rows came into has the codes that it began with, and says so.
CREATE TABLE grown (LIKE clumped);
CREATE INDEX grown_v ON grown USING hnsw (v vector_l2_ops);
INSERT INTO grown SELECT * FROM clumped;
SELECT codec FROM hnsw_info('grown_v');
SELECT problem, severity FROM hnsw_check('grown_v') WHERE problem LIKE 'codes %';
REINDEX INDEX grown_v;
SELECT codec FROM hnsw_info('grown_v');
SELECT * FROM hnsw_check('grown_v', true);
DROP TABLE clumped, grown;
