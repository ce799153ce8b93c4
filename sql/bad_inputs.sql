-- What every wrong value gets: SQLSTATE, message, detail and hint, which clients match on.

CREATE FUNCTION pg_temp.outcome(statement text, OUT state text, OUT message text, OUT detail text,
                                OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    state := '00000';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;

-- Text that is no vector, and numbers that are none.
SELECT input, o.*
FROM (VALUES (1, '[1,2'), (2, '1,2,3'), (3, ''), (4, '[1,]'), (5, '[1,,2]'), (6, '[1a]'),
             (7, '[1,2]x'), (8, '[1_000]'), (9, '[1;2]'), (10, '{1,2}'), (11, '['), (12, '[,]'),
             (13, '[,1]'), (14, '[1 2]'), (15, '[1,2]]'), (16, '[[1,2]]'), (17, '(1,2)'),
             (18, '   '), (19, '[1,2] ,'), (20, '[--1]'), (21, '[0x]'), (22, '[1e]'),
             (23, 'null'), (24, '[null]'), (25, '["1"]'), (26, '[1.2.3]'),
             (27, '[- 1]'), (28, '{}')) t (n, input),
     pg_temp.outcome(format('SELECT %L::vector', input)) o
ORDER BY n;
SELECT input, o.*
FROM (VALUES (1, '[]'), (2, '[ ]'), (3, ' [ ] '), (4, '[nan]'), (5, '[NaN]'), (6, '[1,NAN]'),
             (7, '[-nan]'), (8, '[inf]'), (9, '[Inf]'), (10, '[INF]'), (11, '[infinity]'),
             (12, '[Infinity]'), (13, '[-Infinity]'), (14, '[+inf]'), (15, '[1,-inf,2]'),
             (16, '[4e38]'), (17, '[-4e38]'), (18, '[1e39]'), (19, '[1, 1e400 ]'),
             (20, '[0x1p128]'), (21, '[3.4028236e38]')) t (n, input),
     pg_temp.outcome(format('SELECT %L::vector', input)) o
ORDER BY n;

-- Values that must stay accepted.
SELECT input, input::vector
FROM (VALUES ('[1e-50]'), ('[0x10]'), ('[ 1 , 2 ]'), ('[1,2]  '), ('[3.40282356e38]'),
             ('[1e-400]'), ('[-1e-400]')) t (input);
SELECT subvector('[1,2,3]'::vector, 1, 2147483647), '[1]'::vector = '[1,2]' AS equal,
       '[1]'::vector <=> '[0]' AS cosine, l2_normalize('[0,0]'::vector);

-- Arrays, dimensions and operands.
CREATE TEMPORARY TABLE two (v vector(2));
SELECT statement, o.*
FROM (VALUES
    (1, $$SELECT '{}'::float4[]::vector$$),
    (2, $$SELECT '{{1,2},{3,4}}'::int[]::vector$$),
    (3, $$SELECT '{1,NULL}'::int[]::vector$$),
    (4, $$SELECT '{NULL}'::real[]::vector$$),
    (5, $$SELECT '{1,NULL}'::float8[]::vector$$),
    (6, $$SELECT '{1,NULL}'::numeric[]::vector$$),
    (7, $$SELECT '{NaN}'::real[]::vector$$),
    (8, $$SELECT '{Infinity}'::float8[]::vector$$),
    (9, $$SELECT '{4e38}'::float8[]::vector$$),
    (10, $$SELECT '{4e38}'::numeric[]::vector$$),
    (11, $$SELECT '{NaN}'::numeric[]::vector$$),
    (12, $$SELECT array_fill(1, ARRAY[16001])::vector$$),
    (13, $$SELECT ('[' || repeat('1,', 16000) || '1]')::vector$$),
    (14, $$SELECT array_fill(1, ARRAY[16000])::vector || '[1]'$$),
    (20, $$SELECT '[1,2,3]'::vector(2)$$),
    (21, $$INSERT INTO two VALUES ('[1,2,3]')$$),
    (22, $$INSERT INTO two VALUES ('[1]'::vector)$$),
    (23, $$INSERT INTO two VALUES (ARRAY[1,2,3])$$),
    (30, $$SELECT '[1]'::vector <-> '[1,2]'$$),
    (31, $$SELECT '[1]'::vector <#> '[1,2]'$$),
    (32, $$SELECT '[1]'::vector <=> '[1,2]'$$),
    (33, $$SELECT '[1]'::vector <+> '[1,2]'$$),
    (34, $$SELECT '[1]'::vector + '[1,2]'$$),
    (35, $$SELECT '[1]'::vector - '[1,2]'$$),
    (36, $$SELECT '[1]'::vector * '[1,2]'$$),
    (37, $$SELECT l2_distance('[1]'::vector, '[1,2]')$$),
    (38, $$SELECT inner_product('[1]'::vector, '[1,2]')$$),
    (39, $$SELECT cosine_distance('[1]'::vector, '[1,2]')$$),
    (40, $$SELECT l1_distance('[1]'::vector, '[1,2]')$$),
    (41, $$SELECT vector_l2_squared_distance('[1]', '[1,2]')$$),
    (42, $$SELECT vector_negative_inner_product('[1]', '[1,2]')$$),
    (43, $$SELECT vector_spherical_distance('[1]', '[1,2]')$$),
    (44, $$SELECT sum(v) FROM unnest(ARRAY['[1]', '[1,2]']::vector[]) v$$),
    (45, $$SELECT avg(v) FROM unnest(ARRAY['[1]', '[1,2]']::vector[]) v$$),
    (46, $$SELECT vector_combine('{1,1}', '{1,1,2}')$$),
    (50, $$SELECT '[1e38]'::vector * '[1e38]'$$),
    (51, $$SELECT '[3e38]'::vector + '[3e38]'$$),
    (52, $$SELECT '[-3e38]'::vector - '[3e38]'$$),
    (53, $$SELECT '[1e-30]'::vector * '[1e-30]'$$),
    (54, $$SELECT sum(v) FROM unnest(ARRAY['[3e38]', '[3e38]']::vector[]) v$$),
    (60, $$CREATE TABLE bad (v vector(0))$$),
    (61, $$CREATE TABLE bad (v vector(-1))$$),
    (62, $$CREATE TABLE bad (v vector(16001))$$),
    (63, $$CREATE TABLE bad (v vector(3, 2))$$),
    (64, $$CREATE TABLE bad (v vector('a'))$$),
    (65, $$CREATE TABLE bad (v vector(2147483648))$$),
    (66, $$SELECT '[1]'::vector(0)$$),
    (70, $$SELECT subvector('[1,2]'::vector, 1, 0)$$),
    (71, $$SELECT subvector('[1,2]'::vector, 3, 1)$$),
    (72, $$SELECT subvector('[1,2]'::vector, -5, 2)$$),
    (80, $$SELECT vector_avg('{}')$$),
    (81, $$SELECT vector_avg('{1,NULL}')$$),
    (82, $$SELECT vector_avg('{{1,2},{3,4}}')$$),
    (83, $$SELECT vector_accum('{}', '[1]')$$),
    (84, $$SELECT vector_accum('{NULL}', '[1]')$$),
    (85, $$SELECT vector_accum('{{1,2}}', '[1]')$$),
    (86, $$SELECT vector_combine('{}', '{0}')$$),
    (87, $$SELECT vector_combine('{0}', '{NULL}')$$),
    (90, $$SELECT vector_from_f32('\x00')$$),
    (91, $$SELECT vector_from_f32('\x0000c07f')$$),
    (92, $$SELECT vector_from_f32('\x0000807f')$$),
    (93, $$SELECT vector_from_f32('')$$),
    (94, $$SELECT vector_from_f32(decode(repeat('00000000', 16001), 'hex'))$$)) t (n, statement),
     pg_temp.outcome(statement) o
ORDER BY n;
DROP TABLE two;

-- The binary form. A bytea column, copied out in binary, carries any bytes into the type's
-- receive function.
CREATE TABLE wire (v vector(2));
\getenv directory PG_ABS_BUILDDIR
\set file :directory '/results/bad_inputs.data'
-- Each message is sent twice: to see the text of the error, then its SQLSTATE.
\set load '\\copy wire FROM ' :'file' ' (FORMAT binary)'
-- accepted
COPY (SELECT '\x000200003f80000080000000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- no bytes
COPY (SELECT '\x'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- one byte
COPY (SELECT '\x00'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- three bytes
COPY (SELECT '\x000200'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- the header alone
COPY (SELECT '\x00020000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- the last number cut
COPY (SELECT '\x000200003f8000003f8000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- bytes left over
COPY (SELECT '\x000200003f8000003f80000000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- no dimensions
COPY (SELECT '\x00000000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- other dimensions than the column's
COPY (SELECT '\x000300003f8000003f8000003f800000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- the unused field not zero
COPY (SELECT '\x000200013f8000003f800000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
COPY (SELECT '\x0002ffff3f8000003f800000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- NaN, infinity, minus infinity
COPY (SELECT '\x000200003f8000007fc00000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
COPY (SELECT '\x000200007f8000003f800000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
COPY (SELECT '\x000200003f800000ff800000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- 16001 and 65535 dimensions
COPY (SELECT '\x3e8100003f800000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
COPY (SELECT '\xffff00003f800000'::bytea) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
-- the text form sent as binary
COPY (SELECT '[1,2,3]'::text) TO STDOUT (FORMAT binary) \g :file
:load
\set VERBOSITY sqlstate
:load
\set VERBOSITY default
SELECT v FROM wire;
DROP TABLE wire;

-- Only a superuser creates the extension; a second one is refused. Neither leaves anything behind.
SELECT * FROM pg_temp.outcome('CREATE EXTENSION vector_ext');
BEGIN;
DROP EXTENSION vector_ext;
CREATE ROLE regress_vector_ordinary;
GRANT ALL ON SCHEMA public TO regress_vector_ordinary;
SET LOCAL ROLE regress_vector_ordinary;
CREATE EXTENSION vector_ext;
\echo :SQLSTATE
ROLLBACK;
SELECT count(*) FROM pg_extension WHERE extname = 'vector_ext';

-- One of the two extensions per database: an extension named `vector` (here a mere entry in the
-- catalogue) or another's access method is in the way.
BEGIN;
DROP EXTENSION vector_ext;
INSERT INTO pg_extension
SELECT 1, 'vector', extowner, extnamespace, extrelocatable, extversion, extconfig, extcondition
FROM pg_extension WHERE extname = 'plpgsql';
SELECT * FROM pg_temp.outcome('CREATE EXTENSION vector_ext');
SELECT to_regtype('vector') IS NULL AS nothing_created;
ROLLBACK;
BEGIN;
DROP EXTENSION vector_ext;
CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER bthandler;
SELECT * FROM pg_temp.outcome('CREATE EXTENSION vector_ext');
SELECT to_regtype('vector') IS NULL AS nothing_created;
ROLLBACK;
