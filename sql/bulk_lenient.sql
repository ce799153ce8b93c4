-- A lenient stage takes any field, and what is no value becomes a reject.
\set VERBOSITY default
\set SHOW_CONTEXT errors

CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE items (
    id int PRIMARY KEY, v vector(3) NOT NULL, seen date, meta jsonb, code varchar(5), tags text[],
    price numeric(6,2), feeling mood, n positive, relation regclass, short varchar(2)[],
    made timestamptz DEFAULT '2024-01-01 00:00+00', flag bit(3));
SELECT vector_rejects_table('refused');
-- Once more it is found, under any name.
SELECT vector_rejects_table('refused') = vector_rejects_table('public.refused') AS same,
       vector_rejects_table('pg_temp.refused') = 'public.refused'::regclass AS other;
SELECT vector_rejects_table('"Odd.name"'), vector_rejects_table('Upper');
SELECT vector_rejects_table('items');
\echo :LAST_ERROR_SQLSTATE
SELECT vector_rejects_table('nowhere.refused');
SELECT vector_rejects_table('a.b.c');
SELECT vector_rejects_table('not a name');
SET search_path = '';
SELECT public.vector_rejects_table('rejects');
RESET search_path;

BEGIN;
SELECT vector_stage_for('items', 'stage', '{id,v,seen,meta,code,tags,price,feeling,n,relation,short,made,flag}', true);
COPY stage (id, v, seen, meta, code, tags, price, feeling, n, relation, short, flag) FROM stdin
    WITH (FORMAT csv, HEADER, NULL '-');
