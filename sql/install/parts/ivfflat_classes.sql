-- ivfflat_classes

CREATE OPERATOR CLASS @type@_l2_ops
    @ivfflat_default@FOR TYPE @type@ USING ivfflat AS
    OPERATOR 1 <-> (@type@, @type@) FOR ORDER BY float_ops,
    FUNCTION 1 @type@_l2_squared_distance(@type@, @type@),
    FUNCTION 3 l2_distance(@type@, @type@)@ivfflat_support@;
COMMENT ON OPERATOR CLASS @type@_l2_ops USING ivfflat IS
    'nearest by Euclidean distance';
COMMENT ON OPERATOR FAMILY @type@_l2_ops USING ivfflat IS
    'nearest by Euclidean distance';

CREATE OPERATOR CLASS @type@_ip_ops
    FOR TYPE @type@ USING ivfflat AS
    OPERATOR 1 <#> (@type@, @type@) FOR ORDER BY float_ops,
    FUNCTION 1 @type@_negative_inner_product(@type@, @type@),
    FUNCTION 3 @type@_spherical_distance(@type@, @type@),
    FUNCTION 4 @norm@(@type@)@ivfflat_support@;
COMMENT ON OPERATOR CLASS @type@_ip_ops USING ivfflat IS
    'nearest by largest inner product';
COMMENT ON OPERATOR FAMILY @type@_ip_ops USING ivfflat IS
    'nearest by largest inner product';

CREATE OPERATOR CLASS @type@_cosine_ops
    FOR TYPE @type@ USING ivfflat AS
    OPERATOR 1 <=> (@type@, @type@) FOR ORDER BY float_ops,
    FUNCTION 1 @type@_negative_inner_product(@type@, @type@),
    FUNCTION 2 @norm@(@type@),
    FUNCTION 3 @type@_spherical_distance(@type@, @type@),
    FUNCTION 4 @norm@(@type@)@ivfflat_support@;
COMMENT ON OPERATOR CLASS @type@_cosine_ops USING ivfflat IS
    'nearest by cosine distance';
COMMENT ON OPERATOR FAMILY @type@_cosine_ops USING ivfflat IS
    'nearest by cosine distance';
