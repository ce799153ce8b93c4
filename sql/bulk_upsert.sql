-- vector_bulk_upsert: modes, keys, merge rules, counts, kinds of tables, rights.
\set SHOW_CONTEXT never

CREATE TABLE items (
    id bigint PRIMARY KEY,
    v vector(3) NOT NULL,
    title text,
    n integer DEFAULT 1,
    updated_at timestamptz DEFAULT '2000-01-01');
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);

-- The counts of a call, without its times.
CREATE FUNCTION counts(
    target regclass, source regclass, on_conflict text DEFAULT 'error', key name[] DEFAULT NULL,
    update_columns name[] DEFAULT NULL, merge jsonb DEFAULT NULL, duplicates text DEFAULT 'error',
    OUT inserted bigint, OUT updated bigint, OUT unchanged bigint, OUT skipped bigint,
    OUT adds_up boolean)
    LANGUAGE plpgsql AS $$
DECLARE
    n_rows bigint;
    result record;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s', source) INTO n_rows;
    SELECT * INTO result FROM vector_bulk_upsert(target, source, on_conflict, key, update_columns,
                                                 merge, duplicates);
    inserted := result.inserted; updated := result.updated; unchanged := result.unchanged;
    skipped := result.skipped;
    adds_up := inserted + updated + unchanged + skipped + result.rejected = n_rows
               AND result.elapsed > '0' AND (n_rows = 0) = (result.rows_per_second = 0);
END
$$;

-- Skip: 50 rows, then 100.
BEGIN;
SELECT vector_stage_for('items', 'stage', '{id,v,title}');
INSERT INTO stage SELECT i, ARRAY[i, 1, 0]::vector, 'old' FROM generate_series(1, 50) i;
SELECT * FROM counts('items', 'stage', 'skip');
INSERT INTO stage SELECT i, ARRAY[i, 2, 0]::vector, 'new' FROM generate_series(51, 100) i;
SELECT * FROM counts('items', 'stage', 'skip');
COMMIT;
SELECT title, count(*), min(n), min(updated_at) FROM items GROUP BY 1 ORDER BY 1;

-- Update: 50 rows, then 75, of which 25 are new; two calls in one transaction.
TRUNCATE items;
BEGIN;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage SELECT i, ARRAY[i, 1, 0]::vector, 'old' FROM generate_series(1, 50) i;
SELECT * FROM counts('items', 'stage', 'update');
TRUNCATE stage;
INSERT INTO stage SELECT i, ARRAY[i, 2, 0]::vector, 'new' FROM generate_series(1, 75) i;
SELECT * FROM counts('items', 'stage', 'update');
COMMIT;
SELECT title, v[2], count(*) FROM (SELECT title, v::real[] FROM items) s GROUP BY 1, 2;

-- Rows that are as they should be are not written: no new version, no new entry in the index.
SELECT nodes AS nodes_before FROM hnsw_info('items_v') \gset
CREATE TABLE places AS SELECT id, ctid AS place, xmin AS writer FROM items;
BEGIN;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage SELECT * FROM items;
SELECT pg_stat_get_xact_tuples_updated('items'::regclass) AS updates_before \gset
SELECT * FROM counts('items', 'stage', 'update', merge => '{"updated_at": "now"}');
SELECT pg_stat_get_xact_tuples_updated('items'::regclass) - :updates_before AS updates;
COMMIT;
SELECT count(*) AS kept FROM items i JOIN places USING (id) WHERE i.ctid = place AND i.xmin = writer;
SELECT nodes - :nodes_before AS new_nodes FROM hnsw_info('items_v');
-- Of 75 rows three change; one is new.
BEGIN;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage SELECT * FROM items;
UPDATE stage SET title = title || '!' WHERE id <= 3;
INSERT INTO stage VALUES (76, '[7,6,0]');
SELECT pg_stat_get_xact_tuples_updated('items'::regclass) AS updates_before \gset
SELECT * FROM counts('items', 'stage', 'update', merge => '{"updated_at": "now"}');
SELECT pg_stat_get_xact_tuples_updated('items'::regclass) - :updates_before AS updates;
SELECT id, title FROM items WHERE updated_at = now() ORDER BY id;
COMMIT;

