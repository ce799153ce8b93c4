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
