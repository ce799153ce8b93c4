-- Functions of one vector: dimensions, norm, normalisation, quantisation, parts.

SELECT vector_dims('[1,2,3]'::vector), vector_dims('[0]'::vector), vector_dims(NULL::vector);
SELECT vector_dims(array_fill(1, ARRAY[16000])::vector);

-- The norm is summed in float64: no overflow, no underflow.
SELECT vector_norm('[3,4]'), vector_norm('[0,1]'), vector_norm('[0,0]'), vector_norm('[-5]'),
       vector_norm(NULL);
SELECT vector_norm('[1,1]');
SELECT vector_norm('[3e37,4e37]')::real, vector_norm('[3e38,3e38,3e38]') > 5e38 AS beyond_float4,
       vector_norm('[3e-30,4e-30]')::real;
SELECT count(*) AS lengths,
       count(*)
       FILTER (WHERE vector_norm(v) <> sqrt((SELECT sum(x::float8 * x) FROM unnest(v::real[]) x)))
           AS wrong
FROM generate_series(1, 130) n,
     LATERAL (SELECT array_agg(i % 17 - 8)::vector AS v FROM generate_series(1, n) i) s;

SELECT l2_normalize('[3,4]'::vector), l2_normalize('[3,0]'::vector),
       l2_normalize('[0,0.1]'::vector), l2_normalize('[-7]'::vector);
SELECT l2_normalize('[0,0]'::vector), l2_normalize(NULL::vector);
SELECT l2_normalize('[3e38]'::vector), l2_normalize('[1e-30]'::vector),
       l2_normalize('[1e-45]'::vector);
SELECT l2_normalize('[0,-0,2]'::vector);
SELECT count(*) AS lengths,
       count(*) FILTER (WHERE abs(vector_norm(l2_normalize(v)) - 1) > 0.000001) AS not_unit
FROM generate_series(1, 130) n,
     LATERAL (SELECT array_agg(i % 17 - 8)::vector AS v FROM generate_series(1, n) i) s;

-- A bit is set where the number is above zero, the first dimension in the first bit.
SELECT binary_quantize('[1,0,-1]'::vector),
       binary_quantize('[0,0.1,-0.2,-0.3,0.4,0.5,0.6,-0.7,0.8,-0.9,1]'::vector);
SELECT binary_quantize('[-0,0,1e-45,-1e-45]'::vector), binary_quantize('[1]'::vector),
       binary_quantize(NULL::vector);
SELECT pg_typeof(binary_quantize('[1]'::vector)),
       length(binary_quantize(array_fill(1, ARRAY[16000])::vector)),
       binary_quantize(array_fill(1, ARRAY[16000])::vector) = repeat('1', 16000)::bit(16000)
       AS all_set;
SELECT count(*) AS lengths,
       count(*)
       FILTER (WHERE binary_quantize(v)::text
               <> (SELECT string_agg(CASE WHEN x > 0 THEN '1' ELSE '0' END, '' ORDER BY i)
                   FROM unnest(v::real[]) WITH ORDINALITY u (x, i))) AS wrong
FROM generate_series(1, 130) n,
     LATERAL (SELECT array_agg(i * 7 % 17 - 8)::vector AS v FROM generate_series(1, n) i) s;

-- Parts: positions count from 1; start and length are cut to the vector.
SELECT subvector('[1,2,3,4,5]'::vector, 1, 3), subvector('[1,2,3,4,5]'::vector, 3, 2),
       subvector('[1,2,3,4,5]'::vector, 5, 1);
SELECT subvector('[1,2,3,4,5]'::vector, 4, 9), subvector('[1,2,3,4,5]'::vector, 3, 2147483647),
       subvector('[1,2,3,4,5]'::vector, 1, 2147483647);
SELECT subvector('[1,2,3,4,5]'::vector, -1, 3), subvector('[1,2,3,4,5]'::vector, 0, 2);
SELECT subvector('[1,2,3,4,5]'::vector, '-2147483648', 2147483647);
SELECT subvector('[1,2,3,4,5]'::vector, 1, 0);
SELECT subvector('[1,2,3,4,5]'::vector, 1, -1);
SELECT subvector('[1,2,3,4,5]'::vector, 6, 1);
SELECT subvector('[1,2,3,4,5]'::vector, 2147483647, 2147483647);
SELECT subvector('[1,2,3,4,5]'::vector, 0, 1);
SELECT subvector('[1,2,3,4,5]'::vector, -10, 3);
SELECT subvector(NULL::vector, 1, 1), subvector('[1]'::vector, NULL, 1),
       subvector('[1]'::vector, 1, NULL);
SELECT count(*) AS cuts,
       count(*) FILTER (WHERE subvector(v, s, c)::real[] <> (v::real[])[s:s + c - 1]) AS wrong
FROM (SELECT array_agg(i)::vector AS v FROM generate_series(1, 40) i) t, generate_series(1, 40) s,
     generate_series(1, 45) c;
