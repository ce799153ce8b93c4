-- Rows that wait inside savepoints and blocks that catch errors: which of them come into the index.

LOAD 'vector_ext';
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;
-- How many index files rows wait for, and what memory they take.
CREATE FUNCTION pg_temp.n_queues() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'hnsw gathered rows'
$$;
CREATE FUNCTION pg_temp.n_kilobytes() RETURNS int LANGUAGE sql AS $$
    SELECT ceil(coalesce(sum(total_bytes), 0) / 1024) FROM pg_backend_memory_contexts
    WHERE name = 'hnsw gathered rows'
$$;
CREATE TABLE items (id int PRIMARY KEY, other int, v vector(8));
CREATE INDEX items_l2 ON items USING hnsw (v vector_l2_ops);
CREATE INDEX items_ip ON items USING hnsw (v vector_ip_ops);
CREATE FUNCTION pg_temp.found() RETURNS int[] LANGUAGE sql
    SET enable_seqscan = off SET enable_sort = off SET hnsw.ef_search = 1000
    SET hnsw.iterative_scan = relaxed_order AS $$
    SELECT array_agg(id ORDER BY id)
    FROM (SELECT id FROM items ORDER BY v <-> pg_temp.noise(0, 8) LIMIT 100000) s
$$;
-- What is wrong: with the indexes, or with what a search of the table finds. NULL if nothing is.
CREATE FUNCTION pg_temp.trouble() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(problem, '; ') FROM (
        SELECT problem FROM hnsw_check('items_l2', true)
        UNION ALL SELECT problem FROM hnsw_check('items_ip', true)
        UNION ALL SELECT 'found ' || pg_temp.found()::text
        WHERE pg_temp.found() IS DISTINCT FROM (SELECT array_agg(id ORDER BY id) FROM items WHERE v IS NOT NULL)
    ) s
$$;
CREATE PROCEDURE pg_temp.add(first int, last int) LANGUAGE sql AS $$
    INSERT INTO items SELECT i, i, pg_temp.noise(i, 8) FROM generate_series(first, last) i
$$;

-- Neither a savepoint nor its end brings rows in; a rollback takes its own away, and what was
-- released inside.
BEGIN;
CALL pg_temp.add(1, 10);
SAVEPOINT a;
SELECT pg_temp.n_queues();
CALL pg_temp.add(11, 20);
SAVEPOINT b;
CALL pg_temp.add(21, 30);
RELEASE b;
CALL pg_temp.add(31, 40);
SELECT pg_temp.n_queues();
ROLLBACK TO a;
SELECT pg_temp.n_queues();
CALL pg_temp.add(41, 50);
SAVEPOINT c;
CALL pg_temp.add(51, 60);
ROLLBACK TO c;
CALL pg_temp.add(61, 70);
SELECT pg_temp.n_queues();
COMMIT;
SELECT count(*), min(id), max(id), pg_temp.trouble() FROM items;

-- What waits only for rows of a savepoint goes with it, and is made anew.
BEGIN;
SAVEPOINT a;
CALL pg_temp.add(101, 110);
SELECT pg_temp.n_queues();
ROLLBACK TO a;
SELECT pg_temp.n_queues();
SAVEPOINT b;
CALL pg_temp.add(101, 110);
RELEASE b;
RELEASE a;
SELECT pg_temp.n_queues();
SAVEPOINT c;
CALL pg_temp.add(111, 120);
ROLLBACK TO c;
COMMIT;
SELECT count(*), max(id), pg_temp.trouble() FROM items;
BEGIN;
SAVEPOINT a;
CALL pg_temp.add(121, 130);
SAVEPOINT b;
CALL pg_temp.add(131, 140);
ROLLBACK;
SELECT count(*), max(id), pg_temp.trouble() FROM items;

