-- Distances between two sparse vectors: operators, functions, overflow, and that they are those of
-- the same vectors written out.

-- L2.
SELECT '{}/2'::sparsevec <-> '{1:3,2:4}/2', l2_distance('{1:3}/2'::sparsevec, '{2:4}/2'),
       sparsevec_l2_squared_distance('{}/2', '{1:3,2:4}/2');
SELECT '{1:1,2:1}/2'::sparsevec <-> '{1:2,2:2}/2', '{}/2'::sparsevec <-> '{}/2',
       '{1:-1,3:2}/9'::sparsevec <-> '{1:-1,3:2}/9', '{9:1}/9'::sparsevec <-> '{9:-2}/9';
SELECT '{1:3e38}/1'::sparsevec <-> '{1:-3e38}/1', '{1:1e-30}/1'::sparsevec <-> '{}/1',
       sparsevec_l2_squared_distance('{1:1e20}/1', '{}/1');

-- Inner product and its negative.
SELECT '{1:1,2:2}/2'::sparsevec <#> '{1:3,2:4}/2',
       inner_product('{1:1,2:2}/2'::sparsevec, '{1:3,2:4}/2'),
       sparsevec_negative_inner_product('{1:1,2:2}/2', '{1:3,2:4}/2');
SELECT inner_product('{1:1,3:3}/4'::sparsevec, '{2:2,4:4}/4'),
       inner_product('{}/4'::sparsevec, '{2:2}/4'),
       inner_product('{1:1,3:3,4:4}/4'::sparsevec, '{3:-2,4:4}/4');
SELECT inner_product('{1:3e38}/1'::sparsevec, '{1:3e38}/1'),
       '{1:3e38}/1'::sparsevec <#> '{1:3e38}/1';

-- Cosine distance.
SELECT '{1:1}/2'::sparsevec <=> '{1:2}/2' AS same, '{1:1}/2'::sparsevec <=> '{2:5}/2' AS orthogonal,
       '{1:1}/2'::sparsevec <=> '{1:-3}/2' AS opposite;
SELECT round(cosine_distance('{1:1,2:1}/2'::sparsevec, '{1:1}/2')::numeric, 6),
       round(cosine_distance('{1:3,2:4}/9'::sparsevec, '{1:4,2:3}/9')::numeric, 6);
SELECT '{1:1}/2'::sparsevec <=> '{}/2' AS zero_right, '{}/2'::sparsevec <=> '{1:1}/2' AS zero_left,
       '{}/2'::sparsevec <=> '{}/2' AS zeros;
SELECT '{1:3e38}/1'::sparsevec <=> '{1:3e38}/1' AS overflow,
       '{1:1e-30}/1'::sparsevec <=> '{1:1e-30}/1' AS underflow;

-- L1.
SELECT '{}/2'::sparsevec <+> '{1:3,2:4}/2', l1_distance('{1:1}/2'::sparsevec, '{2:1}/2'),
       '{1:1,2:-2,3:3}/3'::sparsevec <+> '{1:-1,2:2,3:3}/3';
SELECT '{1:3e38}/1'::sparsevec <+> '{1:-3e38}/1';

-- NULL operands.
SELECT '{}/1'::sparsevec <-> NULL IS NULL, NULL <#> '{}/1'::sparsevec IS NULL,
       '{}/1'::sparsevec <=> NULL IS NULL, NULL <+> '{}/1'::sparsevec IS NULL;

-- Different dimensions, left first.
SELECT '{1:1}/1'::sparsevec <-> '{1:1}/2';
SELECT '{}/1000000000'::sparsevec <#> '{}/1';
SELECT '{1:1}/2'::sparsevec <=> '{1:1}/1';
SELECT '{1:1}/1'::sparsevec <+> '{1:1}/3';
SELECT sparsevec_l2_squared_distance('{}/1', '{}/2');
SELECT sparsevec_negative_inner_product('{}/2', '{}/1');

-- Untyped literals, typed columns and vectors, which are cast, find the operators.
SELECT '{1:1}/2'::sparsevec(2) <-> '{1:1}/2'::sparsevec, '{2:3}/2' <-> '{1:4}/2'::sparsevec,
       '[1,0]'::vector <#> '{1:7}/2'::sparsevec, '{1:7}/2'::sparsevec <+> '[1,0]'::vector;

-- Every pair of sizes and overlaps, beside the same vectors written out: whole numbers, exact.
CREATE TABLE pairs AS
SELECT a, b, a::vector AS u, b::vector AS v
FROM generate_series(1, 40) s, generate_series(1, 12) t,
     LATERAL (SELECT array_agg(CASE WHEN i * s % t % 3 = 1 THEN i % 7 - 3 ELSE 0 END)::sparsevec
                         AS a,
                     array_agg(CASE WHEN (i + t) * 5 % s < 2 THEN i % 5 - 2 ELSE 0 END)::sparsevec
                         AS b
              FROM generate_series(1, 60) i) x;
