-- The order that a plan counts on: nodes that take equal rows to be neighbours, or stop at a larger
-- one, get rows in the operator's own order, whatever the codec. And what is not served at all: the
-- order of a second distance.

SET jit = off;
SET enable_seqscan = off;
SET max_parallel_workers_per_gather = 0;

-- Numbers between -1 and 1 that look random and are the same everywhere.
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::real[]
    FROM generate_series(1, n_dims) i
$$;
-- The same, all 1 or -1 but for the first, which is one of three.
CREATE FUNCTION pg_temp.signs(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(sign(x) * CASE WHEN i = 1 THEN 1 + 0.02 * (seed % 3) ELSE 1 END ORDER BY i)::vector
    FROM unnest(pg_temp.noise(seed, n_dims)) WITH ORDINALITY n(x, i)
$$;
-- The nodes of a plan from the top.
CREATE FUNCTION pg_temp.nodes(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (COSTS off, FORMAT json) ' || query INTO plan;
    RETURN (SELECT string_agg(node #>> '{}', ' < ' ORDER BY i)
            FROM jsonb_path_query(plan, 'strict $.**."Node Type"') WITH ORDINALITY n(node, i));
END $$;
-- Of the numbers a query returns: how many there are, whether they are in order, and how many come
-- again after another one.
CREATE FUNCTION pg_temp.judge(query text, OUT n int, OUT in_order boolean, OUT n_again int)
LANGUAGE plpgsql AS $$
DECLARE
    d float8;
    previous float8;
    found float8[] := '{}';
BEGIN
    n := 0; in_order := true; n_again := 0;
    FOR d IN EXECUTE query LOOP
        IF d < previous THEN in_order := false; END IF;
        IF d IS DISTINCT FROM previous AND d = ANY (found) THEN n_again := n_again + 1; END IF;
        found := found || d; previous := d; n := n + 1;
    END LOOP;
END $$;

-- Residuals: rows at three distances that differ by less than the index's own measure does.
CREATE TABLE signs (id int PRIMARY KEY, v vector(300));
INSERT INTO signs SELECT i, pg_temp.signs(i, 300) FROM generate_series(1, 600) i;
CREATE INDEX signs_v ON signs USING hnsw (v vector_l2_ops);
ANALYZE signs;
SELECT quote_literal('[' || repeat('0,', 299) || '0]') AS zero \gset
SET hnsw.ef_search = 700;
SET enable_hashagg = off;
SET enable_sort = off;

\set query 'SELECT DISTINCT v <-> ' :zero ' FROM signs ORDER BY 1'
SELECT pg_temp.nodes(:'query');
SELECT * FROM pg_temp.judge(:'query');
\set query 'SELECT v <-> ' :zero ' FROM signs GROUP BY 1 ORDER BY 1'
SELECT pg_temp.nodes(:'query');
SELECT * FROM pg_temp.judge(:'query');
\set query 'SELECT DISTINCT ON (d) d FROM (SELECT v <-> ' :zero ' AS d FROM signs) s ORDER BY d'
SELECT * FROM pg_temp.judge(:'query');
\set query 'SELECT d FROM (SELECT v <-> ' :zero ' AS d, row_number() OVER (PARTITION BY v <-> ' :zero ') AS i FROM signs) s WHERE i = 1'
SELECT pg_temp.nodes(:'query');
SELECT * FROM pg_temp.judge(:'query');
\set query 'SELECT v <-> ' :zero ' FROM signs ORDER BY 1 FETCH FIRST 1 ROW WITH TIES'
SELECT pg_temp.nodes(:'query');
SELECT n > 100 AS all_ties, in_order FROM pg_temp.judge(:'query');

-- Through a subquery, a limit, an append of partitions, a common table expression, a cursor.
\set query 'SELECT DISTINCT d FROM (SELECT v <-> ' :zero ' AS d FROM signs ORDER BY 1 LIMIT 500) s ORDER BY d'
SELECT pg_temp.nodes(:'query');
SELECT * FROM pg_temp.judge(:'query');
\set query 'WITH s AS MATERIALIZED (SELECT v <-> ' :zero ' AS d FROM signs ORDER BY 1 LIMIT 500) SELECT DISTINCT d FROM s ORDER BY d'
SELECT * FROM pg_temp.judge(:'query');
\set query 'SELECT d FROM (SELECT id, v <-> ' :zero ' AS d FROM signs ORDER BY 2 LIMIT 500) s ORDER BY d, id'
RESET enable_sort;
SELECT pg_temp.nodes(:'query') LIKE 'Incremental Sort%Limit < Index Scan' AS sorts_the_rest;
SELECT * FROM pg_temp.judge(:'query');
SET enable_sort = off;
BEGIN;
DECLARE c CURSOR FOR SELECT DISTINCT v <-> :zero::vector AS d FROM signs ORDER BY 1;
FETCH 1 FROM c \gset first_
FETCH 1 FROM c \gset second_
FETCH 1 FROM c \gset third_
SELECT :first_d < :second_d AND :second_d < :third_d AS in_order;
FETCH 1 FROM c;
COMMIT;
CREATE TABLE parts (id int, v vector(300)) PARTITION BY HASH (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT * FROM signs;
CREATE INDEX parts_v ON parts USING hnsw (v vector_l2_ops);
ANALYZE parts;
\set query 'SELECT DISTINCT v <-> ' :zero ' FROM parts ORDER BY 1'
SELECT pg_temp.nodes(:'query');
SELECT * FROM pg_temp.judge(:'query');

-- A merge join, which says when its input is not in order.
CREATE TABLE levels (d float8 PRIMARY KEY);
INSERT INTO levels SELECT DISTINCT v <-> :zero::vector FROM signs;
INSERT INTO levels SELECT generate_series(1, 2000);
ANALYZE levels;
SET enable_hashjoin = off;
SET enable_nestloop = off;
\set query 'SELECT l.d FROM levels l JOIN signs ON l.d = signs.v <-> ' :zero ' ORDER BY signs.v <-> ' :zero ' LIMIT 500'
SELECT pg_temp.nodes(:'query') LIKE 'Limit < Merge Join < %' AS merges;
SELECT * FROM pg_temp.judge(:'query');
RESET enable_hashjoin;
RESET enable_nestloop;

-- Where the scan goes on, what comes too late is left out.
SET hnsw.iterative_scan = relaxed_order;
SET hnsw.ef_search = 20;
\set query 'SELECT DISTINCT v <-> ' :zero ' FROM signs ORDER BY 1'
SELECT n > 0 AS some, in_order, n_again FROM pg_temp.judge(:'query');
RESET hnsw.iterative_scan;
RESET hnsw.ef_search;

-- A query that only shows the order reads no more rows than it did: one, and not all candidates.
CREATE TABLE cloud (id int PRIMARY KEY, v vector(300));
INSERT INTO cloud SELECT i, pg_temp.noise(i, 300)::vector FROM generate_series(1, 600) i;
CREATE INDEX cloud_v ON cloud USING hnsw (v vector_l2_ops);
CREATE FUNCTION pg_temp.n_pages(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ' || query INTO plan;
    RETURN (plan #>> '{0,Plan,Shared Hit Blocks}')::int + (plan #>> '{0,Plan,Shared Read Blocks}')::int;
END $$;
SELECT quote_literal(v) AS near FROM cloud WHERE id = 1 \gset
\set plain 'SELECT v <-> ' :near ' FROM cloud ORDER BY 1 LIMIT 1'
\set grouped 'SELECT DISTINCT v <-> ' :near ' FROM cloud ORDER BY 1 LIMIT 1'
SELECT pg_temp.n_pages(:'plain') AS warm \gset
SELECT pg_temp.n_pages(:'plain') + 40 < pg_temp.n_pages(:'grouped') AS plain_reads_less;
\set nested 'SELECT DISTINCT i FROM generate_series(1, 2) i, LATERAL (SELECT v <-> ' :near ' FROM cloud ORDER BY 1 LIMIT 1) s ORDER BY i LIMIT 1'
SELECT pg_temp.n_pages(:'nested') < 2 * pg_temp.n_pages(:'grouped') AS nested_reads_less;

-- The other codecs and metrics: multiples of a few directions by cosine and inner product, few
-- different numbers by L1.
CREATE TABLE kinds (id int, a vector(2), b vector(64));
INSERT INTO kinds
SELECT i, ARRAY[1 + i % 7, 2 + i % 5]::real[]::vector * array_fill((1 + i % 11) * 0.37, ARRAY[2])::vector,
    pg_temp.signs(i, 64) * array_fill((1 + i % 2)::real, ARRAY[64])::vector
FROM generate_series(1, 770) i;
CREATE INDEX kinds_cosine ON kinds USING hnsw (a vector_cosine_ops);
CREATE INDEX kinds_ip ON kinds USING hnsw (a vector_ip_ops);
CREATE INDEX kinds_l2 ON kinds USING hnsw (a vector_l2_ops);
CREATE INDEX kinds_l1 ON kinds USING hnsw (a vector_l1_ops);
CREATE INDEX kinds_cosine_b ON kinds USING hnsw (b vector_cosine_ops);
CREATE INDEX kinds_ip_b ON kinds USING hnsw (b vector_ip_ops);
CREATE INDEX kinds_l2_b ON kinds USING hnsw (b vector_l2_ops);
CREATE INDEX kinds_l1_b ON kinds USING hnsw (b vector_l1_ops);
ANALYZE kinds;
SET hnsw.ef_search = 1000;
SELECT op, c, n > 1 AS several, in_order, n_again
FROM unnest(ARRAY['<->', '<#>', '<=>', '<+>']) WITH ORDINALITY o(op, i),
    (VALUES ('a', '[1,3]'), ('b', '[' || repeat('1,', 63) || '1]')) c(c, q),
    pg_temp.judge(format('SELECT DISTINCT %I %s %L FROM kinds ORDER BY 1', c, op, q))
ORDER BY c, i;
SELECT pg_temp.nodes('SELECT DISTINCT a <=> ''[1,3]'' FROM kinds ORDER BY 1');

-- A second distance is not the index's to order by, in a partition no more than in a table.
CREATE TABLE grid (id int, v vector(2));
INSERT INTO grid SELECT 100 * x + y, ARRAY[x, y]::vector
FROM generate_series(-9, 9) x, generate_series(-9, 9) y;
CREATE INDEX grid_v ON grid USING hnsw (v vector_l2_ops);
CREATE INDEX grid_near ON grid USING hnsw (v vector_l2_ops) WHERE id > 0;
ANALYZE grid;
RESET enable_sort;
RESET enable_hashagg;
RESET hnsw.ef_search;
SELECT pg_temp.nodes($$SELECT v FROM grid ORDER BY v <-> '[0,0]', v <-> '[1,0]' LIMIT 9$$);
SELECT v FROM grid ORDER BY v <-> '[0,0]', v <-> '[1,0]', v <-> '[1,2]' LIMIT 9;
SELECT pg_temp.nodes($$SELECT v FROM grid WHERE id > 0 ORDER BY v <-> '[0,0]', v <-> '[1,0]' LIMIT 9$$);
SELECT v FROM grid WHERE id > 0 ORDER BY v <-> '[0,0]', v <-> '[1,0]', v <-> '[1,2]' LIMIT 5;
SELECT pg_temp.nodes(format('SELECT v FROM parts ORDER BY v <-> %L, v <-> %L LIMIT 9', v, v + v))
FROM signs WHERE id = 1;
PREPARE two(vector, vector) AS SELECT v FROM grid ORDER BY v <-> $1, v <-> $2, v <-> '[1,2]' LIMIT 3;
SET plan_cache_mode = force_generic_plan;
EXECUTE two('[0,0]', '[1,0]');
EXECUTE two(NULL, '[1,0]');
RESET plan_cache_mode;
-- Nor is a scan without an order. Where a number that is not a distance comes second, the server may
-- have the index order by the first.
SELECT pg_temp.nodes('SELECT count(*) FROM grid WHERE id > 0');
SELECT v FROM grid ORDER BY v <-> '[0,0]', id LIMIT 9;

SELECT * FROM hnsw_check('signs_v', true);
SELECT * FROM hnsw_check('kinds_cosine', true);
SELECT * FROM hnsw_check('kinds_ip_b', true);
SELECT * FROM hnsw_check('kinds_l1_b', true);
DEALLOCATE two;
DROP TABLE signs, parts, levels, cloud, kinds, grid;
