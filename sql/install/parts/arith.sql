-- arith

CREATE FUNCTION @type@_add(@type@, @type@) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@type@_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_add(@type@, @type@) IS
    'sum of each dimension';

CREATE OPERATOR + (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_add,
    COMMUTATOR = +
);
COMMENT ON OPERATOR + (@type@, @type@) IS
    'sum of each dimension';

CREATE FUNCTION @type@_sub(@type@, @type@) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@type@_sub' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_sub(@type@, @type@) IS
    'difference of each dimension';

-- since 0.6.1
CREATE OPERATOR - (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_sub
);
COMMENT ON OPERATOR - (@type@, @type@) IS
    'difference of each dimension';

-- since 0.5.0
CREATE FUNCTION @type@_mul(@type@, @type@) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@type@_mul' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_mul(@type@, @type@) IS
    'product of each dimension';

-- since 0.5.0
CREATE OPERATOR * (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_mul,
    COMMUTATOR = *
);
COMMENT ON OPERATOR * (@type@, @type@) IS
    'product of each dimension';

-- since 0.7.0
CREATE FUNCTION @type@_concat(@type@, @type@) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@type@_concat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_concat(@type@, @type@) IS
    'dimensions of the one followed by those of the other';

-- since 0.7.0
CREATE OPERATOR || (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_concat
);
COMMENT ON OPERATOR || (@type@, @type@) IS
    'dimensions of the one followed by those of the other';
