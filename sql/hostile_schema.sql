-- Objects in the schema of the extension that would come before the server's own, were the scripts and
-- functions not written so that they cannot: nobody who may create objects there gets to run code as
-- whoever creates the extension, looks at its views or calls its functions.

CREATE SCHEMA hostile;

-- An operator for each pair of types for which the server has none of that name, as it converts one.
DO $$
DECLARE
    types regtype[] := '{smallint,integer,bigint,numeric,float8,interval,oid,regclass,regtype,name,text,"char",boolean,text[]}';
    a regtype; b regtype; operator text; result text;
BEGIN
    FOREACH a IN ARRAY types LOOP
        FOREACH b IN ARRAY types LOOP
            FOREACH operator IN ARRAY '{=,<>,<,<=,>,>=,+,-,*,/,%,||}'::text[] LOOP
                CONTINUE WHEN EXISTS (SELECT FROM pg_operator WHERE oprname = operator
                                      AND oprleft = a AND oprright = b
                                      AND oprnamespace = 'pg_catalog'::regnamespace);
                result := CASE WHEN operator IN ('+', '-', '*', '/', '%', '||') THEN a::text ELSE 'boolean' END;
                EXECUTE format('CREATE FUNCTION hostile.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L',
                               'grab_' || operator, a, b, result,
                               format('BEGIN RAISE EXCEPTION USING MESSAGE = %L; END',
                                      format('grabbed by %s %s %s', a, operator, b)));
                EXECUTE format('CREATE OPERATOR hostile.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = hostile.%I)',
                               operator, a, b, 'grab_' || operator);
            END LOOP;
        END LOOP;
    END LOOP;
END
$$;
SELECT count(*) > 1000 AS many FROM pg_operator WHERE oprnamespace = 'hostile'::regnamespace;
-- It works: the operator is taken where one of the server's would convert.
SET search_path = hostile, public;
SELECT 1::bigint * interval '1 second';
RESET search_path;

DROP EXTENSION vector_ext;
CREATE EXTENSION vector_ext SCHEMA hostile;
-- What the views were made of.
SELECT c.relname, o.oid::regoperator AS grabbed
FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
     JOIN pg_class c ON c.oid = r.ev_class
     JOIN pg_operator o ON o.oid = d.refobjid AND d.refclassid = 'pg_operator'::regclass
WHERE o.oprnamespace = 'hostile'::regnamespace
      AND o.oprcode::regprocedure::text LIKE '%grab%' ORDER BY 1, 2;

-- What the functions call.
SET search_path = hostile, public;
CREATE TABLE items (id int PRIMARY KEY, v vector(2));
INSERT INTO items SELECT i, ARRAY[i, 1]::vector FROM generate_series(1, 200) i;
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
SELECT recall FROM hnsw_recall('items_v', 5, '{40}', 10);
SELECT count(*) FROM hnsw_estimate('items', 'v');
SELECT count(*) FROM hnsw_check('items_v', true);
SELECT nodes FROM hnsw_info('items_v');
SELECT count(*) FROM hnsw_build_progress;
SELECT count(*) FROM vector_load_progress;
SELECT vector_rejects_table('rejects');
SELECT vector_rejects_table('rejects');
BEGIN;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage VALUES (1, '[7,7]'), (500, '[8,8]'), (501, NULL);
SELECT inserted, updated FROM vector_bulk_upsert('items', 'stage', 'update', reject_into => 'rejects');
COMMIT;
RESET search_path;

-- An index's expression is its owner's: whoever checks the index does not run it with his own rights.
CREATE ROLE hostile_owner;
CREATE TABLE hostile.owned (v hostile.vector(2));
INSERT INTO hostile.owned SELECT ARRAY[i, 1] FROM generate_series(1, 20) i;
CREATE FUNCTION hostile.told(v hostile.vector) RETURNS hostile.vector LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user::text <> 'hostile_owner'::text THEN
        RAISE EXCEPTION 'run as %', current_user;
    END IF;
    RETURN v;
END
$$;
GRANT ALL ON SCHEMA hostile TO hostile_owner;
ALTER TABLE hostile.owned OWNER TO hostile_owner;
ALTER FUNCTION hostile.told(hostile.vector) OWNER TO hostile_owner;
CREATE INDEX owned_v ON hostile.owned USING hnsw ((hostile.told(v)::hostile.vector(2)) hostile.vector_l2_ops);
SELECT count(*) FROM hostile.hnsw_check('hostile.owned_v', true);
SELECT current_user = session_user AS is_back;
-- To measure it, a caller has to run it, and is told so.
SELECT ef_search FROM hostile.hnsw_recall('hostile.owned_v', 3, '{40}');
-- Neither a predicate, nor a function that its owner adds to an extension, nor a table of one's own makes it another.
CREATE INDEX owned_some ON hostile.owned USING hnsw ((v::hostile.vector(2)) hostile.vector_l2_ops)
    WHERE hostile.told(v) IS NOT NULL;
SELECT ef_search FROM hostile.hnsw_recall('hostile.owned_some', 3, '{40}');
DROP INDEX hostile.owned_some;
ALTER EXTENSION vector_ext ADD FUNCTION hostile.told(hostile.vector);
SELECT ef_search FROM hostile.hnsw_recall('hostile.owned_v', 3, '{40}');
ALTER EXTENSION vector_ext DROP FUNCTION hostile.told(hostile.vector);
ALTER TABLE hostile.owned OWNER TO CURRENT_USER;
SELECT ef_search FROM hostile.hnsw_recall('hostile.owned_v', 3, '{40}');
ALTER TABLE hostile.owned OWNER TO hostile_owner;
CREATE INDEX owned_half ON hostile.owned USING hnsw ((v::hostile.halfvec(2)) hostile.halfvec_l2_ops);
SELECT ef_search, recall FROM hostile.hnsw_recall('hostile.owned_half', 3, '{40}');
SET SESSION AUTHORIZATION hostile_owner;
SELECT ef_search, recall FROM hostile.hnsw_recall('hostile.owned_v', 3, '{40}');
RESET SESSION AUTHORIZATION;
DROP TABLE hostile.owned;
DROP FUNCTION hostile.told(hostile.vector);
REVOKE ALL ON SCHEMA hostile FROM hostile_owner;
DROP ROLE hostile_owner;
DROP TABLE hostile.items, hostile.rejects;
DROP EXTENSION vector_ext;
SET client_min_messages = warning;
DROP SCHEMA hostile CASCADE;
CREATE EXTENSION vector_ext;
