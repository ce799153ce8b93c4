-- A LIMIT is filled: a scan goes on by itself, unless hnsw.iterative_scan was set.

-- A sequential scan that is disabled looks dear enough to be compiled.
SET jit = off;
SET enable_seqscan = off;
SET enable_sort = off;

-- Numbers between -1 and 1 that look random and are the same everywhere.
CREATE FUNCTION fill_noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;
CREATE TABLE items (id int PRIMARY KEY, tenant int, v vector(12))
    WITH (autovacuum_enabled = off);
INSERT INTO items SELECT i, i % 50, fill_noise(i, 12) FROM generate_series(1, 4000) i;
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
ANALYZE items;

-- How many rows a query returns, how many different ones, and of them how many an exact search
-- returns. The query's rows are ids.
CREATE FUNCTION fill_judge(query text, OUT n bigint, OUT n_different bigint, OUT n_right bigint)
LANGUAGE plpgsql AS $$
DECLARE
    line text;
    by_index boolean := false;
    found int[];
    exact int[];
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        by_index := by_index OR line LIKE '%Order By:%';
    END LOOP;
    ASSERT by_index, 'no index is used';
    EXECUTE 'SELECT array_agg(id) FROM (' || query || ') s' INTO found;
    PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true),
            set_config('enable_sort', 'on', true);
    EXECUTE 'SELECT array_agg(id) FROM (' || query || ') s' INTO exact;
    PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true),
            set_config('enable_sort', 'off', true);
    n := coalesce(cardinality(found), 0);
    n_different := (SELECT count(DISTINCT f) FROM unnest(found) f);
    n_right := (SELECT count(*) FROM (SELECT unnest(found) INTERSECT SELECT unnest(exact)) s);
END $$;
CREATE FUNCTION fill_count() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> fill_noise(-1, 12) LIMIT 300) s
$$;

-- Who sets hnsw.iterative_scan, to whatever, gets that; who does not, a filled LIMIT.
SHOW hnsw.iterative_scan;
SHOW vector_ext.fill_limit;
SELECT fill_count();
SET hnsw.iterative_scan = off;
SHOW hnsw.iterative_scan;
SELECT fill_count();
SET hnsw.iterative_scan = relaxed_order;
SELECT fill_count();
RESET hnsw.iterative_scan;
SELECT fill_count();
SET hnsw.iterative_scan TO DEFAULT;
SELECT fill_count();
SET vector_ext.fill_limit = off;
SELECT fill_count();
SET hnsw.iterative_scan = relaxed_order;
SELECT fill_count();
RESET ALL;
SET jit = off;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT fill_count();
BEGIN;
SET LOCAL hnsw.iterative_scan = off;
SELECT fill_count();
SAVEPOINT inner_one;
SET LOCAL hnsw.iterative_scan = strict_order;
SELECT fill_count();
ROLLBACK TO inner_one;
SELECT fill_count();
COMMIT;
SELECT fill_count();
CREATE FUNCTION fill_count_off() RETURNS bigint LANGUAGE sql VOLATILE
    SET hnsw.iterative_scan = off AS 'SELECT fill_count()';
SELECT fill_count_off(), fill_count();
-- In a parallel worker.
SELECT count(set_config(name, 'on', false)) FROM pg_settings
WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT fill_count();
SET hnsw.iterative_scan = off;
SELECT fill_count();
RESET hnsw.iterative_scan;
SET vector_ext.fill_limit = off;
SELECT fill_count();
-- Set before the library is loaded; by a role.
\c
SET hnsw.iterative_scan = off;
SET enable_seqscan = off;
SELECT fill_count();
\c
SET vector_ext.fill_limit = off;
SET enable_seqscan = off;
SELECT fill_count();
DO $$ BEGIN EXECUTE format('ALTER ROLE %I SET hnsw.iterative_scan = off', current_user); END $$;
\c
SET enable_seqscan = off;
SELECT fill_count();
SET hnsw.iterative_scan = relaxed_order;
SELECT fill_count();
RESET hnsw.iterative_scan;
SELECT fill_count();
DO $$ BEGIN EXECUTE format('ALTER ROLE %I RESET hnsw.iterative_scan', current_user); END $$;
\c
SET jit = off;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT fill_count();

-- Conditions, LIMIT and OFFSET beyond the beam.
SELECT n, n_different, n_right >= 4 AS right FROM fill_judge(
    'SELECT id FROM items WHERE tenant = 3 ORDER BY v <-> fill_noise(-1, 12) LIMIT 4');
