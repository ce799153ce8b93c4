-- Casts between vectors and arrays, and of a vector to its type modifier.

SELECT ARRAY[1,2,3]::vector, ARRAY[1.5,-2.25]::real[]::vector, ARRAY[1.5,0.1]::float8[]::vector,
       ARRAY[1.5,0.1]::numeric[]::vector;
SELECT '{1,2,3}'::int[]::vector(3), ARRAY[0.5]::vector(1);
SELECT '[1,0.1,-0]'::vector::real[], '[1,2]'::vector(2)::real[];
SELECT array_to_vector(ARRAY[1,2], -1, true), array_to_vector('{1,2}'::real[], 2, false),
       array_to_vector('{1,2}'::float8[], -1, true), array_to_vector('{1,2}'::numeric[], -1, true),
       vector_to_float4('[1,2]', -1, true);
SELECT vector('[1,2]', 2, true), vector('[1,2]', -1, false);

-- Rounding to float32.
SELECT ARRAY[16777217,2147483647,-2147483648]::vector,
       ARRAY[0.1,1e-50,-1e-50,1.000000059604645]::float8[]::vector,
       ARRAY[16777217.5,1e-30]::numeric[]::vector;

-- Lower bounds and slices do not matter.
SELECT '[0:2]={1,2,3}'::int[]::vector, (ARRAY[1,2,3,4])[2:3]::vector;

-- Assignment casts act on INSERT and UPDATE, not in expressions.
CREATE TABLE casts (v vector(2), r real[]);
INSERT INTO casts VALUES (ARRAY[1,2], '[3,4]'::vector), (ARRAY[1.5,2.5]::real[], NULL),
    (ARRAY[1.5,2.5]::float8[], NULL), (ARRAY[1.5,2.5], NULL);
UPDATE casts SET r = v WHERE r IS NULL;
UPDATE casts SET v = ARRAY[9,9] WHERE v = '[1,2]';
SELECT * FROM casts ORDER BY v;
INSERT INTO casts VALUES (ARRAY[1,2,3]);
INSERT INTO casts VALUES ('[1]'::vector);
DROP TABLE casts;
\set VERBOSITY terse
SELECT '[1,2]'::vector <-> ARRAY[1,2];
SELECT vector_dims(ARRAY[1,2]);
\set VERBOSITY default

-- The cast to real[] is implicit: a function of real[] takes a vector; one of any array does not.
CREATE FUNCTION pg_temp.last(real[]) RETURNS real LANGUAGE sql AS 'SELECT $1[array_length($1, 1)]';
SELECT pg_temp.last('[1,2,3.5]'::vector), array_to_string('[1,2.5]'::vector::real[], '|'),
       (SELECT sum(x) FROM unnest('[1,2,3]'::vector::real[]) x);
\set VERBOSITY terse
SELECT array_length('[1,2,3]'::vector, 1);
\set VERBOSITY default

-- There is no cast to other types; text goes through the text form.
SELECT '[1,2]'::vector::text, '[1,2]'::text::vector;
SELECT '[1,2]'::vector::int[];
SELECT '[1,2]'::vector::jsonb;
SELECT '[1,2]'::vector::bytea;
SELECT '[1,0]'::vector::bit(2);

-- NULLs and refused arrays.
SELECT NULL::int[]::vector, NULL::vector::real[];
SELECT ARRAY[1,NULL]::vector;
SELECT ARRAY[1.5,NULL]::numeric[]::vector;
SELECT '{}'::float4[]::vector;
SELECT '{}'::int[]::vector;
SELECT '{{1,2},{3,4}}'::int[]::vector;
SELECT '{{1}}'::numeric[]::vector;
SELECT '{NaN}'::real[]::vector;
SELECT '{NaN}'::float8[]::vector;
SELECT '{NaN}'::numeric[]::vector;
SELECT '{Infinity}'::real[]::vector;
SELECT '{1,-Infinity}'::float8[]::vector;
SELECT '{4e38}'::float8[]::vector;
SELECT '{-4e38}'::float8[]::vector;
SELECT ARRAY[1,2,3]::vector(2);
SELECT '{1,2,3}'::real[]::vector(2);
SELECT '[1,2,3]'::vector::vector(2);
SELECT '[1,2,3]'::vector(3)::vector(2);
SELECT vector_dims(array_fill(1, ARRAY[16000])::vector),
       array_length(array_fill(1, ARRAY[16000])::vector::real[], 1);
SELECT array_fill(1, ARRAY[16001])::vector;
SELECT array_fill(1, ARRAY[16001])::numeric[]::vector;

-- Arrays with bitmaps of NULLs but no NULL in the part that is cast.
SELECT (ARRAY[1,2,NULL])[1:2]::vector;

-- There and back again, for every length to 130.
SELECT count(*) AS lengths, count(*) FILTER (WHERE a::vector::real[] <> a) AS changed,
       count(*) FILTER (WHERE a::float8[]::vector <> a::vector) AS otherwise
FROM generate_series(1, 130) n,
     LATERAL (SELECT array_agg(i / 7.0)::real[] AS a FROM generate_series(1, n) i) s;
