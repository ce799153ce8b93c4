-- Arithmetic of vectors: + - * and concatenation.

SELECT '[1,2,3]'::vector + '[4,5,6]';
SELECT '[1,2,3]'::vector - '[4,5,6]';
SELECT '[1,2,3]'::vector * '[4,5,6]';
SELECT '[1,2,3]'::vector || '[4,5]';
SELECT vector_add('[1]', '[0.5]'), vector_sub('[1]', '[0.5]'), vector_mul('[1]', '[0.5]'),
       vector_concat('[1]', '[0.5]');

-- Each result is rounded to float32, as the server's float4 arithmetic does.
SELECT '[0.1,0.7,16777216]'::vector + '[0.2,0.1,1]',
       ARRAY[0.1::real + 0.2::real, 0.7::real + 0.1::real];
SELECT '[0.3,1]'::vector - '[0.1,0.9]', ARRAY[0.3::real - 0.1::real, 1::real - 0.9::real];
SELECT '[0.1,1e20]'::vector * '[0.2,1e-20]', ARRAY[0.1::real * 0.2::real, 1e20::real * 1e-20::real];

-- Signs of zero.
SELECT '[0,-0,-0]'::vector + '[-0,-0,0]', '[0,-0]'::vector - '[0,0]',
       '[0,-0,0]'::vector * '[-1,-1,1]';

-- Operators are strict.
SELECT '[1]'::vector + NULL IS NULL, NULL - '[1]'::vector IS NULL, '[1]'::vector * NULL IS NULL,
       '[1]'::vector || NULL IS NULL;

-- Different dimensions; concatenation takes any.
SELECT '[1]'::vector + '[1,2]';
SELECT '[1,2]'::vector - '[1]';
SELECT '[1,2,3]'::vector * '[1]';
SELECT '[1]'::vector || '[2,3,4]';

-- Overflow is an error for each, at any position; underflow to zero only for the product.
SELECT '[3e38]'::vector + '[3e38]';
SELECT '[1,2,3,4,5,6,7,8,-3e38]'::vector + '[1,2,3,4,5,6,7,8,-3e38]';
SELECT '[3e38]'::vector - '[-3e38]';
SELECT '[1e38]'::vector * '[1e38]';
SELECT '[1e-37]'::vector * '[1e-37]';
SELECT '[1,-1e-37]'::vector * '[1,1e-37]';
SELECT '[1e-37,0]'::vector * '[0,1e-37]';
SELECT '[1e-20,1e-22]'::vector * '[1e-20,1e-22]';
SELECT '[3.4028235e38]'::vector + '[1]', '[1e-45,2e-38]'::vector - '[1e-45,1e-38]';

-- The result of || may not have more dimensions than a vector can.
SELECT vector_dims(v || v) FROM (SELECT array_fill(1, ARRAY[8000])::vector AS v) s;
SELECT vector_dims(v || v || '[1]') FROM (SELECT array_fill(1, ARRAY[8000])::vector AS v) s;

-- Lengths around the width of registers agree with arithmetic on arrays.
SELECT count(*) AS lengths,
       count(*)
       FILTER (WHERE (a + b)::real[]
               <> (SELECT array_agg(x + y ORDER BY i)
                   FROM unnest(a::real[], b::real[]) WITH ORDINALITY u (x, y, i))) AS sums_wrong,
       count(*)
       FILTER (WHERE (a - b)::real[]
               <> (SELECT array_agg(x - y ORDER BY i)
                   FROM unnest(a::real[], b::real[]) WITH ORDINALITY u (x, y, i)))
                   AS differences_wrong,
       count(*)
       FILTER (WHERE (a * b)::real[]
               <> (SELECT array_agg(x * y ORDER BY i)
                   FROM unnest(a::real[], b::real[]) WITH ORDINALITY u (x, y, i)))
                   AS products_wrong,
       count(*) FILTER (WHERE (a || b)::real[] <> a::real[] || b::real[]) AS concatenations_wrong
FROM generate_series(1, 130) n,
     LATERAL (SELECT array_agg(i * 0.1 - 3)::real[]::vector AS a,
              array_agg(7 - i * 0.3)::real[]::vector AS b FROM generate_series(1, n) i) s;

-- Operands come from a table in any storage form.
CREATE TABLE arith (v vector, w vector);
ALTER TABLE arith ALTER w SET STORAGE PLAIN;
INSERT INTO arith VALUES ('[1,2,3]', '[1,2,3]'), ('[4]', '[4]'),
    (array_fill(2, ARRAY[1000]), array_fill(2, ARRAY[1000]));
SELECT vector_dims(v), v + w = w * '[2]' AS one FROM arith WHERE vector_dims(v) = 1;
SELECT vector_dims(v), v - w = subvector(w - v, 1, vector_dims(v)) AS zeros, v + w = w + v AS sums,
       subvector(v || w, 1, vector_dims(v)) = w AS halves
FROM arith ORDER BY 1;
DROP TABLE arith;
