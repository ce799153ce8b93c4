-- Text and binary form of `sparsevec`, its type modifier, and how values are stored.

-- What is printed: entries by index, counted from 1, no blanks, numbers as those of a vector.
SELECT '{1:1.5,3:3.5}/5'::sparsevec;
SELECT '{1:-2,3:4}/5'::sparsevec, '{}/5'::sparsevec, '{ }/1'::sparsevec;
SELECT '{1:0.1,2:1e20,3:1e-20,4:16777217,5:1e-45,6:-3.4028235e38}/6'::sparsevec;
SELECT '{1000000000:1}/1000000000'::sparsevec;

-- What is accepted: blanks around every token, signs, everything strtof reads, any order.
SELECT E' \t\n\r\x0b\f{ \t\n\r\x0b\f1 \t\n\r\x0b\f: \t\n\r\x0b\f2 \t\n\r\x0b\f, 3 : 4'
        ' \t\n\r\x0b\f} \t\n\r\x0b\f/ \t\n\r\x0b\f5 \t\n\r\x0b\f'::sparsevec;
SELECT '{+1:+1,02:.5,3:0x10,4:1e+2}/+05'::sparsevec;
SELECT '{2:1,1:1}/3'::sparsevec, '{5:5,3:3,4:4,1:1,2:2}/9'::sparsevec;

-- Zeros are left out, wherever they stand.
SELECT '{1:0,2:1,3:-0,4:0e5,5:0x0p3}/5'::sparsevec, '{1:0}/1'::sparsevec;
SELECT '{9:0,1:1,1:0}/3'::sparsevec;

-- Too small is an error, unlike in a vector; subnormal numbers are kept.
SELECT '{1:1e-46}/1'::sparsevec;
SELECT '{1:-1e-5000}/1'::sparsevec;
SELECT '{1:0x1p-200}/1'::sparsevec;
SELECT '{1:1e-45}/1'::sparsevec;
SELECT '{1:4e38}/1'::sparsevec;
SELECT '{1:-4e38,x}/1'::sparsevec;

-- Refused text.
SELECT ''::sparsevec;
SELECT '   '::sparsevec;
SELECT '1:1}/1'::sparsevec;
SELECT '[1,2]'::sparsevec;
SELECT '{'::sparsevec;
SELECT '{1'::sparsevec;
SELECT '{1:'::sparsevec;
SELECT '{1:1'::sparsevec;
SELECT '{1:1,'::sparsevec;
SELECT '{1:1,}/1'::sparsevec;
SELECT '{,1:1}/1'::sparsevec;
SELECT '{:1}/1'::sparsevec;
SELECT '{1:}/1'::sparsevec;
SELECT '{a:1}/1'::sparsevec;
SELECT '{1:a}/1'::sparsevec;
SELECT '{1.5:1}/2'::sparsevec;
SELECT '{- 1:1}/2'::sparsevec;
SELECT '{1}/3'::sparsevec;
SELECT '{1:1}'::sparsevec;
SELECT '{1:1}5'::sparsevec;
SELECT '{1:1}/'::sparsevec;
SELECT '{1:1}/a'::sparsevec;
SELECT '{1:1}/1 x'::sparsevec;
SELECT '{1:1}/1.5'::sparsevec;
SELECT '{}'::sparsevec;
SELECT '{1:NaN}/1'::sparsevec;
SELECT '{1:Infinity}/1'::sparsevec;
SELECT '{1:-inf}/1'::sparsevec;

