-- Access method ivfflat: statements written for inverted lists make and search a graph.

SELECT amname, amhandler, amtype FROM pg_am WHERE amname = 'ivfflat';
SELECT opcname, opcintype::regtype, opcdefault, opckeytype
FROM pg_opclass WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'ivfflat') ORDER BY opcname;
SELECT opfname, amprocnum AS number, amproc::regprocedure AS function
FROM pg_amproc JOIN pg_opfamily f ON f.oid = amprocfamily
WHERE opfmethod = (SELECT oid FROM pg_am WHERE amname = 'ivfflat') ORDER BY 1, 2;
SELECT opcname, amvalidate(oid)
FROM pg_opclass WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'ivfflat') ORDER BY opcname;

-- An index by the default operator class, and one of each other.
CREATE TABLE items (id int PRIMARY KEY, v vector(3), h halfvec(3), b bit(12));
INSERT INTO items
SELECT i, ARRAY[i % 10, i / 10, 1]::vector, ARRAY[i % 10, i / 10, 1]::vector, (i * 37 % 4096)::bit(12)
FROM generate_series(1, 100) i;
CREATE INDEX items_v ON items USING ivfflat (v) WITH (lists = 4);
CREATE INDEX items_ip ON items USING ivfflat (v vector_ip_ops);
CREATE INDEX items_cosine ON items USING ivfflat (v vector_cosine_ops);
CREATE INDEX items_h ON items USING ivfflat (h halfvec_l2_ops);
CREATE INDEX items_h_ip ON items USING ivfflat (h halfvec_ip_ops);
CREATE INDEX items_h_cosine ON items USING ivfflat (h halfvec_cosine_ops);
CREATE INDEX items_b ON items USING ivfflat (b bit_hamming_ops);
\d items
SELECT c.relname, i.metric, i.nodes
FROM pg_class c, hnsw_info(c.oid) i WHERE relname LIKE 'items\__%' AND relkind = 'i' AND relname <> 'items_pkey'
ORDER BY 1;
SELECT relname, f.* FROM pg_class c, hnsw_check(c.oid, true) f
WHERE relam = (SELECT oid FROM pg_am WHERE amname = 'ivfflat');
SELECT recall > 0.9 AS found FROM hnsw_recall('items_v', 5, '{40}', 10);
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT id FROM items ORDER BY v <-> '[3.2,4.1,1]' LIMIT 3;
SELECT id FROM items ORDER BY v <-> '[3.2,4.1,1]' LIMIT 3;
SELECT id FROM items ORDER BY v <#> '[0.1,1,0]', id LIMIT 1;
SELECT id FROM items ORDER BY h <-> '[3.2,4.1,1]' LIMIT 1;
SELECT id FROM items ORDER BY b <~> (5 * 37)::bit(12) LIMIT 1;

-- It follows its table.
DELETE FROM items WHERE id = 43;
INSERT INTO items (id, v) VALUES (1000, '[3,4,1.5]');
VACUUM items;
SELECT id FROM items ORDER BY v <-> '[3.2,4.1,1]' LIMIT 2;
REINDEX INDEX items_v;
ALTER INDEX items_v SET (lists = 200);
TRUNCATE items;
SELECT id FROM items ORDER BY v <-> '[3.2,4.1,1]' LIMIT 2;
INSERT INTO items (id, v) VALUES (1, '[3,4,1]');
SELECT id FROM items ORDER BY v <-> '[3.2,4.1,1]' LIMIT 2;

-- Options and settings have pgvector's names and ranges.
CREATE INDEX ON items USING ivfflat (v) WITH (lists = 0);
CREATE INDEX ON items USING ivfflat (v) WITH (lists = 32769);
CREATE INDEX ON items USING ivfflat (v) WITH (m = 16);
CREATE INDEX ON items USING ivfflat (v vector_l1_ops);
CREATE INDEX ON items USING hnsw (v vector_l2_ops) WITH (lists = 10);
SHOW ivfflat.probes;
SET ivfflat.probes = 0;
SET ivfflat.probes = 32769;
SHOW ivfflat.iterative_scan;
SET ivfflat.iterative_scan = on;
SET ivfflat.iterative_scan = strict_order;
SET ivfflat.iterative_scan = relaxed_order;
SHOW ivfflat.max_probes;
SET ivfflat.max_probes = 0;
SET ivfflat.lists = 1;

-- A scan goes on, as there are more rows in a list than candidates; to the share of the lists.
INSERT INTO items (id, v) SELECT i, ARRAY[i, 0, 0]::vector FROM generate_series(2, 2001) i;
SET ivfflat.iterative_scan = off;
SET hnsw.max_scan_tuples = 10;
SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> '[3,4,1]' LIMIT 1500) s;
SELECT count(*) FROM (SELECT id FROM items WHERE id % 100 = 0 ORDER BY v <-> '[3,4,1]' LIMIT 20) s;
SET ivfflat.max_probes = 1;
SELECT count(*) BETWEEN 40 AND 500 AS ended FROM (SELECT id FROM items ORDER BY v <-> '[3,4,1]' LIMIT 1500) s;
SET ivfflat.probes = 5;
SELECT count(*) BETWEEN 200 AND 1000 AS ended FROM (SELECT id FROM items ORDER BY v <-> '[3,4,1]' LIMIT 1500) s;
DROP TABLE items;
