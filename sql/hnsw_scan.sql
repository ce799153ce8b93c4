-- Searches by index: the same rows in the same order as exact search, in every kind of query.

-- A sequential scan that is disabled looks dear enough to be compiled.
SET jit = off;

-- Numbers between -1 and 1 that look random and are the same everywhere.
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;
-- The ids of a query by index, whose plan must have an index scan in order of distance.
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
CREATE FUNCTION pg_temp.exact(query text) RETURNS int[] LANGUAGE plpgsql
    SET enable_indexscan = off AS $$
DECLARE
    ids int[];
BEGIN
    EXECUTE format('SELECT array_agg(id) FROM (%s) s', query) INTO ids;
    RETURN ids;
END $$;

-- Every operator class and codec: all that is found is in order, and the first rows are the right
-- ones. (By inner product, a row that is near to nothing may stay out of reach.)
CREATE FUNCTION pg_temp.compare(n_dims int, class text, operator text,
                                OUT all_found boolean, OUT in_order int, OUT first_equal int,
                                OUT problems bigint)
LANGUAGE plpgsql SET hnsw.ef_search = 300 SET enable_seqscan = off AS $$
DECLARE
    query vector;
    exact float8[];
    found float8[];
    ids int[];
    n_rows bigint;
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE points (id int, v vector(%s))', n_dims);
    INSERT INTO points SELECT i, pg_temp.noise(i, n_dims) FROM generate_series(1, 250) i;
    INSERT INTO points VALUES (1001, NULL), (1002, NULL);
    EXECUTE format('CREATE INDEX points_v ON points USING hnsw (v %s)', class);
    all_found := true;
    in_order := 0;
    first_equal := 0;
    FOR q IN 1 .. 5 LOOP
        query := pg_temp.noise(-q, n_dims);
        EXECUTE format('SELECT array_agg(d ORDER BY d) FROM (SELECT v %s $1 AS d FROM points '
                       'WHERE v IS NOT NULL) s', operator) INTO exact USING query;
        EXECUTE format('SELECT array_agg(d), array_agg(id) FROM '
                       '(SELECT id, v %1$s $1 AS d FROM points ORDER BY v %1$s $1 LIMIT 1000) s',
                       operator) INTO found, ids USING query;
        n_rows := (SELECT count(DISTINCT id) FROM unnest(ids) id);
        all_found := all_found AND n_rows = cardinality(found)
                     AND (n_rows = 250 OR operator = '<#>' AND n_rows >= 245);
        in_order := in_order + (found = ARRAY(SELECT d FROM unnest(found) d ORDER BY d))::int;
        EXECUTE format('SELECT array_agg(d) FROM '
                       '(SELECT v %1$s $1 AS d FROM points ORDER BY v %1$s $1 LIMIT 7) s',
                       operator) INTO found USING query;
        first_equal := first_equal + (found = exact[1:7])::int;
    END LOOP;
    SELECT count(*) INTO problems FROM hnsw_check('points_v', true);
    DROP TABLE points;
END $$;
SET vector_ext.exact_order = on;
SELECT class, n_dims, t.*
FROM (VALUES ('vector_l2_ops', '<->'), ('vector_ip_ops', '<#>'), ('vector_cosine_ops', '<=>'),
             ('vector_l1_ops', '<+>')) c (class, operator),
     unnest(ARRAY[3, 40, 300]) n_dims, pg_temp.compare(n_dims, class, operator) t
ORDER BY 1, 2;
SET vector_ext.glance_reads = off;
SELECT class, n_dims, t.*
FROM (VALUES ('vector_l2_ops', '<->'), ('vector_l1_ops', '<+>')) c (class, operator),
     unnest(ARRAY[3, 40, 300]) n_dims, pg_temp.compare(n_dims, class, operator) t