-- A search, a look at the index, a parallel query or a command brings in all that waits, inside or
-- outside. What is rolled back then is found no more.
BEGIN;
CALL pg_temp.add(201, 210);
SAVEPOINT a;
CALL pg_temp.add(211, 280);
SELECT pg_temp.found() @> ARRAY[201, 210, 211, 280] AS finds_all, pg_temp.n_queues();
CALL pg_temp.add(281, 285);
ROLLBACK TO a;
SELECT pg_temp.n_queues();
SELECT pg_temp.found() @> ARRAY[201, 210] AND NOT pg_temp.found() && ARRAY[211, 280, 281] AS finds_outer;
CALL pg_temp.add(211, 220);
SAVEPOINT b;
CALL pg_temp.add(221, 230);
COMMENT ON TABLE items IS 'a command';
SELECT pg_temp.n_queues();
ROLLBACK TO b;
CALL pg_temp.add(221, 225);
COMMIT;
SELECT count(*), max(id), pg_temp.trouble() FROM items;

-- Blocks that catch errors, in loops and nested.
DO $$
DECLARE
    n_waiting int := 0;
BEGIN
    FOR i IN 0 .. 9 LOOP
        BEGIN
            INSERT INTO items SELECT 300 + 10 * i + j, i, pg_temp.noise(300 + 10 * i + j, 8)
            FROM generate_series(0, 7) j;
            BEGIN
                INSERT INTO items VALUES (308 + 10 * i, i, pg_temp.noise(i, 8));
                PERFORM 1 / (i % 3);
            EXCEPTION WHEN division_by_zero THEN
                INSERT INTO items VALUES (309 + 10 * i, i, pg_temp.noise(-i, 8));
            END;
            n_waiting := n_waiting + pg_temp.n_queues();
            PERFORM 1 / (i % 4);
        EXCEPTION WHEN division_by_zero THEN
            -- The row of a key that exists was on its way.
            BEGIN
                INSERT INTO items VALUES (700 + i, i, pg_temp.noise(i, 8)), (1, i, pg_temp.noise(i, 8));
            EXCEPTION WHEN unique_violation THEN
            END;
        END;
    END LOOP;
    RAISE NOTICE 'two queues each time: %', n_waiting = 20;
END $$;
SELECT count(*) FILTER (WHERE id % 10 < 8), array_agg(id) FILTER (WHERE id % 10 >= 8) AS others,
    pg_temp.trouble()
FROM (SELECT * FROM items WHERE id >= 300 ORDER BY id) s;

-- A procedure that catches errors and commits.
CREATE PROCEDURE pg_temp.add_in_steps() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 0 .. 3 LOOP
        BEGIN
            CALL pg_temp.add(800 + 10 * i, 809 + 10 * i);
            PERFORM 1 / (i % 2);
        EXCEPTION WHEN division_by_zero THEN
        END;
        COMMIT;
    END LOOP;
END $$;
CALL pg_temp.add_in_steps();
SELECT array_agg(id) FILTER (WHERE id % 10 = 0), pg_temp.trouble()
FROM (SELECT * FROM items WHERE id >= 800 ORDER BY id) s;

-- A queue that is full inside of a savepoint brings in the outer rows, too, for good.
BEGIN;
SET LOCAL vector_ext.insert_batch = '64kB';
CALL pg_temp.add(1001, 1050);
SAVEPOINT a;
CALL pg_temp.add(2001, 3200);
ROLLBACK TO a;
CALL pg_temp.add(1051, 1100);
SAVEPOINT b;
CALL pg_temp.add(1101, 2000);
SAVEPOINT c;
CALL pg_temp.add(2001, 2700);
RELEASE c;
COMMIT;
SELECT count(*), max(id), pg_temp.trouble() FROM items WHERE id > 1000;
VACUUM items;
SELECT pg_temp.trouble();
DELETE FROM items WHERE id > 1000;
VACUUM items;