SELECT n, n_different, n_right >= 75 AS right FROM fill_judge(
    'SELECT id FROM items WHERE tenant = 3 ORDER BY v <-> fill_noise(-1, 12) LIMIT 1000');
SELECT n, n_different, n_right >= 48 AS right FROM fill_judge(
    'SELECT id FROM items ORDER BY v <-> fill_noise(-1, 12) LIMIT 50');
SELECT n, n_different, n_right >= 9 AS right FROM fill_judge(
    'SELECT id FROM items ORDER BY v <-> fill_noise(-1, 12) LIMIT 10 OFFSET 40');
SELECT n, n_different, n_right >= 1980 AS right FROM fill_judge(
    'SELECT id FROM items ORDER BY v <-> fill_noise(-1, 12) LIMIT 1990');
SELECT n, n_different FROM fill_judge(
    'SELECT id FROM items ORDER BY v <-> fill_noise(-1, 12)');
SELECT n, n_different FROM fill_judge(
    'SELECT id FROM items WHERE tenant = 50 ORDER BY v <-> fill_noise(-1, 12) LIMIT 5');

-- Conditions that the query does not show: of a view, of a join, of a policy.
CREATE VIEW mine AS SELECT * FROM items WHERE tenant IN (7, 8);
SELECT n, n_different, n_right >= 19 AS right FROM fill_judge(
    'SELECT id FROM mine ORDER BY v <-> fill_noise(-2, 12) LIMIT 20');
CREATE TABLE owners (tenant int PRIMARY KEY, name text);
INSERT INTO owners SELECT i, CASE WHEN i = 11 THEN 'a' ELSE 'b' END FROM generate_series(0, 49) i;
ANALYZE owners;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT n, n_different, n_right >= 9 AS right FROM fill_judge(
    $$SELECT id FROM items JOIN owners USING (tenant) WHERE name = 'a'
      ORDER BY v <-> fill_noise(-3, 12) LIMIT 10$$);
RESET enable_hashjoin;
RESET enable_mergejoin;
CREATE ROLE fill_tenant;
GRANT SELECT ON items TO fill_tenant;
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON items FOR SELECT TO fill_tenant USING (tenant = 5);
SET ROLE fill_tenant;
SELECT n, n_different, n_right >= 9 AS right FROM fill_judge(
    'SELECT id FROM items ORDER BY v <-> fill_noise(-4, 12) LIMIT 10');
RESET ROLE;
ALTER TABLE items DISABLE ROW LEVEL SECURITY;

-- Searches inside of queries, and row by row.
SELECT q, count(*), count(DISTINCT id) FROM generate_series(1, 3) q, LATERAL
    (SELECT id FROM items WHERE tenant = 9 ORDER BY v <-> fill_noise(-q, 12) LIMIT 20 * q) s
GROUP BY q ORDER BY q;
SELECT count(*), count(DISTINCT id) FROM
    (SELECT DISTINCT ON (v <-> fill_noise(-5, 12)) id FROM items
     ORDER BY v <-> fill_noise(-5, 12) LIMIT 100) s;
BEGIN;
DECLARE page CURSOR FOR SELECT id FROM items ORDER BY v <-> fill_noise(-6, 12);
MOVE 40 FROM page;
FETCH 1 FROM page \gset first_
MOVE 100 FROM page;
FETCH 1 FROM page \gset later_
SELECT :first_id <> :later_id AS goes_on;
COMMIT;

-- Partitions.
CREATE TABLE parts (id int, v vector(12)) PARTITION BY HASH (id);
SELECT format('CREATE TABLE parts_%s PARTITION OF parts FOR VALUES WITH (MODULUS 4, REMAINDER %s)',
              i, i) FROM generate_series(0, 3) i \gexec
INSERT INTO parts SELECT id, v FROM items;
CREATE INDEX ON parts USING hnsw (v vector_cosine_ops);
ANALYZE parts;
SELECT n, n_different, n_right >= 990 AS right FROM fill_judge(
    'SELECT id FROM parts ORDER BY v <=> fill_noise(-7, 12) LIMIT 1000');

-- Rows that were deleted or changed hide no others, before and after VACUUM.
SELECT fill_noise(-8, 12) AS q \gset
DELETE FROM items WHERE id IN (SELECT id FROM items ORDER BY (v <-> :'q') + 0 LIMIT 400);
SELECT n, n_right >= 9 AS right FROM fill_judge(
    format('SELECT id FROM items ORDER BY v <-> %L LIMIT 10', :'q'));