-- Dimensions and indices.
SELECT '{}/0'::sparsevec;
SELECT '{}/-1'::sparsevec;
SELECT '{}/1000000001'::sparsevec;
SELECT '{}/2147483648'::sparsevec;
SELECT '{}/9223372036854775808'::sparsevec;
SELECT '{}/-9223372036854775809'::sparsevec;
SELECT '{0:1}/1'::sparsevec;
SELECT '{-1:1}/1'::sparsevec;
SELECT '{2:1}/1'::sparsevec;
SELECT '{2147483648:1}/1'::sparsevec;
SELECT '{9223372036854775808:1}/1'::sparsevec;
SELECT '{-9223372036854775809:1}/1'::sparsevec;
SELECT '{1:1,1:1}/2'::sparsevec;
SELECT '{2:1,1:1,2:2}/2'::sparsevec;
SELECT '{1:1,2:1}/1'::sparsevec;

-- The largest number of entries.
SELECT l2_norm(('{' || string_agg(i || ':1', ',') || '}/16000')::sparsevec) ^ 2
FROM generate_series(1, 16000) i;
SELECT l2_norm(('{' || string_agg(i || ':1', ',' ORDER BY i DESC) || '}/16001')::sparsevec)
FROM generate_series(1, 16001) i;

-- The type modifier: in casts, columns, arrays and their printed names.
SELECT '{1:1}/3'::sparsevec(3);
SELECT '{1:1}/3'::sparsevec(2);
SELECT '{9:1}/3'::sparsevec(2);
SELECT '{1:1}/3'::sparsevec::sparsevec(2);
SELECT format_type('sparsevec'::regtype, NULL), format_type('sparsevec'::regtype, -1),
       format_type('sparsevec'::regtype, 3);
SELECT '{"{1:1}/2","{2:3}/2"}'::sparsevec(2)[];
SELECT '{"{1:1}/2","{2:3}/3"}'::sparsevec(2)[];
CREATE TABLE io (v sparsevec(0));
CREATE TABLE io (v sparsevec(-1));
CREATE TABLE io (v sparsevec(1000000001));
CREATE TABLE io (v sparsevec(3, 2));
CREATE TABLE io (v sparsevec('a'));
CREATE TABLE io (id int, v sparsevec(1000000000));
INSERT INTO io VALUES (1, '{7:1}/1000000000');
INSERT INTO io VALUES (2, '{7:1}/8');
ALTER TABLE io ALTER v TYPE sparsevec(8);
ALTER TABLE io ALTER v TYPE sparsevec;
INSERT INTO io VALUES (2, '{7:1}/8'), (3, NULL);
SELECT * FROM io ORDER BY id;
DROP TABLE io;

-- The binary form: dimensions, entries, zero, indices from 0, values, all in network order.
SELECT encode(sparsevec_send('{1:1,3:-2.5}/5'), 'hex');
SELECT encode(sparsevec_send('{}/1000000000'), 'hex');

-- It comes back as it went, and messages that are wrong are refused.
CREATE TABLE io (v sparsevec);
SELECT current_setting('data_directory') || '/sparsevec_message' AS file \gset
INSERT INTO io VALUES ('{1:1,3:-2.5}/5'), ('{}/1'), ('{1000000000:1e-45}/1000000000'), (NULL);
CREATE FUNCTION pg_temp.receive(message bytea, type_modifier text DEFAULT '') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    file text := current_setting('data_directory') || '/sparsevec_message';
    said text;
BEGIN
    -- In a binary COPY a bytea has just the bytes that another type would have.
    EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', message, file);
    EXECUTE 'CREATE TEMPORARY TABLE received (v sparsevec' || type_modifier || ')';
    BEGIN
        EXECUTE format('COPY received FROM %L (FORMAT binary)', file);
        SELECT v::text INTO said FROM received;
    EXCEPTION WHEN OTHERS THEN
        said := SQLSTATE || ' ' || SQLERRM;
    END;
    DROP TABLE received;
    RETURN said;
