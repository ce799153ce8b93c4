-- vector_bulk_upsert at the corners: names that others own, targets and sources of unusual shapes.
\set SHOW_CONTEXT never
SELECT vector_rejects_table('rejects');

-- Operators, functions and types that would be better matches in the caller's search_path.
BEGIN;
CREATE FUNCTION fails(oid, regclass) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN RAISE 'taken from the search_path'; END $$;
CREATE FUNCTION fails(tid[], tid[]) RETURNS tid[] LANGUAGE plpgsql AS $$
    BEGIN RAISE 'taken from the search_path'; END $$;
CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = fails);
CREATE OPERATOR || (LEFTARG = tid[], RIGHTARG = tid[], FUNCTION = fails);
CREATE FUNCTION array_length(text[], integer) RETURNS integer LANGUAGE sql AS 'SELECT 99';
CREATE TABLE tagged (id int PRIMARY KEY, tags text[] CHECK (pg_catalog.array_length(tags, 1) < 5), t text, d date);
SELECT vector_stage_for('tagged', 'text');
INSERT INTO "text" VALUES (1, '{a}', 'a'), (NULL, '{b}', 'b'), (2, '{a,b,c,d,e}', 'c');
CREATE TEMP TABLE date (a int);
CREATE TEMP TABLE tid (a int);
SELECT inserted, rejected FROM vector_bulk_upsert('tagged', 'text', reject_into => 'rejects');
SELECT source_row, sqlstate FROM rejects ORDER BY 1;
SELECT updated FROM vector_bulk_upsert('tagged', 'text', 'update', merge => '{"t": "concat", "d": "now"}',
                                       reject_into => 'rejects');
SELECT id, t, d = now()::pg_catalog.date AS dated FROM tagged;
-- What views and triggers call finds things by the path of the caller.
CREATE SCHEMA apart;
SET LOCAL search_path = apart, public;
CREATE TABLE log (id int);
CREATE TABLE logged (id int PRIMARY KEY);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO log VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT ON logged FOR EACH ROW EXECUTE FUNCTION note();
CREATE FUNCTION last_id() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) + 5 FROM log); END';
CREATE VIEW numbers AS SELECT last_id() AS id;
SELECT inserted FROM vector_bulk_upsert('logged', 'numbers');
TABLE log;
ROLLBACK;

DROP TABLE rejects;
