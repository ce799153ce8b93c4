-- progress

CREATE FUNCTION hnsw_estimate(
    target regclass, column_name name, m integer DEFAULT 16, ef_construction integer DEFAULT 64,
    metric text DEFAULT 'l2', OUT build_memory bigint, OUT build_time text, OUT hot_bytes bigint,
    OUT cold_bytes bigint, OUT total_bytes bigint, OUT build_seconds double precision,
    OUT summary text)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n_rows bigint;
    n_dims integer;
    type_of regtype;
    table_name text := (SELECT relname FROM pg_class WHERE oid = target);
    type_name text;
    base regtype;
    n_entries integer := 0;
BEGIN
    SELECT a.atttypmod, a.atttypid INTO n_dims, type_of
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = target AND a.attname = column_name AND a.attnum > 0
           AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', column_name, table_name
            USING ERRCODE = '42703';
    END IF;
    type_name := (SELECT typname FROM pg_type WHERE oid = type_of);
    -- A domain says them as its own modifier, or as that of a domain beneath.
    base := type_of;
    WHILE n_dims = -1 AND EXISTS (SELECT FROM pg_catalog.pg_type WHERE oid = base AND typtype = 'd')
    LOOP
        SELECT typtypmod, typbasetype INTO n_dims, base FROM pg_catalog.pg_type WHERE oid = base;
    END LOOP;
    IF n_dims < 1 THEN
        RAISE EXCEPTION 'column does not have dimensions' USING ERRCODE = '22023',
            DETAIL = pg_catalog.format('Column %I of "%s" is of type %s.', column_name, table_name, type_name),
            HINT = 'Give the number of rows and of dimensions.';
    END IF;
    IF (base IN ('pg_catalog.bit'::pg_catalog.regtype, 'pg_catalog.varbit'::pg_catalog.regtype))
       <> (metric IN ('hamming', 'jaccard')) THEN
        RAISE EXCEPTION 'metric "%" is not of type %', metric, type_name USING ERRCODE = '22023',
            HINT = 'Bit strings have the metrics hamming and jaccard, vectors l2, ip, cosine and l1.';
    END IF;
    -- As the planner knows it, of all partitions; counted where it does not know.
    SELECT pg_catalog.sum(greatest(c.reltuples, 0)) INTO n_rows
      FROM pg_catalog.pg_class c
     WHERE (c.oid = target AND c.relkind <> 'p')
           OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(target) WHERE isleaf);
    IF coalesce(n_rows, 0) = 0 THEN
        EXECUTE pg_catalog.format('SELECT pg_catalog.count(%I) FROM %s', column_name, target)
           INTO n_rows;
    END IF;
    -- As a build does: what 99 of 100 rows have, by the sizes of their binary form.
    IF EXISTS (SELECT FROM pg_catalog.pg_type t JOIN pg_catalog.pg_proc p ON p.oid = t.typinput
                WHERE t.oid = base AND p.prosrc IN ('vext_sparsevec_in', 'sparsevec_in')
                      AND p.prolang = 13::oid) THEN
        EXECUTE pg_catalog.format(
            'SELECT pg_catalog.percentile_disc(0.99) WITHIN GROUP (ORDER BY '
            '(pg_catalog.octet_length(%s(v)) - 12) / 8) '
            'FROM (SELECT %I AS v FROM %s WHERE %2$I IS NOT NULL LIMIT 10000) s',
            (SELECT typsend FROM pg_catalog.pg_type WHERE oid = base), column_name, target)
           INTO n_entries;
        n_entries := greatest(coalesce(n_entries, 256), 1);
    END IF;
    -- The other function of this name, wherever it is.
    RETURN QUERY EXECUTE pg_catalog.format(
        'SELECT * FROM %s.hnsw_estimate($1, $2, $3, $4, $5, $6)',
        (SELECT pronamespace::regnamespace FROM pg_proc
          WHERE prosrc = 'vext_hnsw_estimate' AND prolang = 13::oid))
        USING n_rows, n_dims, m, ef_construction, metric, n_entries;
END
$$;
COMMENT ON FUNCTION hnsw_estimate(regclass, name, integer, integer, text) IS
    'what an hnsw index on a column of a table, with the rows it has, would take';

CREATE VIEW vector_load_progress AS
SELECT s.pid, s.datid, d.datname, s.relid,
       CASE s.param15 WHEN 1 THEN 'upsert' WHEN 2 THEN 'COMMIT' ELSE 'COPY' END AS command,
       CASE WHEN s.param11 > 0 THEN
                'into the index: ' || (ARRAY['initializing', 'loading tuples', 'partitioning',
                                             'linking', 'selecting', 'writing'])[s.param11]
            WHEN s.param15 = 1 AND s.param17 = 0 THEN 'examining'
            WHEN s.param15 = 2 THEN 'into the index'
            ELSE 'taking rows'
       END AS phase,
       CASE s.param15 WHEN 0 THEN s.param3 WHEN 1 THEN s.param16 END AS rows_taken,
       CASE s.param15 WHEN 1 THEN nullif(s.param17, 0) END AS rows_total,
       s.param14 AS rows_waiting,
       s.param12 AS rows_coming_in,
       s.param13 AS rows_come_in
  FROM pg_catalog.pg_stat_get_progress_info('COPY') s
  LEFT JOIN pg_catalog.pg_database d ON d.oid = s.datid
 WHERE s.param5 = 1 OR s.param15 > 0;
COMMENT ON VIEW vector_load_progress IS
    'the loads that run: COPY, vector_bulk_upsert, and COMMIT that brings rows into an index';

CREATE VIEW hnsw_build_progress AS
SELECT p.pid, p.datid, p.datname, p.relid, p.index_relid, p.command, p.phase, p.percent,
       p.elapsed,
       CASE WHEN p.percent >= 2.0 THEN p.elapsed * (100.0 / p.percent - 1.0)::double precision END AS time_left
  FROM (SELECT s.pid, s.datid, d.datname, s.relid, s.param7::oid AS index_relid,
               (ARRAY['CREATE INDEX', 'CREATE INDEX CONCURRENTLY', 'REINDEX',
                      'REINDEX CONCURRENTLY'])[s.param1] AS command,
               CASE WHEN s.param10 = 2 THEN
                        (ARRAY['initializing', 'loading tuples', 'partitioning', 'linking',
                               'selecting', 'writing'])[greatest(s.param11, 1)]
                    WHEN s.param10 IN (1, 3, 7, 8, 9) THEN 'waiting for others'
                    WHEN s.param10 IN (4, 5, 6) THEN 'validating'
                    ELSE 'initializing'
               END AS phase,
               -- The table is read once more where writers go on meanwhile.
               round(CASE WHEN s.param1 NOT IN (2, 4) THEN s.param18::numeric / 100.0
                          WHEN s.param10 = 6 THEN
                              96.0 + 3.0 * s.param17::numeric
                                   / greatest(s.param16, s.param17, 1)::numeric
                          WHEN s.param10 > 6 THEN 99
                          WHEN s.param10 > 3 THEN 95.5
                          ELSE 0.95 * s.param18::numeric / 100.0
                     END, 1) AS percent,
               clock_timestamp()
                   - (timestamptz '2000-01-01 00:00:00+00' + s.param19::double precision * interval '1 microsecond')
                   AS elapsed
          FROM pg_catalog.pg_stat_get_progress_info('CREATE INDEX') s
          LEFT JOIN pg_catalog.pg_database d ON d.oid = s.datid
         WHERE s.param19 > 0) p;
COMMENT ON VIEW hnsw_build_progress IS
    'the builds of hnsw indexes that run: phase, per cent, time left';
