-- What people send in place of a vector, and what they are told.
\set VERBOSITY default

-- Whatever its length, a text is shown by its beginning and the element that is wrong.
SELECT ('[' || repeat('0.123456,', 1535) || 'oops]')::vector(1536);
SELECT ('[1,' || repeat('x', 1000) || ']')::vector;
SELECT repeat('1', 1000)::vector;
-- Characters are not cut.
SELECT ('[' || repeat('ü', 1000) || ']')::vector;
SELECT ('[1e' || repeat('9', 1000) || ']')::vector;

SELECT '[0.1 0.2 0.3]'::vector;
SELECT E'[ 0.1\n 0.2]'::vector;
SELECT '[[0.1, 0.2, 0.3]]'::vector;
SELECT '[0.1, null, 0.3]'::vector;
SELECT '[0.1, None]'::vector;
SELECT '["0.1", "0.2"]'::vector;
SELECT '[''0.1'']'::vector;
SELECT '0.1,0.2,0.3'::vector;
SELECT '  {0.1,0.2}'::vector;
SELECT '(0.1,0.2)'::vector;
SELECT ''::vector;
SELECT '[1,,2]'::vector;
SELECT '[1,2,]'::vector;
SELECT '[1,2'::vector;
SELECT '[1,'::vector;
SELECT '['::vector;
SELECT '[1;2]'::vector;
SELECT '[1,2] x'::vector;

-- JSON is read as it is, blanks and lines in it or not.
SELECT E'[1, 2,\n\t3]'::vector, '[1, 2.5, -3e-2]'::json::text::vector;
SELECT '[1, 2.5, -3e-2]'::jsonb::vector, '[1, 2]'::jsonb::vector(2);
SELECT ('{"embedding": [1, 2, 3]}'::jsonb -> 'embedding')::vector;
SELECT '[1, 2]'::jsonb::vector(3);
SELECT '[]'::jsonb::vector;
SELECT '[1, "2"]'::jsonb::vector;
SELECT '[1, null]'::jsonb::vector;
SELECT '[[1, 2]]'::jsonb::vector;
SELECT '{"v": [1]}'::jsonb::vector;
SELECT '7'::jsonb::vector;
SELECT 'null'::jsonb::vector;
SELECT '[1e40]'::jsonb::vector;
SELECT NULL::jsonb::vector;

-- Lists of integers, as drivers send them.
CREATE TABLE listed (v vector(3));
INSERT INTO listed VALUES (ARRAY[1,2,-3]::smallint[]), (ARRAY[1,2,9223372036854775807]::bigint[]);
SELECT v FROM listed;
INSERT INTO listed VALUES (ARRAY[1,2]::smallint[]);
INSERT INTO listed VALUES (ARRAY[1,NULL,2]::bigint[]);
PREPARE add (bigint[]) AS INSERT INTO listed VALUES ($1);
EXECUTE add('{4,5,6}');
SELECT count(*) FROM listed;
DROP TABLE listed;
DEALLOCATE add;
