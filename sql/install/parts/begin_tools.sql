-- The SQL objects of extension vector_tools: what vector_ext has beside those of vector.

\echo Use "CREATE EXTENSION vector_tools" to load this file. \quit

-- The names of types below must mean those of extension vector, of which the first use loads the library.
DO $$
DECLARE
    name pg_catalog.text;
    type pg_catalog.oid;
BEGIN
    FOREACH name IN ARRAY ARRAY['vector', 'halfvec'] LOOP
        type := (SELECT t.oid FROM pg_catalog.pg_type t
                   JOIN pg_catalog.pg_depend d ON d.objid = t.oid
                   JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
                  WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid
                        AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
                        AND d.deptype = 'e' AND e.extname = 'vector'
                        AND t.typname::pg_catalog.text = name);
        IF type IS NULL THEN
            RAISE EXCEPTION USING
                ERRCODE = '55000',
                MESSAGE = pg_catalog.format('extension "vector" has no type "%s"', name),
                HINT = 'It is of an earlier version: ALTER EXTENSION vector UPDATE.';
        END IF;
        IF pg_catalog.to_regtype(name)::pg_catalog.oid IS DISTINCT FROM type THEN
            RAISE EXCEPTION USING
                ERRCODE = '42710',
                MESSAGE = pg_catalog.format('type "%s" is not that of extension "vector" here', name),
                HINT = 'Another type of that name comes before it in the schemas of the two extensions.';
        END IF;
        EXECUTE pg_catalog.format('SELECT ''[0]''::%s', type::pg_catalog.regtype);
    END LOOP;
    IF pg_catalog.current_setting('vector_ext.version', true) IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = '55000',
            MESSAGE = 'extension "vector" of this server is not the one that vector_tools belongs to',
            HINT = 'Install the library of vector_ext in place of pgvector''s, and connect again.';
    END IF;
END
$$;
