-- Text and binary form of `vector`, its type modifier, and how values are stored.

-- What is printed: brackets, no blanks, the shortest decimal that reads back to the same float32.
SELECT '[1,2,3]'::vector;
SELECT '[-1,2.5,-0.375]'::vector;
SELECT '[0.1,0.2,0.3]'::vector;
SELECT '[1.00000001,16777217,123456789]'::vector;
SELECT '[100000,1000000,0.0001,0.00001]'::vector;
SELECT '[1e20,1e-20,3.4028235e38,-3.4028235e38]'::vector;
SELECT '[1.17549435e-38,1e-45]'::vector;

-- What is accepted: everything strtof reads, blanks around every token.
SELECT '[ 1 , 2 ]'::vector;
SELECT '   [1,2]   '::vector;
SELECT E' \t\n\r\x0b\f[ \t\n\r\x0b\f1 \t\n\r\x0b\f, \t\n\r\x0b\f2'
        ' \t\n\r\x0b\f] \t\n\r\x0b\f'::vector;
SELECT '[+1,.5,5.,1E2,1e+2,1e-2]'::vector;
SELECT '[0x10]'::vector;
SELECT '[0x1.8p1,-0X10,0x.8]'::vector;
SELECT '[00001,1.50000000000000000000000000000000000000000000000000]'::vector;

-- Too small becomes zero and keeps its sign; negative zero is kept.
SELECT '[1e-46,1]'::vector;
SELECT '[-1e-46,1]'::vector;
SELECT '[1e-50]'::vector;
SELECT '[-0,0]'::vector;

-- Halfway cases round to even, as the server's own float4 does.
SELECT '[16777217,16777219,8388608.5,8388609.5]'::vector;

-- The printed text equals the server's array of float4, and reads back to the same value.
SELECT count(*) AS values,
       count(*) FILTER (WHERE v::text <> translate(a::text, '{}', '[]')) AS printed_otherwise,
       count(*) FILTER (WHERE vector_send(v::text::vector) <> vector_send(v)) AS read_otherwise
FROM (SELECT ARRAY[(i * 0.37 - 900) * 10.0::float8 ^ (i % 70 - 35), 1.0 / (i + 1),
                   i::float8]::real[] AS a
      FROM generate_series(0, 4999) i) s,
     LATERAL (SELECT a::vector AS v) c;

-- Refused text; where the literal stands in a statement the server points at it.
SELECT ''::vector;
SELECT '1,2,3'::vector;
SELECT '[1,2'::vector;
SELECT '[1,2]x'::vector;
SELECT '[1,,2]'::vector;
SELECT '[]'::vector;
SELECT '[NaN]'::vector;
SELECT '[1,-Infinity]'::vector;
SELECT '[1,4e38]'::vector;
SELECT '[1,-1e5000 ,2]'::vector;

-- The largest number of dimensions.
SELECT vector_dims(('[' || repeat('1,', 15999) || '1]')::vector);
SELECT ('[' || repeat('1,', 16000) || '1]')::vector;

-- The type modifier: in casts, columns, arrays, domains and their printed names.
SELECT '[1,2,3]'::vector(3);
SELECT '[1,2,3]'::vector(2);
SELECT vector(3) '[1,2,3]';
SELECT format_type('vector'::regtype, NULL), format_type('vector'::regtype, -1),
       format_type('vector'::regtype, 3);
SELECT '{"[1,2]","[3,4]"}'::vector(2)[];
SELECT '{"[1,2]","[3]"}'::vector(2)[];
SELECT '{"[1,2]",NULL,"[3]"}'::vector[];

CREATE TABLE io (id int, v vector(3));
INSERT INTO io VALUES (1, '[1,2,3]'), (2, NULL), (3, '[4,5,6]');
INSERT INTO io VALUES (4, '[1,2]');
INSERT INTO io SELECT 5, '[1,2,3,4]'::vector;
UPDATE io SET v = '[7]' WHERE id = 1;
SELECT * FROM io ORDER BY id;
SELECT attname, format_type(atttypid, atttypmod), attstorage FROM pg_attribute
WHERE attrelid = 'io'::regclass AND attnum > 0 ORDER BY attnum;
ALTER TABLE io ALTER COLUMN v TYPE vector(2);
ALTER TABLE io ALTER COLUMN v TYPE vector;
INSERT INTO io VALUES (6, '[1]'), (7, '[1,2]');
SELECT id, v, vector_dims(v) FROM io ORDER BY id;
ALTER TABLE io ALTER COLUMN v TYPE vector(3);
CREATE DOMAIN unit_vector AS vector(2) CHECK (vector_norm(VALUE) = 1);
SELECT '[0,1]'::unit_vector;
SELECT '[0,2]'::unit_vector;
SELECT '[0,0,1]'::unit_vector;
DROP DOMAIN unit_vector;
DROP TABLE io;

-- Unacceptable type modifiers.
CREATE TABLE io (v vector(0));
CREATE TABLE io (v vector(-1));
CREATE TABLE io (v vector(16001));
CREATE TABLE io (v vector(3, 2));
CREATE TABLE io (v vector('a'));
CREATE TABLE io (v vector(16000));
DROP TABLE io;

-- The binary form: dimensions, zero, then the numbers in network order.
SELECT encode(vector_send('[1,-2.5]'), 'hex');
SELECT encode(vector_send('[0,-0,1e-45,3.4028235e38]'), 'hex');
SELECT length(vector_send(('[' || repeat('1,', 15999) || '1]')::vector));

-- Storage: 8 bytes and 4 a dimension; a long value goes out of line uncompressed, and comes back.
SELECT pg_column_size('[1]'::vector), pg_column_size('[1,2,3]'::vector),
       pg_column_size(('[' || repeat('1,', 15999) || '1]')::vector);
CREATE TABLE io (id int, v vector);
INSERT INTO io SELECT n, (SELECT array_agg(i % 100) FROM generate_series(1, n) i)::int[]::vector
FROM unnest(ARRAY[1, 5, 30, 31, 400, 505, 2000, 16000]) n;
SELECT id, vector_dims(v), pg_column_size(v) >= 4 * id + 4 AS uncompressed,
       v = (SELECT array_agg(i % 100) FROM generate_series(1, id) i)::int[]::vector AS same
FROM io ORDER BY id;
SELECT pg_relation_size(reltoastrelid) > 64000 AS out_of_line FROM pg_class
WHERE oid = 'io'::regclass;
DROP TABLE io;

-- Servers with soft errors (16 and later) say whether a text would be accepted; older ones must
-- try.
CREATE FUNCTION pg_temp.is_valid(input text, type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE 'SELECT coalesce(sql_error_code, ''valid'') FROM pg_input_error_info($1, $2)'
        INTO said USING input, type;
    ELSE
        EXECUTE format('SELECT %L::%s', input, type);
        said := 'valid';
    END IF;
    RETURN said;
EXCEPTION WHEN OTHERS THEN
    RETURN CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'hard ' ELSE '' END
    || SQLSTATE;
END $$;
SELECT input, type, pg_temp.is_valid(input, type)
FROM (VALUES ('[1,2]', 'vector'), ('[1,2]', 'vector(2)'), ('[1,2]', 'vector(3)'),
      ('[1,2', 'vector'), ('', 'vector'),
             ('[1,2]x', 'vector'), ('[]', 'vector'), ('[nan]', 'vector'), ('[inf]', 'vector'),
                 ('[4e38]', 'vector'),
             ('{1,2}', 'vector')) AS t (input, type);
SELECT pg_temp.is_valid('[' || repeat('1,', 16000) || '1]', 'vector');