-- What was rolled back gives its room to what comes next.
BEGIN;
CALL pg_temp.add(1001, 1100);
SELECT pg_temp.n_kilobytes() AS kb \gset
DO $$
BEGIN
    FOR i IN 1 .. 300 LOOP
        BEGIN
            INSERT INTO items SELECT 3000 + j, j, pg_temp.noise(j, 8) FROM generate_series(1, 10) j
            ON CONFLICT DO NOTHING;
            RAISE division_by_zero;
        EXCEPTION WHEN division_by_zero THEN
        END;
    END LOOP;
END $$;
SELECT pg_temp.n_kilobytes() <= :kb + 64 AS within;
COMMIT;
SELECT count(*), pg_temp.trouble() FROM items WHERE id > 1000;

-- Changes of rows that wait, undone or not.
BEGIN;
CALL pg_temp.add(1201, 1230);
SAVEPOINT a;
UPDATE items SET v = pg_temp.noise(id + 5000, 8) WHERE id BETWEEN 1201 AND 1210;
UPDATE items SET other = -other WHERE id BETWEEN 1211 AND 1215;
DELETE FROM items WHERE id BETWEEN 1216 AND 1220;
SAVEPOINT b;
UPDATE items SET v = pg_temp.noise(id + 6000, 8) WHERE id BETWEEN 1201 AND 1205;
ROLLBACK TO b;
UPDATE items SET v = NULL WHERE id = 1221;
SAVEPOINT c;
UPDATE items SET v = pg_temp.noise(id + 7000, 8) WHERE id BETWEEN 1221 AND 1230;
RELEASE c;
COMMIT;
SELECT count(*), count(*) FILTER (WHERE v = pg_temp.noise(id + 5000, 8)) AS changed,
    count(*) FILTER (WHERE v = pg_temp.noise(id + 7000, 8)) AS later, pg_temp.trouble()
FROM items WHERE id > 1200;
BEGIN;
CALL pg_temp.add(1301, 1310);
SAVEPOINT a;
UPDATE items SET v = pg_temp.noise(id + 5000, 8) WHERE id > 1300;
ROLLBACK TO a;
DELETE FROM items WHERE id = 1301;
SAVEPOINT b;
DELETE FROM items WHERE id = 1302;
ROLLBACK TO b;
COMMIT;
SELECT count(*), count(*) FILTER (WHERE v = pg_temp.noise(id, 8)) AS same, pg_temp.trouble()
FROM items WHERE id > 1300;

-- ON CONFLICT: its rows are the savepoint's.
BEGIN;
CALL pg_temp.add(1401, 1410);
SAVEPOINT a;
INSERT INTO items SELECT i, 0, pg_temp.noise(i, 8) FROM generate_series(1406, 1420) i ON CONFLICT DO NOTHING;
SAVEPOINT b;
INSERT INTO items SELECT i, 0, pg_temp.noise(-i, 8) FROM generate_series(1416, 1430) i
ON CONFLICT (id) DO UPDATE SET v = excluded.v;
RELEASE b;
SELECT pg_temp.n_queues();
SAVEPOINT c;
INSERT INTO items SELECT i, 0, pg_temp.noise(i, 8) FROM generate_series(1431, 1440) i ON CONFLICT DO NOTHING;
ROLLBACK TO c;
INSERT INTO items SELECT i, 1, pg_temp.noise(i, 8) FROM generate_series(1431, 1433) i ON CONFLICT DO NOTHING;
COMMIT;
SELECT count(*), count(*) FILTER (WHERE v = pg_temp.noise(-id, 8)) AS changed, pg_temp.trouble()
FROM items WHERE id > 1400;

