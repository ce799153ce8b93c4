-- hnsw

CREATE FUNCTION hnsw_handler(internal) RETURNS index_am_handler
    AS 'MODULE_PATHNAME', 'vext_hnsw_handler' LANGUAGE C;
COMMENT ON FUNCTION hnsw_handler(internal) IS
    'the callbacks of access method hnsw';

CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER hnsw_handler;
COMMENT ON ACCESS METHOD hnsw IS
    'approximate nearest neighbours by a hierarchical navigable small world graph';

CREATE OPERATOR CLASS vector_l2_ops
    FOR TYPE vector USING hnsw AS
    OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
    FUNCTION 1 vector_l2_squared_distance(vector, vector);
COMMENT ON OPERATOR CLASS vector_l2_ops USING hnsw IS
    'nearest by Euclidean distance';
COMMENT ON OPERATOR FAMILY vector_l2_ops USING hnsw IS
    'nearest by Euclidean distance';

CREATE OPERATOR CLASS vector_ip_ops
    FOR TYPE vector USING hnsw AS
    OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
    FUNCTION 1 vector_negative_inner_product(vector, vector);
COMMENT ON OPERATOR CLASS vector_ip_ops USING hnsw IS
    'nearest by largest inner product';
COMMENT ON OPERATOR FAMILY vector_ip_ops USING hnsw IS
    'nearest by largest inner product';

CREATE OPERATOR CLASS vector_cosine_ops
    FOR TYPE vector USING hnsw AS
    OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
    FUNCTION 1 vector_negative_inner_product(vector, vector),
    FUNCTION 2 vector_norm(vector);
COMMENT ON OPERATOR CLASS vector_cosine_ops USING hnsw IS
    'nearest by cosine distance';
COMMENT ON OPERATOR FAMILY vector_cosine_ops USING hnsw IS
    'nearest by cosine distance';

CREATE OPERATOR CLASS vector_l1_ops
    FOR TYPE vector USING hnsw AS
    OPERATOR 1 <+> (vector, vector) FOR ORDER BY float_ops,
    FUNCTION 1 l1_distance(vector, vector);
COMMENT ON OPERATOR CLASS vector_l1_ops USING hnsw IS
    'nearest by taxicab distance';
COMMENT ON OPERATOR FAMILY vector_l1_ops USING hnsw IS
    'nearest by taxicab distance';