-- Error: nothing stays, and the first bad row is named.
BEGIN;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage VALUES (90, '[1,1,1]'), (91, '[1,1,1]'), (5, '[1,1,1]'), (92, '[1,1,1]'), (4, '[1,1,1]');
SAVEPOINT here;
SELECT * FROM vector_bulk_upsert('items', 'stage');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
SELECT count(*) FROM items WHERE id >= 90;
DELETE FROM stage WHERE id < 10;
SELECT * FROM counts('items', 'stage');
ROLLBACK;

-- The same key twice in the source.
TRUNCATE items;
BEGIN;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage VALUES (1, '[1,1,1]', 'a'), (2, '[1,1,1]', 'b'), (1, '[1,1,1]', 'c'), (3, '[1,1,1]', 'd'),
    (1, '[1,1,1]', 'e');
SAVEPOINT here;
SELECT * FROM vector_bulk_upsert('items', 'stage', 'skip');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
SELECT * FROM counts('items', 'stage', duplicates => 'first');
SELECT id, title FROM items ORDER BY id;
ROLLBACK TO here;
SELECT * FROM counts('items', 'stage', 'update', duplicates => 'last');
SELECT id, title FROM items ORDER BY id;
-- A rule is applied once per key.
SELECT * FROM counts('items', 'stage', 'update', merge => '{"n": "sum"}', duplicates => 'last');
SELECT id, title, n FROM items ORDER BY id;
ROLLBACK;

-- Nothing to do.
BEGIN;
SELECT vector_stage_for('items', 'stage');
SELECT * FROM counts('items', 'stage');
SELECT * FROM counts('items', 'stage', 'skip');
SELECT * FROM counts('items', 'stage', 'update');
ROLLBACK;

-- Every merge rule, with and without a value on either side.
BEGIN;
CREATE TABLE merged (
    k text PRIMARY KEY, replaced int, kept int, summed int, floats float8, bigger text, smaller date,
    filled int, texts varchar(20), list int[], doc jsonb, vecs vector(2), stamp timestamptz DEFAULT 'epoch',
    day date);
INSERT INTO merged VALUES
    ('both', 1, 1, 1, 0.5, 'm', '2020-01-02', 1, 'one', '{1}', '{"a": 1}', '[1,2]'),
    ('left', 1, 1, 1, 0.5, 'm', '2020-01-02', 1, 'one', '{1}', '{"a": 1}', '[1,2]');
INSERT INTO merged (k) VALUES ('right');
SELECT vector_stage_for('merged', 'stage');
INSERT INTO stage VALUES
    ('both', 2, 2, 2, 0.25, 'a', '2020-01-01', 2, 'two', '{2}', '{"b": 2}', '[10,20]', NULL, NULL),
    ('right', 2, 2, 2, 0.25, 'a', '2020-01-01', 2, 'two', '{2}', '{"b": 2}', '[10,20]', NULL, NULL),
    ('new', 2, 2, 2, 0.25, 'a', '2020-01-01', 2, 'two', '{2}', '{"b": 2}', '[10,20]', NULL, NULL);
INSERT INTO stage (k, stamp) VALUES ('left', NULL);
SELECT * FROM counts('merged', 'stage', 'update', merge => '{"kept": "keep", "summed": "sum",
    "floats": "sum", "bigger": "max", "smaller": "min", "filled": "coalesce", "texts": "concat",
    "list": "concat", "doc": "concat", "vecs": "sum", "stamp": "now", "day": "now",
    "replaced": "replace"}');
SELECT k, replaced, kept, summed, floats, bigger, smaller, filled, texts, list, doc, vecs,
       stamp = now() AS stamped, day = current_date AS dated
FROM merged ORDER BY k;
-- Only the columns named, and those with a rule.
SELECT * FROM counts('merged', 'stage', 'update', update_columns => '{replaced}',
                     merge => '{"summed": "sum"}');
