-- Casts between sparse vectors, vectors and arrays.

SELECT '[0,1.5,0,3.5,0]'::vector::sparsevec, '[0,-0]'::vector::sparsevec,
       '[1]'::vector::sparsevec(1);
SELECT '{2:1.5,4:3.5}/5'::sparsevec::vector, '{}/3'::sparsevec::vector,
       '{1:1}/1'::sparsevec::vector(1);
SELECT '[0,1]'::vector::sparsevec(3);
SELECT '{1:1}/2'::sparsevec::vector(3);
SELECT vector_dims('{16000:1}/16000'::sparsevec::vector);
SELECT '{1:1}/16001'::sparsevec::vector;
SELECT '{1:1}/1000000000'::sparsevec::vector;

SELECT ARRAY[0,1,-2]::sparsevec, ARRAY[0,1.5,0]::real[]::sparsevec,
       ARRAY[1e-300,0.1,0]::float8[]::sparsevec, ARRAY[0.0,1.25,0]::numeric[]::sparsevec,
       '{0,0}'::int[]::sparsevec;
SELECT ARRAY[1,2]::sparsevec(2), ARRAY[1,2]::int[]::sparsevec(3);
SELECT '{}'::int[]::sparsevec;
SELECT '{}'::real[]::sparsevec(3);
SELECT '{{1,2},{3,4}}'::int[]::sparsevec;
SELECT '{1,NULL}'::int[]::sparsevec;
SELECT '{NaN}'::real[]::sparsevec;
SELECT '{0,Infinity}'::real[]::sparsevec;
SELECT '{-Infinity}'::float8[]::sparsevec;
SELECT '{4e38}'::float8[]::sparsevec;
SELECT '{4e38}'::numeric[]::sparsevec;
SELECT ARRAY['NaN']::numeric[]::sparsevec;
SELECT '{1}'::text[]::sparsevec;
SELECT array_to_sparsevec(ARRAY[0,1], -1, true), vector_to_sparsevec('[0,1]', -1, true),
       sparsevec_to_vector('{2:1}/2', -1, true), sparsevec('{2:1}/2', 2, true);

-- Arrays may be longer than vectors, and have as many numbers that are not zero.
SELECT l2_norm(v) ^ 2, pg_column_size(v)
FROM (SELECT array_agg(CASE WHEN i % 5 = 0 THEN 1 ELSE 0 END)::sparsevec(80000) AS v
      FROM generate_series(1, 80000) i) s;
SELECT array_agg(1)::sparsevec FROM generate_series(1, 16001) i;

-- On assignment, and implicitly from vectors.
CREATE TABLE casts (s sparsevec(3), v vector(3));
INSERT INTO casts VALUES (ARRAY[0,1,2], '{3:7}/3'::sparsevec), ('[1,0,0]'::vector, ARRAY[1,2,3]),
    (ARRAY[0,0.5,0]::numeric[], '[1,2,3]');
INSERT INTO casts VALUES (ARRAY[1,2], NULL);
INSERT INTO casts VALUES ('[1,2]'::vector, NULL);
INSERT INTO casts VALUES (NULL, '{1:1}/4'::sparsevec);
SELECT * FROM casts ORDER BY s;
SELECT '{1:3}/2'::sparsevec = '[3,0]'::vector AS equal;
DROP TABLE casts;
SELECT '{1:1}/2'::sparsevec::real[];

-- There and back, whatever the signs and places.
SELECT count(*) AS vectors, count(*) FILTER (WHERE v::sparsevec::vector <> v) AS vector_wrong,
       count(*) FILTER (WHERE v::sparsevec <> a::sparsevec
                              OR v::sparsevec::text::sparsevec <> v::sparsevec) AS sparse_wrong
FROM generate_series(1, 100) n,
     LATERAL (SELECT array_agg(CASE WHEN i * n % 3 = 0 THEN 0 ELSE sin(i * n) END)::real[] AS a
              FROM generate_series(1, n) i) s, LATERAL (SELECT a::vector AS v) t;

-- Vectors of half precision.
SELECT '[0,1.5,0]'::halfvec::sparsevec, '[0,65504]'::halfvec::sparsevec(2),
       '{2:1.5}/3'::sparsevec::halfvec, '{1:0.1}/1'::sparsevec::halfvec(1);
SELECT '{1:1e-9}/2'::sparsevec::halfvec, '{1:65519}/2'::sparsevec::halfvec;
SELECT '{1:65520}/2'::sparsevec::halfvec;
SELECT '[0,1]'::halfvec::sparsevec(3);
SELECT '{1:1}/2'::sparsevec::halfvec(3);
SELECT '{1:1}/16001'::sparsevec::halfvec;
CREATE TABLE casts (s sparsevec(3), h halfvec(3));
INSERT INTO casts VALUES ('[0,1,2]'::halfvec, '{3:7}/3'::sparsevec);
SELECT s, h, s <-> h AS distance FROM casts;
DROP TABLE casts;
