-- Vacuum: what is deleted goes, what is left is found, and the space is used again.
--
-- Temporary tables where counts matter: no other session's snapshot keeps their rows.

-- A sequential scan that is disabled looks dear enough to be compiled.
SET jit = off;

-- Numbers between -1 and 1 that look random and are the same everywhere.
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;

-- Deleting most rows at random, then all, then beginning again.
CREATE TEMPORARY TABLE items (id int, v vector(40));
CREATE FUNCTION pg_temp.n_found() RETURNS bigint LANGUAGE sql
    SET enable_seqscan = off SET enable_sort = off SET hnsw.ef_search = 1000
    SET hnsw.iterative_scan = relaxed_order AS $$
    SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> pg_temp.noise(0, 40) LIMIT 100000) s
$$;
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
VACUUM items;
INSERT INTO items SELECT i, pg_temp.noise(i, 40) FROM generate_series(1, 2000) i;
-- The index grows by four pages, and how many records upper layers take is drawn by lot.
SELECT pg_relation_size('items_v') AS full_size, 4 * 8192 AS extent \gset
SELECT nodes, dead FROM hnsw_info('items_v');
DELETE FROM items WHERE id % 4 <> 0;
SELECT pg_temp.n_found();
VACUUM items;
SELECT nodes, dead, unlinked FROM hnsw_info('items_v');
SELECT pg_temp.n_found();
SELECT ef_search, recall >= 0.95 AS recalls FROM hnsw_recall('items_v', 10, '{40,100}', 50);
SELECT * FROM hnsw_check('items_v', true);
INSERT INTO items SELECT i, pg_temp.noise(i, 40) FROM generate_series(2001, 3500) i;
SELECT nodes, dead FROM hnsw_info('items_v');
SELECT pg_relation_size('items_v') <= 1.02 * :full_size + :extent AS has_not_grown;
SELECT pg_temp.n_found();
SELECT ef_search, recall >= 0.95 AS recalls FROM hnsw_recall('items_v', 10, '{40,100}', 50);
SELECT * FROM hnsw_check('items_v', true);
DELETE FROM items;
VACUUM items;
SELECT nodes, dead, layers FROM hnsw_info('items_v');
SELECT pg_temp.n_found();
VACUUM items;
INSERT INTO items SELECT i, pg_temp.noise(i, 40) FROM generate_series(1, 2000) i;
SELECT nodes, dead FROM hnsw_info('items_v');
SELECT pg_relation_size('items_v') <= 1.02 * :full_size + :extent AS has_not_grown;
SELECT pg_temp.n_found();
SELECT * FROM hnsw_check('items_v', true);

-- Deleting a whole neighbourhood, and everything but one row.
SET enable_seqscan = off;
CREATE TEMPORARY TABLE near AS SELECT id FROM items ORDER BY v <-> pg_temp.noise(7, 40) LIMIT 40;
RESET enable_seqscan;
DELETE FROM items WHERE id IN (SELECT id FROM near);
VACUUM items;
SELECT pg_temp.n_found();
SELECT * FROM hnsw_check('items_v', true);
DELETE FROM items WHERE id <> 1000;
VACUUM items;
SELECT nodes, dead FROM hnsw_info('items_v');
SELECT pg_temp.n_found();
SELECT * FROM hnsw_check('items_v', true);

-- Dead rows that vacuum has not seen: never returned, and no reason to end a search.
INSERT INTO items SELECT i, pg_temp.noise(i, 40) FROM generate_series(1, 500) i;
DELETE FROM items WHERE id <= 400;
SELECT pg_temp.n_found();
VACUUM (INDEX_CLEANUP off) items;
SELECT pg_temp.n_found();
SELECT * FROM hnsw_check('items_v', true);
VACUUM (INDEX_CLEANUP on) items;
SELECT nodes, dead FROM hnsw_info('items_v');
SELECT pg_temp.n_found();
-- Rows of a transaction that was rolled back go as well.
BEGIN;
SET LOCAL vector_ext.insert_batch = 0;
INSERT INTO items SELECT i, pg_temp.noise(i, 40) FROM generate_series(5001, 5100) i;
ROLLBACK;
VACUUM items;
SELECT nodes, dead FROM hnsw_info('items_v');
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items, near;

