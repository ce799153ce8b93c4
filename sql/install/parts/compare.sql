-- compare

CREATE FUNCTION @type@_lt(@type@, @type@) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_@type@_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_lt(@type@, @type@) IS
    'less than';

CREATE FUNCTION @type@_le(@type@, @type@) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_@type@_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_le(@type@, @type@) IS
    'less than or equal';

CREATE FUNCTION @type@_eq(@type@, @type@) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_@type@_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_eq(@type@, @type@) IS
    'equal';

CREATE FUNCTION @type@_ne(@type@, @type@) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_@type@_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_ne(@type@, @type@) IS
    'not equal';

CREATE FUNCTION @type@_ge(@type@, @type@) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_@type@_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_ge(@type@, @type@) IS
    'greater than or equal';

CREATE FUNCTION @type@_gt(@type@, @type@) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_@type@_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_gt(@type@, @type@) IS
    'greater than';

CREATE FUNCTION @type@_cmp(@type@, @type@) RETURNS integer
    AS 'MODULE_PATHNAME', 'vext_@type@_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_cmp(@type@, @type@) IS
    '-1, 0 or 1: less, equal, greater; by dimensions in turn, then the shorter first';

CREATE OPERATOR < (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_lt,
    COMMUTATOR = >, NEGATOR = >=,
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (@type@, @type@) IS
    'less than';

CREATE OPERATOR <= (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_le,
    COMMUTATOR = >=, NEGATOR = >,
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (@type@, @type@) IS
    'less than or equal';

CREATE OPERATOR = (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_eq,
    COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (@type@, @type@) IS
    'equal';

CREATE OPERATOR <> (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_ne,
    COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR <> (@type@, @type@) IS
    'not equal';

CREATE OPERATOR >= (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_ge,
    COMMUTATOR = <=, NEGATOR = <,
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (@type@, @type@) IS
    'greater than or equal';

CREATE OPERATOR > (
    LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_gt,
    COMMUTATOR = <, NEGATOR = <=,
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (@type@, @type@) IS
    'greater than';

CREATE OPERATOR CLASS @type@_ops DEFAULT FOR TYPE @type@ USING btree AS
    OPERATOR 1 <,
    OPERATOR 2 <=,
    OPERATOR 3 =,
    OPERATOR 4 >=,
    OPERATOR 5 >,
    FUNCTION 1 @type@_cmp(@type@, @type@);
COMMENT ON OPERATOR CLASS @type@_ops USING btree IS
    'order of vectors, for sorting and uniqueness';
COMMENT ON OPERATOR FAMILY @type@_ops USING btree IS
    'order of vectors, for sorting and uniqueness';
