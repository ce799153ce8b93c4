-- vector_bulk_upsert: bad rows, errors by SQLSTATE, tables for rejects.
\set SHOW_CONTEXT never

CREATE TABLE groups (id integer PRIMARY KEY);
INSERT INTO groups SELECT generate_series(1, 10);
CREATE TABLE items (
    id bigint PRIMARY KEY,
    v vector(3) NOT NULL,
    title text NOT NULL DEFAULT 'none' CHECK (title <> ''),
    group_id integer REFERENCES groups);
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
SELECT vector_rejects_table('rejects');

-- What a statement raises: SQLSTATE, message, detail, hint, and the row that the context names.
CREATE FUNCTION problem_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text; context text;
BEGIN
    EXECUTE statement;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    RETURN concat_ws(E'\n', sqlstate || ' ' || message, nullif(detail, ''), nullif(hint, ''),
                     substring(context FROM '(?n)^row .* of the source.*$'));
END
$$;

-- A file of 1,000 rows, ten of them bad, in every way that a row can be.
CREATE TABLE file AS
    SELECT i AS n, i::text AS id, format('[%s,%s,1]', i, i % 7) AS v, 'title ' || i AS title,
           (i % 10 + 1)::text AS group_id
    FROM generate_series(1, 1000) i;
UPDATE file SET v = '[1,2]' WHERE n = 100;
UPDATE file SET v = '[1,NaN,2]' WHERE n = 200;
UPDATE file SET v = '[1,2,Infinity]' WHERE n = 250;
UPDATE file SET v = '[1,2,oops' WHERE n = 300;
UPDATE file SET v = '[1,2,4e38]' WHERE n = 350;
UPDATE file SET v = NULL WHERE n = 400;
UPDATE file SET id = NULL WHERE n = 500;
UPDATE file SET title = '' WHERE n = 600;
UPDATE file SET group_id = '11' WHERE n = 700;
UPDATE file SET id = '7' WHERE n = 800;

CREATE PROCEDURE load_file() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM vector_stage_for('items', 'stage', lenient => true);
    INSERT INTO stage SELECT id::bigint, v, title, group_id::int FROM file ORDER BY n;
END $$;

BEGIN;
CALL load_file();
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('items', 'stage', reject_into => 'rejects');
COMMIT;
SELECT source_row, key, sqlstate, message, raw FROM rejects ORDER BY source_row;
SELECT count(*), count(DISTINCT id) FROM items;
-- Once more: what is there already is rejected, skipped or unchanged.
TRUNCATE rejects;
BEGIN;
CALL load_file();
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('items', 'stage', 'update', reject_into => 'rejects');
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('items', 'stage', 'skip', reject_into => 'rejects', duplicates => 'last');
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('items', 'stage', reject_into => 'rejects');
COMMIT;
SELECT sqlstate, count(*) FROM rejects GROUP BY 1 ORDER BY 1;
SELECT * FROM hnsw_check('items_v', true);

-- Without a table for them the first bad row ends the load, by its place in the source.
TRUNCATE items;
BEGIN;
CALL load_file();
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage')$$);
DELETE FROM stage WHERE v = '[1,2]';
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage')$$);
DELETE FROM stage WHERE v LIKE '%NaN%';
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage')$$);
DELETE FROM stage WHERE v LIKE '%Inf%';
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage')$$);
DELETE FROM stage WHERE v LIKE '%oops%' OR v LIKE '%4e38%';
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage')$$);
DELETE FROM stage WHERE v IS NULL;
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage')$$);
DELETE FROM stage WHERE id IS NULL;
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage')$$);
DELETE FROM stage WHERE title = '';
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage')$$);
DELETE FROM stage WHERE group_id = '11';
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage')$$);
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage', duplicates => 'first')$$);
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage', duplicates => 'first')$$);
COMMIT;

-- A limit: the row beyond it ends the load, and nothing stays.
TRUNCATE items, rejects;
BEGIN;
CALL load_file();
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage', reject_into => 'rejects', max_rejects => 0)$$);
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage', reject_into => 'rejects', max_rejects => 3)$$);
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage', reject_into => 'rejects', max_rejects => 9)$$);
SELECT count(*) AS items, (SELECT count(*) FROM rejects) AS rejects FROM items;
SELECT inserted, rejected
FROM vector_bulk_upsert('items', 'stage', reject_into => 'rejects', max_rejects => 10);
ROLLBACK;