SELECT k, replaced, kept, summed, filled FROM merged ORDER BY k;
-- Nothing to update: rows that exist are left as they are.
DELETE FROM merged WHERE k = 'left';
SELECT * FROM counts('merged', 'stage', 'update', update_columns => '{}');
SELECT * FROM counts('merged', 'stage', 'update', update_columns => '{stamp}', merge => '{"stamp": "now"}');
SELECT * FROM counts('merged', 'stage', 'update', update_columns => '{replaced}', merge => '{"replaced": "keep"}');
ROLLBACK;

-- Sources with some of the columns: rows that exist need no more, new ones do.
TRUNCATE items;
INSERT INTO items SELECT i, ARRAY[i, i, i]::vector, 'kept', 5 FROM generate_series(1, 10) i;
BEGIN;
SELECT vector_stage_for('items', 'stage', '{id,n}');
INSERT INTO stage SELECT i, 6 FROM generate_series(1, 10) i;
SELECT * FROM counts('items', 'stage', 'update');
SELECT DISTINCT title, n FROM items;
INSERT INTO stage VALUES (11, 6);
SELECT * FROM vector_bulk_upsert('items', 'stage', 'update');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
-- A required column may be left empty where the old value is taken.
SELECT vector_stage_for('items', 'stage', '{id,v,title}');
INSERT INTO stage VALUES (1, NULL, 'a'), (2, '[0,0,0]', 'b');
SELECT * FROM counts('items', 'stage', 'update', merge => '{"v": "coalesce"}');
SELECT id, v, title FROM items WHERE id <= 2 ORDER BY id;
ROLLBACK;

-- Keys: composite, named in any order, of any type; the only unique index; none where none is needed.
BEGIN;
CREATE TABLE memory (namespace text, key varchar(40), v vector(2), hits int, PRIMARY KEY (namespace, key));
CREATE INDEX memory_v ON memory USING hnsw (v vector_cosine_ops);
SELECT vector_stage_for('memory', 'stage');
INSERT INTO stage VALUES ('a', 'x', '[1,2]', 1), ('a', 'y', '[1,3]', 1), ('b', 'x', '[1,4]', 1);
SELECT * FROM counts('memory', 'stage', 'update');
UPDATE stage SET hits = 2 WHERE namespace = 'a';
INSERT INTO stage VALUES ('b', 'y', '[1,5]', 1);
SELECT * FROM counts('memory', 'stage', 'update', '{key,namespace}', merge => '{"hits": "sum"}');
SELECT * FROM memory ORDER BY 1, 2;
INSERT INTO stage VALUES ('b', 'y', '[1,5]', 1);
SAVEPOINT here;
SELECT * FROM vector_bulk_upsert('memory', 'stage', 'skip');
ROLLBACK TO here;
SELECT * FROM hnsw_check('memory_v', true);
CREATE TABLE by_value (doc jsonb, tags text[], at tstzrange, amount numeric(6,2), code char(3),
                       e name, n int, UNIQUE (doc, tags, at, amount, code, e));
SELECT vector_stage_for('by_value', 'by_value_stage');
INSERT INTO by_value_stage VALUES
    ('{"a": 1}', '{x,"y,z"}', '[2020-01-01,2020-01-02)', 1.005, 'a', 'name', 1),
    ('{"a": 1}', '{x,"y,z"}', '[2020-01-01,2020-01-02)', 1, 'a', 'name', 1);
SELECT * FROM counts('by_value', 'by_value_stage', 'update');
UPDATE by_value_stage SET n = 2 WHERE amount = 1;
SELECT * FROM counts('by_value', 'by_value_stage', 'update');
SELECT * FROM by_value ORDER BY amount;
CREATE TABLE keyless (v vector, t text);
SELECT vector_stage_for('keyless', 'keyless_stage');
INSERT INTO keyless_stage VALUES ('[1]', 'a'), ('[1]', 'a'), (NULL, NULL);
SELECT * FROM counts('keyless', 'keyless_stage');
SELECT * FROM keyless;
ROLLBACK;

-- Names that need quotes, have 63 bytes, or look like statements.
BEGIN;
CREATE SCHEMA "s.x""; DROP";
CREATE TABLE "s.x""; DROP"."t""; DROP TABLE items; --" (
    "i"";d" int, "%s %I $1" text, "SELECT" vector(2), ääääääääääääääääääääääääääääääääää int DEFAULT 3,
    abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc text, "key" int, source_row int, place int,
    t int, s int, c1 int, k1 int,
    CONSTRAINT "c"";" UNIQUE ("i"";d", "%s %I $1"), CHECK ("key" > 0 AND s > 0));