SELECT count(*) AS pairs, count(DISTINCT (a, b)) > 300 AS various,
       count(*) FILTER (WHERE a <-> b <> u <-> v OR b <-> a <> u <-> v) AS l2_wrong,
       count(*) FILTER (WHERE a <#> b <> u <#> v OR b <#> a <> u <#> v) AS ip_wrong,
       count(*) FILTER (WHERE a <+> b <> u <+> v OR b <+> a <> u <+> v) AS l1_wrong,
       count(*) FILTER (WHERE (a <=> b) IS DISTINCT FROM (u <=> v)) AS cosine_wrong,
       count(*) FILTER (WHERE a <-> a <> 0 OR a <+> a <> 0 OR a <=> a > 1e-9 AND u <-> u <> 0)
           AS self_wrong
FROM pairs;
DROP TABLE pairs;

-- Sizes that differ much.
SELECT a <-> b, a <#> b, a <+> b, round((a <=> b)::numeric, 6)
FROM (SELECT ('{' || string_agg(3 * i || ':1', ',') || '}/1000000000')::sparsevec AS a,
             '{1:2,2400:3,48000:4,1000000000:5}/1000000000'::sparsevec AS b
      FROM generate_series(1, 16000) i) s;

-- A second operand that stays from row to row is compared by a table, others by merging: one that
-- stays, ones that come in runs, of changing dimensions and sizes, and too many dimensions.
CREATE TABLE sparse AS
SELECT id, (SELECT array_agg(CASE WHEN i * id % 7 < 2 THEN sin(i * id) ELSE 0 END)
            FROM generate_series(1, 300) i)::sparsevec AS v
FROM generate_series(1, 400) id;
CREATE FUNCTION pg_temp.differ(a float8, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT abs(a - b) > 1e-5 * abs(b) + 1e-5 $$;
SELECT runs, count(*) AS rows,
       count(*) FILTER (WHERE pg_temp.differ(v <-> q, v::vector <-> q::vector)) AS l2_wrong,
       count(*) FILTER (WHERE pg_temp.differ(v <#> q, v::vector <#> q::vector)) AS ip_wrong,
       count(*) FILTER (WHERE pg_temp.differ(v <=> q, v::vector <=> q::vector)) AS cosine_wrong,
       count(*) FILTER (WHERE pg_temp.differ(v <+> q, v::vector <+> q::vector)) AS l1_wrong
FROM unnest(ARRAY[1, 2, 3, 400]) runs,
     LATERAL (SELECT s.v, q.v AS q FROM sparse s JOIN sparse q ON q.id = s.id / runs * runs + 1
              ORDER BY s.id) t
GROUP BY runs ORDER BY runs;
SELECT count(*) AS rows, count(*) FILTER (WHERE l2 <> 0) AS not_zero,
       count(*) FILTER (WHERE ip <> -(n / 2)) AS wrong
FROM (SELECT n, v <-> v AS l2, v <#> v AS ip
      FROM unnest(ARRAY[2, 2, 2, 300, 300, 30, 30, 30, 3000, 3000, 2, 2, 400, 400, 400]) n,
           LATERAL (SELECT array_agg(i % 2)::sparsevec AS v FROM generate_series(1, n) i) s) t;
SELECT count(*) AS rows, count(*) FILTER (WHERE l2 <> 5 OR ip <> 0 OR l1 <> 7) AS wrong
FROM (SELECT v <-> '{9:4}/999999999' AS l2, v <#> '{9:4}/999999999' AS ip,
             v <+> '{9:4}/999999999' AS l1
      FROM (SELECT ('{' || i || ':3}/999999999')::sparsevec AS v
            FROM generate_series(99999990, 99999999) i) s) t;
DROP TABLE sparse;

-- Values as they lie in a table, and one out of line that stays, changes and comes back from row to
-- row.
CREATE TABLE sparse (id int PRIMARY KEY, v sparsevec(100000));
INSERT INTO sparse SELECT n, ('{' || string_agg(i || ':' || n, ',') || '}/100000')::sparsevec
FROM unnest(ARRAY[1, 2, 3, 14, 15, 300, 3000]) n, generate_series(1, n) i GROUP BY n;
SELECT id, v <+> '{}/100000' AS l1, v <#> v AS ip, v <-> v AS l2 FROM sparse ORDER BY id;
SELECT count(*) AS rows,
       count(*) FILTER (WHERE left_side <> n * n OR right_side <> n * n) AS wrong,
       count(*) FILTER (WHERE both_sides <> (SELECT abs(n - 300) * least(n, 300)
                                                    + CASE WHEN n > 300 THEN (n - 300) * n
                                                           ELSE (300 - n) * 300 END)) AS both_wrong
FROM (SELECT n, (SELECT v FROM sparse WHERE id = n) <+> zero AS left_side,
             zero <+> (SELECT v FROM sparse WHERE id = n) AS right_side,
             (SELECT v FROM sparse WHERE id = n) <+> (SELECT v FROM sparse WHERE id = 300)
                 AS both_sides
      FROM unnest(ARRAY[1, 3000, 3000, 300, 300, 1, 15, 3000, 300, 3000, 2]) n,
           (SELECT '{}/100000'::sparsevec AS zero) z) s;
SELECT id FROM sparse ORDER BY v <#> '{200:1,2:1}/100000', id LIMIT 3;
DROP TABLE sparse;
