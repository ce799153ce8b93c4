-- bulk

CREATE FUNCTION vector_stage_for(
    target regclass, name name DEFAULT NULL, columns name[] DEFAULT NULL,
    lenient boolean DEFAULT false)
    RETURNS regclass
    AS 'MODULE_PATHNAME', 'vext_stage_for' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vector_stage_for(regclass, name, name[], boolean) IS
    'creates a temporary table to load rows of another table into, dropped at commit';

CREATE FUNCTION vector_rejects_table(name text) RETURNS regclass
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
AS $$
DECLARE
    parts pg_catalog.text[] := pg_catalog.parse_ident(name);
    found pg_catalog.regclass;
BEGIN
    IF pg_catalog.cardinality(parts) OPERATOR(pg_catalog.>) 2 THEN
        RAISE EXCEPTION 'improper relation name (too many dotted names): %', name
            USING ERRCODE = '42601';
    END IF;
    IF pg_catalog.cardinality(parts) OPERATOR(pg_catalog.=) 1 THEN
        IF pg_catalog.current_schema() IS NULL THEN
            RAISE EXCEPTION 'no schema has been selected to create in' USING ERRCODE = '3F000';
        END IF;
        parts := pg_catalog.array_prepend(pg_catalog.current_schema()::pg_catalog.text, parts);
    END IF;
    IF pg_catalog.to_regnamespace(pg_catalog.quote_ident(parts[1])) IS NULL
       AND parts[1] OPERATOR(pg_catalog.<>) 'pg_temp' THEN
        RAISE EXCEPTION 'schema "%" does not exist', parts[1] USING ERRCODE = '3F000';
    END IF;
    name := pg_catalog.format('%I.%I', parts[1], parts[2]);
    found := pg_catalog.to_regclass(name);
    IF found IS NULL THEN
        EXECUTE pg_catalog.format(
            'CREATE TABLE %s (source_row bigint, key pg_catalog.text, sqlstate pg_catalog.text, '
            'message pg_catalog.text, raw pg_catalog.text, source pg_catalog.text, line bigint, '
            'load_id pg_catalog.xid8 DEFAULT pg_catalog.pg_current_xact_id(), '
            'loaded_at pg_catalog.timestamptz DEFAULT pg_catalog.now())', name);
        RETURN name::pg_catalog.regclass;
    END IF;
    IF (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute
         WHERE attrelid OPERATOR(pg_catalog.=) found AND NOT attisdropped
               AND (attname, atttypid) IN (
                   ('source_row', 'bigint'::pg_catalog.regtype), ('key', 'text'::pg_catalog.regtype),
                   ('sqlstate', 'text'::pg_catalog.regtype),
                   ('message', 'text'::pg_catalog.regtype), ('raw', 'text'::pg_catalog.regtype)))
       OPERATOR(pg_catalog.<) 5 THEN
        RAISE EXCEPTION 'relation "%" exists and is no table for rejects', found
            USING ERRCODE = '42P16';
    END IF;
    RETURN found;
END
$$;
COMMENT ON FUNCTION vector_rejects_table(text) IS
    'creates a table for the rows that vector_bulk_upsert rejects, unless it is there';

-- Not volatile, so that COPY writes a stage by many rows at once; not constant, by its argument.
CREATE FUNCTION vector_stage_line(stage oid) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vext_stage_line' LANGUAGE C IMMUTABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vector_stage_line(oid) IS
    'the line of the file that COPY is at; for stages, not to be called';

-- The statements of vector_bulk_upsert call it, so the catalogue has to have it.
CREATE FUNCTION vector_bulk_row(source_row bigint, is_compared boolean) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vext_bulk_row' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vector_bulk_row(bigint, boolean) IS
    'notes the row of the source that vector_bulk_upsert writes or compares next; not to be called';

CREATE FUNCTION vector_bulk_upsert(
    target regclass, source regclass, on_conflict text DEFAULT 'error', key name[] DEFAULT NULL,
    update_columns name[] DEFAULT NULL, merge jsonb DEFAULT NULL, duplicates text DEFAULT 'error',
    reject_into regclass DEFAULT NULL, max_rejects bigint DEFAULT -1,
    exclusive boolean DEFAULT false)
    RETURNS TABLE (inserted bigint, updated bigint, unchanged bigint, skipped bigint,
                   rejected bigint, elapsed interval, rows_per_second double precision)
    AS 'MODULE_PATHNAME', 'vext_bulk_upsert' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION vector_bulk_upsert(
    regclass, regclass, text, name[], name[], jsonb, text, regclass, bigint, boolean) IS
    'merges the rows of a stage, or of any table or view, into a table; counts every one of them';
