-- The small helpers: vector_try_parse, vector_from_f32, vector_to_f32.

-- Text that does not parse is NULL, not an error.
SELECT input, vector_try_parse(input)
FROM (VALUES ('[1,2]'), (' [ 1 , 2.5 ] '), ('[0x10]'), ('[1e-50]'), (''), ('1,2'), ('[1,2'),
      ('[1,2]x'), ('[1,,2]'), ('[1a]'), ('{1,2}'),
             ('[]'), ('[nan]'), ('[inf]'), ('[4e38]'), ('null'), (NULL)) t (input);
SELECT vector_dims(vector_try_parse('[' || repeat('1,', 15999) || '1]')),
       vector_try_parse('[' || repeat('1,', 16000) || '1]') IS NULL AS too_many;
SELECT vector_try_parse('[1,2,3]')::vector(2);

CREATE TABLE raw (id int, line text);
INSERT INTO raw VALUES (1, '[1,2]'), (2, 'oops'), (3, '[3,4]'), (4, '[NaN,1]');
CREATE TABLE parsed AS SELECT id, vector_try_parse(line) AS v FROM raw;
SELECT * FROM parsed ORDER BY id;
SELECT id, line AS refused FROM raw WHERE line IS NOT NULL AND vector_try_parse(line) IS NULL
ORDER BY id;
DROP TABLE raw, parsed;

-- Raw float32, little-endian, without a header.
SELECT vector_to_f32('[1,2]'), vector_to_f32('[-2.5,0,-0,1e-45]'), vector_to_f32(NULL);
SELECT vector_from_f32('\x0000803f00000040'), vector_from_f32('\x000020c00000000000000080'),
       vector_from_f32('\x01000000'), vector_from_f32(NULL);
SELECT length(vector_to_f32(v)), vector_from_f32(vector_to_f32(v)) = v AS same
FROM (SELECT array_fill(0.1, ARRAY[16000])::vector AS v) s;
SELECT count(*) AS lengths,
       count(*) FILTER (WHERE vector_send(vector_from_f32(vector_to_f32(v))) <> vector_send(v))
           AS changed
FROM generate_series(1, 130) n,
     LATERAL (SELECT array_agg(i / 7.0)::vector AS v FROM generate_series(1, n) i) s;
SELECT vector_from_f32('\x0000803f00000040')::vector(2), vector_from_f32('\x0000803f') <-> '[3]';

-- The two bytea forms differ: binary send has a header and network order.
SELECT vector_to_f32('[1]'), vector_send('[1]');

-- Refused bytes.
SELECT vector_from_f32('');
SELECT vector_from_f32('\x00');
SELECT vector_from_f32('\x0000803f000000');
SELECT vector_from_f32('\x0000803f0000c07f');
SELECT vector_from_f32('\x0000807f');
SELECT vector_from_f32('\x000080ff');
SELECT vector_from_f32(decode(repeat('0000803f', 16001), 'hex'));
SELECT vector_from_f32('\x0000803f00000040')::vector(3);
