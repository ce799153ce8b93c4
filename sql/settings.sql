-- The setting vector_ext.simd: shows the level in effect, takes a lower one, refuses one that
-- cannot run.

LOAD 'vector_ext';
SELECT current_setting('vector_ext.simd') IN ('scalar', 'avx2', 'avx512', 'neon')
       AS effective_level_shown;
SELECT vartype, context, enumvals FROM pg_settings WHERE name = 'vector_ext.simd';
SELECT short_desc <> '' AS described FROM pg_settings WHERE name = 'vector_ext.simd';

SET vector_ext.simd = scalar;
SHOW vector_ext.simd;
SELECT '[1,2,3,4,5,6,7,8,9]'::vector <-> '[1,2,3,4,5,6,7,8,11]';
SET vector_ext.simd = 'SCALAR';
SHOW vector_ext.simd;
SET vector_ext.simd = auto;
SELECT current_setting('vector_ext.simd') IN ('scalar', 'avx2', 'avx512', 'neon')
       AS effective_level_shown;
RESET vector_ext.simd;

SET vector_ext.simd = 'nonsense';
\echo :SQLSTATE
SET vector_ext.simd = '';
SET vector_ext.simd = 1;
SET vector_ext.unknown = 1;

-- Local and rolled-back settings return to what was in effect before.
SET vector_ext.simd = auto;
SELECT current_setting('vector_ext.simd') AS before \gset
BEGIN;
SET LOCAL vector_ext.simd = scalar;
SHOW vector_ext.simd;
COMMIT;
SELECT current_setting('vector_ext.simd') = :'before' AS returned;
BEGIN;
SET vector_ext.simd = scalar;
ROLLBACK;
SELECT current_setting('vector_ext.simd') = :'before' AS returned;

-- Every level either becomes the one in effect or is refused as a bad value; every one that runs
-- gives the same distances of whole numbers.
CREATE FUNCTION pg_temp.try_level(level text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    distances float8[];
BEGIN
    PERFORM set_config('vector_ext.simd', level, false);
    SELECT ARRAY[a <-> b, a <#> b, a <+> b, round((a <=> b)::numeric, 12)::float8, vector_norm(a)]
           INTO distances
    FROM (SELECT array_agg(i % 9 - 4)::vector AS a, array_agg(i % 7 - 3)::vector AS b
          FROM generate_series(1, 1000) i) s;
    IF level <> 'auto' AND current_setting('vector_ext.simd') <> level THEN
        RETURN level || ' was set but ' || current_setting('vector_ext.simd') || ' is in effect';
    END IF;
    RETURN distances::text;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NULL;
END $$;
SELECT DISTINCT pg_temp.try_level(level) AS distances
FROM unnest(ARRAY['auto', 'scalar', 'avx2', 'avx512', 'neon']) level
WHERE pg_temp.try_level(level) IS NOT NULL;
RESET vector_ext.simd;
