-- vector_alters: what earlier versions of extension vector had otherwise

-- since 0.1.1
ALTER TYPE vector SET (RECEIVE = vector_recv, SEND = vector_send);

-- since 0.1.1
DO $$
DECLARE
    function pg_catalog.regprocedure;
BEGIN
    FOR function IN
        SELECT p.oid::pg_catalog.regprocedure
          FROM pg_catalog.pg_proc p
         WHERE p.oid IN (SELECT objid FROM pg_catalog.pg_depend
                          WHERE classid = 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
                                AND refclassid =
                                    'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
                                AND refobjid = (SELECT oid FROM pg_catalog.pg_extension
                                                 WHERE extname = 'vector')
                                AND deptype = 'e')
               AND p.proisstrict AND p.prokind = 'f' AND p.proparallel = 'u'
    LOOP
        EXECUTE pg_catalog.format('ALTER FUNCTION %s PARALLEL SAFE', function);
    END LOOP;
END
$$;

-- since 0.6.0
ALTER TYPE vector SET (STORAGE = external);

-- since 0.6.1
ALTER OPERATOR <= (vector, vector) SET (RESTRICT = scalarlesel, JOIN = scalarlejoinsel);

-- since 0.6.1
ALTER OPERATOR >= (vector, vector) SET (RESTRICT = scalargesel, JOIN = scalargejoinsel);
