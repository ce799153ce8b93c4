-- @type@_functions

CREATE FUNCTION vector_dims(@type@) RETURNS integer
    AS 'MODULE_PATHNAME', 'vext_@prefix@vector_dims' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_dims(@type@) IS
    'number of dimensions';

CREATE FUNCTION @norm@(@type@) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_@norm_symbol@' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @norm@(@type@) IS
    'Euclidean norm';

-- since 0.7.0
CREATE FUNCTION l2_normalize(@type@) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@prefix@l2_normalize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_normalize(@type@) IS
    'vector of the same direction with Euclidean norm 1; zeros stay zeros';

-- since 0.7.0
CREATE FUNCTION binary_quantize(@type@) RETURNS bit
    AS 'MODULE_PATHNAME', 'vext_@prefix@binary_quantize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION binary_quantize(@type@) IS
    'one bit per dimension, set where the number is positive';

-- since 0.7.0
CREATE FUNCTION subvector(@type@, integer, integer) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@prefix@subvector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(@type@, integer, integer) IS
    'part of a vector: first dimension, counted from 1, and number of dimensions';

CREATE FUNCTION @type@_spherical_distance(@type@, @type@) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_@type@_spherical_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_spherical_distance(@type@, @type@) IS
    'angle between two unit vectors as a part of pi';