-- The index is built anew, emptied, moved or dropped in a savepoint, which is rolled back or not.
BEGIN;
CALL pg_temp.add(1501, 1510);
SAVEPOINT a;
REINDEX INDEX items_l2;
CALL pg_temp.add(1511, 1520);
ROLLBACK TO a;
CALL pg_temp.add(1521, 1530);
SAVEPOINT b;
TRUNCATE items;
CALL pg_temp.add(1, 30);
SELECT array_length(pg_temp.found(), 1);
CALL pg_temp.add(31, 40);
ROLLBACK TO b;
CALL pg_temp.add(1531, 1540);
SAVEPOINT c;
DROP INDEX items_ip;
CALL pg_temp.add(1541, 1550);
ROLLBACK TO c;
CALL pg_temp.add(1551, 1560);
SAVEPOINT d;
CREATE INDEX items_other ON items USING hnsw (v vector_l1_ops);
CALL pg_temp.add(1561, 1570);
SELECT pg_temp.n_queues();
ROLLBACK TO d;
SELECT pg_temp.n_queues();
CALL pg_temp.add(1571, 1580);
SAVEPOINT e;
REINDEX INDEX items_ip;
CALL pg_temp.add(1581, 1590);
RELEASE e;
COMMIT;
SELECT count(*), pg_temp.trouble() FROM items WHERE id > 1500;

-- An event trigger writes rows between what a command brings in and its own work.
CREATE FUNCTION pg_temp.add_in_trigger() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        CALL pg_temp.add(1601, 1610);
    EXCEPTION WHEN unique_violation THEN
    END;
END $$;
CREATE EVENT TRIGGER add_in_trigger ON ddl_command_start WHEN TAG IN ('ALTER TABLE', 'ALTER INDEX', 'DROP INDEX')
    EXECUTE FUNCTION pg_temp.add_in_trigger();
BEGIN;
CALL pg_temp.add(1611, 1620);
SAVEPOINT a;
ALTER TABLE items ALTER other TYPE bigint;
SELECT pg_temp.n_queues();
CALL pg_temp.add(1621, 1630);
ROLLBACK TO a;
CALL pg_temp.add(1631, 1640);
SAVEPOINT b;
DROP INDEX items_ip;
SELECT pg_temp.n_queues();
ROLLBACK TO b;
ALTER INDEX items_l2 SET (ef_construction = 50);
SAVEPOINT c;
COMMIT;
DROP EVENT TRIGGER add_in_trigger;
SELECT count(*), pg_temp.trouble() FROM items WHERE id > 1600;

-- A cursor from before a savepoint goes on in it, and begins scans anew there.
SET enable_seqscan = off;
SET enable_sort = off;
BEGIN;
CALL pg_temp.add(1701, 1710);
DECLARE near CURSOR FOR
    SELECT i, (SELECT id FROM items ORDER BY v <-> pg_temp.noise(i, 8) LIMIT 1)
    FROM generate_series(1707, 1710) i;
CALL pg_temp.add(1711, 1712);
FETCH 1 FROM near;
SAVEPOINT a;
CALL pg_temp.add(1713, 1720);
FETCH 1 FROM near;
SELECT pg_temp.n_queues();
ROLLBACK TO a;
FETCH 1 FROM near;
CALL pg_temp.add(1721, 1730);
COMMIT;
RESET enable_seqscan;
RESET enable_sort;
SELECT count(*), pg_temp.trouble() FROM items WHERE id > 1700;

-- An error while a row is taken is the savepoint's.
BEGIN;
CALL pg_temp.add(1801, 1810);
SAVEPOINT a;
CALL pg_temp.add(1811, 1820);
INSERT INTO items VALUES (1821, 0, array_fill(3e38, ARRAY[8])::vector);
ROLLBACK TO a;
INSERT INTO items VALUES (1821, 0, pg_temp.noise(1821, 8));
COMMIT;
SELECT count(*), pg_temp.trouble() FROM items WHERE id > 1800;

-- A client that sets a savepoint around each statement.
\set ON_ERROR_ROLLBACK on
BEGIN;
CALL pg_temp.add(1901, 1903);
INSERT INTO items VALUES (1904, 0, pg_temp.noise(1904, 8)), (1901, 0, pg_temp.noise(1, 8));
CALL pg_temp.add(1904, 1905);
SELECT pg_temp.n_queues();
COMMIT;
\unset ON_ERROR_ROLLBACK
SELECT count(*), pg_temp.trouble() FROM items WHERE id > 1900;
VACUUM items;
SELECT pg_temp.trouble();
DROP TABLE items;
