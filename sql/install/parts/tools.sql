-- tools

CREATE FUNCTION hnsw_info(
    index regclass, OUT format integer, OUT metric text, OUT codec text, OUT dims integer,
    OUT m integer, OUT ef_construction integer, OUT layers integer, OUT nodes bigint,
    OUT dead bigint, OUT unlinked bigint, OUT links_avg double precision, OUT links_max integer,
    OUT hot_pages bigint, OUT hot_bytes bigint, OUT cold_pages bigint, OUT cold_bytes bigint,
    OUT fill double precision, OUT fallback_glances bigint, OUT cut_short bigint,
    OUT centroid_offset double precision)
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

CREATE FUNCTION hnsw_coverage(
    index regclass, OUT table_rows bigint, OUT indexed bigint, OUT nulls bigint, OUT zeros bigint,
    OUT outside bigint, OUT missing bigint, OUT entries bigint, OUT dead bigint)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'vext_hnsw_coverage' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION hnsw_coverage(regclass) IS
    'rows of the table that an hnsw index holds and leaves out, and dead versions in it; reads all of the table';

CREATE FUNCTION hnsw_is_foreign(index regclass) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_hnsw_is_foreign' LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION hnsw_is_foreign(regclass) IS
    'whether this is an index whose file pgvector made, which is passed over until REINDEX';

CREATE FUNCTION vector_foreign_indexes()
    RETURNS TABLE (index regclass, method name, bytes bigint, command text)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.oid::pg_catalog.regclass, a.amname, pg_catalog.pg_relation_size(c.oid::pg_catalog.regclass),
           pg_catalog.format('REINDEX INDEX CONCURRENTLY %s;', c.oid::pg_catalog.regclass)
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_am a ON a.oid = c.relam
     WHERE a.amname IN ('hnsw', 'ivfflat') AND c.relkind = 'i' AND c.relpersistence <> 't'
           AND hnsw_is_foreign(c.oid::pg_catalog.regclass)
     ORDER BY 3;
END;
COMMENT ON FUNCTION vector_foreign_indexes() IS
    'the indexes of this database that pgvector made, with the commands that make them ours';

