-- Indexes on `sparsevec`: every operator class, expressions of `vector`, changes, tools, limits.

SET jit = off;
-- About `n_entries` of n_dims, two of three near one of twenty centres, the others anywhere, low
-- indices more often.
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int, n_entries int) RETURNS sparsevec
LANGUAGE sql IMMUTABLE AS $$
    SELECT ('{' || string_agg(index || ':' || value, ',') || '}/' || n_dims)::sparsevec
    FROM (SELECT 1 + CASE WHEN i % 3 > 0 THEN abs(hashint8extended(
                                 1000 * (seed % 20) + abs(hashint8(seed * 100000 + i)) % n_entries, 2)) % n_dims
                          ELSE floor((hashint8extended(seed * 100000 + i, 1)::float8 / 1.85e19 + 0.5) ^ 3 * n_dims)
                     END AS index,
                 min(0.1 + abs(round(hashint8extended(seed * 100000 + i, 0)::numeric / 9.3e18, 4))) AS value
          FROM generate_series(1, n_entries) i GROUP BY 1) s
$$;

-- Half of the rows are there when the index is built, the others come in statements of many rows and
-- of one; some are updated and deleted. Of fifty searches, in exact order: how many of the ten nearest
-- are found, judged by their distances since many are equally far; how many answers are out of order;
-- how many rows come first when searched for by their own vector.
CREATE FUNCTION pg_temp.try_class(class text, operator text, n_dims int, n_entries int,
                                  OUT recall float8, OUT out_of_order int, OUT own_first int,
                                  OUT metric text, OUT codec text, OUT dims int, OUT told float8,
                                  OUT problems bigint)
LANGUAGE plpgsql SET hnsw.ef_search = 100 SET vector_ext.exact_order = on AS $$
DECLARE
    searches text := format('
        SELECT q.id AS query, a.* FROM queries q, LATERAL
            (SELECT id, v = q.v AS is_own, v %1$s q.v AS d, row_number() OVER () AS place
             FROM (SELECT * FROM items WHERE v IS NOT NULL ORDER BY v %1$s q.v LIMIT 10) s) a',
        operator);
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE items (id int PRIMARY KEY, v sparsevec(%s))', n_dims);
    INSERT INTO items SELECT i, pg_temp.noise(i, n_dims, n_entries) FROM generate_series(1, 300) i;
    EXECUTE format('CREATE INDEX items_v ON items USING hnsw (v sparsevec_%s_ops)', class);
    INSERT INTO items SELECT i, pg_temp.noise(i, n_dims, n_entries) FROM generate_series(301, 500) i;
    FOR i IN 501 .. 540 LOOP
        INSERT INTO items VALUES (i, pg_temp.noise(i, n_dims, n_entries));
    END LOOP;
    -- More entries than those that the index was built for.
    INSERT INTO items SELECT i, pg_temp.noise(i, n_dims, 30 * n_entries) FROM generate_series(541, 560) i;
    INSERT INTO items VALUES (561, NULL);
    UPDATE items SET v = pg_temp.noise(id + 1000, n_dims, n_entries) WHERE id % 9 = 0;
    UPDATE items SET id = id + 1000 WHERE id % 10 = 1;
    DELETE FROM items WHERE id % 7 = 0;
    CREATE TEMPORARY TABLE queries AS
    SELECT i AS id, pg_temp.noise(5000 + i, n_dims, 1 + 20 * n_entries / i) AS v
    FROM generate_series(1, 25) i
    UNION ALL (SELECT 5000 + id, v FROM items WHERE v IS NOT NULL ORDER BY id LIMIT 25);
    SET LOCAL enable_indexscan = off;
    EXECUTE 'CREATE TEMPORARY TABLE exact AS ' || searches;
    SET LOCAL enable_indexscan = on;
    SET LOCAL enable_seqscan = off;
    EXECUTE 'CREATE TEMPORARY TABLE found AS ' || searches;
    SET LOCAL enable_seqscan = on;
    SELECT count(*) / 500.0 INTO recall
    FROM found JOIN (SELECT query, max(d) AS d FROM exact GROUP BY query) e USING (query)
    WHERE found.d <= e.d;
    SELECT count(*) INTO out_of_order
    FROM found a JOIN found b ON b.query = a.query AND b.place = a.place + 1 AND b.d < a.d;
    SELECT count(*) INTO own_first FROM found WHERE place = 1 AND is_own;
    SELECT i.metric, i.codec, i.dims INTO STRICT metric, codec, dims FROM hnsw_info('items_v') i;
    SELECT r.recall INTO STRICT told FROM hnsw_recall('items_v', 10, '{100}', 40) r;
    SELECT count(*) INTO problems FROM hnsw_check('items_v', true);
    DROP TABLE items, queries, exact, found;
