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

-- Bad rows of a partition loaded by its own name, of values too long, of values of another type.
BEGIN;
CREATE TABLE parted (id int PRIMARY KEY, v vector(2)) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
SELECT vector_stage_for('parted_1', 'stage');
INSERT INTO stage VALUES (1, '[1,2]'), (50, '[1,2]'), (2, '[1,2]');
SELECT inserted, rejected FROM vector_bulk_upsert('parted_1', 'stage', 'update', reject_into => 'rejects');
CREATE TABLE short (id int PRIMARY KEY, t varchar(3), n numeric(4,2));
CREATE TEMP TABLE long (id int, t varchar(10), n numeric(10,2));
INSERT INTO long VALUES (1, 'ab', 1), (2, 'abcd', 1), (3, 'x', 12345);
SELECT inserted, rejected FROM vector_bulk_upsert('short', 'long', 'update', reject_into => 'rejects');
CREATE TABLE typed (id bigint PRIMARY KEY, v vector(2) NOT NULL, n int);
CREATE TEMP TABLE texts (id text, v text, n text);
INSERT INTO texts VALUES ('1', '[1,2]', '1'), ('x', '[1,2]', '1'), ('3', '[1,2]', 'y'), ('1', '[1,NaN]', '1'),
    ('5', '[1,2]', '5');
SELECT inserted, rejected FROM vector_bulk_upsert('typed', 'texts', 'update', reject_into => 'rejects');
CREATE TEMP TABLE arrays (id int, v real[]);
INSERT INTO arrays VALUES (11, '{1,2}'), (12, '{1,NaN}'), (13, '{1}'), (14, '{}'), (15, '{3,4}'), (16, NULL);
SELECT inserted, rejected FROM vector_bulk_upsert('typed', 'arrays', 'update', reject_into => 'rejects');
SELECT source_row, key, sqlstate, message FROM rejects;
SELECT * FROM typed ORDER BY id;
SAVEPOINT here;
SELECT * FROM vector_bulk_upsert('typed', 'arrays', 'update');
ROLLBACK TO here;
SELECT * FROM vector_bulk_upsert('typed', 'texts', 'update');
ROLLBACK;

-- Rows that exist need no value for what the source lacks, whatever constraints say of defaults.
BEGIN;
CREATE DOMAIN given AS int NOT NULL;
CREATE TABLE partial (id int PRIMARY KEY, a int, b int, c text DEFAULT '' CHECK (c <> ''), d given, t text,
                      n int DEFAULT 0 CHECK (n >= 0),
                      twice int NOT NULL GENERATED ALWAYS AS (a * 2) STORED, CHECK (a IS NOT NULL OR b IS NOT NULL));
INSERT INTO partial VALUES (1, 1, 1, 'c', 1, 'x'), (2, 2, 2, 'c', 2, 'y');
SELECT vector_stage_for('partial', 'stage', '{id,t}');
INSERT INTO stage VALUES (1, 'new'), (2, 'y');
SELECT updated, unchanged FROM vector_bulk_upsert('partial', 'stage', 'update');
INSERT INTO stage VALUES (3, 'z');
SELECT unchanged, rejected FROM vector_bulk_upsert('partial', 'stage', 'update', reject_into => 'rejects');
ALTER TABLE partial ALTER d TYPE int;
SELECT unchanged, rejected FROM vector_bulk_upsert('partial', 'stage', 'update', reject_into => 'rejects');
SELECT source_row, key, sqlstate, message FROM rejects;
ROLLBACK;

-- Identity columns that were dropped, or are included in the key's index; a key that is generated; a
-- unique column that may be NULL; texts of two collations.
BEGIN;
CREATE TABLE made (id int, gone int GENERATED BY DEFAULT AS IDENTITY, t text,
                   n int GENERATED BY DEFAULT AS IDENTITY, PRIMARY KEY (id) INCLUDE (n));