-- Bad rows that only the server can find: triggers, other unique indexes, exclusion, partitions,
-- constraints on what triggers make of a row.
BEGIN;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id % 400 = 0 THEN RAISE 'not %', NEW.id USING ERRCODE = 'MY001'; END IF;
    IF NEW.title IS NULL THEN NEW.title := 'made'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE UNIQUE INDEX items_title ON items (title) WHERE title <> 'made';
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage SELECT i, '[1,2,3]', 'title ' || i, 1 FROM generate_series(2500, 1, -1) i;
UPDATE stage SET title = NULL WHERE id IN (3, 4);
UPDATE stage SET title = 'title 100' WHERE id = 200;
UPDATE stage SET group_id = 0 WHERE id IN (1, 999, 2500);
SELECT inserted, skipped, rejected
FROM vector_bulk_upsert('items', 'stage', 'skip', reject_into => 'rejects');
SELECT source_row, key, sqlstate, message, raw FROM rejects ORDER BY source_row;
SELECT count(*), count(*) FILTER (WHERE title = 'made') AS made FROM items;
SELECT * FROM hnsw_check('items_v', true);
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage', 'skip', reject_into => 'rejects', max_rejects => 4)$$);
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage', 'skip')$$);
ROLLBACK;
BEGIN;
CREATE TABLE parted (id int, region text, v vector(2), PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu');
CREATE TABLE parted_us PARTITION OF parted FOR VALUES IN ('us');
SELECT vector_stage_for('parted', 'stage');
INSERT INTO stage VALUES (1, 'eu', '[1,2]'), (2, 'asia', '[1,2]'), (3, 'us', '[1,2]'), (4, 'us', '[1]');
SELECT inserted, rejected FROM vector_bulk_upsert('parted', 'stage', 'update', reject_into => 'rejects');
SELECT inserted, unchanged, rejected
FROM vector_bulk_upsert('parted', 'stage', 'update', reject_into => 'rejects');
SELECT source_row, key, sqlstate, message FROM rejects;
ROLLBACK;
-- Of a table without a key; types that do not fit; a domain.
BEGIN;
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE TABLE keyless (a small, b varchar(3));
CREATE TEMP TABLE given (a int, b text);
INSERT INTO given VALUES (1, 'a'), (100, 'b'), (2, 'long'), (3, 'c');
SELECT inserted, rejected FROM vector_bulk_upsert('keyless', 'given', reject_into => 'rejects');
SELECT source_row, key, sqlstate, message, raw FROM rejects;
SELECT * FROM keyless;
ROLLBACK;
-- A row referencing another row of the same load; a CHECK that raises.
BEGIN;
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, n int CHECK (10 / n > 0));
SELECT vector_stage_for('tree', 'stage');
INSERT INTO stage VALUES (1, 2, 1), (2, NULL, 1), (3, 9, 1), (4, 1, 0), (5, 1, 20);
SELECT inserted, rejected FROM vector_bulk_upsert('tree', 'stage', reject_into => 'rejects');
SELECT source_row, key, sqlstate, message FROM rejects ORDER BY 1;
SELECT * FROM tree ORDER BY 1;
ROLLBACK;
-- An index of an expression that fails.
BEGIN;
CREATE TABLE mixed (id int PRIMARY KEY, v vector);
CREATE INDEX mixed_v ON mixed USING hnsw ((v::vector(2)) vector_l2_ops);
SELECT vector_stage_for('mixed', 'stage');
INSERT INTO stage VALUES (1, '[1,2]'), (2, '[1]'), (3, '[3,4]');
SELECT problem_of($$SELECT vector_bulk_upsert('mixed', 'stage')$$);
SELECT inserted, rejected
FROM vector_bulk_upsert('mixed', 'stage', reject_into => 'rejects', max_rejects => 9223372036854775807);
SELECT source_row, key, sqlstate, message FROM rejects;
SELECT * FROM hnsw_check('mixed_v', true);
ROLLBACK;
-- Foreign keys are not looked at where the server does not.
BEGIN;
SET LOCAL session_replication_role = replica;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage VALUES (1, '[1,2,3]', 'a', 99);
SELECT inserted, rejected FROM vector_bulk_upsert('items', 'stage', reject_into => 'rejects');
ROLLBACK;
-- What is wrong with every row is no reason to reject one.
CREATE ROLE regress_loader;
BEGIN;
GRANT INSERT, SELECT ON items TO regress_loader;
GRANT INSERT ON rejects TO regress_loader;
SET LOCAL ROLE regress_loader;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage VALUES (1, '[1,2,3]'), (2, '[1,2]');
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage', 'update', reject_into => 'rejects')$$);
SELECT inserted, rejected FROM vector_bulk_upsert('items', 'stage', reject_into => 'rejects');
-- Rows that a policy forbids are bad rows.
RESET ROLE;
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE POLICY even ON items TO regress_loader USING (true) WITH CHECK (id % 2 = 0);
SET LOCAL ROLE regress_loader;
TRUNCATE stage;
INSERT INTO stage SELECT i, '[1,2,3]' FROM generate_series(10, 13) i;
SELECT inserted, rejected FROM vector_bulk_upsert('items', 'stage', reject_into => 'rejects');
RESET ROLE;
SELECT source_row, key, sqlstate, message FROM rejects ORDER BY key;
REVOKE INSERT ON rejects FROM regress_loader;
SET LOCAL ROLE regress_loader;
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage', reject_into => 'rejects')$$);
ROLLBACK;
DROP ROLE regress_loader;

