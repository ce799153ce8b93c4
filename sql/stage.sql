-- vector_stage_for and vector_rejects_table.
\set SHOW_CONTEXT never

CREATE DOMAIN positive AS integer DEFAULT 7 NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN embedding AS vector(3) NOT NULL;
CREATE TABLE items (
    id bigserial PRIMARY KEY,
    v vector(3) NOT NULL,
    title text COLLATE "C" DEFAULT 'none' CHECK (title <> ''),
    code char(5),
    price numeric(10,2) DEFAULT 1 + 1,
    doubled numeric GENERATED ALWAYS AS (price * 2) STORED,
    p positive,
    e embedding,
    tags text[],
    seen timestamptz(0) DEFAULT now(),
    dropped integer,
    n integer GENERATED ALWAYS AS IDENTITY,
    UNIQUE (title));
CREATE INDEX ON items USING hnsw (v vector_l2_ops);
ALTER TABLE items DROP dropped;

-- A stage is dropped at the end of its transaction, so it needs one that goes on.
SELECT vector_stage_for('items');
\echo :LAST_ERROR_SQLSTATE

BEGIN;
SELECT vector_stage_for('items', 'stage');
-- The target's columns and defaults; no constraint, index or generated column.
SELECT attname, format_type(atttypid, atttypmod), attnotnull,
       (SELECT collname FROM pg_collation c WHERE c.oid = attcollation) AS collation,
       pg_get_expr(adbin, adrelid) AS default
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = 'stage'::regclass AND attnum > 0 ORDER BY attnum;
SELECT relpersistence, relkind, relhasindex, relchecks, relhastriggers, relnamespace = pg_my_temp_schema()
FROM pg_class WHERE oid = 'stage'::regclass;
-- Some columns; without a name, as often as one likes; vectors as text.
SELECT vector_stage_for('items', 'some', '{v,id}');
SELECT vector_stage_for('items', 'lenient', lenient => true);
SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod)
FROM pg_attribute
WHERE attrelid IN ('some'::regclass, 'lenient'::regclass) AND attnum > 0 AND attname IN ('id', 'v', 'e')
ORDER BY 1, attnum;
SELECT vector_stage_for('items');
SELECT vector_stage_for('items');
-- Rows that the table would refuse stay rows.
COPY stage (id, v, title, p, e) FROM stdin;
1	[1,2]	\N	-1	\N
\N	[1,2,3]		\N	[1]
\.
SELECT id, v, title, p, e, price FROM stage;
COMMIT;
SELECT to_regclass('stage') IS NULL AS dropped, to_regclass('some') IS NULL AS some_dropped;

-- In a block of code or a function it lives as long as that runs.
DO $$ BEGIN PERFORM vector_stage_for('items', 'stage'); INSERT INTO stage VALUES (1); END $$;
SELECT to_regclass('stage') IS NULL AS dropped;

-- Names of any kind.
BEGIN;
CREATE TABLE "we""ird; DROP TABLE items; --" ("a ""b"" ; DROP" integer PRIMARY KEY, "SELECT" text DEFAULT '%s',
    "emb %I" vector(2));
SELECT vector_stage_for('"we""ird; DROP TABLE items; --"', 'st"age; DROP TABLE items');
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = '"st""age; DROP TABLE items"'::regclass AND attnum > 0 ORDER BY attnum;
SELECT vector_stage_for('items', repeat('x', 63)::name);
SELECT vector_stage_for('items', 'Größe 😀');
ROLLBACK;

-- Partitioned and inherited tables.
BEGIN;
CREATE TABLE parted (id int, v vector(2), PRIMARY KEY (id)) PARTITION BY RANGE (id);
SELECT vector_stage_for('parted', 'stage');
CREATE TABLE child (extra int) INHERITS (items);
SELECT vector_stage_for('child', 'child_stage', '{id,extra}');
ROLLBACK;

-- A search_path in which nothing is found.
BEGIN;
SET LOCAL search_path = pg_temp;
SELECT public.vector_stage_for('public.items', 'stage', lenient => true);
ROLLBACK;

-- What cannot be: messages, then SQLSTATEs.
BEGIN;
SAVEPOINT here;
SELECT vector_stage_for('nothing');
ROLLBACK TO here;
SELECT vector_stage_for(0);
ROLLBACK TO here;
SELECT vector_stage_for(NULL);
ROLLBACK TO here;
SELECT vector_stage_for('items_pkey');
ROLLBACK TO here;
CREATE VIEW shown AS SELECT * FROM items;
SELECT vector_stage_for('shown');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{id,nothing}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{dropped}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{ctid}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{id,NULL}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{doubled}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage'), vector_stage_for('items', 'stage');
ROLLBACK TO here;
SET TRANSACTION READ ONLY;
SELECT vector_stage_for('items');
ROLLBACK;

BEGIN;
\set VERBOSITY sqlstate
SAVEPOINT here;
SELECT vector_stage_for('nothing');
ROLLBACK TO here;
SELECT vector_stage_for(0);
ROLLBACK TO here;
SELECT vector_stage_for(NULL);
ROLLBACK TO here;
SELECT vector_stage_for('items_pkey');
ROLLBACK TO here;
CREATE VIEW shown AS SELECT * FROM items;
SELECT vector_stage_for('shown');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{id,nothing}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{dropped}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{ctid}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{id,NULL}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{doubled}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage', '{}');
ROLLBACK TO here;
SELECT vector_stage_for('items', 'stage'), vector_stage_for('items', 'stage');
ROLLBACK TO here;
SET TRANSACTION READ ONLY;
SELECT vector_stage_for('items');
ROLLBACK;
\set VERBOSITY default

-- Who may not insert gets no stage; who may not see the table does.
CREATE ROLE regress_loader;
BEGIN;
SET LOCAL ROLE regress_loader;
SAVEPOINT here;
SELECT vector_stage_for('items', 'stage');
ROLLBACK TO here;
RESET ROLE;
GRANT INSERT (id, v) ON items TO regress_loader;
SET LOCAL ROLE regress_loader;
SELECT vector_stage_for('items', 'stage', '{id,v}');
ROLLBACK;

-- The table for rejects.
SELECT vector_rejects_table('rejects');
\d rejects
SELECT vector_rejects_table('rejects');
SELECT vector_rejects_table('"re""jects; DROP TABLE items"');
SELECT vector_rejects_table(NULL);
BEGIN;
CREATE TEMP TABLE hidden (id int);
SELECT vector_rejects_table('hidden');
ROLLBACK;
DROP TABLE rejects, "re""jects; DROP TABLE items";
DROP TABLE items;
DROP DOMAIN positive, embedding;
DROP ROLE regress_loader;