-- Equal vectors by the thousand, as one node: some go, all others are still found.
CREATE TEMPORARY TABLE items (id int, v vector(40));
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
CREATE INDEX items_cosine ON items USING hnsw (v vector_cosine_ops);
INSERT INTO items SELECT i, array_fill(i % 3, ARRAY[40])::vector FROM generate_series(1, 9000) i;
INSERT INTO items SELECT i, pg_temp.noise(i, 40) FROM generate_series(10001, 10200) i;
SELECT metric, nodes FROM hnsw_info('items_v')
UNION ALL SELECT metric, nodes FROM hnsw_info('items_cosine') ORDER BY 1;
CREATE FUNCTION pg_temp.equal_ones(number int) RETURNS TABLE (n bigint, n_different bigint)
LANGUAGE sql SET enable_seqscan = off SET enable_sort = off SET hnsw.ef_search = 20 AS $$
    SELECT count(*), count(DISTINCT id) FROM
        (SELECT id, v FROM items ORDER BY v <-> array_fill(number, ARRAY[40])::vector LIMIT 20000) s
    WHERE v = array_fill(number, ARRAY[40])::vector
$$;
SELECT i, e.* FROM generate_series(0, 2) i, pg_temp.equal_ones(i) e ORDER BY 1;
DELETE FROM items WHERE id <= 9000 AND (id / 3) % 5 < 2;
VACUUM items;
SELECT i, e.* FROM generate_series(0, 2) i, pg_temp.equal_ones(i) e ORDER BY 1;
SELECT * FROM hnsw_check('items_v', true);
SELECT * FROM hnsw_check('items_cosine', true);
INSERT INTO items
SELECT i, array_fill(i % 3, ARRAY[40])::vector FROM generate_series(20001, 21200) i;
SELECT i, e.* FROM generate_series(0, 2) i, pg_temp.equal_ones(i) e ORDER BY 1;
DELETE FROM items WHERE v = array_fill(1, ARRAY[40])::vector;
VACUUM items;
SELECT i, e.* FROM generate_series(0, 2) i, pg_temp.equal_ones(i) e ORDER BY 1;
SELECT nodes, dead FROM hnsw_info('items_v');
INSERT INTO items SELECT i, array_fill(1, ARRAY[40])::vector FROM generate_series(30001, 30900) i;
SELECT i, e.* FROM generate_series(0, 2) i, pg_temp.equal_ones(i) e ORDER BY 1;
UPDATE items SET id = id WHERE id > 30000;
UPDATE items SET v = array_fill(2, ARRAY[40])::vector WHERE id > 30450;
VACUUM items;
SELECT i, e.* FROM generate_series(0, 2) i, pg_temp.equal_ones(i) e ORDER BY 1;
REINDEX TABLE items;
SELECT i, e.* FROM generate_series(0, 2) i, pg_temp.equal_ones(i) e ORDER BY 1;
SELECT * FROM hnsw_check('items_v', true);
SELECT * FROM hnsw_check('items_cosine', true);
DROP TABLE items;

-- With a cold tier; by more than one index, in parallel where the server likes.
CREATE TABLE wide (id int, v vector(300));
INSERT INTO wide SELECT i, pg_temp.noise(i, 300) FROM generate_series(1, 600) i;
CREATE INDEX wide_l2 ON wide USING hnsw (v vector_l2_ops);
CREATE INDEX wide_ip ON wide USING hnsw (v vector_ip_ops);
CREATE INDEX wide_cosine ON wide USING hnsw (v vector_cosine_ops);
CREATE INDEX wide_l1 ON wide USING hnsw (v vector_l1_ops);
DELETE FROM wide WHERE id % 3 = 0;
SET min_parallel_index_scan_size = 0;
VACUUM (PARALLEL 2) wide;
RESET min_parallel_index_scan_size;
INSERT INTO wide SELECT i, pg_temp.noise(i, 300) FROM generate_series(601, 700) i;
SET enable_seqscan = off;
SET hnsw.ef_search = 1000;
SELECT count(*) FROM (SELECT id FROM wide ORDER BY v <-> pg_temp.noise(0, 300) LIMIT 900) s;
SELECT count(*) FROM (SELECT id FROM wide ORDER BY v <#> pg_temp.noise(0, 300) LIMIT 900) s;
SELECT count(*) FROM (SELECT id FROM wide ORDER BY v <=> pg_temp.noise(0, 300) LIMIT 900) s;
SELECT count(*) FROM (SELECT id FROM wide ORDER BY v <+> pg_temp.noise(0, 300) LIMIT 900) s;
SELECT * FROM hnsw_check('wide_l2', true);
SELECT * FROM hnsw_check('wide_ip', true);
SELECT * FROM hnsw_check('wide_cosine', true);
SELECT * FROM hnsw_check('wide_l1', true);
DROP TABLE wide;
