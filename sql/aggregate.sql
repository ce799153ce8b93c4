-- avg and sum of vectors: groups, NULLs, empty input, errors, parallel plans, functions beneath.

CREATE TABLE readings (id int, grp int, v vector);
INSERT INTO readings VALUES (1, 1, '[1,2]'), (2, 1, '[3,4]'), (3, 2, '[10,-10]'), (4, 2, NULL),
    (5, 3, NULL), (6, 1, '[5,9]');
SELECT avg(v), sum(v) FROM readings;
SELECT grp, avg(v), sum(v), count(v) FROM readings GROUP BY grp ORDER BY grp;
SELECT avg(v) FILTER (WHERE id = 1), sum(v) FILTER (WHERE id IN (1, 6)),
       avg(v) FILTER (WHERE false), sum(v) FILTER (WHERE false) FROM readings;
SELECT avg(v), sum(v) FROM readings WHERE false;
SELECT avg(v), sum(v) FROM readings WHERE grp = 3;
SELECT avg(DISTINCT v), sum(DISTINCT v) FROM (VALUES ('[1]'::vector), ('[1]'), ('[4]')) t (v);
SELECT id, sum(v) OVER (ORDER BY id),
       avg(v) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM readings ORDER BY id;
SELECT avg(v)::vector(2), pg_typeof(avg(v)), pg_typeof(sum(v)) FROM readings;

-- Different dimensions.
INSERT INTO readings VALUES (7, 4, '[1,2]'), (8, 4, '[3]');
SELECT avg(v) FROM (SELECT v FROM readings WHERE grp = 4 ORDER BY id) t;
SELECT sum(v) FROM (SELECT v FROM readings WHERE grp = 4 ORDER BY id) t;
DROP TABLE readings;

-- avg sums in float64, sum in float32: only sum can overflow or lose small parts.
SELECT avg(v) FROM unnest(ARRAY['[3e38,1]', '[3e38,2]', '[3e38,6]']::vector[]) v;
SELECT sum(v) FROM unnest(ARRAY['[3e38]', '[3e38]']::vector[]) v;
SELECT sum(v) FROM unnest(ARRAY['[-3e38]', '[-3e38]']::vector[]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY['[16777216]', '[1]', '[1]', '[1]', '[1]']::vector[]) v;
SELECT vector_dims(avg(v)), vector_dims(sum(v))
FROM (SELECT array_fill(i, ARRAY[16000])::vector AS v FROM generate_series(1, 3) i) s;

-- Lengths around register widths.
SELECT count(*) AS lengths,
       count(*)
       FILTER (WHERE average <> (SELECT array_agg(2 * i) FROM generate_series(1, n) i)::vector)
           AS averages_wrong,
       count(*)
       FILTER (WHERE total <> (SELECT array_agg(6 * i) FROM generate_series(1, n) i)::vector)
           AS totals_wrong
FROM (SELECT n, avg(v) AS average, sum(v) AS total
      FROM generate_series(1, 130) n, generate_series(1, 3) k,
           LATERAL (SELECT array_agg(i * k)::vector AS v FROM generate_series(1, n) i) s
      GROUP BY n) t;

-- The functions beneath: the state is the count, then the sums.
SELECT vector_accum('{0}', '[1,2,3]'), vector_accum('{1,1,2,3}', '[4,5,6]');
SELECT vector_combine('{0}', '{0}'), vector_combine('{0}', '{1,2,3}'),
       vector_combine('{1,2,3}', '{0}'), vector_combine('{1,2,3}', '{2,0.5,-1}');
SELECT vector_avg('{0}') IS NULL AS no_rows, vector_avg('{2,1,5}'), vector_avg('{3,3e38,1}');
SELECT vector_accum(NULL, '[1]'), vector_accum('{0}', NULL), vector_combine('{0}', NULL),
       vector_avg(NULL);
SELECT vector_accum('{1,1,2}', '[1]');
SELECT vector_combine('{1,1,2}', '{1,1}');
SELECT vector_combine(array_fill(1::float8, ARRAY[16002]), '{0}');
SELECT vector_combine('{0}', array_fill(1::float8, ARRAY[16002]));
SELECT array_length(vector_combine('{0}', array_fill(1::float8, ARRAY[16001])), 1);
SELECT vector_combine('{1,1e308}', '{1,1e308}');
SELECT vector_avg('{1,1e300}');

-- Parallel plans give the same.
CREATE TABLE readings (grp int, v vector);
INSERT INTO readings SELECT i % 3, ARRAY[i, -i, i % 7]::vector FROM generate_series(1, 3000) i;
ANALYZE readings;
SELECT avg(v), sum(v) FROM readings;
SELECT grp, avg(v), sum(v) FROM readings GROUP BY grp ORDER BY grp;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT avg(v), sum(v) FROM (VALUES ('[-0,0]'::vector), ('[-0,-0]')) AS t(v);
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v) FROM readings;
SELECT avg(v), sum(v) FROM readings;
SELECT avg(v), sum(v) FROM readings WHERE grp > 5;
SELECT grp, avg(v), sum(v) FROM readings GROUP BY grp ORDER BY grp;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
DROP TABLE readings;

-- Partition-wise: partial states of partitions combine.
CREATE TABLE readings (grp int, v vector(2)) PARTITION BY LIST (grp);
CREATE TABLE readings_1 PARTITION OF readings FOR VALUES IN (1);
CREATE TABLE readings_2 PARTITION OF readings FOR VALUES IN (2);
INSERT INTO readings VALUES (1, '[1,2]'), (1, '[3,4]'), (2, '[5,9]');
SET enable_partitionwise_aggregate = on;
SELECT avg(v), sum(v) FROM readings;
SELECT grp, avg(v), sum(v) FROM readings GROUP BY grp ORDER BY grp;
RESET enable_partitionwise_aggregate;
DROP TABLE readings;

-- Arrays have no average of their own: the cast is written out.
SELECT avg(a::vector), sum(a::vector) FROM (VALUES (ARRAY[1,2]), (ARRAY[3,4])) t (a);
