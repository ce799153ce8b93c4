-- Comparison of vectors, and what stands on the btree operator class: sorting, grouping,
-- unique indexes.

SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt,
       vector_cmp(a, b) AS cmp
FROM (VALUES ('[1,2,3]'::vector, '[1,2,3]'::vector), ('[1,2,3]', '[1,2,4]'),
             ('[1,2,4]', '[1,2,3]'), ('[2]', '[1,9]'), ('[1]', '[1,2]'), ('[1,2]', '[1]'),
             ('[1,2]', '[3]'), ('[0]', '[-0]'), ('[-1]', '[1]'), ('[-1]', '[-2]'),
             ('[1e-45]', '[0]'), ('[3.4028235e38]', '[-3.4028235e38]')) t (a, b);
SELECT vector_lt('[1]', '[2]'), vector_le('[1]', '[2]'), vector_eq('[1]', '[2]'),
       vector_ne('[1]', '[2]'), vector_ge('[1]', '[2]'), vector_gt('[1]', '[2]');
SELECT '[1]'::vector = '[1,2]', '[1]'::vector <> '[1,2]';
SELECT '[1]'::vector < NULL IS NULL, NULL = '[1]'::vector IS NULL, vector_cmp('[1]', NULL) IS NULL;
SELECT '[1]'::vector IS DISTINCT FROM NULL, '[1]'::vector IS NOT DISTINCT FROM '[1]',
       '[2]'::vector BETWEEN '[1]' AND '[3]';
SELECT '[1,2]'::vector IN ('[1]', '[1,2]'), '[1,2]'::vector = ANY (ARRAY['[1]', '[2]']::vector[]),
       nullif('[1]'::vector, '[1]');
SELECT greatest('[1,2]'::vector, '[1,3]', '[0,9]'), least('[1,2]'::vector, '[1]', '[2]');
SELECT ARRAY['[1,2]', '[1]']::vector[] < ARRAY['[1,2]', '[1,0]']::vector[],
       ROW('[1]'::vector, 1) < ROW('[1]'::vector, 2);

-- One order, whatever the path to it.
CREATE TABLE compare (id int, v vector);
INSERT INTO compare VALUES (1, '[2,1]'), (2, '[1]'), (3, '[1,0]'), (4, NULL), (5, '[1,-1]'),
    (6, '[1]'), (7, '[0,5,5]'), (8, '[-1]'), (9, NULL), (10, '[-0]'), (11, '[0]');
SELECT id, v FROM compare ORDER BY v, id;
SELECT id, v FROM compare ORDER BY v DESC, id DESC;
SELECT DISTINCT v FROM compare WHERE id < 10 ORDER BY v;
SELECT v, count(*) FROM compare WHERE id < 10 GROUP BY v ORDER BY v;
SELECT count(DISTINCT v) FROM compare;
SELECT v FROM compare WHERE id < 4 UNION SELECT v FROM compare WHERE id IN (5, 6) ORDER BY v;
SELECT v FROM compare WHERE id < 4 INTERSECT SELECT v FROM compare WHERE id IN (5, 6);
SELECT a.id, b.id FROM compare a JOIN compare b ON a.v = b.v AND a.id < b.id ORDER BY 1, 2;
SELECT id, rank() OVER (ORDER BY v NULLS FIRST) FROM compare ORDER BY 2, 1;

CREATE INDEX compare_v ON compare (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id, v FROM compare WHERE v = '[1]';
SELECT id, v FROM compare WHERE v = '[1]' ORDER BY id;
SELECT id, v FROM compare WHERE v > '[1,-1]' ORDER BY v;
SELECT id, v FROM compare WHERE '[1]' > v ORDER BY v, id;
SELECT id, v FROM compare WHERE v <= '[0]' AND v >= '[-1]' ORDER BY v, id;
SELECT count(*) FROM compare WHERE v IS NULL;
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP TABLE compare;

CREATE TABLE compare (v vector(2) PRIMARY KEY);
INSERT INTO compare VALUES ('[1,2]'), ('[2,1]'), ('[0,0]');
INSERT INTO compare VALUES ('[1,2]');
INSERT INTO compare VALUES ('[-0,0]');
INSERT INTO compare VALUES ('[1,2]'), ('[3,3]') ON CONFLICT DO NOTHING;
SELECT v FROM compare ORDER BY v;
DROP TABLE compare;

-- An equality search uses statistics of the column: the planner's selectivity functions take them.
CREATE TABLE compare AS SELECT ARRAY[i % 10, 1]::vector AS v FROM generate_series(1, 1000) i;
ANALYZE compare;
SELECT n_distinct, null_frac, avg_width < 20 AS narrow FROM pg_stats WHERE tablename = 'compare';
SELECT count(*) FROM compare WHERE v = '[3,1]';
SELECT count(*) FROM compare WHERE v < '[3,1]';
DROP TABLE compare;
