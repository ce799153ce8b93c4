-- Rows that wait for an index while its transaction makes, empties, rebuilds, moves or drops it.

CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;
CREATE FUNCTION pg_temp.n_queues() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'hnsw gathered rows'
$$;
CREATE PROCEDURE pg_temp.add(first int, last int) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO items SELECT i, pg_temp.noise(i, 8) FROM generate_series(first, last) i;
END $$;
-- What is wrong with the index, by itself and as one that should find nearly all neighbours; and how
-- many rows a search finds beside those of the table.
CREATE FUNCTION pg_temp.look(OUT n_problems bigint, OUT n_found bigint, OUT n_rows bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_sort = off SET hnsw.ef_search = 1000 AS $$
BEGIN
    SELECT count(*) INTO n_problems FROM hnsw_check('items_v', true);
    SELECT n_problems + count(*) INTO n_problems
    FROM hnsw_recall('items_v', 10, '{100}', 100) WHERE recall < 0.99;
    SELECT count(*) INTO n_found FROM
        (SELECT id FROM items ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 100000) s;
    SELECT count(v) INTO n_rows FROM items;
END $$;

-- Made, filled, emptied and filled again by COPY in one transaction; then emptied in place.
BEGIN;
CREATE TABLE items (id int, v vector(8));
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
COPY items FROM stdin;
1	[1,1,1,1,1,1,1,1]
2	[2,1,1,1,1,1,1,1]
3	[3,1,1,1,1,1,1,1]
\.
SELECT pg_temp.n_queues();
TRUNCATE items;
COPY items FROM stdin (FREEZE);
4	[4,1,1,1,1,1,1,1]
5	[5,1,1,1,1,1,1,1]
\.
SELECT pg_temp.n_queues();
COMMIT;
SELECT * FROM pg_temp.look();
BEGIN;
TRUNCATE items;
CALL pg_temp.add(1, 20);
TRUNCATE items;
CALL pg_temp.add(11, 30);
SELECT * FROM pg_temp.look();
COMMIT;
SELECT * FROM pg_temp.look();

-- Built anew: by REINDEX, CLUSTER, a rewrite of the table.
BEGIN;
CALL pg_temp.add(31, 40);
REINDEX INDEX items_v;
CALL pg_temp.add(41, 50);
SELECT * FROM pg_temp.look();
COMMIT;
SELECT * FROM pg_temp.look();
CREATE INDEX items_id ON items (id);
BEGIN;
CALL pg_temp.add(51, 60);
CLUSTER items USING items_id;
CALL pg_temp.add(61, 70);
COMMIT;
SELECT * FROM pg_temp.look();
BEGIN;
CALL pg_temp.add(71, 80);
ALTER TABLE items ALTER id TYPE bigint;
CALL pg_temp.add(81, 90);
COMMIT;
SELECT * FROM pg_temp.look();
BEGIN;
CALL pg_temp.add(91, 95);
ALTER TABLE items SET UNLOGGED;
CALL pg_temp.add(96, 100);
COMMIT;
SELECT * FROM pg_temp.look();

-- The same, rolled back to a savepoint before it, or behind it.
BEGIN;
CALL pg_temp.add(101, 110);
SAVEPOINT here;
REINDEX INDEX items_v;
CALL pg_temp.add(111, 120);
ROLLBACK TO here;
CALL pg_temp.add(121, 130);
SAVEPOINT there;
TRUNCATE items;
CALL pg_temp.add(131, 140);
ROLLBACK TO there;
CALL pg_temp.add(141, 150);
COMMIT;
SELECT * FROM pg_temp.look();

-- Dropped, alone or with its table; made again under its name.
BEGIN;
CALL pg_temp.add(151, 160);
DROP INDEX items_v;
CALL pg_temp.add(161, 170);
SELECT pg_temp.n_queues();
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
CALL pg_temp.add(171, 180);
COMMIT;
SELECT * FROM pg_temp.look();
BEGIN;
CALL pg_temp.add(181, 190);
DROP TABLE items;
COMMIT;

-- Temporary tables: emptied or dropped at commit.
CREATE TEMPORARY TABLE items (id int, v vector(8)) ON COMMIT DELETE ROWS;
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
BEGIN;
CALL pg_temp.add(1, 20);
SELECT pg_temp.n_queues();
COMMIT;
SELECT * FROM pg_temp.look();
BEGIN;
CALL pg_temp.add(1, 20);
SELECT * FROM pg_temp.look();
CALL pg_temp.add(21, 25);
COMMIT;
SELECT * FROM pg_temp.look();
DROP TABLE items;
BEGIN;
CREATE TEMPORARY TABLE items (id int, v vector(8)) ON COMMIT DROP;
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
CALL pg_temp.add(1, 20);
COMMIT;

-- Deferred triggers insert at commit; procedures commit.
CREATE TABLE items (id int, v vector(8));
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
CREATE FUNCTION pg_temp.add_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO items VALUES (-NEW.id, NEW.v);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER add_another AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION pg_temp.add_another();
CALL pg_temp.add(1, 10);
SELECT * FROM pg_temp.look();
BEGIN;
CALL pg_temp.add(11, 20);
SET CONSTRAINTS ALL IMMEDIATE;
COMMIT;
SELECT * FROM pg_temp.look();
CREATE PROCEDURE pg_temp.add_in_steps() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 3 .. 7 LOOP
        CALL pg_temp.add(10 * i, 10 * i + 9);
        IF i % 2 = 0 THEN
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
    END LOOP;
    CALL pg_temp.add(100, 109);
END $$;
CALL pg_temp.add_in_steps();
SELECT * FROM pg_temp.look();

-- Cursors and own searches between inserts, also by the insert itself.
BEGIN;
DECLARE all_rows CURSOR FOR SELECT id FROM items ORDER BY v <-> '[0,0,0,0,0,0,0,0]';
CALL pg_temp.add(201, 210);
MOVE 5 FROM all_rows;
CALL pg_temp.add(211, 220);
SELECT n_found = n_rows AS finds_all FROM pg_temp.look();
CALL pg_temp.add(221, 230);
COMMIT;
SET enable_seqscan = off;
SET enable_sort = off;
INSERT INTO items SELECT n_rows + 1000, pg_temp.noise(n_rows, 8) FROM pg_temp.look(), generate_series(1, 5);
BEGIN;
INSERT INTO items SELECT 2000 + i, (SELECT v + v FROM items ORDER BY v <-> pg_temp.noise(i, 8) LIMIT 1)
FROM generate_series(1, 20) i;
COMMIT;
RESET enable_seqscan;
RESET enable_sort;
SELECT * FROM pg_temp.look();
DROP TABLE items;

-- A materialized view that is refreshed by rows, partitions, indexes of expressions and of parts.
CREATE TABLE source AS SELECT i AS id, pg_temp.noise(i, 8)::vector(8) AS v FROM generate_series(1, 50) i;
CREATE MATERIALIZED VIEW items AS SELECT * FROM source;
CREATE UNIQUE INDEX ON items (id);
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
BEGIN;
INSERT INTO source SELECT i, pg_temp.noise(i, 8) FROM generate_series(51, 60) i;
DELETE FROM source WHERE id <= 10;
REFRESH MATERIALIZED VIEW CONCURRENTLY items;
COMMIT;
SELECT * FROM pg_temp.look();
REFRESH MATERIALIZED VIEW items;
SELECT * FROM pg_temp.look();
DROP MATERIALIZED VIEW items;
DROP TABLE source;
CREATE TABLE items (id int, v vector(8)) PARTITION BY RANGE (id);
CREATE TABLE items_low PARTITION OF items FOR VALUES FROM (0) TO (50);
CREATE TABLE items_high PARTITION OF items FOR VALUES FROM (50) TO (1000);
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
CREATE INDEX items_part ON items USING hnsw ((subvector(v, 1, 3)::vector(3)) vector_l2_ops)
    WHERE id % 2 = 0;
BEGIN;
CALL pg_temp.add(1, 80);
SELECT pg_temp.n_queues();
UPDATE items SET id = id + 50 WHERE id BETWEEN 31 AND 40;
COMMIT;
SELECT relid, problem, nodes FROM pg_partition_tree('items_v') t
    CROSS JOIN LATERAL hnsw_info(relid) LEFT JOIN LATERAL hnsw_check(relid, true) ON true
WHERE isleaf ORDER BY 1;
SELECT relid, problem, nodes FROM pg_partition_tree('items_part') t
    CROSS JOIN LATERAL hnsw_info(relid) LEFT JOIN LATERAL hnsw_check(relid, true) ON true
WHERE isleaf ORDER BY 1;
DROP TABLE items;
