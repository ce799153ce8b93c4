-- The SQL objects of vector_ext 0.1.0, in sections named like the source files.

\echo Use "CREATE EXTENSION vector_ext" to load this file. \quit

-- Access method names are global in a database, and clients must know whose `vector` they get.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
        RAISE EXCEPTION USING
            ERRCODE = '42710',
            MESSAGE = 'extension "vector" is already installed in this database',
            HINT = 'Extensions "vector" and "vector_ext" define the same objects: '
                'install one of the two per database.';
    END IF;
    IF EXISTS (SELECT FROM pg_am WHERE amname = 'hnsw') THEN
        RAISE EXCEPTION USING
            ERRCODE = '42710',
            MESSAGE = 'access method "hnsw" already exists in this database',
            HINT = 'Another extension defines it: install one of the two per database.';
    END IF;
END
$$;

-- vector_io

CREATE TYPE vector;

CREATE FUNCTION vector_in(cstring, oid, integer) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_in(cstring, oid, integer) IS
    'reads the text form of a vector';

CREATE FUNCTION vector_out(vector) RETURNS cstring
    AS 'MODULE_PATHNAME', 'vext_vector_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_out(vector) IS
    'writes the text form of a vector';

CREATE FUNCTION vector_typmod_in(cstring[]) RETURNS integer
    AS 'MODULE_PATHNAME', 'vext_vector_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_typmod_in(cstring[]) IS
    'reads the number of dimensions in vector(n)';

CREATE FUNCTION vector_recv(internal, oid, integer) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_recv(internal, oid, integer) IS
    'reads the binary form of a vector';

CREATE FUNCTION vector_send(vector) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vext_vector_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_send(vector) IS
    'writes the binary form of a vector';

CREATE TYPE vector (
    INPUT = vector_in,
    OUTPUT = vector_out,
    TYPMOD_IN = vector_typmod_in,
    RECEIVE = vector_recv,
    SEND = vector_send,
    STORAGE = external
);
COMMENT ON TYPE vector IS
    'vector of single-precision numbers, as in ''[1,2,3]''; vector(n) has n dimensions';

CREATE FUNCTION vector(vector, integer, boolean) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector(vector, integer, boolean) IS
    'checks the number of dimensions';

