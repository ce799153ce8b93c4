-- aggregate

-- since 0.4.0
CREATE FUNCTION @type@_accum(double precision[], @type@) RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'vext_@type@_accum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_accum(double precision[], @type@) IS
    'adds a vector to the state of an average: number of rows and sum of each dimension';

-- since 0.4.0
CREATE FUNCTION @type@_combine(double precision[], double precision[]) RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'vext_vector_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_combine(double precision[], double precision[]) IS
    'merges two states of an average';

-- since 0.4.0
CREATE FUNCTION @type@_avg(double precision[]) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@type@_avg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_avg(double precision[]) IS
    'average of a state, NULL when it has no rows';

-- since 0.4.0
CREATE AGGREGATE avg(@type@) (
    SFUNC = @type@_accum,
    STYPE = double precision[],
    FINALFUNC = @type@_avg,
    COMBINEFUNC = @type@_combine,
    INITCOND = '{0}',
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(@type@) IS
    'average of each dimension';

-- since 0.5.0
CREATE AGGREGATE sum(@type@) (
    SFUNC = @type@_add,
    STYPE = @type@,
    COMBINEFUNC = @type@_add,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(@type@) IS
    'sum of each dimension';
