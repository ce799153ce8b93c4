-- @type@_extras

CREATE FUNCTION @type@_try_parse(text) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@type@_try_parse' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_try_parse(text) IS
    'vector of its text form, or NULL where the text is not one';

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