CREATE TEMP TABLE stage (id int, gone int, t text, n int);
ALTER TABLE made DROP gone;
ALTER TABLE stage DROP gone;
INSERT INTO stage VALUES (1, 'a');
SELECT inserted FROM vector_bulk_upsert('made', 'stage', 'update');
TABLE made;
CREATE TABLE doubled (a int, b int GENERATED ALWAYS AS (a * 2) STORED UNIQUE NOT NULL);
CREATE TEMP TABLE doubled_too AS SELECT 5 AS a, 10 AS b;
SELECT inserted FROM vector_bulk_upsert('doubled', 'doubled_too');
CREATE TABLE nullable (email text UNIQUE, n int);
SELECT vector_stage_for('nullable', 'nullable_stage');
INSERT INTO nullable_stage VALUES ('a', 1), (NULL, 2), (NULL, 3), ('a', 4);
SELECT inserted, rejected FROM vector_bulk_upsert('nullable', 'nullable_stage', reject_into => 'rejects');
CREATE TABLE sorted (id int PRIMARY KEY, t text COLLATE "C");
INSERT INTO sorted VALUES (1, 'a');
CREATE TEMP TABLE sorted_otherwise (id int, t text COLLATE "POSIX");
INSERT INTO sorted_otherwise VALUES (1, 'b');
SELECT updated FROM vector_bulk_upsert('sorted', 'sorted_otherwise', 'update', merge => '{"t": "max"}');
SELECT * FROM vector_bulk_upsert('doubled', 'doubled_too', 'update');
ROLLBACK;
-- A stage whose name is assigned, in a block of code.
DO $$
DECLARE
    stage regclass;
BEGIN
    stage := vector_stage_for('rejects', 'assigned');
    RAISE NOTICE '%', stage;
END $$;

-- The row whose merge fails.
BEGIN;
CREATE TABLE counted (id int PRIMARY KEY, n int);
INSERT INTO counted SELECT i, 2147483000 FROM generate_series(1, 20) i;
SELECT vector_stage_for('counted', 'stage');
INSERT INTO stage SELECT i, CASE WHEN i = 7 THEN 2000000000 ELSE 1 END FROM generate_series(20, 1, -1) i;
CREATE FUNCTION context_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    context text;
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RETURN concat_ws(': ', sqlstate, substring(context FROM '(?n)^row .* of the source.*$'));
END $$;
SELECT context_of($$SELECT vector_bulk_upsert('counted', 'stage', 'update', merge => '{"n": "sum"}')$$);
-- Where updates are split from inserts.
ALTER TABLE counted ADD CHECK (n > 0);
SELECT context_of($$SELECT vector_bulk_upsert('counted', 'stage', 'update', merge => '{"n": "sum"}')$$);
ROLLBACK;

-- Constraints on what an update leaves as it was are not held against the rows of the source.
BEGIN;
CREATE TABLE kept (id int PRIMARY KEY, a int CHECK (a > 0), t text);
INSERT INTO kept VALUES (1, 1, 'x'), (2, 2, 'y');
SELECT vector_stage_for('kept', 'stage');
INSERT INTO stage VALUES (1, -1, 'new'), (2, -2, 'y'), (3, -3, 'z'), (4, 4, 'z');
SELECT inserted, updated, unchanged, rejected
FROM vector_bulk_upsert('kept', 'stage', 'update', update_columns => '{t}', reject_into => 'rejects');
SELECT source_row, key, sqlstate, message FROM rejects;
SELECT * FROM kept ORDER BY id;
ROLLBACK;

-- A bad row of a table without a key has none to be named by.
BEGIN;
CREATE TABLE unkeyed (n int NOT NULL);
SELECT vector_stage_for('unkeyed', 'stage');
INSERT INTO stage VALUES (1), (NULL);
SELECT * FROM vector_bulk_upsert('unkeyed', 'stage');
ROLLBACK;