id,v,seen,meta,code,tags,price,feeling,n,relation,short,flag
1,"[1,2,3]",2024-02-29,"{""a"": 1}",abc,"{a,b}",1.239,good,1,items,"{ab}",101
abc,"[1,2,3]",2024-02-29,{},abc,{},1,good,1,items,{},101
3,"[1,2,
x]",-,-,-,-,-,-,-,-,-,-
4,"[1, 2,
3]",-,-,-,-,-,-,-,-,-,-
5,"[1,2,3]",2024-02-30,-,-,-,-,-,-,-,-,-
6,"[1,2,3]",-,{broken,-,-,-,-,-,-,-,-
7,"[1,2,3]",-,-,toolong,-,-,-,-,-,-,-
8,"[1,2,3]",-,-,-,"{a",-,-,-,-,-,-
9,"[1,2,3]",-,-,-,-,99999.9,-,-,-,-,-
10,"[1,2,3]",-,-,-,-,-,fine,-,-,-,-
11,"[1,2,3]",-,-,-,-,-,-,-1,-,-,-
12,"[1,2,3]",-,-,-,-,-,-,-,nothing,-,-
13,"[1,2,3]",-,-,-,-,-,-,-,-,"{abc}",-
14,"[1,2,3]",-,-,-,-,-,-,-,-,-,1011
15,-,-,-,-,-,-,-,-,-,-,-
,"[1,2,3]",-,-,-,-,-,-,-,-,-,-
17,"[1,2]",-,-,-,-,-,-,-,-,-,-
18,"[7,8,9]",-,-,"abcd    ",-,-,-,-,-,-,-
\.
SELECT inserted, updated, unchanged, skipped, rejected
FROM vector_bulk_upsert('items', 'stage', 'update', reject_into => 'refused');
SELECT pg_current_xact_id() AS load_id \gset
COMMIT;
SELECT id, v, seen, meta, code, tags, price, feeling, n, relation, short, flag FROM items ORDER BY id;
SELECT source_row, line, key, sqlstate, message FROM refused ORDER BY source_row;
SELECT source, load_id = :'load_id' AS is_of_load, count(*), bool_and(loaded_at <= now()) AS has_time
FROM refused GROUP BY 1, 2;
SELECT raw FROM refused WHERE source_row = 3;
-- Which is to say all of the file but its header: 18 rows.
SELECT (SELECT count(*) FROM items) + (SELECT count(*) FROM refused) AS n;

-- Without a table for rejects the first bad row ends the load.
BEGIN;
SELECT vector_stage_for('items', 'stage', '{id,v,seen}', true);
INSERT INTO stage VALUES ('1', '[1,2,3]', '2024-01-01'), ('2', '[1,2,3]', 'soon'), ('x', '[1,2,3]', NULL);
SELECT inserted FROM vector_bulk_upsert('items', 'stage', 'update');
ROLLBACK;

-- Rows are gathered, though fields are texts: nothing is left for writing to find out.
BEGIN;
CREATE TABLE many (id int PRIMARY KEY, v vector(3), name varchar(9), at date);
CREATE INDEX many_v ON many USING hnsw (v vector_l2_ops);
SELECT vector_stage_for('many', 'stage', lenient => true);
INSERT INTO stage SELECT i, format('[%s,1,2]', i), i, '2024-01-01' FROM generate_series(1, 300) i;
SELECT inserted, rejected FROM vector_bulk_upsert('many', 'stage', reject_into => 'refused');
SELECT count(*) FROM many WHERE xmin::text <> pg_current_xact_id()::text;
ROLLBACK;

-- Lines are known to COPY of text alone, and a table for rejects may lack what newer ones have.
CREATE TABLE plain (source_row bigint, key text, sqlstate text, message text, raw text);
BEGIN;
SELECT vector_stage_for('items', 'stage', '{id,v}', true);
COPY stage FROM stdin;
bad	[1,2,3]
\.
INSERT INTO stage VALUES ('worse', '[1,2,3]');
SELECT rejected FROM vector_bulk_upsert('items', 'stage', 'update', reject_into => 'plain');
TRUNCATE refused;
SELECT rejected FROM vector_bulk_upsert('items', 'stage', 'update', reject_into => 'refused');
COMMIT;
SELECT * FROM plain;
SELECT source_row, line, raw FROM refused;
-- A table may have a column of that name.
CREATE TABLE lined (id int PRIMARY KEY, vector_stage_line text);
BEGIN;
SELECT vector_stage_for('lined', 'stage', lenient => true);
COPY stage FROM stdin;
1	mine
\.
SELECT inserted FROM vector_bulk_upsert('lined', 'stage');
SELECT * FROM lined;
ROLLBACK;

-- Errors do not show how rows are written.
CREATE TABLE told (id int PRIMARY KEY, other int UNIQUE, n int CHECK (n > 0));
CREATE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.n = 7 THEN RAISE EXCEPTION 'no sevens'; END IF; RETURN NEW; END $$;
CREATE TABLE told_in AS SELECT i AS id, i % 3 AS other, i AS n FROM generate_series(1, 9) i;
SELECT inserted FROM vector_bulk_upsert('told', 'told_in');
CREATE TRIGGER complain BEFORE INSERT ON told FOR EACH ROW EXECUTE FUNCTION complain();
ALTER TABLE told DROP CONSTRAINT told_other_key;
SELECT inserted FROM vector_bulk_upsert('told', 'told_in', 'update');

-- Rows that refer to others of the same load, whichever comes first.
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, n int);
CREATE TABLE tree_in AS SELECT i AS id, nullif((i + 1) % 3001, 0) AS parent, 0 AS n FROM generate_series(1, 3000) i;
UPDATE tree_in SET parent = NULL WHERE id = 3000;
BEGIN;
SELECT inserted FROM vector_bulk_upsert('tree', 'tree_in', 'update');
ROLLBACK;
TRUNCATE refused;
INSERT INTO tree_in VALUES (4000, 4001, 0), (4002, 4000, 0), (4003, 3000, 0);
SELECT inserted, rejected FROM vector_bulk_upsert('tree', 'tree_in', 'update', reject_into => 'refused');
SELECT source_row, key, sqlstate, message FROM refused ORDER BY 1;
SELECT inserted FROM vector_bulk_upsert('tree', 'tree_in', 'update');

-- A column of that name with something else in it is one like others.
CREATE TEMP TABLE unlined (id int, vector_stage_line text GENERATED ALWAYS AS ('x') STORED);
SELECT inserted FROM vector_bulk_upsert('tree', 'unlined', reject_into => 'refused');

DROP TABLE unlined, items, refused, "Odd.name", upper, plain, lined, told, told_in, tree, tree_in;
DROP FUNCTION complain;
DROP TYPE mood;
DROP DOMAIN positive;
