-- Comparison of sparse vectors, which is that of the same vectors written out, and what stands on
-- the btree operator class.

SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt,
       sparsevec_cmp(a, b) AS cmp
FROM (VALUES ('{1:1,2:2}/3'::sparsevec, '{1:1,2:2}/3'::sparsevec), ('{1:1,2:2}/3', '{1:1,2:3}/3'),
             ('{1:1}/3', '{1:1}/2'), ('{}/1', '{}/2'), ('{1:1}/2', '{2:1}/2'),
             ('{1:-1}/2', '{2:1}/2'), ('{2:1}/2', '{2:-1}/2'), ('{3:1}/3', '{}/2'),
             ('{3:-1}/3', '{}/2'), ('{2:-1}/3', '{}/2'), ('{2:1}/3', '{}/3'), ('{}/3', '{2:1}/2'),
             ('{1:1e-45}/1', '{}/1'), ('{1:3.4028235e38}/1', '{1:-3.4028235e38}/1')) t (a, b);
SELECT sparsevec_lt('{}/1', '{1:1}/1'), sparsevec_le('{}/1', '{1:1}/1'),
       sparsevec_eq('{}/1', '{1:1}/1'), sparsevec_ne('{}/1', '{1:1}/1'),
       sparsevec_ge('{}/1', '{1:1}/1'), sparsevec_gt('{}/1', '{1:1}/1');
SELECT '{}/1'::sparsevec < NULL IS NULL, sparsevec_cmp('{}/1', NULL) IS NULL;

-- Every pair, beside vectors.
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE sparsevec_cmp(a.s, b.s) <> vector_cmp(a.v, b.v)) AS wrong,
       count(DISTINCT sparsevec_cmp(a.s, b.s)) AS outcomes
FROM (SELECT v, v::sparsevec AS s
      FROM generate_series(1, 4) n, generate_series(0, 80) i,
           LATERAL (SELECT array_agg(i / (3 ^ (k - 1))::int % 3 - 1)::vector AS v
                    FROM generate_series(1, n) k) x) a,
     (SELECT v, v::sparsevec AS s
      FROM generate_series(1, 4) n, generate_series(0, 80, 7) i,
           LATERAL (SELECT array_agg(i / (3 ^ (k - 1))::int % 3 - 1)::vector AS v
                    FROM generate_series(1, n) k) x) b;

-- Sorting, grouping, joining, unique indexes.
CREATE TABLE compare (id int, v sparsevec);
INSERT INTO compare VALUES (1, '{1:2,2:1}/2'), (2, '{1:1}/1'), (3, '{1:1}/2'), (4, NULL),
    (5, '{1:1,2:-1}/2'), (6, '{1:1}/1'), (7, '{2:5,3:5}/3'), (8, '{1:-1}/1'), (9, NULL),
    (10, '{}/1');
SELECT id, v FROM compare ORDER BY v, id;
SELECT id, v FROM compare ORDER BY v DESC, id DESC;
SELECT v, count(*) FROM compare GROUP BY v ORDER BY v;
SELECT count(DISTINCT v) FROM compare;
SELECT a.id, b.id FROM compare a JOIN compare b ON a.v = b.v AND a.id < b.id ORDER BY 1, 2;
CREATE INDEX compare_v ON compare (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id, v FROM compare WHERE v = '{1:1}/1';
SELECT id, v FROM compare WHERE v = '{1:1}/1' ORDER BY id;
SELECT id, v FROM compare WHERE v > '{1:1,2:-1}/2' ORDER BY v;
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP TABLE compare;
CREATE TABLE compare (v sparsevec(9) PRIMARY KEY);
INSERT INTO compare VALUES ('{1:1}/9'), ('{2:1}/9');
INSERT INTO compare VALUES ('{3:0,1:1}/9');
INSERT INTO compare VALUES ('{1:1}/9'), ('{}/9') ON CONFLICT DO NOTHING;
SELECT v FROM compare ORDER BY v;
DROP TABLE compare;

-- Sorting values out of line.
CREATE TABLE compare AS
SELECT n AS id, ('{' || string_agg(i || ':' || CASE WHEN i = 999 THEN n ELSE 1 END, ',')
                 || '}/1000')::sparsevec AS v
FROM generate_series(1, 50) n, generate_series(1, 1000) i GROUP BY n;
SELECT array_agg(id ORDER BY v DESC) = array_agg(id ORDER BY id DESC) AS sorted FROM compare;
DROP TABLE compare;