CREATE FUNCTION hnsw_prewarm(index regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vext_hnsw_prewarm' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hnsw_prewarm(regclass) IS
    'reads an hnsw index into the buffer pool, the hot tier first; returns the bytes read';

CREATE FUNCTION hnsw_estimate(
    rows bigint, dims integer, m integer DEFAULT 16, ef_construction integer DEFAULT 64,
    metric text DEFAULT 'l2', entries integer DEFAULT 0, OUT build_memory bigint,
    OUT build_time text, OUT hot_bytes bigint, OUT cold_bytes bigint, OUT total_bytes bigint,
    OUT build_seconds double precision, OUT summary text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'vext_hnsw_estimate' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION hnsw_estimate(bigint, integer, integer, integer, text, integer) IS
    'what an hnsw index of so many vectors would take: memory and time to build it, and its size';

CREATE FUNCTION hnsw_recall(
    index regclass, k integer DEFAULT 10, ef integer[] DEFAULT '{40,80,160}',
    sample integer DEFAULT 100, queries regclass DEFAULT NULL)
    RETURNS TABLE (ef_search integer, recall double precision, mean_us double precision,
                   p99_us double precision, rows double precision)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off
    SET enable_indexscan = on
    SET enable_bitmapscan = off
    SET enable_sort = off
    SET jit = off
    SET hnsw.ef_search = 40
    SET vector_ext.only_index = ''
AS $$
#variable_conflict use_variable
DECLARE
    index_name text := coalesce((SELECT relname FROM pg_class WHERE oid = index), index::text);
    queries_name text := (SELECT relname FROM pg_class WHERE oid = queries);
    is_foreign boolean;
    target regclass;
    indexed text;
    filter text;
    operator text;
    indexed_rows text;
    query_list text;
    exact_query text;
    index_query text;
    type text;
    query record;
    plan text;
    -- Of each query: the vector, the row it is of and its table, the distance of the last neighbour.
    vectors text[] := '{}';
    owns tid[] := '{}';
    parts oid[] := '{}';
    limits double precision[] := '{}';
    limit_distance double precision;
    n_exact bigint;
    n_found bigint;
    n_returned bigint;
    seconds double precision;
    -- The neighbours there are; for each ef those found, the rows, and the seconds of all queries.
    wanted bigint := 0;
    hits bigint[] := array_fill(0::bigint, ARRAY[greatest(cardinality(ef), 1)]);
    returned bigint[] := hits;
    times double precision[] := '{}';
BEGIN
    IF index IS NULL OR ef IS NULL OR k IS NULL OR sample IS NULL THEN
        RETURN;
    END IF;
    IF k < 1 OR sample < 1 OR coalesce((SELECT min(e) FROM unnest(ef) e), 0) < 1 THEN
        RAISE EXCEPTION 'k, ef and sample must be at least 1' USING ERRCODE = '22023';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class c JOIN pg_am a ON a.oid = c.relam
                   WHERE c.oid = index AND c.relkind IN ('i', 'I') AND a.amname IN ('hnsw', 'ivfflat')) THEN
        RAISE EXCEPTION '"%" is not an hnsw index', index_name USING ERRCODE = '42809';
    END IF;
    IF EXISTS (SELECT FROM pg_class
               WHERE oid = index AND relpersistence = 't'
                     AND relnamespace <> pg_my_temp_schema()) THEN
        RAISE EXCEPTION 'cannot access temporary tables of other sessions' USING ERRCODE = '0A000';
    END IF;
    IF NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = index) THEN
        RAISE EXCEPTION 'index "%" is not valid', index_name
            USING ERRCODE = '55000', HINT = 'REINDEX the index.';
    END IF;
    -- Asks in the schema of this function.
    EXECUTE format('SELECT coalesce(bool_or(%s.hnsw_is_foreign(i)), false) '
                   'FROM unnest($1 || ARRAY(SELECT relid FROM pg_partition_tree($1))) i',
                   (SELECT pronamespace::regnamespace FROM pg_proc
                     WHERE prosrc = 'vext_hnsw_is_foreign' AND prolang = 13::oid))
       INTO STRICT is_foreign USING index;
    IF is_foreign THEN
        RAISE EXCEPTION 'index "%" was made by pgvector', index_name
            USING ERRCODE = '55000',
                  HINT = 'REINDEX INDEX CONCURRENTLY makes it an index of this library.';
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
    -- Expression and predicate run as the caller, who does not see them: what they call has to be his own,
    -- or a superuser's.
    IF EXISTS (SELECT FROM pg_depend d
                 JOIN (SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
                       UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner FROM pg_operator
                       UNION ALL SELECT 'pg_type'::regclass, oid, typowner FROM pg_type
                                  WHERE typtype = 'd') called(class, oid, owner)
                   ON called.class = d.refclassid AND called.oid = d.refobjid
                 JOIN pg_roles r ON r.oid = called.owner
                WHERE d.classid = 'pg_class'::regclass AND d.objid = index
                      AND r.rolname <> current_user AND NOT r.rolsuper) THEN
        RAISE EXCEPTION 'index "%" calls functions of another user', index_name
            USING ERRCODE = '42501',
                  DETAIL = 'Its expression or predicate would run them with your rights.',
                  HINT = 'Their owner can call this function.';
    END IF;
    -- The indexed expression may fail for rows that the predicate leaves out: OFFSET keeps the
    -- planner from asking for it first.
    indexed_rows := format('SELECT %s AS v, ctid AS own, tableoid AS part FROM %s WHERE %s OFFSET 0',
                           indexed, target, filter);
    IF queries IS NULL THEN
        -- A sampled row is left out of its own answer.
        query_list := format('SELECT v::text, own, part FROM (%s) s WHERE v IS NOT NULL '
                             'ORDER BY random() LIMIT %s', indexed_rows, sample);
    ELSE
        IF (SELECT relkind NOT IN ('r', 'm', 'v', 'f', 'p') FROM pg_class WHERE oid = queries) THEN
            RAISE EXCEPTION '"%" is not a table or view', queries_name USING ERRCODE = '42809';
        END IF;
        query_list := (
            SELECT format('SELECT %1$I::text AS v, NULL::tid AS own, NULL::oid AS part FROM %2$s '
                          'WHERE %1$I IS NOT NULL LIMIT %3$s', attname, queries, sample)
              FROM pg_attribute
             WHERE attrelid = queries AND attnum > 0 AND NOT attisdropped
                   AND atttypid = (SELECT atttypid FROM pg_attribute
                                   WHERE attrelid = index AND attnum = 1)
             ORDER BY attnum LIMIT 1);
        IF query_list IS NULL THEN
            RAISE EXCEPTION 'table "%" has no column of the type that is indexed', queries_name
                USING ERRCODE = '42703';
        END IF;
    END IF;
    -- Queries come as text, so that no plan of this function keeps their type: another index may be
    -- of another one. With no modifier said: bit is bit(1).
    type := (SELECT format_type(atttypid, -1) FROM pg_attribute
              WHERE attrelid = index AND attnum = 1);
    exact_query := format(
        'SELECT count(*), max(d) FROM (SELECT v %1$s $1::%3$s AS d FROM (%2$s) s '
        'WHERE v IS NOT NULL AND ($2 IS NULL OR own <> $2 OR part <> $4) ORDER BY 1 LIMIT $3) s',
        operator, indexed_rows, type);
    -- Timed from when the query is read. One row more is asked for, in case one of them is the
    -- sampled row.
    index_query := format(
        'WITH given AS MATERIALIZED (SELECT $1::%5$s AS v), '
        '"the query" AS MATERIALIZED (SELECT v, clock_timestamp() AS started FROM given) '
        'SELECT n_found, n, extract(epoch FROM clock_timestamp() - started) FROM "the query", LATERAL ('
        'SELECT count(*) FILTER (WHERE d <= $4) AS n_found, count(*) AS n FROM (SELECT d FROM ('
        'SELECT %1$s %2$s "the query".v AS d, ctid AS found, tableoid AS part '
        'FROM %3$s WHERE %4$s ORDER BY %1$s %2$s "the query".v '
        'LIMIT $3 + ($2 IS NOT NULL)::integer) s '
        'WHERE $2 IS NULL OR found <> $2 OR part <> $5 LIMIT $3) t) c',
        indexed, operator, target, filter, type);

    -- The column may have other indexes.
    PERFORM set_config('vector_ext.only_index', index::oid::text, true);
    PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true),
            set_config('enable_sort', 'on', true);
    FOR query IN EXECUTE query_list LOOP
        EXECUTE exact_query INTO n_exact, limit_distance USING query.v, query.own, k, query.part;
        wanted := wanted + n_exact;
        vectors := vectors || query.v;
        owns := owns || query.own;
        parts := parts || query.part;
        limits := limits || limit_distance;
    END LOOP;

    -- Apart from the exact searches, which empty the processor's caches, and each ef by itself: a
    -- query that was just searched for finds its neighbourhood there.
    PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true),
            set_config('enable_sort', 'off', true);
    IF cardinality(vectors) > 0 THEN
        EXECUTE 'EXPLAIN (FORMAT JSON) ' || index_query INTO plan
          USING vectors[1], owns[1], k, limits[1], parts[1];
        IF plan !~ '"Order By"' OR plan ~ '"Node Type": "(Incremental )?Sort"' THEN
            RAISE EXCEPTION 'searches of "%" cannot be measured', index_name
                USING ERRCODE = '55000',
                      DETAIL = 'The planner has no plan that reads all rows by this index alone.';
        END IF;
    END IF;
    FOR e IN 0 .. cardinality(ef) LOOP
        -- A pass before the first one is not counted.
        PERFORM set_config('hnsw.ef_search', ef[greatest(e, 1)]::text, true);
        FOR i IN 1 .. cardinality(vectors) LOOP
            EXECUTE index_query INTO n_found, n_returned, seconds
              USING vectors[i], owns[i], k, limits[i], parts[i];
            CONTINUE WHEN e = 0;
            times := times || seconds;
            hits[e] := hits[e] + n_found;
            returned[e] := returned[e] + n_returned;
        END LOOP;
    END LOOP;

    RETURN QUERY
        SELECT ef[e], hits[e]::double precision / nullif(wanted, 0), 1e6 * avg(t.took),
               1e6 * percentile_disc(0.99) WITHIN GROUP (ORDER BY t.took),
               returned[e]::double precision / nullif(cardinality(vectors), 0)
          FROM generate_series(1, cardinality(ef)) e
          LEFT JOIN LATERAL (SELECT took FROM unnest(times) WITH ORDINALITY u(took, position)
                             WHERE (position - 1) / cardinality(vectors) = e - 1) t ON true
         GROUP BY e ORDER BY e;
END
$$;
COMMENT ON FUNCTION hnsw_recall(regclass, integer, integer[], integer, regclass) IS
    'recall and time of index searches beside exact ones, for sampled rows or a table of queries';
