-- The type `halfvec`: what it shares with `vector` (text and binary form, type modifier, arithmetic,
-- order, casts, functions, distances, aggregates), and what half precision changes.

-- Printed are the numbers that are kept, as float32.
SELECT '[1,2,3]'::halfvec, '[-1,2.5,-0.375]'::halfvec, '[0.1,0.2,0.3]'::halfvec;
SELECT '[ +1 , .5,0x10 ]'::halfvec, '[2049,2050,2051,2053]'::halfvec, '[-0,0]'::halfvec;

-- 65519 is rounded to the largest number, 65520 to none; what is too small becomes zero.
SELECT '[65504,65519,-65519]'::halfvec, '[6e-8,5.9604645e-8,6.1035156e-5]'::halfvec,
       '[1e-8,-1e-8,1e-46,2.98e-8,2.9802322e-8]'::halfvec;
SELECT '[65520]'::halfvec;
SELECT '[1,-65520 ,oops]'::halfvec;
SELECT '[4e38]'::halfvec;

-- Refused text.
SELECT ''::halfvec;
SELECT '1,2,3'::halfvec;
SELECT '[1,2'::halfvec;
SELECT '[1,2]x'::halfvec;
SELECT '{1,2}'::halfvec;
SELECT '[]'::halfvec;
SELECT '[NaN]'::halfvec;
SELECT '[1,-Infinity]'::halfvec;
SELECT vector_dims(('[' || repeat('1,', 15999) || '1]')::halfvec);
SELECT ('[' || repeat('1,', 16000) || '1]')::halfvec;

-- The type modifier.
SELECT '[1,2,3]'::halfvec(3), halfvec(2) '[1,2]', '{"[1,2]","[3,4]"}'::halfvec(2)[];
SELECT '[1,2,3]'::halfvec(2);
SELECT '[1,2,3]'::halfvec(3)::halfvec(2);
SELECT halfvec('[1,2]', 2, true), halfvec('[1,2]', -1, false);
CREATE TABLE half (v halfvec(0));
CREATE TABLE half (v halfvec(-1));
CREATE TABLE half (v halfvec(16001));
CREATE TABLE half (v halfvec(3, 2));
CREATE TABLE half (v halfvec('a'));
CREATE TABLE half (id int, v halfvec(3));
INSERT INTO half VALUES (1, '[1,2,3]'), (2, NULL), (3, '[0.1,5,6]'::vector), (4, ARRAY[7,8,9]);
INSERT INTO half VALUES (5, '[1,2]');
INSERT INTO half VALUES (5, '[1,2]'::vector);
INSERT INTO half VALUES (5, ARRAY[1,2]);
SELECT id, v, format_type(atttypid, atttypmod), attstorage FROM half, pg_attribute
WHERE attrelid = 'half'::regclass AND attname = 'v' ORDER BY id;
ALTER TABLE half ALTER v TYPE vector(3);
SELECT v FROM half ORDER BY id;
ALTER TABLE half ALTER v TYPE halfvec(3);
SELECT v FROM half ORDER BY id;
DROP TABLE half;

-- The binary form: dimensions, zero, the numbers in 16 bits each, in network order.
SELECT encode(halfvec_send('[1,-2.5]'), 'hex'), encode(halfvec_send('[0,-0,6e-8,65504]'), 'hex'),
       length(halfvec_send(array_fill(1, ARRAY[16000])::halfvec));
