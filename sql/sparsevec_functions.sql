-- Functions of one sparse vector.

SELECT l2_norm('{1:3,2:4}/2'::sparsevec), l2_norm('{}/7'::sparsevec),
       l2_norm('{3:-2}/7'::sparsevec);
SELECT l2_norm('{1:3e38,2:3e38}/2'::sparsevec) BETWEEN 4.24e38 AND 4.25e38 AS summed_in_double,
       l2_norm('{1:1e-45}/1'::sparsevec) > 0 AS subnormal;
SELECT l2_normalize('{1:3,2:4}/2'::sparsevec), l2_normalize('{7:-2}/9'::sparsevec),
       l2_normalize('{}/5'::sparsevec), l2_normalize('{5:3e38}/5'::sparsevec),
       l2_normalize('{5:1e-45}/5'::sparsevec);
-- What becomes zero is left out.
SELECT l2_normalize('{1:1e-45,2:3e38,4:1e-30}/5'::sparsevec);
SELECT l2_normalize('{1:1e-30,2:3e38,4:-4e37}/5'::sparsevec);
SELECT l2_norm(NULL::sparsevec) IS NULL, l2_normalize(NULL::sparsevec) IS NULL;
SELECT count(*) AS vectors,
       count(*) FILTER (WHERE abs(l2_norm(v) - vector_norm(v::vector)) > 1e-9) AS norm_wrong,
       count(*) FILTER (WHERE l2_normalize(v)::vector <-> l2_normalize(v::vector) > 1e-6)
           AS normalize_wrong
FROM generate_series(1, 60) s,
     LATERAL (SELECT array_agg(CASE WHEN i * s % 4 = 1 THEN sin(i * s) ELSE 0 END)::sparsevec AS v
              FROM generate_series(1, 50) i) x;