CREATE CAST (vector AS vector) WITH FUNCTION vector(vector, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (vector AS vector) IS
    'checks the number of dimensions';

CREATE FUNCTION vector_try_parse(text) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector_try_parse' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_try_parse(text) IS
    'vector of its text form, or NULL where the text is not one';

-- cast

CREATE FUNCTION array_to_vector(integer[], integer, boolean) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_array_to_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(integer[], integer, boolean) IS
    'vector of an array of integer';

CREATE FUNCTION array_to_vector(real[], integer, boolean) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_array_to_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(real[], integer, boolean) IS
    'vector of an array of real';

CREATE FUNCTION array_to_vector(double precision[], integer, boolean) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_array_to_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(double precision[], integer, boolean) IS
    'vector of an array of double precision';

CREATE FUNCTION array_to_vector(numeric[], integer, boolean) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_array_to_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(numeric[], integer, boolean) IS
    'vector of an array of numeric';

CREATE FUNCTION vector_to_float4(vector, integer, boolean) RETURNS real[]
    AS 'MODULE_PATHNAME', 'vext_vector_to_float4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_to_float4(vector, integer, boolean) IS
    'array of the dimensions of a vector';

CREATE CAST (vector AS real[])
    WITH FUNCTION vector_to_float4(vector, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (vector AS real[]) IS
    'array of the dimensions';

CREATE CAST (integer[] AS vector)
    WITH FUNCTION array_to_vector(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS vector) IS
    'vector of the elements';

CREATE CAST (real[] AS vector)
    WITH FUNCTION array_to_vector(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS vector) IS
    'vector of the elements';

CREATE CAST (double precision[] AS vector)
    WITH FUNCTION array_to_vector(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS vector) IS
    'vector of the elements';

CREATE CAST (numeric[] AS vector)
    WITH FUNCTION array_to_vector(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS vector) IS
    'vector of the elements';

CREATE FUNCTION vector_from_f32(bytea) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector_from_f32' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_from_f32(bytea) IS
    'vector of little-endian single-precision numbers, 4 bytes each';

CREATE FUNCTION vector_to_f32(vector) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vext_vector_to_f32' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_to_f32(vector) IS
    'dimensions as little-endian single-precision numbers, 4 bytes each';

-- distance

CREATE FUNCTION l2_distance(vector, vector) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_distance(vector, vector) IS
    'Euclidean distance';

CREATE FUNCTION vector_l2_squared_distance(vector, vector) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_vector_l2_squared_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_l2_squared_distance(vector, vector) IS
    'square of the Euclidean distance';

CREATE FUNCTION inner_product(vector, vector) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION inner_product(vector, vector) IS
    'inner product';

CREATE FUNCTION vector_negative_inner_product(vector, vector) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_vector_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_negative_inner_product(vector, vector) IS
    'inner product with its sign changed, so that less is nearer';

CREATE FUNCTION cosine_distance(vector, vector) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cosine_distance(vector, vector) IS
    'cosine distance; NaN where a vector is zero';

CREATE FUNCTION l1_distance(vector, vector) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_l1_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l1_distance(vector, vector) IS
    'taxicab distance';

CREATE FUNCTION vector_spherical_distance(vector, vector) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_vector_spherical_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_spherical_distance(vector, vector) IS
    'angle between two unit vectors as a part of pi';

CREATE FUNCTION vector_norm(vector) RETURNS double precision
    AS 'MODULE_PATHNAME', 'vext_vector_norm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_norm(vector) IS
    'Euclidean norm';

CREATE OPERATOR <-> (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = l2_distance,
    COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (vector, vector) IS
    'Euclidean distance';

CREATE OPERATOR <#> (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_negative_inner_product,
    COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (vector, vector) IS
    'negative inner product';

CREATE OPERATOR <=> (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = cosine_distance,
    COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (vector, vector) IS
    'cosine distance';

CREATE OPERATOR <+> (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = l1_distance,
    COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (vector, vector) IS
    'taxicab distance';

-- vector_functions

CREATE FUNCTION vector_dims(vector) RETURNS integer
    AS 'MODULE_PATHNAME', 'vext_vector_dims' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_dims(vector) IS
    'number of dimensions';

CREATE FUNCTION l2_normalize(vector) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_l2_normalize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_normalize(vector) IS
    'vector of the same direction with Euclidean norm 1; zeros stay zeros';

CREATE FUNCTION binary_quantize(vector) RETURNS bit
    AS 'MODULE_PATHNAME', 'vext_binary_quantize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION binary_quantize(vector) IS
    'one bit per dimension, set where the number is positive';

CREATE FUNCTION subvector(vector, integer, integer) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_subvector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(vector, integer, integer) IS
    'part of a vector: first dimension, counted from 1, and number of dimensions';

-- arith

CREATE FUNCTION vector_add(vector, vector) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_add(vector, vector) IS
    'sum of each dimension';

CREATE OPERATOR + (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_add,
    COMMUTATOR = +
);
COMMENT ON OPERATOR + (vector, vector) IS
    'sum of each dimension';

CREATE FUNCTION vector_sub(vector, vector) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector_sub' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_sub(vector, vector) IS
    'difference of each dimension';

CREATE OPERATOR - (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_sub
);
COMMENT ON OPERATOR - (vector, vector) IS
    'difference of each dimension';

CREATE FUNCTION vector_mul(vector, vector) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector_mul' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_mul(vector, vector) IS
    'product of each dimension';

CREATE OPERATOR * (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_mul,
    COMMUTATOR = *
);
COMMENT ON OPERATOR * (vector, vector) IS
    'product of each dimension';

CREATE FUNCTION vector_concat(vector, vector) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector_concat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_concat(vector, vector) IS
    'dimensions of the one followed by those of the other';

CREATE OPERATOR || (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_concat
);
COMMENT ON OPERATOR || (vector, vector) IS
    'dimensions of the one followed by those of the other';

-- compare

CREATE FUNCTION vector_lt(vector, vector) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_vector_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_lt(vector, vector) IS
    'less than';

CREATE FUNCTION vector_le(vector, vector) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_vector_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_le(vector, vector) IS
    'less than or equal';

CREATE FUNCTION vector_eq(vector, vector) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_vector_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_eq(vector, vector) IS
    'equal';

CREATE FUNCTION vector_ne(vector, vector) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_vector_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_ne(vector, vector) IS
    'not equal';

CREATE FUNCTION vector_ge(vector, vector) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_vector_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_ge(vector, vector) IS
    'greater than or equal';

CREATE FUNCTION vector_gt(vector, vector) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_vector_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_gt(vector, vector) IS
    'greater than';

CREATE FUNCTION vector_cmp(vector, vector) RETURNS integer
    AS 'MODULE_PATHNAME', 'vext_vector_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_cmp(vector, vector) IS
    '-1, 0 or 1: less, equal, greater; by dimensions in turn, then the shorter first';

CREATE OPERATOR < (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_lt,
    COMMUTATOR = >, NEGATOR = >=,
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (vector, vector) IS
    'less than';

CREATE OPERATOR <= (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_le,
    COMMUTATOR = >=, NEGATOR = >,
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (vector, vector) IS
    'less than or equal';

CREATE OPERATOR = (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_eq,
    COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (vector, vector) IS
    'equal';

CREATE OPERATOR <> (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_ne,
    COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR <> (vector, vector) IS
    'not equal';

CREATE OPERATOR >= (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_ge,
    COMMUTATOR = <=, NEGATOR = <,
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (vector, vector) IS
    'greater than or equal';

CREATE OPERATOR > (
    LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_gt,
    COMMUTATOR = <, NEGATOR = <=,
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (vector, vector) IS
    'greater than';

CREATE OPERATOR CLASS vector_ops DEFAULT FOR TYPE vector USING btree AS
    OPERATOR 1 <,
    OPERATOR 2 <=,
    OPERATOR 3 =,
    OPERATOR 4 >=,
    OPERATOR 5 >,
    FUNCTION 1 vector_cmp(vector, vector);
COMMENT ON OPERATOR CLASS vector_ops USING btree IS
    'order of vectors, for sorting and uniqueness';
COMMENT ON OPERATOR FAMILY vector_ops USING btree IS
    'order of vectors, for sorting and uniqueness';

-- aggregate

CREATE FUNCTION vector_accum(double precision[], vector) RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'vext_vector_accum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_accum(double precision[], vector) IS
    'adds a vector to the state of an average: number of rows and sum of each dimension';

CREATE FUNCTION vector_combine(double precision[], double precision[]) RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'vext_vector_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_combine(double precision[], double precision[]) IS
    'merges two states of an average';

CREATE FUNCTION vector_avg(double precision[]) RETURNS vector
    AS 'MODULE_PATHNAME', 'vext_vector_avg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_avg(double precision[]) IS
    'average of a state, NULL when it has no rows';

CREATE AGGREGATE avg(vector) (
    SFUNC = vector_accum,
    STYPE = double precision[],
    FINALFUNC = vector_avg,
    COMBINEFUNC = vector_combine,
    INITCOND = '{0}',
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(vector) IS
    'average of each dimension';

CREATE AGGREGATE sum(vector) (
    SFUNC = vector_add,
    STYPE = vector,
    COMBINEFUNC = vector_add,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(vector) IS
    'sum of each dimension';

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

-- tools

CREATE FUNCTION hnsw_info(
    index regclass, OUT format integer, OUT metric text, OUT codec text, OUT dims integer,
    OUT m integer, OUT ef_construction integer, OUT layers integer, OUT nodes bigint,
    OUT dead bigint, OUT unlinked bigint, OUT links_avg double precision, OUT links_max integer,
    OUT hot_pages bigint, OUT hot_bytes bigint, OUT cold_pages bigint, OUT cold_bytes bigint,
    OUT fill double precision, OUT fallback_glances bigint)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'vext_hnsw_info' LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION hnsw_info(regclass) IS
    'facts about an hnsw index, counted from its pages';

CREATE FUNCTION hnsw_check(
    index regclass, deep boolean DEFAULT false,
    OUT block bigint, OUT node bigint, OUT problem text, OUT severity text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'vext_hnsw_check' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hnsw_check(regclass, boolean) IS
    'what is wrong with an hnsw index; deep also compares it with its table; no rows when sound';

CREATE FUNCTION hnsw_prewarm(index regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vext_hnsw_prewarm' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hnsw_prewarm(regclass) IS
    'reads an hnsw index into the buffer pool, the hot tier first; returns the bytes read';

CREATE FUNCTION hnsw_estimate(
    rows bigint, dims integer, m integer DEFAULT 16, ef_construction integer DEFAULT 64,
    metric text DEFAULT 'l2', OUT build_memory bigint, OUT build_time text, OUT hot_bytes bigint,
    OUT cold_bytes bigint, OUT total_bytes bigint)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'vext_hnsw_estimate' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION hnsw_estimate(bigint, integer, integer, integer, text) IS
    'what an hnsw index of so many vectors would take: memory and time to build it, and its size';

CREATE FUNCTION hnsw_recall(
    index regclass, k integer DEFAULT 10, ef integer[] DEFAULT '{40,80,160}',
    sample integer DEFAULT 100, queries regclass DEFAULT NULL)
    RETURNS TABLE (ef_search integer, recall double precision, mean_us double precision,
                   p99_us double precision)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET enable_seqscan = off
    SET enable_indexscan = on
    SET jit = off
    SET hnsw.ef_search = 40
    SET vector_ext.only_index = ''
AS $$
#variable_conflict use_variable
DECLARE
    target regclass;
    indexed text;
    filter text;
    operator text;
    indexed_rows text;
    query_list text;
    exact_query text;
    index_query text;
    read_query text;
    query record;
    -- Of each query: the vector, the row it is of, the distance of the last neighbour.
    vectors text[] := '{}';
    owns tid[] := '{}';
    limits double precision[] := '{}';
    limit_distance double precision;
    n_exact bigint;
    n_found bigint;
    started timestamptz;
    -- The neighbours there are; for each ef those found, and the seconds of all queries.
    wanted bigint := 0;
    hits bigint[] := array_fill(0::bigint, ARRAY[greatest(cardinality(ef), 1)]);
    times double precision[] := '{}';
BEGIN
    IF index IS NULL OR ef IS NULL OR k IS NULL OR sample IS NULL THEN
        RETURN;
    END IF;
    IF k < 1 OR sample < 1 OR coalesce((SELECT min(e) FROM unnest(ef) e), 0) < 1 THEN
        RAISE EXCEPTION 'k, ef and sample must be at least 1' USING ERRCODE = '22023';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class c JOIN pg_am a ON a.oid = c.relam
                   WHERE c.oid = index AND c.relkind = 'i' AND a.amname = 'hnsw') THEN
        RAISE EXCEPTION '"%" is not an hnsw index', index USING ERRCODE = '42809';
    END IF;
    IF EXISTS (SELECT FROM pg_class
               WHERE oid = index AND relpersistence = 't'
                     AND relnamespace <> pg_my_temp_schema()) THEN
        RAISE EXCEPTION 'cannot access temporary tables of other sessions' USING ERRCODE = '0A000';
    END IF;
    IF NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = index) THEN
        RAISE EXCEPTION 'index "%" is not valid', index
            USING ERRCODE = '55000', HINT = 'REINDEX the index.';
    END IF;

    SELECT i.indrelid::regclass, '(' || pg_get_indexdef(i.indexrelid, 1, true) || ')',
           coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
           format('OPERATOR(%I.%s)', n.nspname, o.oprname)
      INTO STRICT target, indexed, filter, operator
      FROM pg_index i
      JOIN pg_opclass c ON c.oid = i.indclass[0]
      JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amoppurpose = 'o'
      JOIN pg_operator o ON o.oid = a.amopopr
      JOIN pg_namespace n ON n.oid = o.oprnamespace
     WHERE i.indexrelid = index;
    -- The indexed expression may fail for rows that the predicate leaves out: OFFSET keeps the
    -- planner from asking for it first.
    indexed_rows := format('SELECT %s AS v, ctid AS own FROM %s WHERE %s OFFSET 0',
                           indexed, target, filter);
    IF queries IS NULL THEN
        -- A sampled row is left out of its own answer.
        query_list := format('SELECT v, own FROM (%s) s WHERE v IS NOT NULL '
                             'ORDER BY random() LIMIT %s', indexed_rows, sample);
    ELSE
        IF (SELECT relkind NOT IN ('r', 'm', 'v', 'f', 'p') FROM pg_class WHERE oid = queries) THEN
            RAISE EXCEPTION '"%" is not a table or view', queries USING ERRCODE = '42809';
        END IF;
        query_list := (
            SELECT format('SELECT %1$I AS v, NULL::tid AS own FROM %2$s WHERE %1$I IS NOT NULL '
                          'LIMIT %3$s', attname, queries, sample)
              FROM pg_attribute
             WHERE attrelid = queries AND attnum > 0 AND NOT attisdropped
                   AND atttypid = (SELECT atttypid FROM pg_attribute
                                   WHERE attrelid = index AND attnum = 1)
             ORDER BY attnum LIMIT 1);
        IF query_list IS NULL THEN
            RAISE EXCEPTION 'table "%" has no column of the type that is indexed', queries
                USING ERRCODE = '42703';
        END IF;
    END IF;
    exact_query := format(
        'SELECT count(*), max(d) FROM (SELECT v %1$s $1 AS d FROM (%2$s) s '
        'WHERE v IS NOT NULL AND ($2 IS NULL OR own <> $2) ORDER BY 1 LIMIT $3) s',
        operator, indexed_rows);
    read_query := (SELECT format('SELECT $1::%s AS v', atttypid::regtype) FROM pg_attribute
                    WHERE attrelid = index AND attnum = 1);
    -- One row more is asked for, in case one of them is the sampled row.
    index_query := format(
        'SELECT count(*) FROM (SELECT d FROM (SELECT %1$s %2$s $1 AS d, ctid AS found FROM %3$s '
        'WHERE %4$s ORDER BY %1$s %2$s $1 LIMIT $3 + ($2 IS NOT NULL)::integer) s '
        'WHERE $2 IS NULL OR found <> $2 LIMIT $3) t WHERE d <= $4',
        indexed, operator, target, filter);

    -- The column may have other indexes.
    PERFORM set_config('vector_ext.only_index', index::oid::text, true);
    PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true);
    FOR query IN EXECUTE query_list LOOP
        EXECUTE exact_query INTO n_exact, limit_distance USING query.v, query.own, k;
        wanted := wanted + n_exact;
        vectors := vectors || query.v::text;
        owns := owns || query.own;
        limits := limits || limit_distance;
    END LOOP;

    -- Apart from the exact searches, which empty the processor's caches, and each ef by itself: a
    -- query that was just searched for finds its neighbourhood there.
    PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true);
    FOR e IN 0 .. cardinality(ef) LOOP
        -- A pass before the first one is not counted.
        PERFORM set_config('hnsw.ef_search', ef[greatest(e, 1)]::text, true);
        FOR i IN 1 .. cardinality(vectors) LOOP
            EXECUTE read_query INTO query USING vectors[i];
            started := clock_timestamp();
            EXECUTE index_query INTO n_found USING query.v, owns[i], k, limits[i];
            CONTINUE WHEN e = 0;
            times := times || extract(epoch FROM clock_timestamp() - started)::double precision;
            hits[e] := hits[e] + n_found;
        END LOOP;
    END LOOP;

    RETURN QUERY
        SELECT ef[e], hits[e]::double precision / nullif(wanted, 0), 1e6 * avg(t.seconds),
               1e6 * percentile_disc(0.99) WITHIN GROUP (ORDER BY t.seconds)
          FROM generate_series(1, cardinality(ef)) e
          LEFT JOIN LATERAL (SELECT seconds FROM unnest(times) WITH ORDINALITY u(seconds, position)
                             WHERE (position - 1) / cardinality(vectors) = e - 1) t ON true
         GROUP BY e ORDER BY e;
END
$$;
COMMENT ON FUNCTION hnsw_recall(regclass, integer, integer[], integer, regclass) IS
    'recall and time of index searches beside exact ones, for sampled rows or a table of queries';

-- bulk

CREATE FUNCTION vector_in_transaction_block() RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_in_transaction_block' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vector_in_transaction_block() IS
    'whether the transaction goes on after the running statement';

-- The functions of this section whose body is BEGIN ATOMIC are bound to the objects they name; they
-- call the PL/pgSQL ones, which look at the catalogue under a search_path of their own, or run
-- statements in which every name is qualified: none depends on the search_path of the caller. Those
-- that run statements in which code of the user may take part give it that search_path for them.

CREATE FUNCTION vector_create_stage(
    target regclass, name name, columns name[], lenient boolean,
    vector_type regtype, in_block boolean)
    RETURNS regclass
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    context text;
    lines text[];
    relation pg_class;
    problem name;
    definitions text;
BEGIN
    IF target IS NULL THEN
        RAISE EXCEPTION 'target must not be null' USING ERRCODE = '22004';
    END IF;
    SELECT * INTO relation FROM pg_class WHERE oid = target;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'relation with OID % does not exist', target::oid USING ERRCODE = '42P01';
    ELSIF relation.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '"%" is not a table', relation.relname USING ERRCODE = '42809';
    ELSIF NOT has_any_column_privilege(target, 'INSERT') THEN
        RAISE EXCEPTION 'permission denied for table %', relation.relname USING ERRCODE = '42501';
    END IF;
    -- Called by a function or a block of code, the stage lives as long as that runs. Lines that are
    -- not theirs: this function, and vector_stage_for unless it is inlined.
    GET DIAGNOSTICS context = PG_CONTEXT;
    lines := string_to_array(context, E'\n');
    IF NOT in_block
       AND cardinality(lines) - coalesce(lines[2] ~ '[^a-z_]vector_stage_for[^a-z_]', false)::integer
           <= 1 THEN
        RAISE EXCEPTION 'a stage needs a transaction block'
            USING ERRCODE = '25P01', DETAIL = 'It is dropped when its transaction ends.',
                  HINT = 'BEGIN first.';
    END IF;
    IF cardinality(columns) = 0 THEN
        RAISE EXCEPTION 'columns must not be empty' USING ERRCODE = '22023';
    END IF;
    SELECT c INTO problem FROM unnest(columns) c
     WHERE NOT EXISTS (SELECT FROM pg_attribute
                       WHERE attrelid = target AND attname = c AND attnum > 0 AND NOT attisdropped);
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', problem, relation.relname
            USING ERRCODE = '42703';
    END IF;
    SELECT attname INTO problem FROM pg_attribute
     WHERE attrelid = target AND attname = ANY (columns) AND attgenerated <> '';
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of relation "%" is generated', problem, relation.relname
            USING ERRCODE = '428C9';
    END IF;

    -- Types without their constraints: of a domain what it is made of, of a vector any dimensions.
    WITH RECURSIVE base AS (
        SELECT a.attnum, a.atttypid AS type, a.atttypmod AS typmod FROM pg_attribute a
         WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT b.attnum, t.typbasetype, t.typtypmod FROM base b JOIN pg_type t ON t.oid = b.type
         WHERE t.typtype = 'd')
    SELECT string_agg(
               format('%I ', a.attname)
               || CASE WHEN b.type <> vector_type THEN format_type(b.type, b.typmod)
                       WHEN lenient THEN 'text'
                       ELSE format_type(b.type, -1) END
               || coalesce((SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
                              FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
                             WHERE c.oid = a.attcollation), '')
               || coalesce(' DEFAULT ' || coalesce(
                      (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
                        WHERE d.adrelid = target AND d.adnum = a.attnum),
                      pg_get_expr(t.typdefaultbin, 0)), ''),
               ', ' ORDER BY a.attnum)
      INTO definitions
      FROM pg_attribute a
      JOIN pg_type t ON t.oid = a.atttypid
      JOIN base b ON b.attnum = a.attnum
     WHERE a.attrelid = target AND a.attgenerated = ''
           AND (columns IS NULL OR a.attname = ANY (columns))
           AND NOT EXISTS (SELECT FROM pg_type d WHERE d.oid = b.type AND d.typtype = 'd');
    IF name IS NULL THEN
        SELECT 'vector_stage_' || n INTO name FROM generate_series(1, 1000000) n
         WHERE to_regclass('pg_temp.vector_stage_' || n) IS NULL LIMIT 1;
    END IF;
    EXECUTE format('CREATE TEMPORARY TABLE %I (%s) ON COMMIT DROP', name, coalesce(definitions, ''));
    RETURN to_regclass(format('pg_temp.%I', name));
END
$$;
COMMENT ON FUNCTION vector_create_stage(regclass, name, name[], boolean, regtype, boolean) IS
    'makes the table that vector_stage_for promises';

CREATE FUNCTION vector_stage_for(
    target regclass, name name DEFAULT NULL, columns name[] DEFAULT NULL,
    lenient boolean DEFAULT false)
    RETURNS regclass
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    SELECT vector_create_stage(target, name, columns, lenient, 'vector'::regtype,
                               vector_in_transaction_block());
END;
COMMENT ON FUNCTION vector_stage_for(regclass, name, name[], boolean) IS
    'creates a temporary table to load rows of another table into, dropped at commit';

CREATE FUNCTION vector_rejects_table(name name) RETURNS regclass
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
AS $$
BEGIN
    EXECUTE pg_catalog.format(
        'CREATE TABLE %I (source_row bigint, key pg_catalog.text, sqlstate pg_catalog.text, '
        'message pg_catalog.text, raw pg_catalog.text)', name);
    RETURN pg_catalog.format('%I.%I', pg_catalog.current_schema(), name)::pg_catalog.regclass;
END
$$;
COMMENT ON FUNCTION vector_rejects_table(name) IS
    'creates a table for the rows that vector_bulk_upsert rejects';

CREATE FUNCTION vector_bulk_row(source_row bigint) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_bulk_row' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vector_bulk_row(bigint) IS
    'notes the row of the source that a statement takes next, for its errors and its progress';

CREATE FUNCTION vector_bulk_look(source_row bigint) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_bulk_look' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vector_bulk_look(bigint) IS
    'notes the row of the source that a statement compares next, for its errors';

CREATE FUNCTION vector_bulk_run(
    statement text, tids tid[], source_rows bigint[],
    n_before bigint, n_total bigint, n_rejected bigint, search_path text)
    RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'vext_bulk_run' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vector_bulk_run(text, tid[], bigint[], bigint, bigint, bigint, text) IS
    'runs a statement that merges rows and returns its counts; its errors say which row it took';

CREATE FUNCTION vector_cast_problem(value anyelement, type text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('SELECT $1::%s', type) USING value;
    RETURN NULL;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN ARRAY[sqlstate, sqlerrm];
END
$$;
COMMENT ON FUNCTION vector_cast_problem(anyelement, text) IS
    'SQLSTATE and message of the error that converting a value to a type raises, or NULL';

CREATE FUNCTION vector_bulk_check(
    target regclass, source regclass, on_conflict text, merge jsonb, duplicates text,
    reject_into regclass, max_rejects bigint)
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    given record;
    wrong record;
BEGIN
    IF target IS NULL OR source IS NULL THEN
        RAISE EXCEPTION '% must not be null', CASE WHEN target IS NULL THEN 'target' ELSE 'source' END
            USING ERRCODE = '22004';
    END IF;
    FOR given IN SELECT r.relation, r.kinds, r.name, c.relname, c.relkind
                   FROM (VALUES (target, '{r,p}'::text[], 'a table'),
                                (source, '{r,p,v,m,f}', 'a table or view'),
                                (reject_into, '{r,p,v,f}', 'a table')) r(relation, kinds, name)
                   LEFT JOIN pg_class c ON c.oid = r.relation
                  WHERE r.relation IS NOT NULL LOOP
        IF given.relname IS NULL THEN
            RAISE EXCEPTION 'relation with OID % does not exist', given.relation::oid
                USING ERRCODE = '42P01';
        ELSIF given.relkind::text <> ALL (given.kinds) THEN
            RAISE EXCEPTION '"%" is not %', given.relname, given.name USING ERRCODE = '42809';
        END IF;
    END LOOP;
    IF NOT has_any_column_privilege(target, 'INSERT')
       OR on_conflict = 'update' AND NOT has_any_column_privilege(target, 'UPDATE') THEN
        RAISE EXCEPTION 'permission denied for table %',
                (SELECT relname FROM pg_class WHERE oid = target)
            USING ERRCODE = '42501';
    ELSIF target = source THEN
        RAISE EXCEPTION 'source and target are the same table' USING ERRCODE = '22023';
    END IF;
    IF on_conflict IS NULL OR on_conflict NOT IN ('error', 'skip', 'update') THEN
        RAISE EXCEPTION 'unknown on_conflict: "%"', on_conflict
            USING ERRCODE = '22023', HINT = 'There are error, skip and update.';
    ELSIF duplicates IS NULL OR duplicates NOT IN ('error', 'first', 'last') THEN
        RAISE EXCEPTION 'unknown duplicates: "%"', duplicates
            USING ERRCODE = '22023', HINT = 'There are error, first and last.';
    ELSIF max_rejects IS NULL OR max_rejects < -1 THEN
        RAISE EXCEPTION 'max_rejects must be -1, for no limit, or at least 0'
            USING ERRCODE = '22023';
    ELSIF max_rejects > 0 AND reject_into IS NULL THEN
        RAISE EXCEPTION 'max_rejects needs a table to reject into'
            USING ERRCODE = '22023', HINT = 'Name it as reject_into.';
    END IF;
    IF jsonb_typeof(merge) <> 'object' THEN
        RAISE EXCEPTION 'merge must be an object, as in {"column": "rule"}' USING ERRCODE = '22023';
    END IF;
    SELECT * INTO wrong FROM jsonb_each(merge) r
     WHERE jsonb_typeof(r.value) <> 'string'
           OR r.value #>> '{}' NOT IN ('replace', 'keep', 'sum', 'max', 'min', 'coalesce', 'concat',
                                       'now');
    IF FOUND THEN
        RAISE EXCEPTION 'unknown merge rule for column "%": %', wrong.key, wrong.value
            USING ERRCODE = '22023',
                  HINT = 'There are replace, keep, sum, max, min, coalesce, concat and now.';
    END IF;

    SELECT w.name, w.type, a.attnum IS NULL AS missing INTO wrong
      FROM (VALUES ('source_row', 'bigint'::regtype), ('key', 'text'), ('sqlstate', 'text'),
                   ('message', 'text'), ('raw', 'text')) w(name, type)
      LEFT JOIN pg_attribute a
             ON a.attrelid = reject_into AND a.attname = w.name AND a.attnum > 0
                AND NOT a.attisdropped
     WHERE reject_into IS NOT NULL AND a.atttypid IS DISTINCT FROM w.type
     ORDER BY a.attnum IS NULL DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION
            USING ERRCODE = CASE WHEN wrong.missing THEN '42703' ELSE '42P16' END,
                  MESSAGE = format(CASE WHEN wrong.missing
                                        THEN 'column "%s" of relation "%s" does not exist'
                                        ELSE 'column "%s" of relation "%s" is not of type %s' END,
                                   wrong.name, (SELECT relname FROM pg_class WHERE oid = reject_into),
                                   wrong.type),
                  HINT = 'vector_rejects_table() makes a table with the columns needed.';
    END IF;
    IF current_setting('transaction_read_only')::boolean THEN
        RAISE EXCEPTION 'cannot execute vector_bulk_upsert in a read-only transaction'
            USING ERRCODE = '25006';
    END IF;
END
$$;
COMMENT ON FUNCTION vector_bulk_check(regclass, regclass, text, jsonb, text, regclass, bigint) IS
    'raises what is wrong with the arguments of vector_bulk_upsert taken by themselves';

CREATE FUNCTION vector_bulk_key(target regclass, key name[], needed boolean) RETURNS regclass
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    table_name name := (SELECT relname FROM pg_class WHERE oid = target);
    problem name;
    indexes regclass[];
    primary_key regclass;
    allow_null boolean;
BEGIN
    IF cardinality(key) = 0 OR array_position(key, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'key must name columns' USING ERRCODE = '22023';
    END IF;
    SELECT k INTO problem FROM unnest(key) k
     WHERE NOT EXISTS (SELECT FROM pg_attribute
                       WHERE attrelid = target AND attname = k AND attnum > 0 AND NOT attisdropped);
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', problem, table_name
            USING ERRCODE = '42703';
    END IF;

    -- ON CONFLICT takes whole, immediate unique indexes of plain columns.
    SELECT array_agg(i.indexrelid ORDER BY i.indisprimary DESC, i.indexrelid),
           min(i.indexrelid) FILTER (WHERE i.indisprimary), bool_or(k.allow_null)
      INTO indexes, primary_key, allow_null
      FROM pg_index i
      CROSS JOIN LATERAL (
          SELECT array_agg(a.attname ORDER BY a.attname) AS columns, count(*) AS n_plain,
                 NOT bool_and(a.attnotnull) AS allow_null
            FROM generate_series(0, i.indnkeyatts - 1) n
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]
           WHERE i.indkey[n] > 0) k
     WHERE i.indrelid = target AND i.indisunique AND i.indisvalid AND i.indimmediate
           AND NOT i.indisexclusion AND i.indpred IS NULL AND k.n_plain = i.indnkeyatts
           AND (key IS NULL
                OR k.columns = (SELECT array_agg(DISTINCT c ORDER BY c) FROM unnest(key) c));
    IF key IS NOT NULL AND indexes IS NULL THEN
        RAISE EXCEPTION 'there is no unique index on the key (%) of "%"',
                (SELECT string_agg(quote_ident(k), ', ' ORDER BY n)
                   FROM unnest(key) WITH ORDINALITY u(k, n)), table_name
            USING ERRCODE = '42P10',
                  HINT = format('CREATE UNIQUE INDEX ON %I (%s);', table_name,
                                (SELECT string_agg(quote_ident(k), ', ' ORDER BY n)
                                   FROM unnest(key) WITH ORDINALITY u(k, n)));
    ELSIF key IS NOT NULL THEN
        RETURN indexes[1];
    ELSIF primary_key IS NOT NULL THEN
        RETURN primary_key;
    ELSIF cardinality(indexes) = 1 AND (needed OR NOT allow_null) THEN
        RETURN indexes[1];
    ELSIF needed THEN
        RAISE EXCEPTION
            USING ERRCODE = '42P10',
                  MESSAGE = format(CASE WHEN indexes IS NULL
                                        THEN '"%s" has no primary key and no unique index'
                                        ELSE '"%s" has no primary key and several unique indexes' END,
                                   table_name),
                  HINT = CASE WHEN indexes IS NULL
                              THEN format('CREATE UNIQUE INDEX ON %I (...) on the columns of the key.',
                                          table_name)
                              ELSE 'Name the columns of the key.' END;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vector_bulk_key(regclass, name[], boolean) IS
    'the unique index by which rows of a table are recognized; NULL: none, where none is needed';

CREATE FUNCTION vector_bulk_source(
    source regclass, callers_path text, OUT rows regclass, OUT started timestamptz)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET max_parallel_workers_per_gather = 0
    SET synchronize_seqscans = off
AS $$
DECLARE
    name text;
    copy text;
BEGIN
    started := clock_timestamp();
    rows := source;
    -- Rows are found again by their place, and are the same for every statement, in a temporary
    -- table of this session only.
    IF EXISTS (SELECT FROM pg_class
               WHERE oid = source AND relkind = 'r' AND relpersistence = 't' AND NOT relhassubclass)
    THEN
        RETURN;
    END IF;
    SELECT 'pg_temp.vector_source_' || n INTO name FROM generate_series(1, 1000000) n
     WHERE to_regclass('pg_temp.vector_source_' || n) IS NULL LIMIT 1;
    SELECT format('CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT * FROM %I.%I',
                  name, n.nspname, c.relname)
      INTO copy FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = source;
    PERFORM set_config('search_path', callers_path, true);
    EXECUTE copy;
    rows := pg_catalog.to_regclass(name);
END
$$;
COMMENT ON FUNCTION vector_bulk_source(regclass, text) IS
    'the table itself if it is temporary, else a temporary copy of what it holds';

CREATE FUNCTION vector_bulk_columns(
    target regclass, source regclass, source_name name, index regclass, key_needed boolean,
    on_conflict text, update_columns name[], merge jsonb, vector_type regtype)
    RETURNS jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    target_name name := (SELECT relname FROM pg_class WHERE oid = target);
    source_table text := (SELECT format('%I.%I', n.nspname, c.relname)
                            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                           WHERE c.oid = source);
    problem name;
    wrong record;
    is_so boolean;
    -- Columns of the source that hold nothing and whose value the target makes.
    made name[] := '{}';
    -- Required columns that are merged with the old value, and have a value in every row.
    filled name[] := '{}';
    columns jsonb;
BEGIN
    SELECT s.attname INTO problem FROM pg_attribute s
     WHERE s.attrelid = source AND s.attnum > 0 AND NOT s.attisdropped
           AND NOT EXISTS (SELECT FROM pg_attribute a
                           WHERE a.attrelid = target AND a.attname = s.attname AND a.attnum > 0)
     ORDER BY s.attnum LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', problem, target_name
            USING ERRCODE = '42703', DETAIL = format('It is a column of "%s".', source_name);
    END IF;

    FOR problem IN
        SELECT a.attname FROM pg_attribute a
          JOIN pg_attribute s ON s.attrelid = source AND s.attname = a.attname
         WHERE a.attrelid = target AND a.attidentity <> '' AND NOT a.attisdropped
               AND NOT (key_needed
                        AND EXISTS (SELECT FROM pg_index i
                                     CROSS JOIN generate_series(0, i.indnkeyatts - 1) n
                                     WHERE i.indexrelid = index AND i.indkey[n] = a.attnum))
    LOOP
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s WHERE %I IS NOT NULL)',
                       source_table, problem) INTO is_so;
        IF is_so THEN
            made := made || problem;
        END IF;
    END LOOP;
    FOR problem IN
        SELECT a.attname FROM pg_attribute a
          JOIN pg_attribute s ON s.attrelid = source AND s.attname = a.attname
         WHERE a.attrelid = target AND a.attnotnull AND on_conflict = 'update'
               AND (merge ->> a.attname <> 'replace' OR NOT a.attname = ANY (update_columns))
    LOOP
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s WHERE %I IS NULL)',
                       source_table, problem) INTO is_so;
        IF is_so THEN
            filled := filled || problem;
        END IF;
    END LOOP;

    WITH RECURSIVE base AS (
        SELECT a.attrelid, a.attnum, a.attname, a.atttypid AS type, a.atttypmod AS typmod
          FROM pg_attribute a
         WHERE a.attrelid IN (target, source) AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT b.attrelid, b.attnum, b.attname, t.typbasetype, t.typtypmod
          FROM base b JOIN pg_type t ON t.oid = b.type
         WHERE t.typtype = 'd'),
    typed AS (
        SELECT b.*, t.typcategory AS category FROM base b JOIN pg_type t ON t.oid = b.type
         WHERE t.typtype <> 'd'),
    key AS (
        SELECT a.attname, a.attgenerated, n + 1 AS position, i.indcollation[n] AS collation_oid,
               (SELECT format('OPERATOR(%I.%s)', n.nspname, p.oprname)
                  FROM pg_amop e JOIN pg_operator p ON p.oid = e.amopopr
                  JOIN pg_namespace n ON n.oid = p.oprnamespace
                 WHERE e.amopfamily = c.opcfamily AND e.amoplefttype = c.opcintype
                       AND e.amoprighttype = c.opcintype AND e.amopstrategy = 3) AS equals
          FROM pg_index i
         CROSS JOIN generate_series(0, i.indnkeyatts - 1) n
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]
          JOIN pg_opclass c ON c.oid = i.indclass[n]
         WHERE i.indexrelid = index),
    usable_key AS (
        SELECT * FROM key
         WHERE key_needed
               OR NOT EXISTS (SELECT FROM key k
                              WHERE k.attname = ANY (made) OR k.attgenerated <> ''
                                    OR NOT EXISTS (SELECT FROM base s WHERE s.attrelid = source
                                                   AND s.attname = k.attname))),
    target_column AS (
        SELECT a.attnum, a.attname, t.type, t.category, t.typmod, s.type AS source_type,
               s.typmod AS source_typmod, s.category AS source_category,
               a.attgenerated <> '' AS is_generated, a.attidentity, a.attnotnull,
               a.atthasdef OR a.attidentity <> '' OR y.typdefaultbin IS NOT NULL AS has_default,
               y.typtype = 'd' AS is_domain, format('%I.%I', z.nspname, b.typname) AS bare,
               s.type IS NOT NULL AND a.attgenerated = '' AND a.attname <> ALL (made) AS supplied,
               t.type = vector_type AS is_vector,
               k.position AS key, k.equals, k.collation_oid, a.attcollation AS own_collation,
               merge ->> a.attname AS merge_rule,
               a.attname = ANY (update_columns) AS listed
          FROM pg_attribute a
          JOIN pg_type y ON y.oid = a.atttypid
          JOIN typed t ON t.attrelid = target AND t.attnum = a.attnum
          JOIN pg_type b ON b.oid = t.type
          JOIN pg_namespace z ON z.oid = b.typnamespace
          LEFT JOIN typed s ON s.attrelid = source AND s.attname = a.attname
          LEFT JOIN usable_key k ON k.attname = a.attname
         WHERE a.attrelid = target)
    SELECT jsonb_agg(
               jsonb_build_object(
                   'n', attnum, 'name', attname, 'key', key, 'equals', equals,
                   'collated', (SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
                                   FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
                                  WHERE c.oid = collation_oid),
                   'own_collation',
                   (SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
                      FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
                     WHERE c.oid = own_collation AND merge_rule IN ('max', 'min')),
                   'supplied', supplied, 'category', category,
                   'bare', bare,
                   'cast', CASE WHEN source_type <> type OR source_typmod <> typmod AND typmod <> -1
                                     AND category NOT IN ('S', 'V') AND NOT is_vector
                                THEN CASE WHEN category IN ('S', 'V') OR is_vector OR typmod = -1
                                          THEN bare ELSE format_type(type, typmod) END END,
                   'converted', source_type <> type
                                OR source_typmod <> typmod AND typmod <> -1 AND NOT is_vector,
                   'parsed', is_vector AND source_category = 'S',
                   'dims', CASE WHEN is_vector AND typmod > 0 THEN typmod END,
                   'not_null', attnotnull AND NOT is_generated AND attname <> ALL (filled),
                   'has_default', has_default,
                   'checked', is_domain, 'generated', is_generated,
                   'operator_schema',
                   (SELECT jsonb_object_agg(f.oprname, f.nspname)
                      FROM (SELECT DISTINCT ON (p.oprname) p.oprname, n.nspname
                              FROM pg_operator p JOIN pg_namespace n ON n.oid = p.oprnamespace
                             WHERE p.oprname IN ('+', '||') AND p.oprleft = type
                                   AND p.oprright = type
                             ORDER BY p.oprname, n.nspname <> 'pg_catalog') f),
                   'now', merge_rule = 'now',
                   'rule', CASE WHEN on_conflict = 'update' AND key IS NULL AND NOT is_generated
                                     AND merge_rule IS DISTINCT FROM 'keep'
                                     AND (merge_rule IS NOT NULL OR supplied AND attidentity <> 'a'
                                                                AND coalesce(listed, true))
                                THEN coalesce(merge_rule, 'replace') END,
                   'wrong', CASE
                       WHEN key IS NOT NULL AND key_needed AND source_type IS NULL THEN 'missing'
                       WHEN key IS NOT NULL AND is_generated THEN 'generated'
                       WHEN merge_rule IS NULL AND listed IS NOT TRUE THEN NULL
                       WHEN key IS NOT NULL THEN 'key'
                       WHEN is_generated OR attidentity = 'a' THEN 'generated'
                       WHEN NOT supplied AND coalesce(merge_rule NOT IN ('now', 'keep'), true)
                       THEN 'missing' END)
               ORDER BY attnum)
      INTO columns FROM target_column;

    SELECT c INTO problem FROM (SELECT unnest(update_columns)
                                UNION ALL SELECT jsonb_object_keys(merge)) u(c)
     WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(columns) e WHERE e ->> 'name' = c) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', problem, target_name
            USING ERRCODE = '42703';
    END IF;
    SELECT e ->> 'name' AS name, e ->> 'wrong' AS wrong INTO wrong FROM jsonb_array_elements(columns) e
     WHERE e ->> 'wrong' IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION
            USING ERRCODE = CASE wrong.wrong WHEN 'missing' THEN '42703' WHEN 'key' THEN '22023'
                                             ELSE '428C9' END,
                  MESSAGE = format(CASE wrong.wrong
                                       WHEN 'missing' THEN 'column "%s" is not in "%s"'
                                       WHEN 'key' THEN 'column "%s" belongs to the key of "%3$s", '
                                                       'which is not updated'
                                       ELSE 'column "%s" of "%3$s" is generated' END,
                                   wrong.name, source_name, target_name);
    ELSIF NOT EXISTS (SELECT FROM jsonb_array_elements(columns) e WHERE (e -> 'supplied')::boolean) THEN
        RAISE EXCEPTION '"%" has no column to load into "%"', source_name, target_name
            USING ERRCODE = '42703';
    END IF;
    RETURN columns;
END
$$;
COMMENT ON FUNCTION vector_bulk_columns(
    regclass, regclass, name, regclass, boolean, text, name[], jsonb, regtype) IS
    'what vector_bulk_upsert does with each column of the target';

-- In the statements that follow, a row of the source is s, its columns c and their number in the
-- target, its number source_row; the row of the target with the same key is t.

CREATE FUNCTION vector_bulk_expressions(columns jsonb, vector_type regtype) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN (
    WITH typed AS (
        SELECT e, c.*, format('%I.', n.nspname) AS extension
          FROM jsonb_array_elements(columns) e
         CROSS JOIN LATERAL jsonb_to_record(e) AS c(
                   n integer, name name, supplied boolean, category "char", bare text, "cast" text,
                   parsed boolean, has_default boolean, now boolean, rule text, operator_schema jsonb,
                   own_collation text)
          JOIN pg_type y ON y.oid = vector_type
          JOIN pg_namespace n ON n.oid = y.typnamespace),
    read AS (
        SELECT t.*, CASE WHEN "cast" IS NOT NULL AND NOT parsed THEN format('s.c%s::%s', n, "cast")
                         ELSE format('s.c%s', n) END AS value
          FROM typed t),
    merged AS (
        SELECT r.n, v.given, CASE r.rule
                   WHEN 'replace' THEN new
                   WHEN 'now' THEN format('pg_catalog.now()::%s', bare)
                   WHEN 'max' THEN format('GREATEST(%s, %s)', old, new)
                   WHEN 'min' THEN format('LEAST(%s, %s)', old, new)
                   WHEN 'coalesce' THEN format('COALESCE(%s, %s)', new, old)
                   ELSE format('(CASE WHEN %2$s IS NULL THEN %1$s WHEN %1$s IS NULL THEN %2$s '
                               'ELSE %3$s END)::%4$s', old, new, joined, bare) END AS value
          FROM read r
         CROSS JOIN LATERAL (VALUES ('excluded', format('t.%I', name), format('excluded.%I', name)),
                                    ('staged', format('t.%I', name), concat(value, own_collation)))
                    v(given, old, new)
         CROSS JOIN LATERAL (
             SELECT CASE WHEN r.rule = 'sum'
                         THEN format('%s OPERATOR(%I.+) %s', old,
                                     coalesce(operator_schema ->> '+', 'pg_catalog'), new)
                         WHEN category = 'S'
                         THEN format('%s::pg_catalog.text OPERATOR(pg_catalog.||) '
                                     '%s::pg_catalog.text', old, new)
                         WHEN category = 'A' THEN format('pg_catalog.array_cat(%s, %s)', old, new)
                         ELSE format('%s OPERATOR(%I.||) %s', old,
                                     coalesce(operator_schema ->> '||', 'pg_catalog'), new) END) b(joined)
         WHERE r.rule IS NOT NULL)
    SELECT jsonb_agg(
               r.e || jsonb_build_object(
                   -- A text that is to become a vector is read once; it stays to be shown.
                   'read', CASE WHEN r.supplied AND r.parsed
                                THEN format('s.%1$I AS r%2$s, %3$svector_try_parse(s.%1$I) AS c%2$s',
                                            r.name, r.n, r.extension)
                                WHEN r.supplied THEN format('s.%I AS c%s', r.name, r.n) END,
                   'value', CASE WHEN r.supplied THEN r.value END,
                   'inserted', CASE WHEN r.supplied AND r.now
                                    THEN format('COALESCE(%s, pg_catalog.now()::%s)', r.value, r.bare)
                                    WHEN r.supplied THEN r.value
                                    WHEN r.now AND NOT r.has_default
                                    THEN format('pg_catalog.now()::%s', r.bare) END,
                   'excluded', (SELECT m.value FROM merged m WHERE m.n = r.n AND given = 'excluded'),
                   'staged', (SELECT m.value FROM merged m WHERE m.n = r.n AND given = 'staged'))
               ORDER BY r.n)
      FROM read r);
END
$$;
COMMENT ON FUNCTION vector_bulk_expressions(jsonb, regtype) IS
    'the columns of vector_bulk_columns with the expressions that read, insert and update them';

CREATE FUNCTION vector_bulk_problems(
    target regclass, columns jsonb, on_conflict text, fills_rows boolean, vector_type regtype,
    OUT trial text, OUT unconverted text, OUT always text, OUT where_absent text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    -- trial: fails where a value is none of the type of its column; unconverted says which.
    -- The others: arms of a CASE whose result is SQLSTATE and message; where_absent for rows without a
    -- row of the target, to whose columns nothing needs to be given.
    WITH c AS (
        SELECT c.*, format('%I.', n.nspname) AS extension, r.relname,
               on_conflict = 'update' AND key IS NULL
               AND (rule IS NULL OR rule IN ('sum', 'max', 'min', 'coalesce', 'concat', 'now'))
                   AS kept_without_value
          FROM jsonb_to_recordset(columns) AS c(
                   n integer, name name, key integer, supplied boolean, "cast" text, parsed boolean,
                   dims integer, not_null boolean, has_default boolean, rule text, value text,
                   inserted text)
          JOIN pg_class r ON r.oid = target
          JOIN pg_type y ON y.oid = vector_type
          JOIN pg_namespace n ON n.oid = y.typnamespace),
    arm AS (
        SELECT n, 1 AS rank, false AS absent,
               format('WHEN s.r%1$s IS NOT NULL AND s.c%1$s IS NULL THEN '
                      '%2$svector_cast_problem(s.r%1$s::pg_catalog.text, %3$L)',
                      n, extension, vector_type) AS arm
          FROM c WHERE supplied AND parsed
        UNION ALL
        SELECT n, 2, false,
               format('WHEN %1$svector_dims(%2$s) OPERATOR(pg_catalog.<>) %3$s THEN ARRAY[''22000'', '
                      'pg_catalog.format(''expected %3$s dimensions, not %%s'', '
                      '%1$svector_dims(%2$s))]', extension, value, dims)
          FROM c WHERE supplied AND dims IS NOT NULL
        UNION ALL
        SELECT n, 3, kept_without_value,
               format('WHEN %s THEN ARRAY[''23502'', %L]',
                      coalesce(inserted || ' IS NULL', 'true'),
                      format('null value in column "%s" of relation "%s" violates not-null constraint',
                             name, relname))
          FROM c
         WHERE key IS NOT NULL OR not_null AND NOT fills_rows AND (supplied OR NOT has_default))
    SELECT (SELECT string_agg(format('pg_catalog.count(%s)', value), ', ' ORDER BY n)
              FROM c WHERE supplied AND "cast" IS NOT NULL AND NOT parsed),
           (SELECT string_agg(format('%svector_cast_problem(s.c%s, %L)', extension, n, "cast"),
                              ', ' ORDER BY n)
              FROM c WHERE supplied AND "cast" IS NOT NULL AND NOT parsed),
           string_agg(arm, ' ' ORDER BY rank, n) FILTER (WHERE NOT absent),
           string_agg(arm, ' ' ORDER BY rank, n) FILTER (WHERE absent)
      FROM arm
      INTO trial, unconverted, always, where_absent;
END
$$;
COMMENT ON FUNCTION vector_bulk_problems(regclass, jsonb, text, boolean, regtype) IS
    'conditions under which a row cannot be written, each with its SQLSTATE and message';

CREATE FUNCTION vector_bulk_constraints(
    target regclass, columns jsonb, on_conflict text,
    OUT name name, OUT is_probed boolean, OUT needs_split boolean, OUT arm text, OUT query text)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    condition record;
    is_so boolean;
    -- CHECK constraints on columns that are not given, which their defaults do not meet.
    refusing name[] := '{}';
BEGIN
    FOR condition IN
        SELECT r.conname, format('SELECT (%s) IS FALSE FROM (SELECT %s) x',
                                 pg_get_expr(r.conbin, r.conrelid), u.defaults) AS query
          FROM pg_constraint r
         CROSS JOIN LATERAL (
             SELECT string_agg(format('%s AS %I',
                                      coalesce(c.inserted, pg_get_expr(d.adbin, d.adrelid),
                                               'NULL::' || c.bare), c.name), ', ') AS defaults,
                    bool_and(NOT c.supplied AND NOT c.generated
                             AND (c.inserted IS NOT NULL OR NOT c.has_default
                                  OR d.adbin::text LIKE '{CONST %')) AS are_known
               FROM unnest(r.conkey) k(n)
               LEFT JOIN jsonb_to_recordset(columns) AS c(
                             n integer, name name, supplied boolean, generated boolean, bare text,
                             has_default boolean, inserted text) ON c.n = k.n
               LEFT JOIN pg_attrdef d ON d.adrelid = r.conrelid AND d.adnum = k.n) u
         WHERE r.conrelid = target AND r.contype = 'c' AND u.are_known
    LOOP
        BEGIN
            EXECUTE condition.query INTO is_so;
        EXCEPTION WHEN OTHERS THEN
            is_so := true;
        END;
        IF is_so THEN
            refusing := refusing || condition.conname;
        END IF;
    END LOOP;

    RETURN QUERY
    WITH c AS (
        SELECT c.*, (supplied AND (on_conflict <> 'update' OR key IS NOT NULL OR rule = 'replace'))
                    AS written_as_given
          FROM jsonb_to_recordset(columns) AS c(
                   n integer, name name, key integer, supplied boolean, generated boolean, rule text,
                   inserted text)),
    constraints AS (
        SELECT r.*, relname, u.given, u.never_given, u.inner_row, u.is_whole
          FROM pg_constraint r
          JOIN pg_class ON pg_class.oid = target
         CROSS JOIN LATERAL (
             SELECT bool_and(c.written_as_given) AS given,
                    bool_and(NOT c.supplied AND NOT c.generated) AND r.conname <> ALL (refusing)
                        AS never_given,
                    string_agg(format('%s AS %I', c.inserted, c.name), ', ') AS inner_row,
                    count(c.n) IS DISTINCT FROM cardinality(r.conkey) AS is_whole
               FROM unnest(r.conkey) k(n) LEFT JOIN c ON c.n = k.n) u
         WHERE r.conrelid = target AND r.contype IN ('c', 'f')
               AND coalesce(to_jsonb(r) ->> 'conenforced', 'true') = 'true')
    SELECT conname,
           NOT is_whole AND (given OR never_given),
           is_whole OR NOT (given OR never_given),
           CASE WHEN given AND NOT is_whole THEN
               format('WHEN (SELECT (%s) IS FALSE FROM (SELECT %s) x) THEN ARRAY[''23514'', %L]',
                      pg_get_expr(conbin, conrelid), inner_row,
                      format('new row for relation "%s" violates check constraint "%s"', relname,
                             conname)) END,
           NULL
      FROM constraints WHERE contype = 'c'
    UNION ALL
    SELECT conname,
           never_given
           OR current_setting('session_replication_role') = 'replica'
           OR given AND confrelid <> target AND NOT condeferrable AND confmatchtype = 's'
              AND coalesce(to_jsonb(f) ->> 'conperiod', 'false') = 'false'
              AND has_table_privilege(confrelid, 'SELECT')
              AND has_schema_privilege((SELECT relnamespace FROM pg_class WHERE oid = confrelid),
                                       'USAGE')
              AND NOT row_security_active(confrelid),
           false, NULL,
           (SELECT format('SELECT s.tid, s.source_row, ARRAY[''23503'', %L] AS problem '
                          'FROM candidate s WHERE %s AND NOT EXISTS (SELECT FROM %I.%I r WHERE %s)',
                          format('insert or update on table "%s" violates foreign key constraint "%s"',
                                 f.relname, conname),
                          string_agg(c.inserted || ' IS NOT NULL', ' AND '),
                          n.nspname, r.relname,
                          string_agg(format('r.%I OPERATOR(%I.%s) %s', a.attname, m.nspname, o.oprname,
                                            c.inserted), ' AND '))
              FROM unnest(conkey, confkey, conpfeqop) k(own, other, equals)
              JOIN c ON c.n = k.own
              JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.other
              JOIN pg_operator o ON o.oid = k.equals
              JOIN pg_namespace m ON m.oid = o.oprnamespace
              JOIN pg_class r ON r.oid = confrelid
              JOIN pg_namespace n ON n.oid = r.relnamespace
             WHERE given AND current_setting('session_replication_role') <> 'replica'
             GROUP BY n.nspname, r.relname)
      FROM constraints f WHERE contype = 'f';
END
$$;
COMMENT ON FUNCTION vector_bulk_constraints(regclass, jsonb, text) IS
    'how rows can be checked against the CHECK and foreign key constraints before they are written';

CREATE FUNCTION vector_bulk_risks(
    target regclass, index regclass, columns jsonb,
    OUT fills_rows boolean, OUT vetoes_updates boolean, OUT is_split boolean, OUT is_risky boolean)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    -- fills_rows: triggers see a row before it is checked. vetoes_updates: triggers can suppress an
    -- update. is_split: rows to be updated would not do as rows to be inserted. is_risky: what the
    -- server says of a row cannot be known before.
    WITH relations AS (
        SELECT target AS relid UNION SELECT relid FROM pg_partition_tree(target)),
    triggers AS (
        SELECT coalesce(bool_or(tgtype & 7 = 7), false) AS fill,
               coalesce(bool_or(tgtype & 19 = 19), false) AS veto, count(*) > 0 AS exist
          FROM pg_trigger JOIN relations ON relid = tgrelid
         WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgtype & 1 = 1),
    c AS (
        SELECT coalesce(bool_or(checked AND (supplied AND rule <> 'replace'
                                             OR NOT supplied AND NOT has_default)), false) AS split,
               bool_or(NOT supplied AND NOT generated) AS lacks_columns,
               bool_or(generated OR checked AND (supplied OR NOT has_default)
                       OR supplied AND converted AND NOT parsed) AS risk
          FROM jsonb_to_recordset(columns) AS c(supplied boolean, converted boolean, parsed boolean,
                                                checked boolean, generated boolean,
                                                has_default boolean, rule text)),
    indexes AS (
        SELECT coalesce(bool_or(indexrelid <> coalesce(index, 0)
                                AND (indisunique OR indisexclusion OR indexprs IS NOT NULL
                                     OR indpred IS NOT NULL)), false) AS risk
          FROM pg_index JOIN relations ON relid = indrelid
         WHERE NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid))
    SELECT triggers.fill, triggers.veto,
           triggers.fill OR c.split OR relkind = 'p'
               OR NOT has_column_privilege(target, 'xmax', 'SELECT')
               OR c.lacks_columns AND EXISTS (SELECT FROM pg_attribute
                                              WHERE attrelid = target AND attgenerated <> ''
                                                    AND attnotnull),
           triggers.exist OR c.risk OR indexes.risk OR relkind = 'p' OR relispartition
               OR row_security_active(target)
      FROM triggers, c, indexes, pg_class
     WHERE pg_class.oid = target
      INTO fills_rows, vetoes_updates, is_split, is_risky;
END
$$;
COMMENT ON FUNCTION vector_bulk_risks(regclass, regclass, jsonb) IS
    'which ways of writing rows a table allows';

CREATE FUNCTION vector_bulk_parts(
    target regclass, columns jsonb,
    OUT staged text, OUT names text, OUT inserted text, OUT key_names text, OUT key_values text,
    OUT key_text text, OUT key_text_of_stage text, OUT match text, OUT match_written text,
    OUT written_key text, OUT a_key text, OUT may_read_key boolean, OUT set_excluded text,
    OUT set_staged text, OUT changed_excluded text, OUT changed_staged text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    WITH c AS (
        SELECT *, rule IS NOT NULL AND rule <> 'now' AS is_compared
          FROM jsonb_to_recordset(columns) AS c(
                   n integer, name name, key integer, equals text, collated text, supplied boolean,
                   bare text, rule text, read text, value text, inserted text, excluded text,
                   staged text)),
    lists AS (
        SELECT string_agg(format('t.%I::%s', name, bare), ', ' ORDER BY n)
                   FILTER (WHERE is_compared) AS image,
               string_agg(format('(%s)::%s', excluded, bare), ', ' ORDER BY n)
                   FILTER (WHERE is_compared) AS image_excluded,
               string_agg(format('(%s)::%s', c.staged, bare), ', ' ORDER BY n)
                   FILTER (WHERE is_compared) AS image_staged
          FROM c)
    SELECT string_agg(read, ', ' ORDER BY n),
           string_agg(quote_ident(name), ', ' ORDER BY n) FILTER (WHERE c.inserted IS NOT NULL),
           string_agg(c.inserted, ', ' ORDER BY n),
           string_agg(quote_ident(name), ', ' ORDER BY key) FILTER (WHERE key IS NOT NULL),
           string_agg(concat(value, collated), ', ' ORDER BY key) FILTER (WHERE key IS NOT NULL),
           'pg_catalog.concat_ws('', '', '
           || string_agg(format('s.c%s::pg_catalog.text', n), ', ' ORDER BY key)
                  FILTER (WHERE key IS NOT NULL)
           || ')',
           'pg_catalog.concat_ws('', '', '
           || string_agg(format('s.%I::pg_catalog.text', name), ', ' ORDER BY key)
                  FILTER (WHERE key IS NOT NULL)
           || ')',
           string_agg(format('t.%I %s %s%s', name, equals, value, collated), ' AND ' ORDER BY key)
               FILTER (WHERE key IS NOT NULL),
           string_agg(format('w.k%s %s %s%s', n, equals, value, collated), ' AND ' ORDER BY key)
               FILTER (WHERE key IS NOT NULL),
           string_agg(format('t.%I AS k%s', name, n), ', ' ORDER BY key) FILTER (WHERE key IS NOT NULL),
           min(format('t.%I', name)) FILTER (WHERE key IS NOT NULL),
           bool_and(has_column_privilege(target, n::smallint, 'SELECT')) FILTER (WHERE key IS NOT NULL),
           string_agg(format('%I = %s', name, excluded), ', ' ORDER BY n) FILTER (WHERE rule <> ''),
           string_agg(format('%I = %s', name, c.staged), ', ' ORDER BY n) FILTER (WHERE rule <> ''),
           (SELECT format('ROW(%s)::pg_catalog.record OPERATOR(pg_catalog.*<>) '
                          'ROW(%s)::pg_catalog.record', image, image_excluded)
              FROM lists WHERE image <> ''),
           (SELECT format('ROW(%s)::pg_catalog.record OPERATOR(pg_catalog.*<>) '
                          'ROW(%s)::pg_catalog.record', image, image_staged)
              FROM lists WHERE image <> '')
      FROM c
      INTO staged, names, inserted, key_names, key_values, key_text, key_text_of_stage, match,
           match_written, written_key, a_key, may_read_key, set_excluded, set_staged, changed_excluded,
           changed_staged;
END
$$;
COMMENT ON FUNCTION vector_bulk_parts(regclass, jsonb) IS
    'lists and conditions from which the statements of vector_bulk_upsert are put together';

CREATE FUNCTION vector_bulk_write(
    target regclass, parts jsonb, on_conflict text, ways jsonb, vector_type regtype)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    kind "char";
    table_name text;
    existing text;
    taken text;
    absent text;
    insert_into text;
    feed_end text;
    do_update text;
    changed text;
    is_counted boolean := (ways -> 'is_counted')::boolean;
    same text;
BEGIN
    -- The statement takes its candidates in the order of their keys, so that two loads wait for each
    -- other in one direction only; they are ordered before they are taken one by one.
    SELECT c.relkind, format('%I.%I', n.nspname, c.relname) INTO kind, table_name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = target;
    existing := CASE kind WHEN 'p' THEN '' ELSE 'ONLY ' END || table_name || ' t';
    SELECT format('%I.vector_bulk_row(s.source_row)', n.nspname),
           format('CASE WHEN %I.vector_bulk_look(s.source_row) THEN ', n.nspname)
           || (parts ->> 'changed_staged') || ' END'
      INTO taken, changed
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = vector_type;
    absent := ' WHERE NOT EXISTS (SELECT FROM ' || existing || ' WHERE ' || (parts ->> 'match') || ')';
    insert_into := 'INSERT INTO ' || table_name || ' AS t (' || (parts ->> 'names')
                   || ') OVERRIDING SYSTEM VALUE SELECT ' || (parts ->> 'inserted')
                   || ' FROM (SELECT s.* FROM candidate s';
    feed_end := ' ORDER BY s.place OFFSET 0) s WHERE ' || taken;
    do_update := ' ON CONFLICT (' || (parts ->> 'key_names') || ') DO UPDATE SET '
                 || (parts ->> 'set_excluded') || ' WHERE ' || (parts ->> 'changed_excluded')
                 -- Not all partitions have system columns to return, nor all users the right to see
                 -- them; rows are then updated apart, and what is inserted nevertheless finds a row
                 -- only where no load put it.
                 || CASE WHEN kind = 'p' OR NOT has_column_privilege(target, 'xmax', 'SELECT')
                         THEN ' RETURNING true AS is_new'
                         ELSE ' RETURNING t.xmax OPERATOR(pg_catalog.=) 0 AS is_new' END;

    same := ', same AS (SELECT pg_catalog.count(*) AS n FROM candidate s JOIN ' || existing || ' ON '
            || (parts ->> 'match') || coalesce(' WHERE NOT (' || changed || ')', '') || ')';

    IF on_conflict = 'error' AND NOT (ways -> 'is_guarded')::boolean THEN
        RETURN ', w AS (' || insert_into || feed_end
               || ' RETURNING 1) SELECT ARRAY[pg_catalog.count(*)] FROM w';
    ELSIF on_conflict = 'error' THEN
        -- Rows whose key another transaction has inserted meanwhile are named, in place of an error.
        RETURN ', w AS (' || insert_into || feed_end || ' ON CONFLICT (' || (parts ->> 'key_names')
               || ') DO NOTHING RETURNING ' || (parts ->> 'written_key')
               || ') SELECT ARRAY[(SELECT pg_catalog.count(*) FROM w)] OPERATOR(pg_catalog.||) '
                  'CASE WHEN (SELECT pg_catalog.count(*) FROM w) OPERATOR(pg_catalog.<) '
                            '(SELECT pg_catalog.count(*) FROM candidate) '
                  'THEN ARRAY(SELECT s.place FROM candidate s WHERE NOT EXISTS '
                             '(SELECT FROM w WHERE ' || (parts ->> 'match_written')
               || ') ORDER BY 1) END';
    ELSIF changed IS NULL THEN
        RETURN CASE WHEN is_counted THEN same ELSE '' END
               || ', w AS (' || insert_into || absent || feed_end || ' ON CONFLICT ('
               || (parts ->> 'key_names') || ') DO NOTHING RETURNING 1) SELECT ARRAY[pg_catalog.count(*)'
               || CASE WHEN is_counted THEN ', 0, (SELECT n FROM same)' ELSE '' END || '] FROM w';
    ELSIF NOT (ways -> 'is_split')::boolean THEN
        -- Rows that are as they should be are left out, so that they are not even locked.
        RETURN CASE WHEN is_counted THEN same ELSE '' END
               || ', w AS (' || insert_into || ' LEFT JOIN ' || existing || ' ON '
               || (parts ->> 'match') || ' WHERE ' || (parts ->> 'a_key') || ' IS NULL OR ' || changed
               || feed_end || do_update
               || ') SELECT ARRAY[pg_catalog.count(*) FILTER (WHERE is_new), '
                                 'pg_catalog.count(*) FILTER (WHERE NOT is_new)'
               || CASE WHEN is_counted THEN ', (SELECT n FROM same)' ELSE '' END || '] FROM w';
    END IF;
    RETURN same || ', u AS (UPDATE ' || existing
           || ' SET ' || (parts ->> 'set_staged') || ' FROM candidate s WHERE ' || (parts ->> 'match')
           || ' AND CASE WHEN ' || changed || ' THEN ' || taken || ' ELSE false END RETURNING 1), '
              'w AS (' || insert_into || absent || feed_end || do_update
           || ') SELECT ARRAY[pg_catalog.count(*) FILTER (WHERE is_new), '
                             'pg_catalog.count(*) FILTER (WHERE NOT is_new) '
                             'OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM u), '
                             '(SELECT n FROM same)] FROM w';
END
$$;
COMMENT ON FUNCTION vector_bulk_write(regclass, jsonb, text, jsonb, regtype) IS
    'the statement that writes candidates and counts them, without what says who they are';

CREATE FUNCTION vector_bulk_ways(
    on_conflict text, has_rejects boolean, risks jsonb, may_read_key boolean, constraints jsonb,
    problems_where_absent text, OUT is_split boolean, OUT is_slow boolean, OUT is_guarded boolean,
    OUT is_counted boolean)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    -- is_split: existing rows are updated and absent ones inserted by two statements in one, while
    -- other loads wait. is_slow: bad rows are found by writing. is_guarded: a row whose key has come
    -- to exist meanwhile is no error. is_counted: unchanged rows are, as others may be left as well.
    SELECT on_conflict = 'update' AND ((risks -> 'is_split')::boolean OR c.needs_split
                                       OR problems_where_absent IS NOT NULL),
           s.slow, has_rejects AND NOT s.slow AND may_read_key IS NOT NULL
      FROM (SELECT coalesce(bool_or((c ->> 'needs_split')::boolean), false) AS needs_split,
                   coalesce(bool_and((c ->> 'is_probed')::boolean), true) AS are_probed
              FROM jsonb_array_elements(constraints) c) c
     CROSS JOIN LATERAL (
         SELECT has_rejects AND ((risks -> 'is_risky')::boolean OR NOT c.are_probed
                                 OR NOT coalesce(may_read_key, true))) s(slow)
      INTO is_split, is_slow, is_guarded;
    is_counted := is_split OR on_conflict = 'update' AND (risks -> 'vetoes_updates')::boolean;
END
$$;
COMMENT ON FUNCTION vector_bulk_ways(text, boolean, jsonb, boolean, jsonb, text) IS
    'how vector_bulk_upsert writes rows';

CREATE FUNCTION vector_bulk_plan(
    target regclass, given_source regclass, source regclass, source_name name, index regclass,
    rejects regclass, on_conflict text, duplicates text, fills_rows boolean, ways jsonb, parts jsonb,
    problems jsonb, constraints jsonb, write text, vector_type regtype)
    RETURNS jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    -- Volatile, to see the table that vector_bulk_source may have made in the same statement.
    -- Parameters of the queries for bad rows: $1 rows known as bad, $2 only rows before this one,
    -- $3 at most so many rows, $4 and $5 the candidates.
    RETURN (
    WITH names AS (
        SELECT format('%s%I.%I', CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, n.nspname,
                      c.relname) AS target_table,
               (SELECT format('ONLY %I.%I', m.nspname, d.relname)
                  FROM pg_class d JOIN pg_namespace m ON m.oid = d.relnamespace
                 WHERE d.oid = source) AS source_table,
               (SELECT format('%I.%I', m.nspname, d.relname)
                  FROM pg_class d JOIN pg_namespace m ON m.oid = d.relnamespace
                 WHERE d.oid = rejects) AS reject_table,
               (SELECT format('%I.', m.nspname)
                  FROM pg_type t JOIN pg_namespace m ON m.oid = t.typnamespace
                 WHERE t.oid = vector_type) AS extension,
               (SELECT relname FROM pg_class WHERE oid = index) AS index_name,
               problems ->> 'always' AS arms,
               (SELECT string_agg(c ->> 'arm', ' ') FROM jsonb_array_elements(constraints) c
                 WHERE NOT fills_rows) AS check_arms
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = target),
    rows AS (
        -- What is known as bad is left out here, before anything is made of its values.
        SELECT 'WITH candidate AS (SELECT s.* FROM (SELECT s.ctid AS tid, '
               'pg_catalog.row_number() OVER () AS source_row, ' || (parts ->> 'staged') || ' FROM '
               || names.source_table || ' s) s WHERE s.source_row OPERATOR(pg_catalog.<) $2 '
               'AND s.tid OPERATOR(pg_catalog.<>) ALL ($1) OFFSET 0)' AS all_rows,
               ' JOIN ' || names.source_table
               || ' s ON s.ctid OPERATOR(pg_catalog.=) k.tid)' AS by_place,
               '(SELECT k.source_row, k.place, s.ctid AS tid, '
               || (parts ->> 'staged') || ' FROM unnest(' AS chosen,
               ') WITH ORDINALITY k(tid, source_row, place)' AS place
          FROM names),
    queries AS (
        SELECT 0.1 AS place, 'trial' AS part,
               'SELECT ' || (problems ->> 'trial') || ' FROM candidate s' AS query
         WHERE problems ->> 'trial' IS NOT NULL
        UNION ALL
        SELECT 0.2, 'unconverted',
               'SELECT s.tid, s.source_row, COALESCE(' || (problems ->> 'unconverted')
               || ') AS problem FROM candidate s'
         WHERE problems ->> 'trial' IS NOT NULL
        UNION ALL
        SELECT 1, 'early',
               'SELECT s.tid, s.source_row, CASE ' || arms || ' END AS problem FROM candidate s'
          FROM names WHERE arms <> ''
        UNION ALL
        SELECT 2, 'check',
               'SELECT s.tid, s.source_row, CASE ' || check_arms || ' END AS problem FROM candidate s'
          FROM names WHERE check_arms <> ''
        UNION ALL
        SELECT 3, 'early', c ->> 'query' FROM jsonb_array_elements(constraints) c
         WHERE c ->> 'query' IS NOT NULL AND (c -> 'is_probed')::boolean AND NOT fills_rows
        UNION ALL
        SELECT 4, 'late',
               format('SELECT s.tid, s.source_row, ARRAY[''23505'', %L] AS problem FROM candidate s '
                      'WHERE EXISTS (SELECT FROM %s t WHERE ',
                      format('duplicate key value violates unique constraint "%s"', index_name),
                      names.target_table) || (parts ->> 'match') || ')'
          FROM names WHERE on_conflict = 'error' AND parts ->> 'may_read_key' = 'true'
        UNION ALL
        SELECT 5, 'late',
               'SELECT s.tid, s.source_row, CASE ' || (problems ->> 'where_absent')
               || ' END AS problem FROM candidate s WHERE NOT EXISTS (SELECT FROM '
               || names.target_table || ' t WHERE ' || (parts ->> 'match') || ')'
          FROM names WHERE problems ->> 'where_absent' IS NOT NULL),
    ordered(query) AS (
        SELECT ' SELECT pg_catalog.array_agg(s.tid ORDER BY s.place) FILTER (WHERE s.nth '
                 'OPERATOR(pg_catalog.=) 1), pg_catalog.array_agg(s.source_row ORDER BY s.place) FILTER '
                 '(WHERE s.nth OPERATOR(pg_catalog.=) 1), pg_catalog.count(*) FILTER (WHERE s.nth '
                 'OPERATOR(pg_catalog.>) 1) FROM (SELECT s.tid, s.source_row, '
                 || coalesce('pg_catalog.row_number() OVER (PARTITION BY ' || (parts ->> 'key_values')
                             || ' ORDER BY s.source_row' || CASE duplicates WHEN 'last' THEN ' DESC'
                                                                            ELSE '' END
                             || ') AS nth, pg_catalog.row_number() OVER (ORDER BY '
                             || (parts ->> 'key_values') || ') AS place',
                             '1 AS nth, s.source_row AS place')
                 || ' FROM candidate s) s'),
    twice(query) AS (
        SELECT 'SELECT s.tid, s.source_row, ARRAY[''21000'', pg_catalog.format('
                 || quote_literal('key (%s)=(%s) is in "%s" twice: rows %s and %s') || ', '
                 || quote_literal(parts ->> 'key_names') || ', ' || (parts ->> 'key_text') || ', '
                 || quote_literal(source_name) || ', s.first_row, s.source_row)] AS problem FROM '
                    '(SELECT s.*, pg_catalog.min(s.source_row) OVER (PARTITION BY '
                 || (parts ->> 'key_values') || ') AS first_row FROM candidate s) s '
                    'WHERE s.first_row OPERATOR(pg_catalog.<) s.source_row')
    SELECT ways || jsonb_build_object(
        'on_conflict', on_conflict, 'duplicates', duplicates, 'source_name', source_name,
        -- Loads that take rows in one order do not wait for each other in a circle; one that
        -- updates first and inserts then does not keep to it, and keeps the others away.
        'lock', format('SELECT pg_catalog.%s(pg_catalog.hashtextextended(''vector_bulk_upsert'', %s))',
                       CASE WHEN (ways -> 'is_split')::boolean THEN 'pg_advisory_xact_lock'
                            ELSE 'pg_advisory_xact_lock_shared' END, target::oid),
        'run', 'SELECT ' || extension || 'vector_bulk_run($1, $2, $3, $4, $5, $6, $7)',
        'reject_call', 'SELECT ' || extension || 'vector_bulk_reject($1, $2, $3, $4, $5, $6, $7)',
        'examine_call', 'SELECT * FROM ' || extension || 'vector_bulk_examine($1, $2)',
        'merge_call', 'SELECT * FROM ' || extension || 'vector_bulk_merge($1, $2, $3, $4, $5, $6)',
        'end', CASE WHEN source = given_source THEN 'SELECT true'
                    ELSE 'DROP TABLE ' || substr(names.source_table, 6) END,
        'exists', format('duplicate key value violates unique constraint "%s"', index_name),
        'count', 'SELECT pg_catalog.count(*) FROM ' || names.source_table,
        'write', 'WITH candidate AS MATERIALIZED ' || chosen || '$1, $2' || rows.place || by_place
                 || write,
        'examine', (SELECT jsonb_agg(
                               jsonb_build_object('part', q.part, 'query',
                                   CASE q.part WHEN 'late'
                                               THEN 'WITH candidate AS ' || chosen || '$4, $5'
                                                    || rows.place || by_place
                                               ELSE all_rows END
                                   || CASE WHEN q.part IN ('trial', 'order') THEN q.query
                                      ELSE ' SELECT pg_catalog.array_agg(b.tid) AS tids, '
                                           'pg_catalog.array_agg(b.source_row) AS source_rows, '
                                           'pg_catalog.array_agg(b.problem[1]) AS states, '
                                           'pg_catalog.array_agg(b.problem[2]) AS messages '
                                           'FROM (SELECT b.* FROM (' || q.query
                                           || ') b WHERE b.problem IS NOT NULL AND b.source_row '
                                              'OPERATOR(pg_catalog.<) $2 AND b.tid '
                                              'OPERATOR(pg_catalog.<>) ALL ($1) '
                                              'ORDER BY b.source_row LIMIT $3) b' END)
                               ORDER BY q.place)
                      FROM (TABLE queries
                            UNION ALL SELECT 3.5, 'order', ordered.query FROM ordered
                            UNION ALL SELECT 3.6, 'twice', twice.query FROM twice
                                       WHERE duplicates = 'error' AND twice.query IS NOT NULL)
                           q(place, part, query)),
        'reject', 'INSERT INTO ' || names.reject_table || ' (source_row, key, sqlstate, message, raw) '
                  'SELECT b.source_row, ' || coalesce(parts ->> 'key_text_of_stage', 'NULL')
                  || ', b.sqlstate, b.message, pg_catalog.row_to_json(s.*)::pg_catalog.text '
                     'FROM unnest($1, $2, $3, $4) b(tid, source_row, sqlstate, message) JOIN '
                  || names.source_table || ' s ON s.ctid OPERATOR(pg_catalog.=) b.tid ORDER BY 1',
        'key_of_row', 'SELECT ' || (parts ->> 'key_text_of_stage') || ' FROM ' || names.source_table
                      || ' s WHERE s.ctid OPERATOR(pg_catalog.=) $1')
      FROM names, rows);
END
$$;
COMMENT ON FUNCTION vector_bulk_plan(
    regclass, regclass, regclass, name, regclass, regclass, text, text, boolean, jsonb, jsonb, jsonb,
    jsonb, text, regtype) IS
    'the statements of a load';


CREATE FUNCTION vector_bulk_reject(
    plan jsonb, tids tid[], source_rows bigint[], states text[], messages text[], n_before bigint,
    max_rejects bigint)
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reject text := plan ->> 'reject';
    n_after bigint := n_before + cardinality(tids);
    last bigint;
BEGIN
    IF max_rejects >= 0 AND cardinality(tids) > max_rejects - n_before THEN
        last := max_rejects - n_before + 1;
        RAISE EXCEPTION
            USING ERRCODE = states[last], MESSAGE = messages[last],
                  DETAIL = pg_catalog.format(
                      'Row %s of "%s" is one more than the %s that may be rejected.',
                      source_rows[last], plan ->> 'source_name', max_rejects);
    END IF;
    PERFORM set_config('search_path', plan ->> 'search_path', true);
    EXECUTE reject USING tids, source_rows, states, messages;
    RETURN n_after;
END
$$;
COMMENT ON FUNCTION vector_bulk_reject(jsonb, tid[], bigint[], text[], text[], bigint, bigint) IS
    'writes bad rows to the table for them; returns how many there are by now';

CREATE FUNCTION vector_bulk_examine(
    plan jsonb, max_rejects bigint,
    OUT tids tid[], OUT source_rows bigint[], OUT rejected bigint, OUT is_slow boolean)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    own_path text := current_setting('search_path');
    callers_path text := plan ->> 'search_path';
    has_rejects boolean := plan ->> 'reject' IS NOT NULL;
    part text;
    query text;
    n_most bigint;
    n_twice bigint;
    -- Rows known as bad; without a table for them, the first one so far.
    bad tid[] := '{}';
    before_row bigint := 9223372036854775807;
    all_convert boolean := false;
    found record;
    first_bad record;
    key_of_row text;
BEGIN
    rejected := 0;
    is_slow := (plan -> 'is_slow')::boolean;
    FOR part, query IN
        SELECT e ->> 'part', e ->> 'query'
          FROM jsonb_array_elements(plan -> 'examine') WITH ORDINALITY q(e, place)
         ORDER BY place
    LOOP
        n_most := CASE WHEN NOT has_rejects THEN 1
                       WHEN max_rejects >= 0
                       THEN least(max_rejects - rejected, 9223372036854775806) + 1 END;
        CASE part
        WHEN 'order' THEN
            PERFORM set_config('search_path', callers_path, true);
            EXECUTE query INTO tids, source_rows, n_twice USING bad, before_row;
            PERFORM pg_catalog.set_config('search_path', own_path, true);
            CONTINUE;
        WHEN 'trial' THEN
            BEGIN
                EXECUTE query USING bad, before_row;
                all_convert := true;
            EXCEPTION WHEN OTHERS THEN
                all_convert := false;
            END;
            CONTINUE;
        WHEN 'check' THEN
            -- Conditions name things as this search_path shows them.
            BEGIN
                EXECUTE query INTO found USING bad, before_row, n_most;
            EXCEPTION WHEN OTHERS THEN
                -- Of a condition that fails only the server knows in which row.
                is_slow := has_rejects;
                CONTINUE;
            END;
        ELSE
            CONTINUE WHEN part = 'twice' AND n_twice = 0 OR part = 'unconverted' AND all_convert;
            PERFORM set_config('search_path', callers_path, true);
            EXECUTE query INTO found USING bad, before_row, n_most, tids, source_rows;
            PERFORM pg_catalog.set_config('search_path', own_path, true);
        END CASE;
        IF found.tids IS NULL THEN
            CONTINUE;
        ELSIF has_rejects THEN
            EXECUTE plan ->> 'reject_call' INTO rejected
              USING plan, found.tids, found.source_rows, found.states, found.messages, rejected,
                    max_rejects;
            bad := bad || found.tids;
            IF part = 'late' THEN
                SELECT array_agg(u.tid ORDER BY u.place),
                       array_agg(u.source_row ORDER BY u.place)
                  INTO tids, source_rows
                  FROM unnest(tids, source_rows) WITH ORDINALITY u(tid, source_row, place)
                 WHERE u.tid <> ALL (found.tids);
            END IF;
        ELSE
            first_bad := found;
            before_row := found.source_rows[1];
        END IF;
    END LOOP;

    IF first_bad IS NOT NULL THEN
        EXECUTE plan ->> 'key_of_row' INTO key_of_row USING first_bad.tids[1];
        RAISE EXCEPTION
            USING ERRCODE = first_bad.states[1], MESSAGE = first_bad.messages[1],
                  DETAIL = format('Row %s of "%s"%s; %s rows before it were good.',
                                             before_row, plan ->> 'source_name',
                                             ' with the key (' || nullif(key_of_row, '') || ')',
                                             before_row - 1);
    END IF;
END
$$;
COMMENT ON FUNCTION vector_bulk_examine(jsonb, bigint) IS
    'finds bad rows without writing; returns the place and number of the others in key order';

CREATE FUNCTION vector_bulk_merge(
    plan jsonb, max_rejects bigint, tids tid[], source_rows bigint[], is_slow boolean,
    INOUT rejected bigint, OUT counts bigint[], OUT n_merged bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kChunk constant bigint := 1000;
    callers_path text := plan ->> 'search_path';
    n_rows bigint := coalesce(cardinality(tids), 0);
    is_guarded boolean := (plan -> 'is_guarded')::boolean AND plan ->> 'on_conflict' = 'error';
    size bigint := CASE WHEN is_slow THEN kChunk ELSE n_rows END;
    low bigint := 1;
    high bigint;
    merged bigint[];
    state text;
    message text;
    -- Places of the rows found to be bad, and why.
    places bigint[] := '{}';
    states text[] := '{}';
    messages text[] := '{}';
BEGIN
    counts := '{0,0,0}';
    IF is_slow AND n_rows > 0 THEN
        -- What is wrong with every row, such as a right that is missing, is no reason to reject one.
        EXECUTE plan ->> 'run' INTO merged
          USING plan ->> 'write', '{}'::tid[], '{}'::bigint[], 0::bigint, n_rows, rejected,
                callers_path;
    END IF;
    WHILE low <= n_rows LOOP
        high := least(low + size - 1, n_rows);
        IF NOT is_slow THEN
            EXECUTE plan ->> 'run' INTO merged
              USING plan ->> 'write', tids, source_rows, 0::bigint, n_rows, rejected,
                    callers_path;
        ELSE
            BEGIN
                EXECUTE plan ->> 'run' INTO merged
                  USING plan ->> 'write', tids[low:high], source_rows[low:high], low - 1, n_rows,
                        rejected + cardinality(places), callers_path;
                state := NULL;
            EXCEPTION WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
                -- Not the fault of a row.
                IF state ~ '^(08|0A|25|40|53|55|57|58|F0|XX|42(?!501))' THEN
                    RAISE;
                END IF;
            END;
            IF state IS NOT NULL AND high > low THEN
                size := (high - low + 1) / 2;
                CONTINUE;
            ELSIF state IS NOT NULL THEN
                places := places || low;
                states := states || state;
                messages := messages || message;
                EXIT WHEN max_rejects >= 0
                          AND rejected + cardinality(places) > max_rejects;
                merged := NULL;
            ELSE
                size := least(2 * size, kChunk);
            END IF;
        END IF;
        -- A row whose key another transaction has made meanwhile: behind the count, by its place.
        FOR i IN 2 .. CASE WHEN is_guarded THEN cardinality(merged) ELSE 0 END LOOP
            places := places || (low - 1 + merged[i]);
            states := states || '23505'::text;
            messages := messages || (plan ->> 'exists');
            merged[i] := 0;
        END LOOP;
        FOR i IN 1 .. 3 LOOP
            counts[i] := counts[i] + coalesce(merged[i], 0);
        END LOOP;
        low := high + 1;
    END LOOP;
    IF cardinality(places) > 0 THEN
        EXECUTE plan ->> 'reject_call' INTO rejected
          USING plan, (SELECT array_agg(tids[p] ORDER BY n)
                         FROM unnest(places) WITH ORDINALITY u(p, n)),
                (SELECT array_agg(source_rows[p] ORDER BY n)
                   FROM unnest(places) WITH ORDINALITY u(p, n)),
                states, messages, rejected, max_rejects;
    END IF;
    n_merged := n_rows - cardinality(places);
END
$$;
COMMENT ON FUNCTION vector_bulk_merge(jsonb, bigint, tid[], bigint[], boolean, bigint) IS
    'writes rows in key order; those that only the server finds bad are found by halving';

CREATE FUNCTION vector_bulk_apply(
    plan jsonb, max_rejects bigint,
    OUT inserted bigint, OUT updated bigint, OUT unchanged bigint, OUT skipped bigint,
    OUT rejected bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET synchronize_seqscans = off
AS $$
DECLARE
    n_rows bigint;
    examined record;
    merged record;
BEGIN
    inserted := 0; updated := 0; unchanged := 0; skipped := 0; rejected := 0;
    EXECUTE plan ->> 'count' INTO n_rows;
    IF n_rows > 0 THEN
        EXECUTE plan ->> 'lock';
        EXECUTE plan ->> 'examine_call' INTO examined USING plan, max_rejects;
        EXECUTE plan ->> 'merge_call' INTO merged
          USING plan, max_rejects, examined.tids, examined.source_rows, examined.is_slow,
                examined.rejected;
        inserted := merged.counts[1];
        updated := merged.counts[2];
        rejected := merged.rejected;
        IF plan ->> 'on_conflict' = 'update' THEN
            unchanged := CASE WHEN (plan -> 'is_counted')::boolean THEN merged.counts[3]
                              ELSE merged.n_merged - inserted - updated END;
        END IF;
        skipped := n_rows - inserted - updated - unchanged - rejected;
    END IF;
    EXECUTE plan ->> 'end';
END
$$;
COMMENT ON FUNCTION vector_bulk_apply(jsonb, bigint) IS
    'runs the statements of a load and counts its rows';

CREATE FUNCTION vector_bulk_upsert(
    target regclass, source regclass, on_conflict text DEFAULT 'error', key name[] DEFAULT NULL,
    update_columns name[] DEFAULT NULL, merge jsonb DEFAULT NULL, duplicates text DEFAULT 'error',
    reject_into regclass DEFAULT NULL, max_rejects bigint DEFAULT -1)
    RETURNS TABLE (inserted bigint, updated bigint, unchanged bigint, skipped bigint,
                   rejected bigint, elapsed interval, rows_per_second double precision)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 1
BEGIN ATOMIC
    SELECT vector_bulk_check(target, source, on_conflict, merge, duplicates, reject_into, max_rejects);
    SELECT a.inserted, a.updated, a.unchanged, a.skipped, a.rejected, e.elapsed,
           (a.inserted + a.updated + a.unchanged + a.skipped + a.rejected)
           / nullif(extract(epoch FROM e.elapsed)::double precision, 0)
      FROM (SELECT s.relname, on_conflict <> 'error' OR duplicates <> 'error' OR key IS NOT NULL,
                   'vector'::regtype
              FROM pg_class s WHERE s.oid = source) g(source_name, key_needed, vector_type)
     CROSS JOIN LATERAL vector_bulk_key(target, key, g.key_needed) i(index)
     CROSS JOIN LATERAL vector_bulk_source(source, current_setting('search_path')) w
     CROSS JOIN LATERAL vector_bulk_columns(
                    target, w.rows, g.source_name, i.index, g.key_needed, on_conflict,
                    update_columns, merge, g.vector_type) f(columns)
     CROSS JOIN LATERAL vector_bulk_expressions(f.columns, g.vector_type) c(columns)
     CROSS JOIN LATERAL vector_bulk_risks(target, i.index, c.columns) r
     CROSS JOIN LATERAL vector_bulk_problems(
                    target, c.columns, on_conflict, r.fills_rows, g.vector_type) p
     CROSS JOIN LATERAL (
                    SELECT coalesce(jsonb_agg(to_jsonb(k.*)), '[]')
                      FROM vector_bulk_constraints(target, c.columns, on_conflict) k) k(constraints)
     CROSS JOIN LATERAL vector_bulk_parts(target, c.columns) l
     CROSS JOIN LATERAL vector_bulk_ways(
                    on_conflict, reject_into IS NOT NULL, to_jsonb(r.*), l.may_read_key,
                    k.constraints, p.where_absent) y
     CROSS JOIN LATERAL vector_bulk_write(
                    target, to_jsonb(l.*), on_conflict, to_jsonb(y.*), g.vector_type) t(statement)
     CROSS JOIN LATERAL vector_bulk_plan(
                    target, source, w.rows, g.source_name, i.index, reject_into, on_conflict,
                    duplicates, r.fills_rows, to_jsonb(y.*), to_jsonb(l.*), to_jsonb(p.*),
                    k.constraints, t.statement, g.vector_type) z(plan)
     CROSS JOIN LATERAL vector_bulk_apply(
                    z.plan || jsonb_build_object('search_path', current_setting('search_path')),
                    max_rejects) a
     CROSS JOIN LATERAL (SELECT clock_timestamp() - w.started
                          WHERE a.inserted IS NOT NULL) e(elapsed);
END;
COMMENT ON FUNCTION vector_bulk_upsert(
    regclass, regclass, text, name[], name[], jsonb, text, regclass, bigint) IS
    'merges the rows of a stage, or of any table or view, into a table; counts every one of them';
