-- The SQL objects of extension vector_tools: what vector_ext has beside those of vector.

\echo Use "CREATE EXTENSION vector_tools" to load this file. \quit

-- The library that belongs to extension vector is loaded by the first use of its type.
DO $$
BEGIN
    PERFORM NULL::vector <-> NULL::vector, '[0]'::vector;
    IF pg_catalog.current_setting('vector_ext.version', true) IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = '55000',
            MESSAGE = 'extension "vector" of this server is not the one that vector_tools belongs to',
            HINT = 'Install the library of vector_ext in place of pgvector''s, and connect again.';
    END IF;
END
$$;