UPDATE items SET v = fill_noise(id + 10000, 12)
WHERE id IN (SELECT id FROM items ORDER BY (v <-> :'q') + 0 LIMIT 400);
SELECT n, n_right >= 9 AS right FROM fill_judge(
    format('SELECT id FROM items ORDER BY v <-> %L LIMIT 10', :'q'));
VACUUM items;
SELECT n, n_right >= 9 AS right FROM fill_judge(
    format('SELECT id FROM items ORDER BY v <-> %L LIMIT 10', :'q'));

-- Its limits end a scan. It is counted if more was asked for, in this session.
SELECT cut_short FROM hnsw_info('items_v');
SET hnsw.max_scan_tuples = 500;
SELECT fill_count();
SELECT cut_short FROM hnsw_info('items_v');
SELECT count(*) FROM (SELECT id FROM items WHERE tenant = 50
                      ORDER BY v <-> fill_noise(-1, 12) LIMIT 1) s;
SELECT cut_short FROM hnsw_info('items_v');
RESET hnsw.max_scan_tuples;
SELECT count(*) FROM (SELECT id FROM items WHERE tenant = 50
                      ORDER BY v <-> fill_noise(-1, 12) LIMIT 1) s;
SELECT cut_short FROM hnsw_info('items_v');

SELECT * FROM hnsw_check('items_v', true);

-- A strict order drops what is found too late. Codes of 8 bits give bounds far below their estimates:
-- what is already known must not come too late for that.
CREATE TABLE coarse (id int, part int, v vector(64)) WITH (autovacuum_enabled = off);
INSERT INTO coarse SELECT i, i % 50, fill_noise(i, 64) FROM generate_series(1, 5000) i;
CREATE INDEX coarse_v ON coarse USING hnsw (v vector_l2_ops);
ANALYZE coarse;
CREATE VIEW coarse_judged AS
    SELECT part_size, wanted, ties.n AS ties, ties.n_right >= 0.8 * wanted AS ties_right,
           strict.n AS strict, strict.n_right >= 0.8 * wanted AS strict_right
    FROM (VALUES (1, 50), (5, 10), (5, 200), (50, 100)) c (part_size, wanted),
         LATERAL fill_judge(format('SELECT id FROM coarse WHERE part < %s
             ORDER BY v <-> fill_noise(-7, 64) FETCH FIRST %s ROWS WITH TIES', part_size, wanted)) ties,
         LATERAL fill_judge(format('SELECT id FROM coarse WHERE part < %s
             ORDER BY v <-> fill_noise(-7, 64) LIMIT %s', part_size, wanted)) strict;
BEGIN;
SET LOCAL hnsw.ef_search = 80;
SET LOCAL hnsw.iterative_scan = strict_order;
SELECT * FROM coarse_judged;
ROLLBACK;
DROP VIEW coarse_judged;
DROP TABLE coarse;

DROP TABLE items, owners, parts CASCADE;
DROP FUNCTION fill_noise, fill_judge, fill_count, fill_count_off;
DROP ROLE fill_tenant;

-- Where exact order is asked for, a scan that goes on keeps it; else nearer rows may come late.
BEGIN;
CREATE TABLE in_order AS
SELECT i, (SELECT array_agg(hashint8extended(i * 100 + j, 1) & 255)
           FROM generate_series(1, 24) j)::vector(24) AS v
FROM generate_series(1, 3000) i;
CREATE INDEX in_order_v ON in_order USING hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 8);
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
SET LOCAL hnsw.ef_search = 2;
CREATE FUNCTION pg_temp.judge(OUT n bigint, OUT has_late boolean) LANGUAGE sql AS $$
SELECT count(*), bool_or(d < previous)
FROM (SELECT d, lag(d) OVER (ORDER BY n) AS previous
      FROM unnest(ARRAY(SELECT v <-> array_fill(128, ARRAY[24])::vector FROM in_order
                        ORDER BY v <-> array_fill(128, ARRAY[24])::vector LIMIT 300))
           WITH ORDINALITY AS u (d, n)) s $$;
SELECT * FROM pg_temp.judge();
SET LOCAL vector_ext.exact_order = on;
SELECT n > 150 AS many, has_late FROM pg_temp.judge();
ROLLBACK;
