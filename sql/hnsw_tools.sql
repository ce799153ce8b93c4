-- The functions that look at an index: what they return, and whom and what they refuse.

-- A sequential scan that is disabled looks dear enough to be compiled.
SET jit = off;

CREATE FUNCTION pg_temp.outcome(statement text, OUT state text, OUT message text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    state := '00000';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        hint = PG_EXCEPTION_HINT;
END $$;
-- Numbers between -1 and 1 that look random and are the same everywhere.
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;

CREATE TABLE items (id int PRIMARY KEY, v vector(300));
INSERT INTO items SELECT i, pg_temp.noise(i, 300) FROM generate_series(1, 300) i;
INSERT INTO items VALUES (301, NULL);
CREATE INDEX items_l2 ON items USING hnsw (v vector_l2_ops) WITH (m = 10, ef_construction = 50);
CREATE INDEX items_ip ON items USING hnsw (v vector_ip_ops);
CREATE INDEX items_l1 ON items USING hnsw (v vector_l1_ops);
CREATE TABLE short (id int, v vector(8));
INSERT INTO short SELECT i, pg_temp.noise(i, 8) FROM generate_series(1, 100) i;
CREATE INDEX short_cosine ON short USING hnsw (v vector_cosine_ops);

-- hnsw_info: what an index is and holds.
SELECT index, format, metric, codec, dims, m, ef_construction, nodes, dead, unlinked,
       layers >= 1 AS has_layers, links_avg BETWEEN 5 AND 2 * m AS links_avg_is_sound,
       links_max BETWEEN links_avg AND 2 * m AS links_max_is_sound,
       hot_bytes = 8192 * hot_pages AND cold_bytes = 8192 * cold_pages
           AND hot_bytes + cold_bytes = pg_relation_size(index) AS bytes_are_pages,
       cold_pages > 0 AS has_cold, fill > 0 AND fill <= 1 AS fill_is_share,
       fallback_glances >= 0 AS counts_glances
FROM unnest(ARRAY['items_l2', 'items_ip', 'items_l1', 'short_cosine']::regclass[]) index,
     hnsw_info(index) \gx
SELECT count(*) FROM hnsw_info(NULL);
DELETE FROM short WHERE id % 2 = 0;
SELECT nodes, dead FROM hnsw_info('short_cosine');

-- hnsw_check: nothing of a sound index.
SELECT * FROM hnsw_check('items_l2');
SELECT * FROM hnsw_check('items_l2', false);
SELECT * FROM hnsw_check(index => 'items_l2', deep => true);
SELECT * FROM hnsw_check('items_ip', true);
SELECT * FROM hnsw_check('items_l1', true);
SELECT * FROM hnsw_check('short_cosine', true);
SELECT * FROM hnsw_check(NULL);
SELECT * FROM hnsw_check('items_l2', NULL);

-- A first row of another kind makes a centroid that is far from all later ones, also if it goes
-- again. REINDEX takes another.
CREATE TABLE odd (id int, v vector(300));
CREATE INDEX odd_v ON odd USING hnsw (v vector_l2_ops);
SELECT centroid_offset FROM hnsw_info('odd_v');
INSERT INTO odd VALUES (0, array_fill(10, ARRAY[300])::vector);
SELECT centroid_offset FROM hnsw_info('odd_v');
DELETE FROM odd;
INSERT INTO odd SELECT i, pg_temp.noise(i, 300) FROM generate_series(1, 200) i;
SELECT centroid_offset > 3 AS is_far FROM hnsw_info('odd_v');
SELECT * FROM hnsw_check('odd_v');
REINDEX INDEX odd_v;
SELECT round(centroid_offset::numeric, 1) AS centroid_offset FROM hnsw_info('odd_v');
SELECT * FROM hnsw_check('odd_v');
SELECT round(centroid_offset::numeric, 1) AS centroid_offset FROM hnsw_info('items_ip');
SELECT centroid_offset FROM hnsw_info('items_l1');
SELECT centroid_offset FROM hnsw_info('short_cosine');
DROP TABLE odd;

-- hnsw_prewarm: every byte.
SELECT hnsw_prewarm('items_l2') = pg_relation_size('items_l2') AS all_bytes,
       hnsw_prewarm('short_cosine') = pg_relation_size('short_cosine') AS all_bytes,
       hnsw_prewarm(NULL);

-- hnsw_estimate: the size of indexes that exist, within the chance of upper layers and an extent.
CREATE TEMP TABLE real_sizes (n_dims int, m int, metric text, index regclass);
DO $$
DECLARE
    n_dims int;
    m int;
    metric text;
    name text;
BEGIN
    FOR n_dims, m, metric IN VALUES (3, 16, 'cosine'), (40, 4, 'l2'), (40, 16, 'l1'), (300, 32, 'ip')
    LOOP
        name := format('sized_%s_%s', n_dims, m);
        EXECUTE format('CREATE TEMP TABLE %I (v vector(%s))', name, n_dims);
        EXECUTE format('INSERT INTO %I SELECT pg_temp.noise(i, %s) FROM generate_series(1, 3000) i',
                       name, n_dims);
        EXECUTE format('CREATE INDEX %I ON %I USING hnsw (v vector_%s_ops) WITH (m = %s)',
                       name || '_v', name, metric, m);
        INSERT INTO real_sizes VALUES (n_dims, m, metric, (name || '_v')::regclass);
    END LOOP;
END $$;
SELECT r.n_dims, r.m, r.metric,
       abs(e.hot_bytes - i.hot_bytes) <= 0.02 * i.hot_bytes + 4 * 8192 AS hot,
       abs(e.cold_bytes - i.cold_bytes) <= 0.02 * i.cold_bytes + 8 * 8192 AS cold,
       e.total_bytes = e.hot_bytes + e.cold_bytes AS total,
       (e.cold_bytes > 0) = (i.cold_bytes > 0) AS tiers, e.build_time
FROM real_sizes r, hnsw_info(r.index) i,
     hnsw_estimate(3000, r.n_dims, r.m, metric => r.metric) e ORDER BY r.n_dims, r.m;
-- The sizes of an empty index are exact; memory is at least the least of the setting.
CREATE TEMP TABLE nothing (v vector(300));
CREATE INDEX nothing_v ON nothing USING hnsw (v vector_l2_ops);
SELECT total_bytes = pg_relation_size('nothing_v') AS exact, hot_bytes = total_bytes AS hot,
       build_memory >= 1024 * 1024 AS memory, build_time
FROM hnsw_estimate(0, 300);
-- Memory and size grow with every argument, memory with the number of workers; time with the rows.
SET max_parallel_maintenance_workers = 0;
CREATE TEMP TABLE alone AS SELECT * FROM hnsw_estimate(100000, 400);
SELECT change, e.build_memory > alone.build_memory AS more_memory,
       e.total_bytes > alone.total_bytes AS more_bytes, e.build_time
FROM alone, (VALUES ('more rows', 500000000, 400, 16, 64), ('rows', 10000000, 400, 16, 64),
                    ('dims', 100000, 500, 16, 64), ('m', 100000, 400, 32, 64), ('ef_construction', 100000, 400, 16, 100))
     c (change, n_rows, n_dims, m, ef), hnsw_estimate(n_rows, n_dims, m, ef) e ORDER BY n_rows, change;
SET max_parallel_maintenance_workers = 4;
SELECT e.build_memory > alone.build_memory AS more_memory, e.total_bytes = alone.total_bytes AS same_bytes
FROM alone, hnsw_estimate(100000, 400) e;
RESET max_parallel_maintenance_workers;
SELECT count(*) FROM hnsw_estimate(NULL, 3);
SELECT statement, o.* FROM (VALUES
    ('SELECT hnsw_estimate(-1, 3)'), ('SELECT hnsw_estimate(1, 0)'),
    ('SELECT hnsw_estimate(1, 8001)'), ($$SELECT hnsw_estimate(1, 8001, metric => 'l1')$$),
    ('SELECT hnsw_estimate(1, 3, 1)'), ('SELECT hnsw_estimate(1, 3, 101, 1000)'),
    ('SELECT hnsw_estimate(1, 3, 33)'), ('SELECT hnsw_estimate(1, 3, 16, 1001)'),
    ($$SELECT hnsw_estimate(1, 3, metric => 'L2')$$),
    ('SELECT hnsw_estimate(9223372036854775807, 3)')) s (statement),
    pg_temp.outcome(statement) o ORDER BY statement COLLATE "C";

-- hnsw_recall: columns, ef by ef; queries of a sample, of a table; of fewer rows than k.
SELECT ef_search, recall >= 0.9 AS recalls, mean_us > 0 AS has_mean, p99_us > 0 AS has_p99
FROM hnsw_recall('items_l2');
SELECT ef_search, recall >= 0.9 AS recalls FROM hnsw_recall('items_l2', 5, '{300,400,1000}', 20);
SELECT ef_search, recall FROM hnsw_recall('items_l1', 1, '{300}', 20);
SELECT ef_search, recall FROM hnsw_recall('items_ip', 1000, '{1000}', 3);
SELECT ef_search, recall FROM hnsw_recall('short_cosine', 3, '{200}', 10000);
SELECT ef_search, recall IS NOT NULL AS recalls
FROM hnsw_recall('items_l2', ef => '{300}', sample => 1, k => 1);
SET hnsw.iterative_scan = off;
SELECT ef_search, recall < 0.9 AS is_low FROM hnsw_recall('items_l2', 50, '{1}', 20);
RESET hnsw.iterative_scan;
CREATE TABLE queries (name text, asked vector(300));
INSERT INTO queries SELECT i, pg_temp.noise(-i, 300) FROM generate_series(1, 30) i;
INSERT INTO queries VALUES ('none', NULL);
SELECT ef_search, recall >= 0.95 AS recalls
FROM hnsw_recall('items_l2', 10, '{300}', 100, 'queries');
SELECT ef_search, recall >= 0.95 AS recalls
FROM hnsw_recall('items_l2', queries => 'queries', ef => '{300,301}');
SELECT ef_search, recall >= 0.95 AS recalls FROM hnsw_recall('items_l2', 10, '{300}', 100, 'items');
-- In exact order the index finds what the exact search finds.
SET vector_ext.exact_order = on;
SELECT ef_search, recall FROM hnsw_recall('items_l2', 10, '{300}', 100, 'queries');
RESET vector_ext.exact_order;
TRUNCATE queries;
SELECT * FROM hnsw_recall('items_l2', 10, '{40}', 100, 'queries');
SELECT * FROM hnsw_recall(NULL);
SELECT * FROM hnsw_recall('items_l2', NULL);
SHOW hnsw.ef_search;
SHOW enable_seqscan;
-- In a partial index of an expression, which fails for the other rows.
CREATE TABLE mixed (category int, v vector);
INSERT INTO mixed SELECT i % 2, pg_temp.noise(i, 2 + i % 2) FROM generate_series(1, 100) i;
CREATE INDEX mixed_v ON mixed USING hnsw ((v::vector(3)) vector_l2_ops) WHERE category = 1;
SELECT ef_search, recall FROM hnsw_recall('mixed_v', 10, '{100}', 20);
SELECT * FROM hnsw_check('mixed_v', true);
DROP TABLE mixed;

-- What they refuse: other relations, values out of range.
CREATE TABLE parts (id int, v vector(3)) PARTITION BY LIST (id);
CREATE INDEX parts_v ON parts USING hnsw (v vector_l2_ops);
CREATE VIEW seen AS SELECT * FROM items;
SELECT call, relation, o.*
FROM (VALUES (1, 'hnsw_info(%L)'), (2, 'hnsw_check(%L)'), (3, 'hnsw_prewarm(%L)'),
             (4, 'hnsw_recall(%L)')) c (n, call),
     unnest(ARRAY['items', 'items_pkey', 'seen', 'parts', 'parts_v', 'nonsense'])
         WITH ORDINALITY r (relation, i),
     pg_temp.outcome(format('SELECT * FROM ' || call, relation)) o
ORDER BY i, n;
SELECT arguments, o.*
FROM (VALUES (1, $$'items_l2', 0$$), (2, $$'items_l2', -1$$), (3, $$'items_l2', 10, '{}'$$),
             (4, $$'items_l2', 10, '{40,0}'$$), (5, $$'items_l2', 10, '{1001}'$$),
             (6, $$'items_l2', 10, '{40}', 0$$), (7, $$'items_l2', 10, '{40}', 5, 'parts_v'$$),
             (8, $$'items_l2', 10, '{40}', 5, 'nonsense'$$),
             (9, $$'items_l2', 10, '{40}', 5, 'pg_class'$$),
             (10, $$'short_cosine', 10, '{40}', 5, 'items'$$)) t (n, arguments),
     pg_temp.outcome(format('SELECT * FROM hnsw_recall(%s)', arguments)) o
ORDER BY n;
DROP TABLE parts;

-- An index that a failed CREATE INDEX CONCURRENTLY has left.
CREATE TABLE long (v vector(33));
INSERT INTO long VALUES (array_fill(1e30, ARRAY[33])::vector);
CREATE INDEX CONCURRENTLY long_v ON long USING hnsw (v vector_l2_ops);
SELECT call, o.*
FROM (VALUES (1, $$hnsw_info('long_v')$$), (2, $$hnsw_check('long_v')$$),
             (3, $$hnsw_prewarm('long_v')$$), (4, $$hnsw_recall('long_v')$$)) c (n, call),
     pg_temp.outcome('SELECT * FROM ' || call) o
ORDER BY n;
DELETE FROM long;
INSERT INTO long VALUES (array_fill(1, ARRAY[33])::vector);
REINDEX INDEX CONCURRENTLY long_v;
SELECT nodes FROM hnsw_info('long_v');
SELECT * FROM hnsw_check('long_v', true);
DROP TABLE long;

-- Of two indexes of a column each is measured by itself.
CREATE TABLE twice AS
SELECT (SELECT array_agg((hashint8extended(i * 100 + j, 1) & 65535)::real)::vector
	FROM generate_series(1, 24) j) AS v
FROM generate_series(1, 2000) i;
ALTER TABLE twice ALTER v TYPE vector(24);
CREATE INDEX twice_poor ON twice USING hnsw (v vector_l2_ops) WITH (m = 2, ef_construction = 4);
CREATE INDEX twice_rich ON twice USING hnsw (v vector_l2_ops) WITH (m = 16, ef_construction = 64);
SELECT poor.recall < 0.75 AS poor, rich.recall - poor.recall > 0.1 AS richer
FROM hnsw_recall('twice_poor', 10, '{10}', 50) poor, hnsw_recall('twice_rich', 10, '{10}', 50) rich;
SELECT current_setting('vector_ext.only_index') = '' AS restored;
DROP TABLE twice;

-- Searches that keep a single candidate miss many nodes; of rows that nobody sees, nobody misses any.
CREATE TABLE unseen (v vector(100));
CREATE INDEX unseen_v ON unseen USING hnsw (v vector_l2_ops) WITH (m = 8, ef_construction = 16);
SET hnsw.ef_search = 1;
BEGIN;
INSERT INTO unseen SELECT (
    SELECT array_agg(hashint8extended(i * 1000 + j, 5) / 9.3e18)::vector
    FROM generate_series(1, 100) j)
FROM generate_series(1, 1500) i;
SELECT problem, severity, count(*) > 20 AS many FROM hnsw_check('unseen_v') GROUP BY 1, 2;
ROLLBACK;
SELECT nodes, dead FROM hnsw_info('unseen_v');
SELECT problem, severity, count(*) FROM hnsw_check('unseen_v') GROUP BY 1, 2;
RESET hnsw.ef_search;
DROP TABLE unseen;

-- They need SELECT on the table.
CREATE ROLE regress_hnsw_reader;
SET ROLE regress_hnsw_reader;
SELECT call, o.*
FROM (VALUES (1, $$hnsw_info('items_l2')$$), (2, $$hnsw_check('items_l2')$$),
             (3, $$hnsw_prewarm('items_l2')$$), (4, $$hnsw_recall('items_l2')$$)) c (n, call),
     pg_temp.outcome('SELECT * FROM ' || call) o
ORDER BY n;
RESET ROLE;
GRANT SELECT ON items TO regress_hnsw_reader;
SET ROLE regress_hnsw_reader;
SELECT nodes FROM hnsw_info('items_l2');
SELECT * FROM hnsw_check('items_l2', true);
SELECT hnsw_prewarm('items_l2') > 0 AS prewarmed;
SELECT ef_search, recall >= 0.9 AS recalls FROM hnsw_recall('items_l2', 5, '{300}', 5);
RESET ROLE;
DROP VIEW seen;
DROP TABLE items, short, queries;
DROP ROLE regress_hnsw_reader;

-- One session measures indexes of different types, also of a table whose columns have odd names.
CREATE TABLE recalled (query int, found int, started int, v vector(3), h halfvec(3), b bit(8));
INSERT INTO recalled SELECT i, i, i, ARRAY[i, i % 7, 1]::vector, ARRAY[i, i % 7, 1]::vector, (i % 256)::bit(8)
FROM generate_series(1, 300) i;
CREATE INDEX recalled_v ON recalled USING hnsw (v vector_l2_ops);
CREATE INDEX recalled_h ON recalled USING hnsw (h halfvec_l2_ops);
CREATE INDEX recalled_b ON recalled USING hnsw (b bit_hamming_ops);
SELECT index, recall > 0.9 AS found, mean_us > 0 AS timed
FROM unnest('{recalled_v,recalled_h,recalled_b,recalled_v}'::regclass[]) index,
     LATERAL hnsw_recall(index, 5, '{40}', 20);
DROP TABLE recalled;