ORDER BY 1, 2;
RESET vector_ext.glance_reads;
RESET vector_ext.exact_order;
-- Without exact order, up to 256 dimensions and by L1 it is exact all the same.
SELECT class, n_dims, t.*
FROM (VALUES ('vector_l2_ops', '<->', 3), ('vector_ip_ops', '<#>', 3),
             ('vector_cosine_ops', '<=>', 40), ('vector_ip_ops', '<#>', 40),
             ('vector_l2_ops', '<->', 256), ('vector_l1_ops', '<+>', 300))
     c (class, operator, n_dims), pg_temp.compare(n_dims, class, operator) t
ORDER BY 1, 2;

-- Beyond, rows come nearly in order.
CREATE TEMPORARY TABLE points (id int, v vector(300));
INSERT INTO points SELECT i, pg_temp.noise(i, 300) FROM generate_series(1, 250) i;
CREATE INDEX points_l2 ON points USING hnsw (v vector_l2_ops);
CREATE INDEX points_cosine ON points USING hnsw (v vector_cosine_ops);
SET hnsw.ef_search = 300;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT count(*), min(d / farthest) > 0.99 AS in_order
FROM (SELECT d, max(d) OVER (ROWS UNBOUNDED PRECEDING) AS farthest
      FROM (SELECT v <-> pg_temp.noise(-1, 300) AS d FROM points
            ORDER BY v <-> pg_temp.noise(-1, 300) LIMIT 1000) s) t;
SELECT count(*), min(d / farthest) > 0.99 AS in_order
FROM (SELECT d, max(d) OVER (ROWS UNBOUNDED PRECEDING) AS farthest
      FROM (SELECT v <=> pg_temp.noise(-1, 300) AS d FROM points
            ORDER BY v <=> pg_temp.noise(-1, 300) LIMIT 1000) s) t;
RESET enable_seqscan;
RESET enable_sort;
SELECT * FROM hnsw_check('points_l2', true);
SELECT * FROM hnsw_check('points_cosine', true);
DROP TABLE points;

-- A table that is larger than what a search looks at.
CREATE TABLE items (id int PRIMARY KEY, category int, v vector(3));
INSERT INTO items SELECT i, i % 4, pg_temp.noise(i, 3) FROM generate_series(1, 4000) i;
INSERT INTO items VALUES (5001, 1, NULL), (5002, 2, '[0,0,0]'), (5003, 3, '[0,0,0]');
CREATE INDEX items_l2 ON items USING hnsw (v vector_l2_ops);
CREATE INDEX items_cosine ON items USING hnsw (v vector_cosine_ops);
CREATE TABLE probes (id int PRIMARY KEY, q vector(3));
INSERT INTO probes SELECT i, pg_temp.noise(-i, 3) FROM generate_series(1, 6) i;
INSERT INTO probes VALUES (7, NULL);
ANALYZE items, probes;

-- Plans: an index for ORDER BY its operator with LIMIT, and for nothing else.
SET hnsw.ef_search = 40;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <=> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT v FROM items ORDER BY '[1,2,3]' <-> v LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE category = 1 ORDER BY v <-> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,2,3]' OFFSET 3 LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,2,3]';
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,2,3]' DESC LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <#> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY l2_distance(v, '[1,2,3]') LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY (v <-> '[1,2,3]') + 0 LIMIT 5;
EXPLAIN (COSTS OFF) SELECT count(*) FROM items;
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE v = '[1,2,3]';
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE v <-> '[1,2,3]' < 1;
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE id = 7 ORDER BY v <-> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF)
SELECT p.id, n.id FROM probes p,
    LATERAL (SELECT i.id FROM items i ORDER BY i.v <-> p.q LIMIT 3) n;

