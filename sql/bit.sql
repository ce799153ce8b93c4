-- Distances between bit strings: operators, functions, lengths around register widths, storage.

-- Hamming: the bits that differ.
SELECT B'111' <~> B'110', hamming_distance(B'111', B'111'), hamming_distance(B'111', B'000'),
       hamming_distance(B'', B'');
SELECT '1010101010'::bit(10) <~> '0101010101'::bit(10), X'ff00ff' <~> X'00ff00',
       '101'::varbit <~> '100'::varbit;

-- Jaccard: 1 - |both| / |either|.
SELECT B'1111' <%> B'1110', jaccard_distance(B'1111', B'1111'), jaccard_distance(B'1100', B'1000'),
       jaccard_distance(B'1110', B'0111');
SELECT jaccard_distance(B'1111', B'0000') AS one_zero, jaccard_distance(B'0000', B'0000') AS zeros,
       jaccard_distance(B'', B'') AS empty, jaccard_distance(B'10', B'01') AS apart;

-- NULL operands.
SELECT B'1' <~> NULL IS NULL, NULL <%> B'1' IS NULL;

-- Different lengths, left first.
SELECT B'111' <~> B'11';
SELECT B'11' <%> B'111';
SELECT hamming_distance(B'', B'0');
SELECT jaccard_distance('1'::bit(8), '1'::bit(16));

-- Untyped literals and bits of vectors find the operators.
SELECT B'101' <~> '100', '101' <%> B'100',
       binary_quantize('[1,-1,0.5]'::vector) <~> binary_quantize('[-1,-1,1]'::vector),
       binary_quantize('[1,-1,0.5]'::vector)::bit(3) <%> B'100';

-- Every length from 0 to 1100, beside counting by text.
SELECT count(*) AS lengths,
       count(*) FILTER (WHERE (a <~> b) IS DISTINCT FROM
                              length(replace((a # b)::text, '0', ''))) AS hamming_wrong,
       count(*) FILTER (WHERE abs((a <%> b) - CASE WHEN (a & b)::text !~ '1' THEN 1 ELSE
                              1 - length(replace((a & b)::text, '0', ''))::float8
                                  / length(replace((a | b)::text, '0', '')) END) > 1e-12)
           AS jaccard_wrong,
       count(*) FILTER (WHERE a <~> a <> 0
                              OR a <%> a <> CASE WHEN a::text ~ '1' THEN 0 ELSE 1 END) AS self_wrong
FROM generate_series(0, 1100) n,
     LATERAL (SELECT coalesce(string_agg((i * i % 7 / 4)::text, ''), '')::varbit AS a,
                     coalesce(string_agg((i % 5 / 2 % 2)::text, ''), '')::varbit AS b
              FROM generate_series(1, n) i) s;

-- One bit is seen wherever it stands.
SELECT count(*) AS places, count(*) FILTER (WHERE zeros <~> set_bit(zeros, place, 1) <> 1) AS wrong
FROM generate_series(1, 530, 23) n, generate_series(0, n - 1) place,
     LATERAL (SELECT repeat('0', n)::varbit AS zeros) s;

-- Long strings, as they lie in a table: short headers, plain, compressed, out of line.
CREATE TABLE bits (id int, b varbit, p varbit);
ALTER TABLE bits ALTER p SET STORAGE EXTERNAL;
INSERT INTO bits SELECT n, repeat('1011', n / 4)::varbit, repeat('1001', n / 4)::varbit
FROM unnest(ARRAY[4, 960, 968, 1000, 16000, 64000, 1000000]) n;
SELECT id, b <~> p AS hamming, b <%> p AS jaccard, p <~> b = id / 4 AS same_from_the_other_side
FROM bits ORDER BY id;
SELECT count(*) FROM bits a, generate_series(1, 5)
WHERE a.id = 1000000 AND a.b <~> (SELECT p FROM bits WHERE id = 1000000) = 250000;
DROP TABLE bits;

-- Exact search in a column of bit(n), and re-ranking what binary quantization finds.
CREATE TABLE bits (id int, v vector(8));
INSERT INTO bits
SELECT i, (SELECT array_agg(sin(i * k)) FROM unnest(ARRAY[1, 2, 3, 5, 7, 11, 13, 17]) k)::vector
FROM generate_series(1, 200) i;
CREATE FUNCTION pg_temp.query() RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT '[0.3,-0.9,0.7,0.1,-0.2,0.6,-0.5,0.4]'::vector $$;
SELECT id, binary_quantize(v)::bit(8) <~> binary_quantize(pg_temp.query()) AS hamming
FROM bits ORDER BY hamming, id LIMIT 5;
SELECT id, round((v <=> pg_temp.query())::numeric, 5) AS cosine
FROM (SELECT * FROM bits
      ORDER BY binary_quantize(v)::bit(8) <~> binary_quantize(pg_temp.query()), id LIMIT 20) t
ORDER BY v <=> pg_temp.query() LIMIT 3;
DROP TABLE bits;