\getenv directory PG_ABS_BUILDDIR
\set file :directory '/results/halfvec.data'
\set load '\\copy half FROM ' :'file' ' (FORMAT binary)'
CREATE TABLE half (v halfvec(2));
COPY (SELECT '\x000200003c00fbff'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
COPY (SELECT '[0.1,0.2]'::halfvec) TO STDOUT (FORMAT binary) \g :file
:load
SELECT v FROM half;
COPY (SELECT '\x00'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
COPY (SELECT '\x000200003c00'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
COPY (SELECT '\x000200003c003c0000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
COPY (SELECT '\x00000000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
COPY (SELECT '\x000100003c00'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
COPY (SELECT '\x000200013c003c00'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
COPY (SELECT '\x000200003c007e00'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
COPY (SELECT '\x00020000fc003c00'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
COPY (SELECT '\x3e8100003c00'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
COPY (SELECT '[1,2]'::text) TO STDOUT (FORMAT binary) \g :file
:load
DROP TABLE half;

-- Storage: 8 bytes and 2 a dimension; every length survives a table, also out of line.
SELECT pg_column_size('[1]'::halfvec), pg_column_size('[1,2,3]'::halfvec),
       pg_column_size(array_fill(1, ARRAY[16000])::halfvec);
CREATE TABLE half (id int, v halfvec);
INSERT INTO half SELECT n, (SELECT array_agg(i % 100) FROM generate_series(1, n) i)::halfvec
FROM unnest(ARRAY[1, 2, 5, 58, 59, 60, 61, 62, 63, 2000, 16000]) n;
SELECT count(*) AS rows,
       count(*) FILTER (WHERE v = (SELECT array_agg(i % 100) FROM generate_series(1, id) i)::halfvec
                              AND vector_dims(v) = id) AS same
FROM half;
DROP TABLE half;

-- Arithmetic is rounded to half precision; overflow is an error, underflow one of the product.
SELECT '[1,2,3]'::halfvec + '[4,5,6]', '[1,2,3]'::halfvec - '[4,5,6]',
       '[1,2,3]'::halfvec * '[4,5,6]', '[1,2,3]'::halfvec || '[4,5]';
SELECT '[2048,2050,0.1]'::halfvec + '[1,1,0.2]', '[65504]'::halfvec - '[15]',
       '[0.1,255]'::halfvec * '[0.1,256.75]';
SELECT '[65504]'::halfvec + '[15]', '[65504]'::halfvec - '[-15]';
SELECT '[65504]'::halfvec + '[16]';
SELECT '[-65504]'::halfvec - '[16]';
SELECT '[256]'::halfvec * '[256]';
SELECT '[1e-4]'::halfvec * '[1e-4]';
SELECT '[1e-4,0]'::halfvec * '[1e-3,1e-7]';
SELECT '[1]'::halfvec + '[1,2]';
SELECT '[1,2]'::halfvec - '[1]';
SELECT '[1,2]'::halfvec * '[1]';
SELECT vector_dims(v || v), vector_dims(v || v || '[1]')
FROM (SELECT array_fill(1, ARRAY[8000])::halfvec AS v) s;

-- Order: by dimensions in turn, then the shorter first.
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt,
       halfvec_cmp(a, b) AS cmp
FROM (VALUES ('[1,2,3]'::halfvec, '[1,2,3]'::halfvec), ('[1,2,3]', '[1,2,4]'), ('[2]', '[1,9]'),
             ('[1]', '[1,2]'), ('[0]', '[-0]'), ('[-1]', '[1]'), ('[-1]', '[-2]'),
             ('[6e-8]', '[0]'), ('[-6e-8]', '[0]'), ('[65504]', '[-65504]')) t (a, b);
CREATE TABLE half (v halfvec(2) PRIMARY KEY);
INSERT INTO half VALUES ('[1,2]'), ('[2,1]'), ('[0,0]'), ('[-1,0]');
INSERT INTO half VALUES ('[1,2.0001]');
SELECT v FROM half ORDER BY v;
SELECT DISTINCT v FROM half WHERE v > '[0,0]' ORDER BY v DESC;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT v FROM half WHERE v = '[1,2]';
SELECT v FROM half WHERE v = '[1,2]';
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP TABLE half;

-- Casts with arrays and with `vector`.
SELECT ARRAY[1,2,3]::halfvec, ARRAY[1.5,0.1]::real[]::halfvec, ARRAY[1.5,0.1]::float8[]::halfvec,
       ARRAY[1.5,0.1]::numeric[]::halfvec(2), '[1,0.1]'::halfvec::real[];
SELECT array_to_halfvec(ARRAY[1,2], -1, true), array_to_halfvec('{1,2}'::real[], 2, false),
       array_to_halfvec('{1,2}'::float8[], -1, true),
       array_to_halfvec('{1,2}'::numeric[], -1, true), halfvec_to_float4('[1,2]', -1, true),
       halfvec_to_vector('[1,0.1]', 2, true), vector_to_halfvec('[1,0.1]', 2, true);
SELECT '{65519,-65519,1e-8}'::real[]::halfvec;
SELECT '{65520}'::real[]::halfvec;
SELECT '{-65520}'::float8[]::halfvec;
SELECT '{65520}'::int[]::halfvec;
SELECT '{65520}'::numeric[]::halfvec;
SELECT '{1e300}'::float8[]::halfvec;
SELECT '{NaN}'::real[]::halfvec;
SELECT '{NaN}'::numeric[]::halfvec;
SELECT '{-Infinity}'::float8[]::halfvec;
SELECT '{1,NULL}'::int[]::halfvec;
SELECT '{}'::real[]::halfvec;
SELECT '{{1},{2}}'::real[]::halfvec;
SELECT array_fill(1, ARRAY[16001])::halfvec;
SELECT ARRAY[1,2,3]::halfvec(2);
SELECT '[65519,0.1,1e-8,-1e-8]'::vector::halfvec, '[0.1,6e-8,65504]'::halfvec::vector;
SELECT '[1,65520]'::vector::halfvec;
SELECT '[1,-3e38]'::vector::halfvec;
SELECT '[1,2,3]'::vector::halfvec(2);
SELECT '[1,2,3]'::halfvec::vector(2);
SELECT count(*) AS lengths, count(*) FILTER (WHERE h::vector::halfvec <> h) AS changed,
       count(*) FILTER (WHERE h::vector::real[] <> h::real[]) AS otherwise
FROM generate_series(1, 130) n,
     LATERAL (SELECT array_agg(i / 7.0)::halfvec AS h FROM generate_series(1, n) i) s;
-- A vector becomes a halfvec by itself, as one of two operands too; the other way on assignment.
SELECT '[1,2]'::halfvec <-> '[1,4]'::vector, '[1,2]'::vector <-> '[1,4]'::halfvec;
\set VERBOSITY terse
SELECT vector_norm('[3,4]'::halfvec);
SELECT '[1,2]'::halfvec::int[];
\set VERBOSITY default

-- Functions of one vector.
SELECT vector_dims('[1,2,3]'::halfvec), l2_norm('[3,4]'::halfvec), l2_norm('[0,0]'::halfvec),
       l2_norm(array_fill(65504, ARRAY[16000])::halfvec)::real;
SELECT l2_normalize('[3,4]'::halfvec), l2_normalize('[0,0.1]'::halfvec),
       l2_normalize('[0,0]'::halfvec), l2_normalize('[6e-8]'::halfvec),
       l2_normalize('[65504]'::halfvec);
SELECT binary_quantize('[0,0.1,-0.2,-0.3,0.4,0.5,0.6,-0.7,0.8,-0.9,1]'::halfvec),
       binary_quantize('[-0,0,6e-8,-6e-8]'::halfvec);
SELECT subvector('[1,2,3,4,5]'::halfvec, 1, 3), subvector('[1,2,3,4,5]'::halfvec, 4, 9),
       subvector('[1,2,3,4,5]'::halfvec, -1, 3), subvector('[1,2,3]'::halfvec, 3, 2147483647);
SELECT subvector('[1,2,3]'::halfvec, 1, 0);
SELECT subvector('[1,2,3]'::halfvec, 4, 1);

-- Distances.
SELECT '[0,0]'::halfvec <-> '[3,4]', l2_distance('[0,0]'::halfvec, '[3,4]'),
       halfvec_l2_squared_distance('[0,0]', '[3,4]'), '[65504]'::halfvec <-> '[-65504]';
SELECT '[1,2]'::halfvec <#> '[3,4]', inner_product('[1,2]'::halfvec, '[3,4]'),
       halfvec_negative_inner_product('[1,2]', '[3,4]'),
       inner_product('[65504]'::halfvec, '[65504]');
SELECT '[1,0]'::halfvec <=> '[2,0]' AS same, cosine_distance('[1,0]'::halfvec, '[0,5]') AS right_angle,
       '[1,0]'::halfvec <=> '[-3,0]' AS opposite, '[1,2]'::halfvec <=> '[0,0]' AS zero,
       '[65504]'::halfvec <=> '[65504]' AS large;
SELECT '[0,0]'::halfvec <+> '[3,4]', l1_distance('[1,-2,3]'::halfvec, '[-1,2,3]');
SELECT halfvec_spherical_distance('[1,0]', '[1,0]') AS same,
       halfvec_spherical_distance('[1,0]', '[0,1]') AS right_angle,
       halfvec_spherical_distance('[1,0]', '[-1,0]') AS opposite;
SELECT '[1]'::halfvec <-> '[1,2]';
SELECT '[1,2]'::halfvec <#> '[1]';
SELECT '[1,2]'::halfvec <=> '[3]';
SELECT '[1]'::halfvec <+> '[1,2,3]';

-- They are those of the same numbers in single precision, to the last bit, at every length.
SELECT count(*) AS lengths,
       count(*) FILTER (WHERE a <-> b <> x <-> y OR a <#> b <> x <#> y OR a <=> b <> x <=> y
                              OR a <+> b <> x <+> y OR l2_norm(a) <> vector_norm(x)) AS different
FROM generate_series(1, 130) n,
     LATERAL (SELECT array_agg(i / 7.0 - 5)::halfvec AS a, array_agg(4 - i * 0.31)::halfvec AS b
              FROM generate_series(1, n) i) s,
     LATERAL (SELECT a::vector AS x, b::vector AS y) t;

-- avg and sum: the sum is one of halves and can overflow, the average cannot.
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2]', '[3,4]', '[5,9]', NULL]::halfvec[]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY[]::halfvec[]) v;
SELECT avg(v) FROM unnest(ARRAY['[65504,1]', '[65504,2]', '[65504,6]']::halfvec[]) v;
SELECT sum(v) FROM unnest(ARRAY['[65504]', '[65504]']::halfvec[]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY['[2048]', '[1]', '[1]', '[1]', '[1]']::halfvec[]) v;
SELECT avg(v) FROM unnest(ARRAY['[1,2]', '[3]']::halfvec[]) v;
SELECT sum(v) FROM unnest(ARRAY['[1,2]', '[3]']::halfvec[]) v;
SELECT halfvec_accum('{0}', '[1,2,3]'), halfvec_accum('{1,1,2,3}', '[4,5,6]'),
       halfvec_combine('{1,2,3}', '{2,0.5,-1}'), halfvec_avg('{2,1,5}'),
       halfvec_avg('{0}') IS NULL AS no_rows;
SELECT halfvec_accum('{1,1,2}', '[1]');
SELECT halfvec_avg('{1,65520}');
SELECT halfvec_avg('{1,1e300}');
SELECT halfvec_accum('{}', '[1]');
SELECT halfvec_avg(ARRAY[1,NULL]::float8[]);
CREATE TABLE half (grp int, v halfvec);
-- Sums below 2048, which halves hold however workers share the rows.
INSERT INTO half SELECT i % 3, ARRAY[i % 5, -i % 7]::halfvec FROM generate_series(1, 280) i;
INSERT INTO half SELECT i % 3, '[0,0]' FROM generate_series(1, 2720) i;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v) FROM half;
SELECT avg(v), sum(v) FROM half;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE half;

-- A value out of line that comes in many rows running.
CREATE TABLE half (id int PRIMARY KEY, v halfvec(1200));
INSERT INTO half SELECT n, array_fill(n, ARRAY[1200])::halfvec FROM generate_series(1, 3) n;
SELECT count(*) AS rows, count(*) FILTER (WHERE distance <> 1200 * n) AS wrong
FROM (SELECT n, (SELECT v FROM half WHERE id = n) <+> zero AS distance
      FROM unnest(ARRAY[1, 1, 1, 2, 2, 1, 3, 3, 3, 1, 2]) n,
           (SELECT array_fill(0, ARRAY[1200])::halfvec AS zero) z) s;
DROP TABLE half;

-- Arrays that drivers send, and JSON.
SELECT '{1,-2}'::smallint[]::halfvec, '{1,65504}'::bigint[]::halfvec, '[1, 2.5]'::jsonb::halfvec;
SELECT '[1, 70000]'::jsonb::halfvec;
SELECT '[1, "2"]'::jsonb::halfvec;
SELECT '{1,70000}'::bigint[]::halfvec;
