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

CREATE FUNCTION array_to_@type@(numeric[], integer, boolean) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_array_to_@type@' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_@type@(numeric[], integer, boolean) IS
    'vector of an array of numeric';

CREATE FUNCTION @type@_to_float4(@type@, integer, boolean) RETURNS real[]
    AS 'MODULE_PATHNAME', 'vext_@type@_to_float4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_to_float4(@type@, integer, boolean) IS
    'array of the dimensions of a vector';

CREATE CAST (@type@ AS real[])
    WITH FUNCTION @type@_to_float4(@type@, integer, boolean) AS @to_array@;
COMMENT ON CAST (@type@ AS real[]) IS
    'array of the dimensions';

CREATE CAST (integer[] AS @type@)
    WITH FUNCTION array_to_@type@(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS @type@) IS
    'vector of the elements';

CREATE CAST (real[] AS @type@)
    WITH FUNCTION array_to_@type@(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS @type@) IS
    'vector of the elements';

CREATE CAST (double precision[] AS @type@)
    WITH FUNCTION array_to_@type@(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS @type@) IS
    'vector of the elements';

CREATE CAST (numeric[] AS @type@)
    WITH FUNCTION array_to_@type@(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS @type@) IS
    'vector of the elements';

CREATE FUNCTION array_to_@type@(smallint[], integer, boolean) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_array_to_@type@' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_@type@(smallint[], integer, boolean) IS
    'vector of an array of smallint';

CREATE FUNCTION array_to_@type@(bigint[], integer, boolean) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_array_to_@type@' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_@type@(bigint[], integer, boolean) IS
    'vector of an array of bigint';

CREATE CAST (smallint[] AS @type@)
    WITH FUNCTION array_to_@type@(smallint[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (smallint[] AS @type@) IS
    'vector of the elements';

CREATE CAST (bigint[] AS @type@)
    WITH FUNCTION array_to_@type@(bigint[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (bigint[] AS @type@) IS
    'vector of the elements';

CREATE FUNCTION jsonb_to_@type@(jsonb, integer, boolean) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_jsonb_to_@type@' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonb_to_@type@(jsonb, integer, boolean) IS
    'vector of a JSON array of numbers';

CREATE CAST (jsonb AS @type@) WITH FUNCTION jsonb_to_@type@(jsonb, integer, boolean);
COMMENT ON CAST (jsonb AS @type@) IS
    'vector of a JSON array of numbers';