END $$;
SELECT class, n_dims, n_entries, metric, codec, dims, recall > 0.9 AS is_found, out_of_order,
       own_first >= CASE class WHEN 'ip' THEN 0 ELSE 25 END AS owns_first, told > 0.9 AS is_told,
       problems
FROM (VALUES (1, 'l2', '<->'), (2, 'ip', '<#>'), (3, 'cosine', '<=>'), (4, 'l1', '<+>'))
         AS c (place, class, operator),
     (VALUES (1, 20, 4), (2, 30522, 20), (3, 1000000000, 10)) AS k (number, n_dims, n_entries),
     pg_temp.try_class(class, operator, n_dims, n_entries)
ORDER BY place, number;

-- NULL, no entries, other dimensions, the operator of another class.
CREATE TABLE items (id int, v sparsevec(5));
CREATE INDEX items_v ON items USING hnsw (v sparsevec_l2_ops);
INSERT INTO items SELECT i, ('{1:' || i || ',3:1}/5')::sparsevec FROM generate_series(1, 100) i;
INSERT INTO items VALUES (0, '{}/5'), (101, NULL);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '{1:50}/5' LIMIT 3;
SELECT id, v <-> '{1:50,3:1}/5' AS distance FROM items ORDER BY v <-> '{1:50,3:1}/5', id LIMIT 3;
SELECT id FROM items ORDER BY v <-> '{}/5' LIMIT 1;
SELECT id FROM items ORDER BY v <-> '[7,0,1,0,0]'::vector(5) LIMIT 1;
SELECT count(*) FROM (SELECT FROM items ORDER BY v <-> NULL LIMIT 200) s;
SELECT id FROM items ORDER BY v <-> '{1:1}/6' LIMIT 1;
INSERT INTO items VALUES (0, '{1:1}/6');
INSERT INTO items VALUES (0, '{1:3e38}/5');
-- (Newer servers say of a node that a setting disables it.)
CREATE FUNCTION pg_temp.nodes_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line !~ '^ *Disabled: ' THEN
            RETURN NEXT line;
        END IF;
    END LOOP;
END $$;
SELECT pg_temp.nodes_of($$SELECT id FROM items ORDER BY v <=> '{1:50}/5' LIMIT 3$$);

-- Scans go on, also behind filters; the order holds where it is asked for.
SET hnsw.ef_search = 10;
SELECT count(*) FROM (SELECT FROM items ORDER BY v <-> '{1:20}/5' LIMIT 200) s;
SELECT array_agg(id) FROM (SELECT id FROM items WHERE id % 25 = 7 ORDER BY v <-> '{1:50}/5' LIMIT 4) s;
SET hnsw.iterative_scan = strict_order;
SELECT count(*) AS rows, count(*) FILTER (WHERE d < before) AS out_of_order
FROM (SELECT d, lag(d) OVER () AS before
      FROM (SELECT v <-> '{1:40}/5' AS d FROM items ORDER BY v <-> '{1:40}/5' LIMIT 100) s) t;
RESET hnsw.iterative_scan;
RESET hnsw.ef_search;

-- Rows come by COPY, and go; their places are used again.
\getenv directory PG_ABS_BUILDDIR
\set file :directory '/results/hnsw_sparsevec.data'
\set load '\\copy items FROM ' :'file' ' (FORMAT binary)'
COPY (SELECT 1000 + i, ('{1:' || i * 0.25 || ',2:9}/5')::sparsevec FROM generate_series(1, 200) i)
    TO STDOUT (FORMAT binary) \g :file
