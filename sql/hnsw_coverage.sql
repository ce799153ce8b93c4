-- hnsw_coverage: which rows of its table an index holds, which it leaves out, and what is dead in it.

-- Who deleted a row is known to be gone once its commit is on disk.
SET synchronous_commit = on;

CREATE TABLE items (id int, category int, v vector(3)) WITH (autovacuum_enabled = off);
CREATE INDEX items_l2 ON items USING hnsw (v vector_l2_ops);
CREATE INDEX items_cosine ON items USING hnsw (v vector_cosine_ops);
CREATE INDEX items_some ON items USING hnsw (v vector_cosine_ops) WHERE category < 3;
SELECT i AS index, c.* FROM unnest('{items_l2,items_cosine,items_some}'::regclass[]) i, hnsw_coverage(i) c;
INSERT INTO items SELECT i, i % 10, ARRAY[i % 50, i % 7, 1] FROM generate_series(1, 1000) i;
INSERT INTO items SELECT i, i % 10, NULL FROM generate_series(1001, 1030) i;
INSERT INTO items SELECT i, i % 10, '[0,0,0]' FROM generate_series(1031, 1050) i;
SELECT i AS index, c.* FROM unnest('{items_l2,items_cosine,items_some}'::regclass[]) i, hnsw_coverage(i) c;
-- Deleted rows and old versions stay until VACUUM; rows of a HOT update are their first version's.
DELETE FROM items WHERE id <= 100;
UPDATE items SET v = '[1,2,3]' WHERE id BETWEEN 101 AND 150;
BEGIN;
INSERT INTO items SELECT i, 1, '[1,1,1]' FROM generate_series(2001, 2010) i;
SELECT i AS index, c.* FROM unnest('{items_l2,items_cosine,items_some}'::regclass[]) i, hnsw_coverage(i) c;
ROLLBACK;
SELECT i AS index, c.* FROM unnest('{items_l2,items_cosine,items_some}'::regclass[]) i, hnsw_coverage(i) c;
VACUUM items;
SELECT i AS index, c.* FROM unnest('{items_l2,items_cosine,items_some}'::regclass[]) i, hnsw_coverage(i) c;
CREATE INDEX items_lists ON items USING ivfflat (v vector_l2_ops) WITH (lists = 1);
SELECT indexed, nulls FROM hnsw_coverage('items_lists');
SELECT * FROM hnsw_coverage(NULL);
SELECT * FROM hnsw_coverage('items');
CREATE TABLE parted (id int, v vector(3)) PARTITION BY HASH (id);
CREATE INDEX parted_v ON parted USING hnsw (v vector_l2_ops);
SELECT * FROM hnsw_coverage('parted_v');
CREATE ROLE regress_hnsw_covered;
SET ROLE regress_hnsw_covered;
SELECT * FROM hnsw_coverage('items_l2');
RESET ROLE;
DROP ROLE regress_hnsw_covered;
DROP TABLE items, parted;