-- Every error of the arguments.
BEGIN;
CREATE TABLE several (a int UNIQUE, b int UNIQUE, c int GENERATED ALWAYS AS (1) STORED, d int);
CREATE TABLE later (a int, b int, PRIMARY KEY (a) DEFERRABLE, UNIQUE (b, a) INCLUDE (b));
CREATE UNIQUE INDEX ON several (a, d) WHERE d > 0;
CREATE UNIQUE INDEX ON several ((a + d));
CREATE TABLE wrong (source_row bigint, key text, sqlstate text, message text, raw varchar(3));
CREATE TABLE fewer (source_row bigint, key text, sqlstate text);
CREATE TABLE more (extra int DEFAULT 5, raw text, message text, sqlstate text, key text, source_row bigint);
SELECT vector_stage_for('items', 'stage');
SELECT vector_stage_for('several', 'several_stage');
SELECT vector_stage_for('items', 'no_key', '{v,title}');
CREATE TEMP TABLE unlike (id int, other int);
SELECT statement, problem_of('SELECT vector_bulk_upsert(' || statement || ')') AS problem FROM (VALUES
    ($$'items', 'stage', 'replace'$$),
    ($$'items', 'stage', NULL$$),
    ($$'items', 'stage', duplicates => 'any'$$),
    ($$'items', 'stage', max_rejects => -2$$),
    ($$'items', 'stage', max_rejects => 5$$),
    ($$'items', 'stage', 'update', merge => '{"title": "add"}'$$),
    ($$'items', 'stage', 'update', merge => '{"title": 1}'$$),
    ($$'items', 'stage', 'update', merge => '["title"]'$$),
    ($$'items', 'stage', 'update', merge => '{"id": "keep"}'$$),
    ($$'items', 'stage', 'update', merge => '{"nothing": "sum"}'$$),
    ($$'items', 'stage', 'update', update_columns => '{id}'$$),
    ($$'items', 'stage', 'update', update_columns => '{nothing}'$$),
    ($$'items', 'stage', 'update', update_columns => '{title,NULL}'$$),
    ($$'items', 'stage', key => '{nothing}'$$),
    ($$'items', 'stage', key => '{}'$$),
    ($$'items', 'stage', key => '{NULL}'$$),
    ($$'items', 'stage', key => '{title,group_id}'$$),
    ($$'items', 'no_key', 'skip'$$),
    ($$'items', 'unlike'$$),
    ($$'several', 'several_stage', 'update'$$),
    ($$'several', 'several_stage', 'update', key => '{a,d}'$$),
    ($$'several', 'several_stage', 'update', key => '{a}', merge => '{"c": "sum"}'$$),
    ($$'several', 'several_stage', 'update', key => '{a}', update_columns => '{b}'$$),
    ($$'later', 'several_stage', 'skip', key => '{a}'$$),
    ($$'rejects', 'stage', 'skip'$$),
    ($$'nothing', 'stage'$$),
    ($$'items', 'nothing'$$),
    ($$0, 'stage'$$),
    ($$NULL, 'stage'$$),
    ($$'items', NULL$$),
    ($$'items', 'items'$$),
    ($$'items_pkey', 'stage'$$),
    ($$'items', 'items_pkey'$$),
    ($$'items', 'stage', reject_into => 'items_pkey'$$),
    ($$'items', 'stage', reject_into => 'wrong'$$),
    ($$'items', 'stage', reject_into => 'fewer'$$),
    ($$'items', 'more', reject_into => 'more'$$),
    ($$'rejects', 'stage', reject_into => 'rejects'$$)) s(statement);
INSERT INTO stage VALUES (1, '[1]');
SELECT rejected FROM vector_bulk_upsert('items', 'stage', reject_into => 'more');
SELECT * FROM more;
SELECT inserted FROM vector_bulk_upsert('items', 'no_key');
UPDATE stage SET v = '[1,2,3]';
-- The hint is the server's.
SELECT split_part(problem_of($$SELECT vector_bulk_upsert('items', 'stage', 'update', merge => '{"title": "sum"}')$$), E'\n', 1);
SET TRANSACTION READ ONLY;
SELECT problem_of($$SELECT vector_bulk_upsert('items', 'stage')$$);
ROLLBACK;

SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items, groups, rejects, file;
DROP FUNCTION problem_of;
DROP PROCEDURE load_file;