END $$;
SELECT v, pg_temp.receive(sparsevec_send(v)) = v::text AS comes_back FROM io WHERE v IS NOT NULL;
SELECT what, pg_temp.receive(decode(replace(message, ' ', ''), 'hex')) AS said
FROM (VALUES (1, 'empty', ''), (2, 'header cut', '00000003 00000001 0000'),
             (3, 'no dimensions', '00000000 00000000 00000000'),
             (4, 'negative dimensions', 'ffffffff 00000000 00000000'),
             (5, 'too many dimensions', '3b9aca01 00000000 00000000'),
             (6, 'text', '7b313a312c333a327d2f35'),
             (7, 'longer text', '7b313a312c333a327d2f353030'),
             (8, 'negative entries', '00000003 ffffffff 00000000'),
             (9, 'too many entries', '0000ffff 00003e81 00000000'),
             (10, 'more entries than dimensions', '00000001 00000002 00000000'),
             (11, 'unused', '00000003 00000001 00000007 00000000 3f800000'),
             (12, 'body missing', '00000003 00000001 00000000'),
             (13, 'body cut', '00000003 00000001 00000000 00000000 3f80'),
             (14, 'index too large', '00000003 00000001 00000000 00000003 3f800000'),
             (15, 'index negative', '00000003 00000001 00000000 ffffffff 3f800000'),
             (16, 'not ascending',
              '00000003 00000002 00000000 00000002 00000001 3f800000 3f800000'),
             (17, 'duplicate', '00000003 00000002 00000000 00000001 00000001 3f800000 3f800000'),
             (18, 'zero', '00000003 00000001 00000000 00000000 00000000'),
             (19, 'negative zero', '00000003 00000001 00000000 00000000 80000000'),
             (20, 'NaN', '00000003 00000001 00000000 00000000 7fc00000'),
             (21, 'infinity', '00000003 00000001 00000000 00000000 ff800000'),
             (22, 'left over', '00000003 00000001 00000000 00000000 3f800000 00'),
             (23, 'sound', '00000003 00000001 00000000 00000002 3f800000')) t (i, what, message)
ORDER BY i;
SELECT pg_temp.receive(sparsevec_send('{1:1}/3'), '(3)'),
       pg_temp.receive(sparsevec_send('{1:1}/3'), '(2)');
\set remove 'rm ' :file
COPY (SELECT) TO PROGRAM :'remove';
DROP TABLE io;

-- Storage: 16 bytes and 8 an entry; a long value goes out of line uncompressed, and comes back.
SELECT pg_column_size('{}/1'::sparsevec), pg_column_size('{1:1,2:2,3:3}/9'::sparsevec);
CREATE TABLE io (id int, v sparsevec);
INSERT INTO io
SELECT n, ('{' || string_agg(3 * i || ':' || i % 100 + 1, ',') || '}/100000')::sparsevec
FROM unnest(ARRAY[1, 5, 13, 14, 15, 200, 300, 1000, 16000]) n, generate_series(1, n) i GROUP BY n;
SELECT id, pg_column_size(v) >= 8 * id + 12 AS uncompressed,
       v = ('{' || (SELECT string_agg(3 * i || ':' || i % 100 + 1, ',')
                    FROM generate_series(1, id) i) || '}/100000')::sparsevec AS same
FROM io ORDER BY id;
SELECT attname, attstorage FROM pg_attribute WHERE attrelid = 'io'::regclass AND attname = 'v';
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
FROM (VALUES ('{1:1}/2', 'sparsevec'), ('{1:1}/2', 'sparsevec(2)'), ('{1:1}/2', 'sparsevec(3)'),
             ('{1:1', 'sparsevec'), ('', 'sparsevec'), ('{1:1}/2x', 'sparsevec'),
             ('{}/0', 'sparsevec'), ('{}/1000000001', 'sparsevec'), ('{3:1}/2', 'sparsevec'),
             ('{1:1,1:1}/2', 'sparsevec'), ('{1:nan}/2', 'sparsevec'), ('{1:inf}/2', 'sparsevec'),
             ('{1:4e38}/2', 'sparsevec'), ('{1:1e-46}/2', 'sparsevec')) AS t (input, type);
