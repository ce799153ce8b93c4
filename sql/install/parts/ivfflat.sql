-- ivfflat

CREATE FUNCTION ivfflathandler(internal) RETURNS index_am_handler
    AS 'MODULE_PATHNAME', 'vext_ivfflathandler' LANGUAGE C;
COMMENT ON FUNCTION ivfflathandler(internal) IS
    'the callbacks of access method ivfflat';

CREATE ACCESS METHOD ivfflat TYPE INDEX HANDLER ivfflathandler;
COMMENT ON ACCESS METHOD ivfflat IS
    'another name of hnsw, for statements written for inverted lists';

-- since 0.7.0
CREATE FUNCTION ivfflat_halfvec_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'vext_ivfflat_halfvec_support' LANGUAGE C;
COMMENT ON FUNCTION ivfflat_halfvec_support(internal) IS
    'names the type of an operator class of ivfflat; never called';

-- since 0.7.0
CREATE FUNCTION ivfflat_bit_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'vext_ivfflat_bit_support' LANGUAGE C;
COMMENT ON FUNCTION ivfflat_bit_support(internal) IS
    'names the type of an operator class of ivfflat; never called';