-- Values of two columns that cannot be cast, among many that can.
BEGIN;
CREATE TABLE cast_too (id int PRIMARY KEY, n int, m smallint);
CREATE TEMP TABLE texts AS SELECT i::text AS id, i::text AS n, i::text AS m FROM generate_series(1, 3000) i;
UPDATE texts SET n = 'n' WHERE id IN ('7', '2900');
UPDATE texts SET m = '70000' WHERE id IN ('7', '1000', '1001', '3000');
SELECT inserted, rejected FROM vector_bulk_upsert('cast_too', 'texts', reject_into => 'rejects');
SELECT source_row, key, sqlstate, message FROM rejects;
SELECT inserted, rejected
FROM vector_bulk_upsert('cast_too', 'texts', 'skip', reject_into => 'rejects', max_rejects => 4);
ROLLBACK;
BEGIN;
CREATE TABLE cast_too (id int PRIMARY KEY, n int);
CREATE TEMP TABLE texts AS SELECT i::text AS id, i::text AS n FROM generate_series(1, 3000) i;
UPDATE texts SET n = 'n' WHERE id IN ('1500', '2900');
SELECT inserted FROM vector_bulk_upsert('cast_too', 'texts');
ROLLBACK;

-- Rights on the columns that are loaded, and on no others.
CREATE ROLE regress_columns;
BEGIN;
CREATE TABLE guarded (id int PRIMARY KEY, a text, secret text DEFAULT 'secret');
GRANT INSERT (id, a), SELECT (id, a), UPDATE (a) ON guarded TO regress_columns;
SET LOCAL ROLE regress_columns;
SELECT vector_stage_for('guarded', 'stage', '{id,a}');
INSERT INTO stage VALUES (1, 'a'), (2, 'b');
SELECT inserted FROM vector_bulk_upsert('guarded', 'stage', 'update');
UPDATE stage SET a = 'c';
INSERT INTO stage VALUES (3, 'd');
SELECT inserted, updated FROM vector_bulk_upsert('guarded', 'stage', 'update');
SELECT inserted, updated, unchanged FROM vector_bulk_upsert('guarded', 'stage', 'update');
RESET ROLE;
TABLE guarded;
ROLLBACK;
DROP ROLE regress_columns;

-- What a trigger suppresses is skipped, also an update; what has nothing to update is unchanged.
BEGIN;
CREATE TABLE vetoed (id int PRIMARY KEY, t text);
INSERT INTO vetoed VALUES (1, 'a'), (2, 'b'), (3, 'c');
CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RETURN CASE WHEN NEW.t <> 'not this' THEN NEW END; END $$;
CREATE TRIGGER veto BEFORE UPDATE ON vetoed FOR EACH ROW EXECUTE FUNCTION veto();
SELECT vector_stage_for('vetoed', 'stage');
INSERT INTO stage VALUES (1, 'a'), (2, 'not this'), (3, 'd'), (4, 'e');
SELECT inserted, updated, unchanged, skipped FROM vector_bulk_upsert('vetoed', 'stage', 'update');
SELECT inserted, updated, unchanged, skipped
FROM vector_bulk_upsert('vetoed', 'stage', 'update', update_columns => '{}');
CREATE TRIGGER veto_new BEFORE INSERT ON vetoed FOR EACH ROW EXECUTE FUNCTION veto();
INSERT INTO stage VALUES (5, 'not this'), (6, 'f');
SELECT inserted, updated, unchanged, skipped
FROM vector_bulk_upsert('vetoed', 'stage', 'update', update_columns => '{}');
SELECT inserted, updated, unchanged, skipped FROM vector_bulk_upsert('vetoed', 'stage', 'update');
ROLLBACK;

-- A foreign key to a table in a schema that the user may not use; an empty search_path.
CREATE ROLE regress_columns;
BEGIN;
CREATE SCHEMA closed;
CREATE TABLE closed.kinds (id int PRIMARY KEY);
INSERT INTO closed.kinds VALUES (1);
CREATE TABLE open (id int PRIMARY KEY, kind int REFERENCES closed.kinds);
GRANT ALL ON open, closed.kinds, rejects TO regress_columns;
SET LOCAL ROLE regress_columns;
SELECT vector_stage_for('open', 'stage');
INSERT INTO stage VALUES (1, 1), (2, 2);
SET LOCAL search_path = '';
SELECT inserted, rejected
FROM public.vector_bulk_upsert('public.open', 'pg_temp.stage', 'update', reject_into => 'public.rejects');
ROLLBACK;
DROP ROLE regress_columns;

