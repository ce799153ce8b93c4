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

CREATE FUNCTION vector_stage_for(
    target regclass, name name DEFAULT NULL, columns name[] DEFAULT NULL,
    lenient boolean DEFAULT false)
    RETURNS regclass
    AS 'MODULE_PATHNAME', 'vext_stage_for' LANGUAGE C VOLATILE PARALLEL UNSAFE;
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

-- The statements of vector_bulk_upsert call it, so the catalogue has to have it.
CREATE FUNCTION vector_bulk_row(source_row bigint, is_compared boolean) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_bulk_row' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vector_bulk_row(bigint, boolean) IS
    'notes the row of the source that vector_bulk_upsert writes or compares next; not to be called';

CREATE FUNCTION vector_bulk_upsert(
    target regclass, source regclass, on_conflict text DEFAULT 'error', key name[] DEFAULT NULL,
    update_columns name[] DEFAULT NULL, merge jsonb DEFAULT NULL, duplicates text DEFAULT 'error',
    reject_into regclass DEFAULT NULL, max_rejects bigint DEFAULT -1)
    RETURNS TABLE (inserted bigint, updated bigint, unchanged bigint, skipped bigint,
                   rejected bigint, elapsed interval, rows_per_second double precision)
    AS 'MODULE_PATHNAME', 'vext_bulk_upsert' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION vector_bulk_upsert(
    regclass, regclass, text, name[], name[], jsonb, text, regclass, bigint) IS
    'merges the rows of a stage, or of any table or view, into a table; counts every one of them';
