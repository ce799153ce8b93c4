-- The SQL objects of extension vector: those of pgvector of this version, by the same names.

\echo Use "CREATE EXTENSION vector" to load this file. \quit

-- Access method names are global in a database, and clients must know whose `vector` they get.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'vector_ext') THEN
        RAISE EXCEPTION USING
            ERRCODE = '42710',
            MESSAGE = 'extension "vector_ext" is already installed in this database',
            HINT = 'Extensions "vector" and "vector_ext" define the same objects: '
                'install one of the two per database.';
    END IF;
END
$$;
