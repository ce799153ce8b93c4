-- helpers

CREATE FUNCTION vector_from_f32(bytea) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector_from_f32' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_from_f32(bytea) IS
    'vector of little-endian single-precision numbers, 4 bytes each';

CREATE FUNCTION vector_to_f32(vector) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vext_vector_to_f32' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_to_f32(vector) IS
    'dimensions as little-endian single-precision numbers, 4 bytes each';
