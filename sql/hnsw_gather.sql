-- Rows of a transaction that wait in memory: when they come into the index, and what becomes of them
-- until then.

SET jit = off;
LOAD 'vector_ext';
SHOW vector_ext.insert_batch;

CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;
-- How many index files rows wait for.
CREATE FUNCTION pg_temp.n_queues() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'hnsw gathered rows'
$$;
CREATE TABLE items (id int PRIMARY KEY, other int, v vector(8));
CREATE INDEX items_other ON items (other);
CREATE INDEX items_l2 ON items USING hnsw (v vector_l2_ops);
CREATE INDEX items_ip ON items USING hnsw (v vector_ip_ops);
CREATE FUNCTION pg_temp.n_found() RETURNS bigint LANGUAGE sql
    SET enable_seqscan = off SET enable_sort = off SET hnsw.ef_search = 1000
    SET hnsw.iterative_scan = relaxed_order AS $$
    SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> pg_temp.noise(0, 8) LIMIT 100000) s
$$;
-- Whether both indexes are sound, have all rows of the table, and those only, and find neighbours as
-- well as new ones would: nearly all.
CREATE FUNCTION pg_temp.is_sound() RETURNS boolean LANGUAGE sql AS $$
    SELECT NOT EXISTS (SELECT FROM hnsw_check('items_l2', true))
       AND NOT EXISTS (SELECT FROM hnsw_check('items_ip', true))
       AND pg_temp.n_found() = (SELECT count(v) FROM items)
       AND NOT EXISTS (SELECT FROM unnest('{items_l2, items_ip}'::regclass[]) name,
                           hnsw_recall(name, 10, '{100}', 100) WHERE recall < 0.99)
$$;
CREATE PROCEDURE pg_temp.add(first int, last int) LANGUAGE sql AS $$
    INSERT INTO items SELECT i, i, pg_temp.noise(i, 8) FROM generate_series(first, last) i
$$;

-- A scan flushes its index alone, a look at an index too.
BEGIN;
CALL pg_temp.add(1, 100);
SELECT pg_temp.n_queues();
SELECT count(*) FROM items;
SELECT pg_temp.n_queues();
SELECT pg_temp.n_found(), pg_temp.n_queues();
SELECT nodes FROM hnsw_info('items_ip');
SELECT pg_temp.n_queues();
CALL pg_temp.add(101, 110);
SELECT * FROM hnsw_check('items_l2');
SELECT * FROM hnsw_check('items_ip');
SELECT pg_temp.n_queues();
COMMIT;
SELECT pg_temp.is_sound();

-- Statements gather on, one by one; what runs other statements or touches no table does not flush.
BEGIN;
PREPARE add_one AS INSERT INTO items VALUES ($1, $1, pg_temp.noise($1::int, 8));
PREPARE pick AS SELECT id FROM items WHERE id = 1;
EXECUTE add_one(201);
DO $$ BEGIN
    EXECUTE 'EXPLAIN ANALYZE INSERT INTO items VALUES (202, 202, pg_temp.noise(202, 8))';
END $$;
EXECUTE pick;
DEALLOCATE add_one;
SET LOCAL work_mem = '5MB';
SHOW work_mem;
DECLARE others CURSOR FOR SELECT id FROM items WHERE id < 3 ORDER BY id;
FETCH 1 FROM others;
CLOSE others;
SELECT pg_temp.n_queues();
COMMENT ON TABLE items IS 'any other command';
SELECT pg_temp.n_queues();
COMMIT;
SELECT pg_temp.is_sound();

-- Subtransactions: they bring nothing in.
BEGIN;
CALL pg_temp.add(301, 310);
SAVEPOINT here;
SELECT pg_temp.n_queues();
CALL pg_temp.add(311, 320);
SELECT pg_temp.n_queues();
ROLLBACK TO here;
CALL pg_temp.add(321, 330);
RELEASE here;
CALL pg_temp.add(331, 340);
SELECT pg_temp.n_queues();
DO $$ BEGIN
    BEGIN
        RAISE NOTICE '% wait', pg_temp.n_queues();
        INSERT INTO items VALUES (341, 341, pg_temp.noise(341, 8)), (1, 1, pg_temp.noise(1, 8));
    EXCEPTION WHEN unique_violation THEN
    END;
    INSERT INTO items VALUES (342, 342, pg_temp.noise(342, 8));
    RAISE NOTICE '% wait', pg_temp.n_queues();
END $$;
COMMIT;
SELECT pg_temp.is_sound();

-- A rollback forgets; an error in the middle, too. The setting turns it off.
BEGIN;
CALL pg_temp.add(401, 410);
ROLLBACK;
BEGIN;
CALL pg_temp.add(401, 410);
CALL pg_temp.add(410, 411);
SELECT pg_temp.n_queues();
COMMIT;
SELECT pg_temp.n_queues();
BEGIN;
SET LOCAL vector_ext.insert_batch = 0;
CALL pg_temp.add(401, 410);
SELECT pg_temp.n_queues();
COMMIT;
SELECT pg_temp.is_sound();

-- What an index refuses, it refuses at once; zero vectors by cosine do not wait.
BEGIN;
INSERT INTO items VALUES (411, 411, array_fill(3e38, ARRAY[8])::vector);
ROLLBACK;
CREATE TABLE any_length (v vector);
CREATE INDEX any_length_v ON any_length USING hnsw ((v::vector(3)) vector_cosine_ops);
BEGIN;
INSERT INTO any_length VALUES ('[1,2,3]'), ('[0,0,0]'), (NULL);
INSERT INTO any_length VALUES ('[1,2]');
ROLLBACK;
INSERT INTO any_length VALUES ('[1,2,3]'), ('[0,0,0]'), (NULL);
SELECT nodes FROM hnsw_info('any_length_v');
SELECT * FROM hnsw_check('any_length_v', true);
DROP TABLE any_length;