-- Filters, offsets, limits, expressions as query.
SET hnsw.ef_search = 400;
CREATE FUNCTION pg_temp.both(query text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN by_index = exact THEN 'equal: ' || cardinality(exact)
                ELSE by_index::text || ' instead of ' || exact::text END
    FROM (SELECT pg_temp.by_index(query), pg_temp.exact(query)) s
$$;
SELECT pg_temp.both($$SELECT id FROM items ORDER BY v <-> '[0.1,0.2,0.3]' LIMIT 10$$);
SELECT pg_temp.both($$SELECT id FROM items ORDER BY v <-> '[0.1,0.2,0.3]' LIMIT 300$$);
SELECT pg_temp.both($$SELECT id FROM items ORDER BY v <-> '[0.1,0.2,0.3]' OFFSET 30 LIMIT 10$$);
SELECT pg_temp.both($$SELECT id FROM items ORDER BY v <-> '[0.1,0.2,0.3]' LIMIT 1$$);
SELECT pg_temp.by_index($$SELECT id FROM items ORDER BY v <-> '[0.1,0.2,0.3]' LIMIT 0$$);
SELECT pg_temp.both($$SELECT id FROM items WHERE category = 2
                      ORDER BY v <-> '[0.1,0.2,0.3]' LIMIT 20$$);
SELECT pg_temp.both($$SELECT id FROM items WHERE id % 10 = 3 AND category IN (1, 3)
                      ORDER BY v <=> '[0.1,0.2,0.3]' LIMIT 10$$);
SELECT pg_temp.both($$SELECT id FROM items WHERE v <-> '[0.1,0.2,0.3]' < 0.2
                      ORDER BY v <-> '[0.1,0.2,0.3]' LIMIT 5$$);
SELECT pg_temp.both($$SELECT id FROM items ORDER BY v <-> '[9,9,9]' LIMIT 10$$);
SELECT pg_temp.both($$SELECT id FROM items ORDER BY v <-> ARRAY[1,0,-1]::vector LIMIT 10$$);
SELECT pg_temp.both($$SELECT id FROM items ORDER BY v <-> (SELECT avg(v) + '[.3,0,0]'
                      FROM items) LIMIT 10$$);
SELECT pg_temp.both($$SELECT id FROM items
                      ORDER BY (SELECT q FROM probes WHERE id = 2) <=> v LIMIT 5$$);
SELECT pg_temp.both($$SELECT id FROM items WHERE id IN (SELECT id FROM items ORDER BY
                      v <-> '[0.1,0.2,0.3]' LIMIT 5) ORDER BY v <-> '[0.1,0.2,0.25]' LIMIT 5$$);
SELECT cardinality(pg_temp.by_index(
    $$SELECT id FROM items ORDER BY v <-> '[0,0,0]' LIMIT 10000$$));
SELECT id, v, v <-> '[0,0,0]' AS distance FROM items ORDER BY v <-> '[0,0,0]', id LIMIT 2;

-- Joins and rescans: one search after the other, with NULL among the queries.
SELECT pg_temp.both($$SELECT n.id FROM probes p, LATERAL
    (SELECT i.id, i.v <-> p.q AS d FROM items i ORDER BY i.v <-> p.q LIMIT 4) n
    WHERE p.id < 7 ORDER BY p.id, d, n.id$$);
SELECT p.id, count(*), count(d) FROM probes p, LATERAL
    (SELECT i.v <-> p.q AS d FROM items i ORDER BY i.v <-> p.q LIMIT 4) n
GROUP BY p.id ORDER BY p.id;
SELECT pg_temp.both($$SELECT (SELECT i.id FROM items i ORDER BY i.v <-> p.q LIMIT 1) FROM probes p
                      WHERE p.id < 7$$);
SELECT pg_temp.both($$SELECT n.id FROM probes p, LATERAL
    (SELECT i.id, i.v <-> p.q AS d FROM items i JOIN probes o ON o.id = i.category
     ORDER BY i.v <-> p.q LIMIT 4) n WHERE p.id < 4 ORDER BY p.id, d, n.id$$);
SELECT pg_temp.both($$SELECT id FROM items i WHERE EXISTS (SELECT FROM probes p WHERE
                      p.id = i.category) ORDER BY v <-> '[0.3,0.2,0.1]' LIMIT 10$$);

-- NULL queries, zero vectors: all rows of the index, in any order.
SET enable_seqscan = off;
SET enable_sort = off;
SET hnsw.ef_search = 1000;
SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> (SELECT NULL::vector) LIMIT 10000) s;
SELECT count(*), count(v), count(d) FROM
    (SELECT v, v <=> (SELECT q FROM probes WHERE id = 7) AS d FROM items
     ORDER BY v <=> (SELECT q FROM probes WHERE id = 7) LIMIT 10000) s;