:load
SELECT id FROM items ORDER BY v <-> '{1:10,2:9}/5' LIMIT 1;
DELETE FROM items WHERE id % 2 = 0;
VACUUM items;
SELECT id FROM items ORDER BY v <-> '{1:10,2:9}/5', id LIMIT 2;
INSERT INTO items SELECT 2000 + i, ('{1:' || i * 0.25 || ',2:19}/5')::sparsevec FROM generate_series(1, 100) i;
SELECT id FROM items ORDER BY v <-> '{1:10,2:19}/5' LIMIT 1;
SELECT * FROM hnsw_check('items_v', true);
REINDEX INDEX items_v;
SELECT id FROM items ORDER BY v <-> '{1:10,2:19}/5' LIMIT 1;
SELECT nodes FROM hnsw_info('items_v');
-- Equal values are one node.
INSERT INTO items SELECT 5000 + i, '{4:1}/5' FROM generate_series(1, 300) i;
SELECT nodes FROM hnsw_info('items_v');
SELECT count(*) FROM (SELECT v FROM items ORDER BY v <-> '{4:1}/5' LIMIT 300) s WHERE v = '{4:1}/5';
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;

-- By cosine a vector without entries is not in the index.
CREATE TABLE items (id int, v sparsevec(5));
INSERT INTO items VALUES (1, '{}/5'), (2, '{1:1}/5'), (3, '{1:2,2:1}/5');
CREATE INDEX items_v ON items USING hnsw (v sparsevec_cosine_ops);
INSERT INTO items VALUES (4, '{}/5'), (5, '{2:0.001}/5');
SELECT id FROM items ORDER BY v <=> '{1:3}/5';
SELECT count(*) FROM (SELECT FROM items ORDER BY v <=> '{}/5' LIMIT 9) s;
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;

-- Rows of more entries than a page has room for keep the largest in the index; the order is right.
CREATE TABLE items (id int, v sparsevec(100000));
INSERT INTO items SELECT i, pg_temp.noise(i, 100000, 10 + 400 * (i % 6)) FROM generate_series(1, 60) i;
CREATE INDEX items_v ON items USING hnsw (v sparsevec_l2_ops);
INSERT INTO items SELECT i, pg_temp.noise(i, 100000, 16000) FROM generate_series(61, 63) i;
SELECT id, round((v <-> (SELECT v FROM items WHERE id = 62))::numeric, 3) AS distance
FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 62) LIMIT 1;
SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 17) LIMIT 1;
SELECT count(*), count(*) FILTER (WHERE d < before) AS out_of_order
FROM (SELECT d, lag(d) OVER () AS before
      FROM (SELECT v <-> pg_temp.noise(0, 100000, 500) AS d FROM items
            ORDER BY v <-> pg_temp.noise(0, 100000, 500) LIMIT 63) s) t;
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;

-- An index on an expression of a column of `vector`.
CREATE TABLE items (id int, v vector(3));
INSERT INTO items SELECT i, ARRAY[i, 0, i % 2]::vector FROM generate_series(1, 200) i;
CREATE INDEX items_v ON items USING hnsw ((v::sparsevec(3)) sparsevec_l1_ops);
INSERT INTO items VALUES (300, '[300,1,1]'), (301, NULL);
SELECT id FROM items ORDER BY v::sparsevec(3) <+> '{1:100}/3' LIMIT 2;
SELECT id FROM items ORDER BY v::sparsevec(3) <+> '{1:299}/3' LIMIT 1;
SELECT recall > 0.95 AS is_told FROM hnsw_recall('items_v', 10, '{40}', 40);
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;

-- Types and limits.
CREATE TABLE items (v sparsevec, w sparsevec(1000000000), x vector(3));
CREATE INDEX ON items USING hnsw (v sparsevec_l2_ops);
CREATE INDEX ON items USING hnsw (w);
CREATE INDEX ON items USING hnsw (w vector_l2_ops);
CREATE INDEX ON items USING hnsw (x sparsevec_l2_ops);
CREATE INDEX items_w ON items USING hnsw (w sparsevec_ip_ops) WITH (m = 100, ef_construction = 200);
INSERT INTO items (w) SELECT ('{' || i || ':1,1000000000:1}/1000000000')::sparsevec
FROM generate_series(1, 20) i;
SELECT w FROM items ORDER BY w <#> '{7:1}/1000000000' LIMIT 1;
SELECT metric, codec, dims, m, cold_pages, centroid_offset FROM hnsw_info('items_w');
SELECT * FROM hnsw_check('items_w', true);
SELECT hnsw_prewarm('items_w') > 0 AS is_read;
ALTER TABLE items ALTER COLUMN w TYPE sparsevec;
DROP TABLE items;
RESET enable_seqscan;

