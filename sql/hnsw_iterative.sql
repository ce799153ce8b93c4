-- Iterative scans: what goes on when the rows of a search do not suffice, and when it ends.

-- A sequential scan that is disabled looks dear enough to be compiled.
SET jit = off;

-- Numbers between -1 and 1 that look random and are the same everywhere.
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;

-- A crowd around the origin and 30 rows far away.
CREATE TABLE items (id int PRIMARY KEY, is_far boolean, v vector(3));
INSERT INTO items SELECT i, false, pg_temp.noise(i, 3) FROM generate_series(1, 2000) i;
INSERT INTO items
SELECT i, true, pg_temp.noise(i, 3) + '[9,9,9]' FROM generate_series(2001, 2030) i;
INSERT INTO items VALUES (3001, true, NULL);
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
SET enable_seqscan = off;
SET enable_sort = off;

-- How many rows, how many different ones, and whether they are in order.
CREATE FUNCTION pg_temp.far(wanted int, OUT n bigint, OUT n_different bigint,
                            OUT in_order boolean) LANGUAGE sql AS $$
    SELECT count(*), count(DISTINCT id), coalesce(bool_and(d >= before), true)
    FROM (SELECT id, d, lag(d, 1, d) OVER () AS before
          FROM (SELECT id, v <-> '[0,0,0]' AS d FROM items WHERE is_far
                ORDER BY v <-> '[0,0,0]' LIMIT wanted) s) t
$$;
CREATE FUNCTION pg_temp.near(wanted int, OUT n bigint, OUT n_different bigint,
                             OUT in_order boolean) LANGUAGE sql AS $$
    SELECT count(*), count(DISTINCT id), coalesce(bool_and(d >= before), true)
    FROM (SELECT id, d, lag(d, 1, d) OVER () AS before
          FROM (SELECT id, v <-> '[0,0,0]' AS d FROM items
                ORDER BY v <-> '[0,0,0]' LIMIT wanted) s) t
$$;

-- Off: the rows of one search, all of the crowd.
SET hnsw.iterative_scan = off;
SELECT * FROM pg_temp.far(10);
SELECT * FROM pg_temp.near(3000);

-- Relaxed: all rows that are asked for, each once.
SET hnsw.iterative_scan = relaxed_order;
SELECT n, n_different FROM pg_temp.far(10);
SELECT n, n_different FROM pg_temp.far(30);
SELECT n, n_different FROM pg_temp.far(100);
SELECT n, n_different FROM pg_temp.near(3000);
SELECT * FROM pg_temp.near(40);
SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> (SELECT NULL::vector)) s;
SET hnsw.ef_search = 1;
SELECT n, n_different FROM pg_temp.far(100);
SELECT n, n_different FROM pg_temp.near(3000);
RESET hnsw.ef_search;

-- Strict: never out of order; rows found too late are left out.
SET hnsw.iterative_scan = strict_order;
SELECT n > 1900 AND n = n_different AS most, in_order FROM pg_temp.near(3000);
SELECT n, n_different, in_order FROM pg_temp.far(10);
SELECT * FROM pg_temp.near(60);
SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> (SELECT NULL::vector)) s;

-- max_scan_tuples and memory end it; what was seen is still returned. The first search is whole.
SET hnsw.iterative_scan = relaxed_order;
SET hnsw.max_scan_tuples = 1;
SELECT n BETWEEN 41 AND 1500 AND n = n_different AS few FROM pg_temp.near(3000);
SELECT * FROM pg_temp.near(40);
SELECT n FROM pg_temp.far(10);
SET hnsw.max_scan_tuples = 1000;
SELECT n BETWEEN 1000 AND 1900 AS more FROM pg_temp.near(3000);
RESET hnsw.max_scan_tuples;
SET work_mem = '64kB';
SELECT n BETWEEN 41 AND 1900 AND n = n_different AS few FROM pg_temp.near(3000);
SET hnsw.scan_mem_multiplier = 100;
SELECT n FROM pg_temp.near(3000);
RESET work_mem;
RESET hnsw.scan_mem_multiplier;

-- The same with codes that are refined.
CREATE TABLE wide (id int, v vector(300));
INSERT INTO wide SELECT i, pg_temp.noise(i, 300) FROM generate_series(1, 500) i;
CREATE INDEX wide_v ON wide USING hnsw (v vector_l2_ops);
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM wide ORDER BY v <-> pg_temp.noise(0, 300) LIMIT 1000) s;
SET hnsw.iterative_scan = strict_order;
SELECT count(*) > 450 AND count(*) = count(DISTINCT id) AS most, bool_and(d >= before) AS in_order
FROM (SELECT id, d, lag(d, 1, d) OVER () AS before
      FROM (SELECT id, v <-> pg_temp.noise(0, 300) AS d FROM wide
            ORDER BY v <-> pg_temp.noise(0, 300) LIMIT 1000) s) t;
SET hnsw.ef_search = 500;
SELECT array_agg(id) = (SELECT array_agg(id) FROM
                        (SELECT id FROM wide ORDER BY (v <-> pg_temp.noise(0, 300)) + 0 LIMIT 5) e)
       AS exact
FROM (SELECT id FROM wide ORDER BY v <-> pg_temp.noise(0, 300) LIMIT 5) s;
RESET hnsw.ef_search;

-- Rescans start anew.
SET hnsw.iterative_scan = relaxed_order;
SELECT x, count(*), count(DISTINCT id)
FROM generate_series(1, 3) x, LATERAL
    (SELECT id FROM items WHERE is_far ORDER BY v <-> ARRAY[x, 0, 0]::vector LIMIT 10 * x) s
GROUP BY x ORDER BY x;
CREATE FUNCTION pg_temp.rest_of(name refcursor) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    n int;
BEGIN
    MOVE FORWARD ALL FROM name;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
-- A cursor goes on with the settings it began with.
BEGIN;
DECLARE rest CURSOR FOR SELECT id FROM items ORDER BY v <-> '[0,0,0]';
MOVE 50 FROM rest;
SET LOCAL hnsw.iterative_scan = off;
SELECT pg_temp.rest_of('rest');
COMMIT;

SELECT * FROM hnsw_check('items_v', true);
SELECT * FROM hnsw_check('wide_v', true);
DROP TABLE items, wide;