SELECT count(*), count(*) FILTER (WHERE v = '[0,0,0]') AS zeros FROM
    (SELECT v FROM items ORDER BY v <=> '[0,0,0]' LIMIT 10000) s;
SELECT count(*), count(*) FILTER (WHERE v = '[0,0,0]') AS zeros FROM
    (SELECT v FROM items ORDER BY v <-> '[0,0,0]' LIMIT 10000) s;

-- Queries of other dimensions.
SELECT id FROM items ORDER BY v <-> '[1,2]' LIMIT 1;
\echo :SQLSTATE
SELECT id FROM items ORDER BY v <=> '[1,2,3,4]' LIMIT 1;
SELECT id FROM items ORDER BY v <-> (SELECT '[1]'::vector) LIMIT 1;

-- Prepared statements.
RESET hnsw.ef_search;
PREPARE nearest (vector, int) AS SELECT id FROM items ORDER BY v <-> $1 LIMIT $2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest ('[1,1,1]', 2);
EXECUTE nearest ('[9,9,9]', 1);
EXECUTE nearest ('[-9,9,9]', 1);
EXECUTE nearest ('[1,1]', 1);
EXECUTE nearest (NULL, 0);
RESET plan_cache_mode;
DEALLOCATE nearest;

-- Cursors: as far as they are read; scrolling; while their rows go; held over the end.
CREATE FUNCTION pg_temp.rest_of(name refcursor) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    n int;
BEGIN
    MOVE FORWARD ALL FROM name;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
BEGIN;
DECLARE forward CURSOR FOR SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 5);
FETCH 1 FROM forward;
MOVE 20 FROM forward;
SELECT pg_temp.rest_of('forward');
SELECT pg_temp.rest_of('forward');
CLOSE forward;
DECLARE scrolling SCROLL CURSOR FOR
    SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 6) LIMIT 4;
FETCH 1 FROM scrolling;
SELECT pg_temp.rest_of('scrolling');
FETCH FIRST FROM scrolling;
SELECT pg_temp.rest_of('scrolling');
DECLARE seen CURSOR FOR SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 7);
FETCH 1 FROM seen;
DELETE FROM items WHERE id <= 4000;
SET LOCAL vector_ext.insert_batch = 0;
INSERT INTO items SELECT 7, 0, '[9,9,9]';
SELECT pg_temp.rest_of('seen');
SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> '[0,0,0]' LIMIT 100) s;
ROLLBACK;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR
    SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 8) LIMIT 5;
COMMIT;
FETCH 1 FROM held;
SELECT pg_temp.rest_of('held');
CLOSE held;

-- Functions, aggregates and other nodes over an index scan.
CREATE FUNCTION pg_temp.walk(start vector, wanted int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    item record;
    n int := 0;
BEGIN
    FOR item IN SELECT id, v FROM items ORDER BY v <-> start LIMIT wanted LOOP
        n := n + (SELECT count(*) FROM (SELECT FROM items ORDER BY v <-> item.v LIMIT 2) s);
        EXIT WHEN n >= 20;
    END LOOP;
    RETURN n;
END $$;
SELECT pg_temp.walk('[0.5,0.5,0.5]', 30);
WITH near AS MATERIALIZED (SELECT id, category FROM items ORDER BY v <-> '[0,0,0]' LIMIT 30)
SELECT sum(count(*)) OVER () AS rows FROM near GROUP BY category LIMIT 1;
DELETE FROM items
WHERE id = (SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 100) LIMIT 1)
RETURNING id;
UPDATE items SET category = 9
WHERE id IN (SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 101) LIMIT 1)
RETURNING id;
SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 102) LIMIT 1 FOR UPDATE;
SELECT id FROM (SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 103) LIMIT 1) s
UNION ALL
SELECT id FROM (SELECT id FROM items ORDER BY v <=> (SELECT v FROM items WHERE id = 104) LIMIT 1) s;
RESET enable_seqscan;
RESET enable_sort;