-- Nor does it refuse them later, when the centroid of a first batch is far from one of its rows.
CREATE TABLE far_apart (v vector(40));
CREATE INDEX far_apart_v ON far_apart USING hnsw (v vector_l2_ops);
BEGIN;
INSERT INTO far_apart
SELECT (array_fill(0::real, ARRAY[39])
    || (CASE WHEN i = 1100 THEN -1.5e19 ELSE 1.5e19 + i * 1e15 END)::real)::vector
FROM generate_series(1, 1100) i;
COMMIT;
SELECT count(*) FROM far_apart;
SELECT * FROM hnsw_check('far_apart_v', true);
REINDEX INDEX far_apart_v;
DROP TABLE far_apart;

-- Rows that are changed, taken out or moved while they wait, by HOT updates or not.
BEGIN;
CALL pg_temp.add(501, 540);
UPDATE items SET v = pg_temp.noise(id + 1000, 8) WHERE id BETWEEN 501 AND 510;
UPDATE items SET other = -other WHERE id BETWEEN 511 AND 520;
DELETE FROM items WHERE id BETWEEN 521 AND 530;
UPDATE items SET v = NULL WHERE id = 531;
COMMIT;
SELECT pg_temp.is_sound();
ALTER TABLE items ADD note text;
BEGIN;
CALL pg_temp.add(541, 550);
UPDATE items SET note = 'hot' WHERE id BETWEEN 541 AND 550;
COMMIT;
VACUUM items;
SELECT pg_temp.is_sound();

-- An unchanged vector joins its node at once.
SELECT nodes FROM hnsw_info('items_l2') \gset before_
UPDATE items SET other = other + 10000 WHERE id <= 400;
SELECT nodes = :before_nodes AS no_new_nodes FROM hnsw_info('items_l2');
SELECT pg_temp.is_sound();

-- ON CONFLICT, with the rows of the transaction itself and others.
BEGIN;
INSERT INTO items SELECT i, i, pg_temp.noise(i, 8) FROM generate_series(391, 620) i
ON CONFLICT DO NOTHING;
INSERT INTO items SELECT i, i, pg_temp.noise(-i, 8) FROM generate_series(601, 640) i
ON CONFLICT (id) DO UPDATE SET v = excluded.v;
SELECT pg_temp.n_queues();
COMMIT;
SELECT pg_temp.is_sound();

-- Queues are full: also while a row is on its way to the second index, and ON CONFLICT still to
-- decide. They never take more than they may.
CREATE FUNCTION pg_temp.n_kilobytes() RETURNS int LANGUAGE sql AS $$
    SELECT ceil(sum(total_bytes) / 1024) FROM pg_backend_memory_contexts
    WHERE name = 'hnsw gathered rows'
$$;
DO $$
DECLARE
    n_most int;
    n_kilobytes int;
BEGIN
    FOR round IN 1 .. 5 LOOP
        n_most := (ARRAY[1, 30, 50, 64, 100])[round];
        n_kilobytes := 0;
        PERFORM set_config('vector_ext.insert_batch', n_most || 'kB', true);
        FOR i IN 1 .. 400 LOOP
            INSERT INTO items VALUES (round * 1000 + i, i, pg_temp.noise(round * 1000 + i, 8))
            ON CONFLICT DO NOTHING;
            n_kilobytes := greatest(n_kilobytes, pg_temp.n_kilobytes());
        END LOOP;
        RAISE NOTICE '% kB: within %, used %', n_most, n_kilobytes <= n_most,
            n_kilobytes > n_most / 2;
    END LOOP;
END $$;
SELECT count(*) FROM items WHERE id > 1000;
SELECT pg_temp.is_sound();

-- Workers find what this transaction has written.
BEGIN;
DELETE FROM items;
CALL pg_temp.add(1, 300);
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL enable_sort = off;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Workers Planned|Parallel|Index Scan using items_l2' THEN
            RETURN NEXT regexp_replace(line, '^[ >-]*', '');
        END IF;
    END LOOP;
END $$;
SELECT 'SELECT count(*), count(*) FILTER (
        WHERE id = (SELECT id FROM items j ORDER BY j.v <-> i.v LIMIT 1)) AS n_near
    FROM items i' AS nearest \gset
SELECT pg_temp.plan(:'nearest');
CALL pg_temp.add(301, 310);
SELECT pg_temp.n_queues();
:nearest;
SELECT pg_temp.n_queues();
COMMIT;
-- The many deleted rows would stand before neighbours.
VACUUM items;
SELECT pg_temp.is_sound();
DROP TABLE items;

-- A vector that the centroid of its batch would make too long is refused when it comes.
CREATE TABLE far (v vector(64));
CREATE INDEX far_v ON far USING hnsw (v vector_l2_ops);
BEGIN;
INSERT INTO far SELECT ('[1.9e15' || repeat(',0', 63) || ']')::vector FROM generate_series(1, 20000);
SAVEPOINT s;
INSERT INTO far VALUES (('[-1.8446743e19' || repeat(',0', 63) || ']')::vector);
ROLLBACK TO s;
INSERT INTO far VALUES (('[-1.844e19' || repeat(',0', 63) || ']')::vector);
COMMIT;
SELECT count(*) FROM far;
SELECT * FROM hnsw_check('far_v', true) WHERE severity = 'damage';
DROP TABLE far;
