-- @type@_io

CREATE TYPE @type@;

CREATE FUNCTION @type@_in(cstring, oid, integer) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@type@_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_in(cstring, oid, integer) IS
    'reads the text form of a vector';

CREATE FUNCTION @type@_out(@type@) RETURNS cstring
    AS 'MODULE_PATHNAME', 'vext_@type@_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_out(@type@) IS
    'writes the text form of a vector';

CREATE FUNCTION @type@_typmod_in(cstring[]) RETURNS integer
    AS 'MODULE_PATHNAME', 'vext_@type@_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_typmod_in(cstring[]) IS
    'reads the number of dimensions in @type@(n)';

-- since 0.1.1
CREATE FUNCTION @type@_recv(internal, oid, integer) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@type@_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_recv(internal, oid, integer) IS
    'reads the binary form of a vector';

-- since 0.1.1
CREATE FUNCTION @type@_send(@type@) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vext_@type@_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@_send(@type@) IS
    'writes the binary form of a vector';

CREATE TYPE @type@ (
    INPUT = @type@_in,
    OUTPUT = @type@_out,
    TYPMOD_IN = @type@_typmod_in,
    RECEIVE = @type@_recv,
    SEND = @type@_send,
    STORAGE = external
);
COMMENT ON TYPE @type@ IS
    'vector of @precision@ numbers, as in ''[1,2,3]''; @type@(n) has n dimensions';

CREATE FUNCTION @type@(@type@, integer, boolean) RETURNS @type@
    AS 'MODULE_PATHNAME', 'vext_@type@' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @type@(@type@, integer, boolean) IS
    'checks the number of dimensions';

CREATE CAST (@type@ AS @type@) WITH FUNCTION @type@(@type@, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (@type@ AS @type@) IS
    'checks the number of dimensions';