SELECT * FROM hnsw_check('items_l2', true);
SELECT * FROM hnsw_check('items_cosine', true);
DROP TABLE items, probes;

-- More indexes than a session keeps codecs of are read at once; then again in new files.
CREATE TABLE many (part int, id int, v vector(300)) PARTITION BY LIST (part);
DO $$
BEGIN
    FOR i IN 1 .. 20 LOOP
        EXECUTE format('CREATE TABLE many_%s PARTITION OF many FOR VALUES IN (%s)', i, i);
    END LOOP;
END $$;
INSERT INTO many SELECT i, j, pg_temp.noise(1000 * i + j, 300)
FROM generate_series(1, 20) i, generate_series(1, 30) j;
CREATE INDEX many_v ON many USING hnsw (v vector_l2_ops);
CREATE FUNCTION pg_temp.count_wrong() RETURNS int LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_sort = off AS $$
DECLARE
    cursors refcursor[];
    one refcursor;
    right_ids int[];
    id int;
    n_wrong int := 0;
BEGIN
    FOR i IN 1 .. 20 LOOP
        one := NULL;
        OPEN one FOR EXECUTE
            format('SELECT id FROM many_%s ORDER BY v <-> pg_temp.noise(-%s, 300)', i, i);
        cursors[i] := one;
    END LOOP;
    FOR nth IN 1 .. 3 LOOP
        FOR i IN 1 .. 20 LOOP
            right_ids := pg_temp.exact(format(
                'SELECT id FROM many_%s ORDER BY v <-> pg_temp.noise(-%s, 300) LIMIT 3', i, i));
            one := cursors[i];
            FETCH one INTO id;
            n_wrong := n_wrong + (id IS DISTINCT FROM right_ids[nth])::int;
        END LOOP;
    END LOOP;
    FOR i IN 1 .. 20 LOOP
        one := cursors[i];
        CLOSE one;
    END LOOP;
    RETURN n_wrong;
END $$;
SELECT pg_temp.count_wrong(), pg_temp.count_wrong();
REINDEX TABLE many;
SELECT pg_temp.count_wrong();
BEGIN;
TRUNCATE many;
INSERT INTO many SELECT i, j, pg_temp.noise(5000 * i + j, 300)
FROM generate_series(1, 20) i, generate_series(1, 30) j;
SELECT pg_temp.count_wrong();
ROLLBACK;
SELECT pg_temp.count_wrong();
DROP TABLE many;

-- A codec that is kept from before an index got its centroid is not used after: another session
-- understands the codes.
CREATE TABLE grown (id int, v vector(300));
CREATE INDEX grown_v ON grown USING hnsw (v vector_l2_ops);
SET enable_seqscan = off;
SELECT id FROM grown ORDER BY v <-> pg_temp.noise(0, 300) LIMIT 1;
INSERT INTO grown SELECT i, pg_temp.noise(i, 300) + array_fill(0.5, ARRAY[300])::vector
FROM generate_series(1, 1200) i;
SELECT id FROM grown ORDER BY v <-> pg_temp.noise(100, 300) + array_fill(0.5, ARRAY[300])::vector
LIMIT 1;
\c -
SELECT * FROM hnsw_check('grown_v', true);
DROP TABLE grown;
