-- Distances between two vectors: operators, functions, overflow, lengths around register widths.

-- L2.
SELECT '[0,0]'::vector <-> '[3,4]', l2_distance('[0,0]'::vector, '[3,4]'),
       vector_l2_squared_distance('[0,0]', '[3,4]');
SELECT '[0,0]'::vector <-> '[0,1]', '[1,2,3]'::vector <-> '[1,2,3]', '[1]'::vector <-> '[-2]';
SELECT '[1,1]'::vector <-> '[2,2]';
SELECT '[3e38]'::vector <-> '[-3e38]', vector_l2_squared_distance('[1e20]', '[0]'),
       '[1e-30]'::vector <-> '[0]';

-- Inner product and its negative.
SELECT '[1,2]'::vector <#> '[3,4]', inner_product('[1,2]'::vector, '[3,4]'),
       vector_negative_inner_product('[1,2]', '[3,4]');
SELECT inner_product('[1,0]'::vector, '[0,1]'), inner_product('[-1.5]'::vector, '[2]');
SELECT inner_product('[3e38]'::vector, '[3e38]'), '[3e38]'::vector <#> '[3e38]',
       inner_product('[-3e38]'::vector, '[3e38]');

-- Cosine distance.
SELECT '[1,0]'::vector <=> '[2,0]' AS same, '[1,0]'::vector <=> '[0,5]' AS orthogonal,
       '[1,0]'::vector <=> '[-3,0]' AS opposite;
SELECT round(('[1,2]'::vector <=> '[2,4]')::numeric, 6),
       round(cosine_distance('[1,1]'::vector, '[1,0]')::numeric, 6),
       round(cosine_distance('[3,4]'::vector, '[4,3]')::numeric, 6);
SELECT '[1,2]'::vector <=> '[0,0]' AS zero_right, '[0,0]'::vector <=> '[1,2]' AS zero_left,
       '[0,0]'::vector <=> '[0,0]' AS zeros;
SELECT '[3e38]'::vector <=> '[3e38]' AS overflow, '[1e-30]'::vector <=> '[1e-30]' AS underflow;
-- Rounding never takes the similarity outside -1 to 1.
SELECT count(*) AS pairs, count(*) FILTER (WHERE v <=> v < 0 OR v <=> v > 0.000001) AS same_outside,
       count(*) FILTER (WHERE v <=> w > 2 OR v <=> w < 1.999999) AS opposite_outside
FROM (SELECT v, v * array_fill(-1, ARRAY[7])::vector AS w
      FROM (SELECT ARRAY[i * 0.1, i * 0.7, 1.1, 1.0 / i, i % 7, 0.3, 0.01]::vector AS v
            FROM generate_series(1, 500) i) s) t;

-- L1.
SELECT '[0,0]'::vector <+> '[3,4]', l1_distance('[0,0]'::vector, '[0,1]'),
       '[1,-2,3]'::vector <+> '[-1,2,3]';
SELECT '[3e38]'::vector <+> '[-3e38]';

-- The angle over pi between unit vectors.
SELECT vector_spherical_distance('[1,0]', '[1,0]') AS same,
       vector_spherical_distance('[1,0]', '[0,1]') AS right_angle,
       vector_spherical_distance('[1,0]', '[-1,0]') AS opposite,
       vector_spherical_distance('[3,4]', '[3,4]') AS clamped,
       vector_spherical_distance('[-3,4]', '[3,-4]') AS clamped_below;

-- NULL operands.
SELECT '[1]'::vector <-> NULL IS NULL, NULL <#> '[1]'::vector IS NULL,
       '[1]'::vector <=> NULL IS NULL, NULL <+> '[1]'::vector IS NULL;

-- Different dimensions, left first.
SELECT '[1]'::vector <-> '[1,2]';
SELECT '[1,2]'::vector <#> '[1]';
SELECT '[1,2]'::vector <=> '[3]';
SELECT '[1]'::vector <+> '[1,2,3]';
SELECT vector_l2_squared_distance('[1]', '[1,2]');
SELECT vector_spherical_distance('[1,2]', '[1]');

-- Untyped literals, typed columns and casts all find the operator.
SELECT '[1,2]'::vector(2) <-> '[1,2]'::vector, '[1,2]' <-> '[1,5]'::vector,
       ARRAY[1,2]::vector <+> ARRAY[3,4]::vector;

