-- The SQL objects of vector_ext, in sections named like the source files.

\echo Use "CREATE EXTENSION vector_ext" to load this file. \quit

-- Access method names are global in a database, and clients must know whose `vector` they get.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
        RAISE EXCEPTION USING
            ERRCODE = '42710',
            MESSAGE = 'extension "vector" is already installed in this database',
            HINT = 'Extensions "vector" and "vector_ext" define the same objects. Where "vector" is '
                'that of this project, CREATE EXTENSION vector_tools adds the others.';
    END IF;
    IF EXISTS (SELECT FROM pg_am WHERE amname = 'hnsw') THEN
        RAISE EXCEPTION USING
            ERRCODE = '42710',
            MESSAGE = 'access method "hnsw" already exists in this database',
            HINT = 'Another extension defines it: install one of the two per database.';
    END IF;
END
$$;
