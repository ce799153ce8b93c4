-- hnsw

CREATE FUNCTION hnswhandler(internal) RETURNS index_am_handler
    AS 'MODULE_PATHNAME', 'vext_hnswhandler' LANGUAGE C;
COMMENT ON FUNCTION hnswhandler(internal) IS
    'the callbacks of access method hnsw';

CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER hnswhandler;
COMMENT ON ACCESS METHOD hnsw IS
    'approximate nearest neighbours by a hierarchical navigable small world graph';

-- since 0.7.0
CREATE FUNCTION hnsw_halfvec_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'vext_hnsw_halfvec_support' LANGUAGE C;
COMMENT ON FUNCTION hnsw_halfvec_support(internal) IS
    'names the type of an operator class of hnsw; never called';

-- since 0.7.0
CREATE FUNCTION hnsw_bit_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'vext_hnsw_bit_support' LANGUAGE C;
COMMENT ON FUNCTION hnsw_bit_support(internal) IS
    'names the type of an operator class of hnsw; never called';

-- since 0.7.0
CREATE FUNCTION hnsw_sparsevec_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'vext_hnsw_sparsevec_support' LANGUAGE C;
COMMENT ON FUNCTION hnsw_sparsevec_support(internal) IS
    'names the type of an operator class of hnsw; never called';
