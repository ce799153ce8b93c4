-- What an index needs of its column, and the tables that it can be on.
\set VERBOSITY default
\set SHOW_CONTEXT never

CREATE TABLE readings (id int PRIMARY KEY, place int, v vector(3));
INSERT INTO readings SELECT i, i % 5, ARRAY[i % 17, i % 13, 1] FROM generate_series(1, 300) i;
CREATE INDEX readings_v ON readings USING hnsw (v vector_l2_ops);

-- A column keeps its dimensions as long as an index is on it, so that the index can be made anew.
ALTER TABLE readings ALTER v TYPE vector;
\echo :LAST_ERROR_SQLSTATE
VACUUM FULL readings;
REINDEX INDEX readings_v;
SELECT dims, nodes FROM hnsw_info('readings_v');
TRUNCATE readings;
INSERT INTO readings VALUES (1, 1, '[1,2,3]');
SELECT count(*) FROM hnsw_check('readings_v', true);
-- Other indexes of the table do not mind, nor does this one what keeps them.
CREATE DOMAIN triple AS vector(3);
ALTER TABLE readings ALTER v TYPE triple;
REINDEX INDEX readings_v;
DROP INDEX readings_v;
CREATE INDEX ON readings (v);
ALTER TABLE readings ALTER v TYPE vector;
ALTER TABLE readings ALTER v TYPE vector(3);

-- Dimensions by a domain, by one over it, and by an expression.
CREATE DOMAIN unit AS triple CHECK (vector_norm(VALUE) > 0);
CREATE TABLE typed (id int, a triple, b unit, c vector, d real[]);
INSERT INTO typed SELECT i, v, v, v, v::real[]
FROM generate_series(1, 100) i, LATERAL (SELECT ARRAY[i, i % 7, 1]::vector AS v) s;
CREATE INDEX typed_a ON typed USING hnsw (a vector_l2_ops);
CREATE INDEX typed_b ON typed USING hnsw (b vector_cosine_ops);
CREATE INDEX typed_c ON typed USING hnsw ((c::triple) vector_l2_ops);
CREATE INDEX typed_d ON typed USING hnsw ((d::vector(3)) vector_l2_ops);
SELECT i, dims, nodes FROM unnest('{typed_a,typed_b,typed_c,typed_d}'::regclass[]) i, hnsw_info(i);
SELECT count(*) FROM unnest('{typed_a,typed_b,typed_c,typed_d}'::regclass[]) i, hnsw_check(i, true);

-- Where nobody says them.
CREATE INDEX ON typed USING hnsw (c vector_l2_ops);
CREATE INDEX ON typed USING hnsw ((c + c) vector_l2_ops);
CREATE DOMAIN any_dims AS vector;
CREATE TABLE "Odd one" ("The v" any_dims);
CREATE INDEX ON "Odd one" USING hnsw ("The v" vector_l2_ops);
CREATE MATERIALIZED VIEW means AS SELECT place, avg(v) AS v FROM readings GROUP BY place;
CREATE INDEX ON means USING hnsw (v vector_cosine_ops);
CREATE INDEX means_v ON means USING hnsw ((v::vector(3)) vector_cosine_ops);
REFRESH MATERIALIZED VIEW means;
SELECT dims, nodes FROM hnsw_info('means_v');

-- An index of a partitioned table has no file; its partitions' have.
CREATE TABLE parted (id int, v vector(3)) PARTITION BY HASH (id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE INDEX ON parted USING hnsw (v vector_l2_ops);
INSERT INTO parted VALUES (1, '[1,2,3]');
SELECT * FROM hnsw_info('parted_v_idx');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM hnsw_check('parted_v_idx');
SELECT hnsw_prewarm('parted_v_idx');
SELECT ef_search, recall, rows FROM hnsw_recall('parted_v_idx');
SELECT relid, nodes FROM pg_partition_tree('parted_v_idx'), hnsw_info(relid) WHERE isleaf;

-- What an index on a column would take, by the rows that the planner knows of or that there are.
SET max_parallel_maintenance_workers = 1;
SELECT build_seconds,
       summary ~ '^index of \d+ MB, built by 2 processes in 50 s with maintenance_work_mem \d+ MB$' AS told
FROM hnsw_estimate(1000000, 768);
SELECT build_time, build_seconds, ceil(build_seconds / 86400) AS days FROM hnsw_estimate(100000000, 1536);
CREATE TABLE sized (v triple, n vector, "W" vector(3));
INSERT INTO sized SELECT '[1,2,3]', '[1]', '[1,2,3]' FROM generate_series(1, 1000);
SELECT hnsw_estimate('sized', 'v') = hnsw_estimate(1000, 3) AS counted;
ANALYZE sized;
SELECT hnsw_estimate('sized', 'v') = hnsw_estimate(1000, 3) AS known,
       hnsw_estimate('sized', 'W', 8, metric => 'cosine') = hnsw_estimate(1000, 3, 8, metric => 'cosine') AS given;
SELECT hnsw_estimate('parted', 'v') = hnsw_estimate(1, 3) AS of_partitions,
       (hnsw_estimate('typed', 'b')).summary = (hnsw_estimate(100, 3)).summary AS of_domain;
SELECT hnsw_estimate('sized', 'n');
SELECT hnsw_estimate('sized', 'w');
RESET max_parallel_maintenance_workers;

-- Nothing runs that others would see, but their columns are there.
SELECT * FROM hnsw_build_progress;
SELECT * FROM vector_load_progress;

DROP TABLE sized, parted, typed, "Odd one", readings CASCADE;
DROP DOMAIN unit, triple, any_dims;

-- Classes of others, by functions that order alike.
CREATE OPERATOR CLASS plain_l2 FOR TYPE vector USING hnsw
    AS OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops, FUNCTION 1 l2_distance(vector, vector);
CREATE OPERATOR CLASS plain_cosine FOR TYPE vector USING hnsw
    AS OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops, FUNCTION 1 cosine_distance(vector, vector);
CREATE TABLE items (id int, v vector(3));
INSERT INTO items SELECT i, ARRAY[i % 17, i % 13, i % 7] FROM generate_series(1, 500) i;
CREATE INDEX ON items USING hnsw (v plain_l2);
CREATE INDEX ON items USING hnsw (v plain_cosine);
SET enable_seqscan = off;
SELECT v FROM items ORDER BY v <-> '[4,6,1]' LIMIT 1;
SELECT v FROM items ORDER BY v <=> '[11,11,5]' LIMIT 1;
RESET enable_seqscan;
DROP TABLE items;
DROP OPERATOR FAMILY plain_l2 USING hnsw;
DROP OPERATOR FAMILY plain_cosine USING hnsw;
