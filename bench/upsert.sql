-- Time of an upsert, half of whose rows are new, beside COPY of as many new rows, into a table with
-- an hnsw index. Reported by \timing and the columns of vector_bulk_upsert.
--   psql -v rows=20000 -v dims=256 -f bench/upsert.sql
\if :{?rows}
\else
\set rows 20000
\endif
\if :{?dims}
\else
\set dims 256
\endif
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET maintenance_work_mem = '512MB';
DROP TABLE IF EXISTS bench_upsert, bench_source;
CREATE TABLE bench_upsert (id bigint PRIMARY KEY, v vector(:dims), t text);
CREATE UNLOGGED TABLE bench_source AS
    SELECT i::bigint AS id, (SELECT array_agg(random() - 0.5 + i % 100 * 0.01 * sin(d + i % 100))
                     FROM generate_series(1, :dims) d)::vector AS v, 't' || i AS t
    FROM generate_series(1, 2 * :rows) i;
INSERT INTO bench_upsert SELECT id * 2, v, t FROM bench_source WHERE id <= :rows;
CREATE INDEX ON bench_upsert USING hnsw (v vector_l2_ops);
CREATE TEMP TABLE new_rows AS SELECT id * 2 + 1 AS id, v, t FROM bench_source WHERE id > :rows;
CREATE TEMP TABLE half_new AS SELECT id - :rows AS id, v, t FROM bench_source WHERE id > :rows;
\copy new_rows TO '/tmp/bench_upsert.new' (FORMAT binary)
\copy half_new TO '/tmp/bench_upsert.half' (FORMAT binary)
VACUUM ANALYZE bench_upsert;
CHECKPOINT;
\timing on
\echo COPY of new rows into the indexed table; the index takes them at commit
BEGIN;
\copy bench_upsert FROM '/tmp/bench_upsert.new' (FORMAT binary)
COMMIT;
\timing off
DELETE FROM bench_upsert WHERE id % 2 = 1;
VACUUM bench_upsert;
REINDEX TABLE bench_upsert;
CHECKPOINT;
\timing on
\echo The same number of rows, half of them new, through a stage
BEGIN;
SELECT vector_stage_for('bench_upsert', 'stage');
\copy stage FROM '/tmp/bench_upsert.half' (FORMAT binary)
SELECT * FROM vector_bulk_upsert('bench_upsert', 'stage', 'update');
COMMIT;
\timing off
DROP TABLE bench_upsert, bench_source;