SELECT vector_stage_for('"s.x""; DROP"."t""; DROP TABLE items; --"', 'st";age');
INSERT INTO "st"";age" SELECT i, 'x%s', '[1,2]', 1, 'y', 1, 1, 1, 1, 1, 1, 1 FROM generate_series(1, 3) i;
SELECT * FROM counts('"s.x""; DROP"."t""; DROP TABLE items; --"', '"st"";age"', 'update');
UPDATE "st"";age" SET s = 2, t = 2, "SELECT" = '[3,4]' WHERE "i"";d" = 2;
SELECT * FROM counts('"s.x""; DROP"."t""; DROP TABLE items; --"', '"st"";age"', 'update',
                     '{"%s %I $1","i\";d"}', merge => '{"s": "sum", "c1": "max"}');
SELECT * FROM "s.x""; DROP"."t""; DROP TABLE items; --" ORDER BY 1;
INSERT INTO "st"";age" VALUES (2, 'x%s');
SELECT * FROM vector_bulk_upsert('"s.x""; DROP"."t""; DROP TABLE items; --"', '"st"";age"', 'update');
ROLLBACK;

-- Values of any kind come through COPY and the merge as they are.
BEGIN;
CREATE TABLE odd (k text PRIMARY KEY, t text, b bytea, v vector);
SELECT vector_stage_for('odd', 'stage');
COPY stage FROM stdin;
tab	a\tb	\\x00ff	[1]
newline	a\nb\r	\N	[1,2]
backslash	a\\b	\\x	\N
null text	\\N	\N	\N
null	\N	\N	\N
emoji 😀	😀	\N	\N
		\N	\N
quote	'"; DROP TABLE odd; --	\N	\N
\.
SELECT * FROM counts('odd', 'stage');
SELECT k, to_json(t) AS t, b, v FROM odd ORDER BY k COLLATE "C";
SELECT * FROM counts('odd', 'stage', 'update');
SELECT count(*) FROM (TABLE odd EXCEPT TABLE stage) s;
-- An empty text and NULL are different.
UPDATE stage SET t = NULL WHERE k = '';
SELECT * FROM counts('odd', 'stage', 'update');
ROLLBACK;

-- A vector as the key, read from text; a stage whose columns and rows have moved.
BEGIN;
CREATE TABLE by_vector (v vector(2) PRIMARY KEY, n int);
SELECT vector_stage_for('by_vector', 'stage', lenient => true);
INSERT INTO stage VALUES ('[1,2]', 1), ('[1, 2.0]', 2), ('[2,3]', 3);
SELECT * FROM counts('by_vector', 'stage', 'update', duplicates => 'last');
ALTER TABLE stage DROP n;
ALTER TABLE stage ADD n int DEFAULT 4;
DELETE FROM stage WHERE v = '[1,2]';
INSERT INTO stage (v, n) VALUES ('[ 1,2]', 5);
SELECT * FROM vector_bulk_upsert('by_vector', 'stage', 'update');
ROLLBACK;
-- Many columns.
BEGIN;
DO $$ BEGIN EXECUTE (
    SELECT 'CREATE TABLE wide (id int PRIMARY KEY, ' || string_agg('"col %' || i || '" text', ', ') || ')'
    FROM generate_series(1, 400) i);
END $$;
SELECT vector_stage_for('wide', 'stage');
INSERT INTO stage (id, "col %5") SELECT i, 'x' FROM generate_series(1, 100) i;
SELECT * FROM counts('wide', 'stage', 'update');
UPDATE stage SET "col %399" = 'y' WHERE id < 5;
SELECT * FROM counts('wide', 'stage', 'update', merge => '{"col %399": "concat"}');
ROLLBACK;

-- Any type: domains, enums, composites, ranges, types without order.
BEGIN;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE TABLE typed (id uuid PRIMARY KEY, m mood, p pair, d small, r int4range, x jsonpath, pt point, j json,
                    i interval, net inet, bits bit(3), "char" "char", vs vector(2)[]);
