-- hnsw_classes

CREATE OPERATOR CLASS @type@_l2_ops
    FOR TYPE @type@ USING hnsw AS
    OPERATOR 1 <-> (@type@, @type@) FOR ORDER BY float_ops,
    FUNCTION 1 @type@_l2_squared_distance(@type@, @type@)@hnsw_support@;
COMMENT ON OPERATOR CLASS @type@_l2_ops USING hnsw IS
    'nearest by Euclidean distance';
COMMENT ON OPERATOR FAMILY @type@_l2_ops USING hnsw IS
    'nearest by Euclidean distance';

CREATE OPERATOR CLASS @type@_ip_ops
    FOR TYPE @type@ USING hnsw AS
    OPERATOR 1 <#> (@type@, @type@) FOR ORDER BY float_ops,
    FUNCTION 1 @type@_negative_inner_product(@type@, @type@)@hnsw_support@;
COMMENT ON OPERATOR CLASS @type@_ip_ops USING hnsw IS
    'nearest by largest inner product';
COMMENT ON OPERATOR FAMILY @type@_ip_ops USING hnsw IS
    'nearest by largest inner product';

CREATE OPERATOR CLASS @type@_cosine_ops
    FOR TYPE @type@ USING hnsw AS
    OPERATOR 1 <=> (@type@, @type@) FOR ORDER BY float_ops,
    FUNCTION 1 @type@_negative_inner_product(@type@, @type@),
    FUNCTION 2 @norm@(@type@)@hnsw_support@;
COMMENT ON OPERATOR CLASS @type@_cosine_ops USING hnsw IS
    'nearest by cosine distance';
COMMENT ON OPERATOR FAMILY @type@_cosine_ops USING hnsw IS
    'nearest by cosine distance';

-- since 0.7.0
CREATE OPERATOR CLASS @type@_l1_ops
    FOR TYPE @type@ USING hnsw AS
    OPERATOR 1 <+> (@type@, @type@) FOR ORDER BY float_ops,
    FUNCTION 1 l1_distance(@type@, @type@)@hnsw_support@;
COMMENT ON OPERATOR CLASS @type@_l1_ops USING hnsw IS
    'nearest by taxicab distance';
COMMENT ON OPERATOR FAMILY @type@_l1_ops USING hnsw IS
    'nearest by taxicab distance';