-- Texts are compared as the table keeps them: without the blanks beyond their length.
BEGIN;
CREATE TABLE codes (code varchar(2) PRIMARY KEY, kind varchar(3) CHECK (length(kind) <= 3), c char(4));
CREATE TABLE codes_in (code text, kind text, c text);
INSERT INTO codes_in VALUES ('a ', 'x', 'c'), ('ab', 'x', 'c'), ('ab   ', 'kin  ', 'c     '), ('abc', 'x', 'c'),
    ('ac', 'kind', 'c'), ('ad', 'x', 'ccccc');
SELECT inserted, rejected FROM vector_bulk_upsert('codes', 'codes_in', 'update', reject_into => 'rejects');
DELETE FROM codes_in WHERE code IN ('abc', 'ac', 'ad');
SELECT inserted, updated, unchanged, skipped
FROM vector_bulk_upsert('codes', 'codes_in', 'update', duplicates => 'last');
SELECT inserted, updated, unchanged, skipped
FROM vector_bulk_upsert('codes', 'codes_in', 'update', duplicates => 'last');
SELECT code, kind, c, length(code) FROM codes ORDER BY code;
SELECT source_row, key, sqlstate, message FROM rejects ORDER BY source_row;
ROLLBACK;

-- References to a partitioned table, of a partitioned table to itself, and of a partition to the
-- table that it is of: a row of any partition will do, also one of the same load.
BEGIN;
CREATE TABLE places (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE places_1 PARTITION OF places FOR VALUES FROM (0) TO (5);
CREATE TABLE places_2 PARTITION OF places FOR VALUES FROM (5) TO (10);
INSERT INTO places VALUES (1), (6);
CREATE TABLE visits (id int PRIMARY KEY, place int REFERENCES places);
SELECT vector_stage_for('visits', 'stage');
INSERT INTO stage VALUES (1, 1), (2, 6), (3, 4);
SELECT inserted, rejected FROM vector_bulk_upsert('visits', 'stage', reject_into => 'rejects');
DELETE FROM stage WHERE id = 3;
SELECT unchanged FROM vector_bulk_upsert('visits', 'stage', 'update');
CREATE TABLE parts (id int PRIMARY KEY, whole int REFERENCES parts) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (5);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (5) TO (10);
SELECT vector_stage_for('parts', 'more');
INSERT INTO more VALUES (1, 6), (6, 2), (2, NULL), (3, 99), (4, 3);
SELECT inserted, rejected FROM vector_bulk_upsert('parts', 'more', reject_into => 'rejects');
SELECT vector_stage_for('parts_2', 'most');
INSERT INTO most VALUES (7, 8), (8, 1), (9, 5), (3, NULL);
SELECT inserted, rejected FROM vector_bulk_upsert('parts_2', 'most', reject_into => 'rejects');
TABLE parts ORDER BY id;
SELECT source, key, sqlstate, message FROM rejects ORDER BY source DESC, source_row;
ROLLBACK;

-- A foreign key looks at the rows of its table alone, not of those that inherit from it; and not at
-- all where its triggers are disabled.
BEGIN;
CREATE TABLE kinds (id int PRIMARY KEY);
CREATE TABLE old_kinds () INHERITS (kinds);
INSERT INTO kinds VALUES (1);
INSERT INTO old_kinds VALUES (2);
CREATE TABLE things (id int PRIMARY KEY, kind int REFERENCES kinds);
CREATE TEMP TABLE things_in AS SELECT i AS id, i AS kind FROM generate_series(1, 3) i;
SELECT inserted, rejected FROM vector_bulk_upsert('things', 'things_in', reject_into => 'rejects');
SELECT key, sqlstate, message FROM rejects ORDER BY source_row;
ALTER TABLE things DISABLE TRIGGER ALL;
SELECT inserted, unchanged, rejected FROM vector_bulk_upsert('things', 'things_in', 'update', reject_into => 'rejects');
DELETE FROM things;
ALTER TABLE things ENABLE TRIGGER ALL;
SET LOCAL session_replication_role = replica;
SELECT inserted, rejected FROM vector_bulk_upsert('things', 'things_in', reject_into => 'rejects');
ROLLBACK;

DROP TABLE rejects;
