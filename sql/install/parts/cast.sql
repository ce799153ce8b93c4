-- cast

CREATE FUNCTION array_to_@type@(integer[], integer, boolean) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_array_to_@type@' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_@type@(integer[], integer, boolean) IS
    'vector of an array of integer';

CREATE FUNCTION array_to_@type@(real[], integer, boolean) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_array_to_@type@' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_@type@(real[], integer, boolean) IS
    'vector of an array of real';

CREATE FUNCTION array_to_@type@(double precision[], integer, boolean) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_array_to_@type@' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_@type@(double precision[], integer, boolean) IS
    'vector of an array of double precision';

-- since 0.1.7
CREATE FUNCTION array_to_@type@(numeric[], integer, boolean) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_array_to_@type@' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_@type@(numeric[], integer, boolean) IS
    'vector of an array of numeric';

-- since 0.1.8
CREATE FUNCTION @type@_to_float4(@type@, integer, boolean) RETURNS real[]
    AS 'MODULE_PATHNAME', 'vext_@type@_to_float4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_to_float4(@type@, integer, boolean) IS
    'array of the dimensions of a vector';

-- since 0.1.8
CREATE CAST (@type@ AS real[])
    WITH FUNCTION @type@_to_float4(@type@, integer, boolean) AS @to_array@;
COMMENT ON CAST (@type@ AS real[]) IS
    'array of the dimensions';

-- since 0.2.1
CREATE CAST (integer[] AS @type@)
    WITH FUNCTION array_to_@type@(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS @type@) IS
    'vector of the elements';

-- since 0.2.1
CREATE CAST (real[] AS @type@)
    WITH FUNCTION array_to_@type@(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS @type@) IS
    'vector of the elements';

-- since 0.2.1
CREATE CAST (double precision[] AS @type@)
    WITH FUNCTION array_to_@type@(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS @type@) IS
    'vector of the elements';

-- since 0.2.1
CREATE CAST (numeric[] AS @type@)
    WITH FUNCTION array_to_@type@(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS @type@) IS
    'vector of the elements';
