-- distance

CREATE FUNCTION l2_distance(@type@, @type@) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_@prefix@l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_distance(@type@, @type@) IS
    'Euclidean distance';

CREATE FUNCTION @type@_l2_squared_distance(@type@, @type@) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_@type@_l2_squared_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_l2_squared_distance(@type@, @type@) IS
    'square of the Euclidean distance';

CREATE FUNCTION inner_product(@type@, @type@) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_@prefix@inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION inner_product(@type@, @type@) IS
    'inner product';

CREATE FUNCTION @type@_negative_inner_product(@type@, @type@) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_@type@_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_negative_inner_product(@type@, @type@) IS
    'inner product with its sign changed, so that less is nearer';

CREATE FUNCTION cosine_distance(@type@, @type@) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_@prefix@cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_distance(@type@, @type@) IS
    'cosine distance; NaN where a vector is zero';

-- since 0.5.0
CREATE FUNCTION l1_distance(@type@, @type@) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_@prefix@l1_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l1_distance(@type@, @type@) IS
    'taxicab distance';

CREATE OPERATOR <-> (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = l2_distance,
    COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (@type@, @type@) IS
    'Euclidean distance';

CREATE OPERATOR <#> (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_negative_inner_product,
    COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (@type@, @type@) IS
    'negative inner product';

CREATE OPERATOR <=> (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = cosine_distance,
    COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (@type@, @type@) IS
    'cosine distance';

-- since 0.7.0
CREATE OPERATOR <+> (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = l1_distance,
    COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (@type@, @type@) IS
    'taxicab distance';