-- Every length from 1 to 130: whole numbers, so each sum is exact in any order.
SELECT count(*) AS lengths,
       count(*)
       FILTER (WHERE vector_l2_squared_distance(a, b)
               <> (SELECT sum((x - y) * (x - y)) FROM unnest(a::real[], b::real[]) u (x, y)))
               AS l2_squared_wrong,
       count(*) FILTER (WHERE l2_distance(a, b) <> sqrt(vector_l2_squared_distance(a, b)))
           AS l2_wrong,
       count(*)
       FILTER (WHERE inner_product(a, b)
               <> (SELECT sum(x * y) FROM unnest(a::real[], b::real[]) u (x, y)))
               AS inner_product_wrong,
       count(*) FILTER (WHERE a <#> b <> -inner_product(a, b)) AS negative_wrong,
       count(*)
       FILTER (WHERE l1_distance(a, b)
               <> (SELECT sum(abs(x - y)) FROM unnest(a::real[], b::real[]) u (x, y))) AS l1_wrong,
       count(*)
       FILTER (WHERE abs((a <=> b) - (1 - inner_product(a, b) / (vector_norm(a) * vector_norm(b))))
                     > 1e-9) AS cosine_wrong
FROM generate_series(1, 130) n,
     LATERAL (SELECT array_agg(i * 7 % 11 - 5)::vector AS a, array_agg(i * 5 % 13 - 4)::vector AS b
              FROM generate_series(1, n) i) s;

-- A difference in one dimension is seen wherever it stands.
SELECT count(*) AS places,
       count(*) FILTER (WHERE a <-> b <> 2 OR a <+> b <> 2 OR a <#> b <> -(n - 1) + 1) AS wrong
FROM generate_series(1, 67) n, generate_series(1, n) place,
     LATERAL (SELECT array_fill(1, ARRAY[n])::vector AS a,
                     array_agg(CASE WHEN i = place THEN -1 ELSE 1 END)::vector AS b
                     FROM generate_series(1, n) i) s;

-- The largest vectors.
SELECT a <-> b, a <#> b, a <=> b, a <+> b
FROM (SELECT array_fill(1, ARRAY[16000])::vector AS a, array_fill(-1, ARRAY[16000])::vector AS b) s;

-- Values as they lie in a table: short headers, plain, out of line.
CREATE TABLE distance (id int, v vector, p vector);
ALTER TABLE distance ALTER p SET STORAGE PLAIN;
INSERT INTO distance SELECT n, v, v
FROM unnest(ARRAY[1, 3, 29, 30, 31, 128, 600, 1900]) n,
     LATERAL (SELECT array_agg(i % 5)::vector AS v FROM generate_series(1, n) i) s;
INSERT INTO distance SELECT 3000, array_agg(i % 5)::vector, NULL FROM generate_series(1, 3000) i;
SELECT id, v <-> p, v <+> p, v <#> p, v <=> p < 0.000001 AS cosine_near_zero, inner_product(v, v)
FROM distance ORDER BY id;
DROP TABLE distance;

-- A value out of line that stays, changes and comes back from row to row, on either side.
CREATE TABLE distance (id int PRIMARY KEY, v vector(600));
INSERT INTO distance SELECT n, array_fill(n, ARRAY[600])::vector FROM generate_series(1, 3) n;
SELECT pg_relation_size(reltoastrelid) > 0 AS is_out_of_line
FROM pg_class WHERE oid = 'distance'::regclass;
SELECT count(*) AS rows, count(*) FILTER (WHERE left_side <> 600 * n) AS left_wrong,
       count(*) FILTER (WHERE right_side <> 600 * n) AS right_wrong,
       count(*) FILTER (WHERE both_sides <> 600 * abs(n - 2)) AS both_wrong
FROM (SELECT n, (SELECT v FROM distance WHERE id = n) <+> zero AS left_side,
             zero <+> (SELECT v FROM distance WHERE id = n) AS right_side,
             (SELECT v FROM distance WHERE id = n) <+> (SELECT v FROM distance WHERE id = 2)
                 AS both_sides
      FROM unnest(ARRAY[1, 1, 1, 2, 2, 1, 3, 3, 3, 1, 2, 2, 2]) n,
           (SELECT array_fill(0, ARRAY[600])::vector AS zero) z) s;
DROP TABLE distance;