SELECT vector_stage_for('typed', 'stage');
INSERT INTO stage VALUES
    ('00000000-0000-0000-0000-000000000001', 'sad', '(1,x)', 5, '[1,5)', '$."a"', '(1,2)', '{"a" : 1}', '1 day',
     '10.0.0.1', '101', 'c', '{"[1,2]"}');
INSERT INTO stage VALUES ('00000000-0000-0000-0000-000000000002');
SELECT * FROM counts('typed', 'stage', 'update');
UPDATE stage SET pt = '(1,3)', m = 'happy', p = '(1,y)', d = d + 1 WHERE m IS NOT NULL;
SELECT * FROM counts('typed', 'stage', 'update', merge => '{"d": "sum", "m": "max"}');
SELECT * FROM counts('typed', 'stage', 'update', merge => '{"d": "keep"}');
SELECT * FROM typed ORDER BY id;
ROLLBACK;

-- Any table or view can be a source; types are converted as in INSERT.
BEGIN;
CREATE TABLE plain (id text, v real[], n numeric);
INSERT INTO plain VALUES ('1', '{1,2,3}', 4.4), ('2', '{4,5,6}', 5.6);
TRUNCATE items;
CREATE VIEW shown AS SELECT id::int, v, n FROM plain;
SELECT * FROM counts('items', 'shown', 'update');
SELECT id, v, n FROM items ORDER BY id;
SELECT * FROM counts('items', 'shown', 'update');
CREATE MATERIALIZED VIEW kept AS SELECT id::int + 10 AS id, v::vector::text AS v FROM plain;
SELECT * FROM counts('items', 'kept', 'skip');
CREATE TABLE parts (id bigint, v vector) PARTITION BY HASH (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT i, ARRAY[i, i, i]::vector FROM generate_series(100, 120) i;
SELECT * FROM counts('items', 'parts', 'update');
SELECT count(*) FROM pg_class WHERE relname LIKE 'vector\_source\_%';
SELECT * FROM hnsw_check('items_v', true);
ROLLBACK;

-- Generated and identity columns.
BEGIN;
CREATE TABLE made (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    a int, b int GENERATED ALWAYS AS (a * 2) STORED, c int GENERATED BY DEFAULT AS IDENTITY);
SELECT vector_stage_for('made', 'stage');
INSERT INTO stage (a) VALUES (1), (2), (3);
SELECT * FROM counts('made', 'stage');
SELECT * FROM made ORDER BY id;
TRUNCATE stage;
INSERT INTO stage VALUES (2, 20, 7), (10, 100, 8);
SELECT * FROM counts('made', 'stage', 'update');
SELECT * FROM made ORDER BY id;
-- A copy of the table as source: generated columns are made anew.
CREATE TEMP TABLE copied AS SELECT id, a + 1 AS a, b FROM made;
SELECT * FROM counts('made', 'copied', 'update');
SELECT * FROM made ORDER BY id;
-- A key that is generated is missing.
TRUNCATE stage;
INSERT INTO stage (a) VALUES (1);
SELECT * FROM vector_bulk_upsert('made', 'stage', 'update');
ROLLBACK;

-- Partitioned targets, also with partitions of another shape.
BEGIN;
CREATE TABLE parted (id int, v vector(2), region text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu');
CREATE TABLE parted_us (region text NOT NULL, gone int, v vector(2), id int NOT NULL, PRIMARY KEY (region, id));
ALTER TABLE parted_us DROP gone;
ALTER TABLE parted ATTACH PARTITION parted_us FOR VALUES IN ('us');
CREATE INDEX parted_v ON parted USING hnsw (v vector_l2_ops);
SELECT vector_stage_for('parted', 'stage');
INSERT INTO stage SELECT i, ARRAY[i, 0]::vector, CASE WHEN i % 2 = 0 THEN 'eu' ELSE 'us' END
FROM generate_series(1, 10) i;
SELECT * FROM counts('parted', 'stage', 'skip');
UPDATE stage SET v = '[0,0]' WHERE id <= 4;
INSERT INTO stage VALUES (11, '[1,1]', 'us');
SELECT * FROM counts('parted', 'stage', 'update');
SELECT tableoid::regclass, count(*), sum(v) FROM parted GROUP BY 1 ORDER BY 1;
INSERT INTO stage VALUES (12, '[1,1]', 'asia');
SAVEPOINT here;
SELECT * FROM vector_bulk_upsert('parted', 'stage', 'update');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
SELECT * FROM hnsw_check('parted_eu_v_idx', true);
SELECT * FROM hnsw_check('parted_us_v_idx', true);
ROLLBACK;

-- Triggers: each once per row, whatever becomes of it.
BEGIN;
CREATE TABLE watched (id int PRIMARY KEY, t text, stamp text NOT NULL);
CREATE TABLE seen (what text, id int);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seen VALUES (TG_WHEN || ' ' || TG_OP, NEW.id);
    IF TG_WHEN = 'BEFORE' THEN NEW.stamp := 'stamped'; END IF;
    IF NEW.t = 'not this' THEN RETURN NULL; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER after_watch AFTER INSERT OR UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION watch();
INSERT INTO watched SELECT i, 'a', 's' FROM generate_series(1, 5) i;
SELECT vector_stage_for('watched', 'stage');
INSERT INTO stage SELECT i, CASE WHEN i <= 2 THEN 'a' ELSE 'b' END, 's' FROM generate_series(1, 8) i;
TRUNCATE seen;
SELECT * FROM counts('watched', 'stage', 'update');
SELECT what, count(*), count(DISTINCT id), min(id), max(id) FROM seen GROUP BY 1 ORDER BY 1;
CREATE TRIGGER before_watch BEFORE INSERT OR UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION watch();
TRUNCATE seen;
UPDATE stage SET t = 'c', stamp = NULL WHERE id <= 6;
INSERT INTO stage VALUES (9, 'c', NULL), (10, 'not this', NULL);
SELECT * FROM counts('watched', 'stage', 'update');
SELECT what, count(*), count(DISTINCT id), min(id), max(id) FROM seen GROUP BY 1 ORDER BY 1;
SELECT t, stamp, count(*) FROM watched GROUP BY 1, 2 ORDER BY 1;
TRUNCATE seen;
INSERT INTO stage VALUES (11, 'd');
SELECT * FROM counts('watched', 'stage', 'skip');
SELECT what, count(*), count(DISTINCT id), min(id), max(id) FROM seen GROUP BY 1 ORDER BY 1;
ROLLBACK;

-- A CHECK that holds for what a row becomes, not for what is staged.
BEGIN;
CREATE TABLE stock (id int PRIMARY KEY, n int CHECK (n >= 0), needed text NOT NULL);
INSERT INTO stock VALUES (1, 10, 'x');
CREATE TEMP TABLE delta (id int, n int);
INSERT INTO delta VALUES (1, -3);
SELECT * FROM counts('stock', 'delta', 'update', merge => '{"n": "sum"}');
SELECT * FROM stock;
ROLLBACK;

-- Invoker's rights.
CREATE ROLE regress_loader;
BEGIN;
TRUNCATE items;
INSERT INTO items VALUES (1, '[1,1,1]', 'old');
GRANT INSERT ON items TO regress_loader;
SET LOCAL ROLE regress_loader;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage VALUES (2, '[2,2,2]', 'new');
SAVEPOINT here;
-- With INSERT alone rows can be added; with SELECT on the key they can be compared.
SELECT * FROM vector_bulk_upsert('items', 'stage', 'skip');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
SELECT inserted FROM vector_bulk_upsert('items', 'stage');
SAVEPOINT here;
SELECT inserted FROM vector_bulk_upsert('items', 'stage');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
RESET ROLE;
GRANT SELECT (id) ON items TO regress_loader;
SET LOCAL ROLE regress_loader;
INSERT INTO stage VALUES (3, '[3,3,3]', 'new');
SAVEPOINT here;
SELECT inserted, skipped FROM vector_bulk_upsert('items', 'stage', 'skip');
SELECT * FROM vector_bulk_upsert('items', 'stage', 'update');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
RESET ROLE;
GRANT SELECT ON items TO regress_loader;
SET LOCAL ROLE regress_loader;
SAVEPOINT here;
-- INSERT without UPDATE.
SELECT * FROM vector_bulk_upsert('items', 'stage', 'update');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
RESET ROLE;
REVOKE INSERT ON items FROM regress_loader;
SET LOCAL ROLE regress_loader;
SELECT * FROM vector_bulk_upsert('items', 'stage');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- Row-level security: rows that cannot be seen cannot be changed.
BEGIN;
CREATE TABLE owned (id int PRIMARY KEY, owner name, t text);
INSERT INTO owned VALUES (1, 'regress_loader', 'mine'), (2, 'somebody', 'theirs');
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON owned USING (owner = current_user);
GRANT SELECT, INSERT, UPDATE ON owned TO regress_loader;
SET LOCAL ROLE regress_loader;
SELECT vector_stage_for('owned', 'stage');
INSERT INTO stage VALUES (1, 'regress_loader', 'changed'), (3, 'regress_loader', 'new');
SELECT inserted, updated FROM vector_bulk_upsert('owned', 'stage', 'update');
SELECT * FROM owned ORDER BY id;
SAVEPOINT here;
INSERT INTO stage VALUES (4, 'somebody', 'for another');
SELECT * FROM vector_bulk_upsert('owned', 'stage', 'update');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
INSERT INTO stage VALUES (2, 'regress_loader', 'of another');
SAVEPOINT here;
SELECT * FROM vector_bulk_upsert('owned', 'stage', 'update');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
SELECT inserted, skipped FROM vector_bulk_upsert('owned', 'stage', 'skip');
SELECT * FROM vector_bulk_upsert('owned', 'stage');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- Nothing is found by search_path, nor taken from it.
BEGIN;
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.fails() RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN RAISE 'taken from the search_path'; END $$;
CREATE FUNCTION hostile.equal(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT hostile.fails()';
CREATE OPERATOR hostile.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.equal);
CREATE OPERATOR hostile.<> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.equal);
CREATE OPERATOR hostile.+ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = pg_catalog.int4mi);
CREATE FUNCTION hostile.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 99::bigint';
CREATE TABLE hostile.items (id int);
SELECT vector_stage_for('items', 'stage', '{id,v,n}');
INSERT INTO stage SELECT i, ARRAY[i, i, i]::vector, 1 FROM generate_series(1, 10) i;
SET LOCAL search_path = hostile, pg_catalog, public;
SELECT inserted, updated FROM public.vector_bulk_upsert('public.items', 'pg_temp.stage', 'update');
SET LOCAL search_path = pg_temp;
UPDATE stage SET n = 2;
SELECT inserted, updated
FROM public.vector_bulk_upsert('public.items', 'stage', 'update', merge => '{"n": "sum"}');
SELECT DISTINCT n FROM public.items WHERE n IS NOT NULL;
ROLLBACK;
BEGIN;
CREATE SCHEMA elsewhere;
ALTER EXTENSION vector_ext SET SCHEMA elsewhere;
SELECT elsewhere.vector_stage_for('items', 'stage', lenient => true);
INSERT INTO stage VALUES (501, '[1,2,3]'), (502, ' [1,2,3] ');
SELECT inserted FROM elsewhere.vector_bulk_upsert('items', 'stage', 'update');
ROLLBACK;

-- In a function, a block of code, a savepoint.
DO $$
DECLARE result record;
BEGIN
    PERFORM vector_stage_for('items', 'stage');
    INSERT INTO stage SELECT i, ARRAY[i, i, i]::vector FROM generate_series(1001, 1005) i;
    BEGIN
        SELECT * INTO result FROM vector_bulk_upsert('items', 'stage');
        RAISE NOTICE 'inserted %', result.inserted;
        SELECT * INTO result FROM vector_bulk_upsert('items', 'stage');
    EXCEPTION WHEN unique_violation THEN
        RAISE NOTICE '%', sqlerrm;
    END;
    SELECT * INTO result FROM vector_bulk_upsert('items', 'stage', 'skip');
    RAISE NOTICE 'inserted %, skipped %', result.inserted, result.skipped;
END $$;
SELECT * FROM hnsw_check('items_v', true);

DROP FUNCTION counts;
DROP TABLE items, places;
DROP ROLE regress_loader;
