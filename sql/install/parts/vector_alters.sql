-- vector_alters: what earlier versions of extension vector had otherwise

-- since 0.1.1
ALTER TYPE vector SET (RECEIVE = vector_recv, SEND = vector_send);

-- since 0.1.1
ALTER FUNCTION vector_in(cstring, oid, integer) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_out(vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_typmod_in(cstring[]) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector(vector, integer, boolean) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION l2_distance(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION inner_product(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION cosine_distance(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_dims(vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_norm(vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_add(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_sub(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_lt(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_le(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_eq(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_ne(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_ge(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_gt(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_cmp(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_l2_squared_distance(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_negative_inner_product(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION vector_spherical_distance(vector, vector) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION array_to_vector(integer[], integer, boolean) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION array_to_vector(real[], integer, boolean) PARALLEL SAFE;

-- since 0.1.1
ALTER FUNCTION array_to_vector(double precision[], integer, boolean) PARALLEL SAFE;

-- since 0.6.0
ALTER TYPE vector SET (STORAGE = external);

-- since 0.6.1
ALTER OPERATOR <= (vector, vector) SET (RESTRICT = scalarlesel, JOIN = scalarlejoinsel);

-- since 0.6.1
ALTER OPERATOR >= (vector, vector) SET (RESTRICT = scalargesel, JOIN = scalargejoinsel);