-- Staged and merged.
CREATE TABLE items (id int PRIMARY KEY, v sparsevec(4));
CREATE INDEX items_v ON items USING hnsw (v sparsevec_l2_ops);
INSERT INTO items VALUES (1, '{1:1}/4'), (2, '{2:2}/4');
SELECT vector_rejects_table('rejects');
BEGIN;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage VALUES (2, '{2:5}/4'), (3, '{3:3}/4');
SELECT inserted, updated, rejected
FROM vector_bulk_upsert('items', 'stage', 'update', ARRAY['id'], reject_into => 'rejects');
SELECT vector_stage_for('items', 'lenient', lenient => true);
INSERT INTO lenient VALUES (5, '{1:5}/4'), (6, '{1:5}/5'), (7, 'oops'), (1, '{1:9}/4');
SELECT inserted, updated, rejected
FROM vector_bulk_upsert('items', 'lenient', 'update', ARRAY['id'], reject_into => 'rejects');
COMMIT;
SET enable_seqscan = off;
SELECT * FROM items ORDER BY v <-> '{1:6}/4';
SELECT sqlstate, message, raw FROM rejects ORDER BY key::int, message;
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items, rejects;
RESET enable_seqscan;

-- What an index would take.
SELECT hot_bytes, cold_bytes FROM hnsw_estimate(100000, 30522, entries => 250);
SELECT cold_bytes FROM hnsw_estimate(100000, 1000000000, entries => 250);
SELECT cold_bytes FROM hnsw_estimate(100000, 1000000000);
SELECT cold_bytes FROM hnsw_estimate(100000, 30522, entries => -1);
SELECT cold_bytes FROM hnsw_estimate(100000, 1, entries => 2);
SELECT cold_bytes FROM hnsw_estimate(100000, 30522, entries => 16001);
SELECT cold_bytes FROM hnsw_estimate(100000, 30522, metric => 'hamming', entries => 250);
CREATE TABLE items (v sparsevec(30522), w sparsevec);
INSERT INTO items SELECT pg_temp.noise(i, 30522, 100) FROM generate_series(1, 1000) i;
ANALYZE items;
CREATE INDEX items_v ON items USING hnsw (v sparsevec_ip_ops);
SELECT total_bytes BETWEEN 0.9 * pg_relation_size('items_v') AND 1.1 * pg_relation_size('items_v') AS is_near
FROM hnsw_estimate('items', 'v', metric => 'ip');
SELECT cold_bytes FROM hnsw_estimate('items', 'v', metric => 'jaccard');
SELECT cold_bytes FROM hnsw_estimate('items', 'w');
-- Of compressed values, too.
TRUNCATE items;
ALTER TABLE items ALTER v SET STORAGE main;
INSERT INTO items SELECT (SELECT '{' || string_agg(i + k || ':1', ',') || '}/30522' FROM generate_series(1, 800) k)::sparsevec
FROM generate_series(1, 300) i;
SELECT max(pg_column_size(v)) < 4000 AS is_compressed FROM items;
REINDEX TABLE items;
ANALYZE items;
SELECT total_bytes BETWEEN 0.9 * pg_relation_size('items_v') AND 1.1 * pg_relation_size('items_v') AS is_near
FROM hnsw_estimate('items', 'v', metric => 'ip');
DROP TABLE items;

-- Values that are lost below the least float by the length of their row.
CREATE TABLE items (id int, v sparsevec(100));
INSERT INTO items SELECT i, format('{1:1,2:%s}/100', i)::sparsevec FROM generate_series(1, 100) i;
CREATE INDEX items_v ON items USING hnsw (v sparsevec_cosine_ops);
INSERT INTO items SELECT 100 + i, format('{1:1e15,2:%se15,%s}/100', i,
    (SELECT string_agg(k || ':1e-35', ',' ORDER BY k) FROM generate_series(3, 41) k))::sparsevec
FROM generate_series(1, 3) i;
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;

-- The classes.
SELECT opcname, opcintype::regtype, opcdefault, amvalidate(o.oid)
FROM pg_opclass o JOIN pg_am a ON a.oid = opcmethod
WHERE amname = 'hnsw' AND opcintype = 'sparsevec'::regtype ORDER BY opcname;
