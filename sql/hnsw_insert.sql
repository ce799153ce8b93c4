-- Inserting into an index: by every statement that writes rows, kept or rolled back.

-- A sequential scan that is disabled looks dear enough to be compiled.
SET jit = off;

-- Numbers between -1 and 1 that look random and are the same everywhere.
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;

CREATE TABLE items (id int PRIMARY KEY, note text, v vector(40));
CREATE INDEX items_l2 ON items USING hnsw (v vector_l2_ops);
CREATE INDEX items_ip ON items USING hnsw (v vector_ip_ops);
CREATE INDEX items_cosine ON items USING hnsw (v vector_cosine_ops);
CREATE INDEX items_l1 ON items USING hnsw (v vector_l1_ops);
CREATE FUNCTION pg_temp.nearest(query vector) RETURNS int LANGUAGE sql
    SET enable_seqscan = off SET enable_sort = off
    AS 'SELECT id FROM items ORDER BY v <-> query LIMIT 1';
CREATE FUNCTION pg_temp.n_found() RETURNS bigint LANGUAGE sql
    SET enable_seqscan = off SET enable_sort = off SET hnsw.ef_search = 1000 AS $$
    SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> pg_temp.noise(0, 40) LIMIT 100000) s
$$;

-- One by one, many at once, by COPY, from a query that reads the index meanwhile.
INSERT INTO items VALUES (1, 'one', pg_temp.noise(1, 40));
SELECT pg_temp.nearest(pg_temp.noise(1, 40)), pg_temp.n_found();
INSERT INTO items SELECT i, 'many', pg_temp.noise(i, 40) FROM generate_series(2, 200) i;
DO $$ BEGIN
    FOR i IN 201 .. 250 LOOP
        INSERT INTO items VALUES (i, 'loop', pg_temp.noise(i, 40));
    END LOOP;
END $$;
CREATE TEMPORARY TABLE written AS
    SELECT i AS id, 'copy' AS note, pg_temp.noise(i, 40) AS v FROM generate_series(251, 300) i;
SELECT pg_temp.n_found();
INSERT INTO items SELECT id, note, v FROM written;
SET enable_seqscan = off;
INSERT INTO items SELECT id + 300, 'again', v + v
FROM items WHERE id <= 300 ORDER BY v <-> pg_temp.noise(7, 40) LIMIT 20;
RESET enable_seqscan;
SELECT pg_temp.n_found(), count(*) FROM items;
COPY items FROM stdin;
601	from a client	[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]
602	without	\N
603	from a client	[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]
\.
SELECT pg_temp.n_found(), count(*) FROM items;
SELECT pg_temp.nearest(array_fill(1, ARRAY[40])::vector);

-- Wrong rows, alone and after good ones: the statement leaves nothing behind.
INSERT INTO items VALUES (700, 'short', '[1,2]');
INSERT INTO items VALUES (701, 'good', pg_temp.noise(701, 40)),
                         (1, 'twice', pg_temp.noise(702, 40));
INSERT INTO items VALUES (701, 'good', pg_temp.noise(701, 40)),
                         (702, 'long', array_fill(1e38, ARRAY[40])::vector);
SELECT pg_temp.n_found(), pg_temp.nearest(pg_temp.noise(701, 40)) = 701 AS left_behind;

-- Updates of the vector, of other columns, of both; to NULL and back.
UPDATE items SET v = pg_temp.noise(800, 40) WHERE id = 1;
SELECT pg_temp.nearest(pg_temp.noise(800, 40)), pg_temp.nearest(pg_temp.noise(1, 40)) = 1 AS is_old;
UPDATE items SET note = note || '.' WHERE id <= 100;
UPDATE items SET id = id + 1000 WHERE id <= 100;
SELECT pg_temp.n_found(), pg_temp.nearest(pg_temp.noise(50, 40));
UPDATE items SET v = NULL WHERE id = 1050;
SELECT pg_temp.n_found(), pg_temp.nearest(pg_temp.noise(50, 40)) = 1050 AS is_found;
UPDATE items SET v = pg_temp.noise(50, 40) WHERE id = 1050;
SELECT pg_temp.n_found(), pg_temp.nearest(pg_temp.noise(50, 40)) = 1050 AS is_found;
UPDATE items SET v = v + v WHERE id > 1000;
SELECT pg_temp.n_found(), pg_temp.nearest(pg_temp.noise(50, 40) + pg_temp.noise(50, 40));

-- ON CONFLICT.
INSERT INTO items VALUES (1050, 'conflict', pg_temp.noise(900, 40)) ON CONFLICT DO NOTHING;
SELECT pg_temp.nearest(pg_temp.noise(900, 40)) = 1050 AS is_found;
INSERT INTO items VALUES (1050, 'conflict', pg_temp.noise(900, 40)),
                         (901, 'new', pg_temp.noise(901, 40))
ON CONFLICT (id) DO UPDATE SET v = excluded.v;
SELECT pg_temp.n_found(), pg_temp.nearest(pg_temp.noise(900, 40)),
       pg_temp.nearest(pg_temp.noise(901, 40));

-- Savepoints and transactions that roll back.
BEGIN;
INSERT INTO items SELECT i, 'gone', pg_temp.noise(i, 40) FROM generate_series(2001, 2020) i;
SELECT pg_temp.n_found();
SAVEPOINT half;
INSERT INTO items SELECT i, 'gone', pg_temp.noise(i, 40) FROM generate_series(2021, 2040) i;
UPDATE items SET v = pg_temp.noise(3, 40) WHERE id = 601;
SELECT pg_temp.n_found();
ROLLBACK TO half;
SELECT pg_temp.n_found();
INSERT INTO items SELECT i, 'gone', pg_temp.noise(i, 40) FROM generate_series(2041, 2050) i;
ROLLBACK;
SELECT pg_temp.n_found(), pg_temp.nearest(array_fill(1, ARRAY[40])::vector);
DO $$ BEGIN
    FOR i IN 2001 .. 2010 LOOP
        BEGIN
            INSERT INTO items VALUES (i, 'loop', pg_temp.noise(i, 40));
            IF i % 2 = 0 THEN
                RAISE division_by_zero;
            END IF;
        EXCEPTION WHEN division_by_zero THEN
        END;
    END LOOP;
END $$;
SELECT pg_temp.n_found(), pg_temp.nearest(pg_temp.noise(2001, 40)),
       pg_temp.nearest(pg_temp.noise(2002, 40)) = 2002 AS is_gone;
SELECT count(*) = pg_temp.n_found() AS all_found FROM items WHERE v IS NOT NULL;
DELETE FROM items WHERE id > 2000;

-- Equal vectors: one node, found as one, whatever the sign of a zero.
BEGIN;
INSERT INTO items SELECT i, 'equal', ('[5' || repeat(',0', 39) || ']')::vector
FROM generate_series(3001, 3100) i;
INSERT INTO items SELECT i, 'equal', ('[5' || repeat(',-0', 39) || ']')::vector
FROM generate_series(3101, 3200) i;
SELECT count(*) FROM items WHERE v = ('[5' || repeat(',0', 39) || ']')::vector;
COMMIT;
SET enable_seqscan = off;
SELECT count(*), min(id), max(id) FROM
    (SELECT id, v <-> ('[5' || repeat(',0', 39) || ']')::vector AS d FROM items
     ORDER BY v <-> ('[5' || repeat(',0', 39) || ']')::vector LIMIT 200) s WHERE d = 0;
SELECT count(*), min(id), max(id) FROM
    (SELECT id, v <=> ('[5' || repeat(',0', 39) || ']')::vector AS d FROM items
     ORDER BY v <=> ('[5' || repeat(',0', 39) || ']')::vector LIMIT 200) s WHERE d = 0;
RESET enable_seqscan;
DELETE FROM items WHERE note = 'equal' AND id % 2 = 0;

SELECT ef_search, recall >= 0.95 AS recalls FROM hnsw_recall('items_l2', 10, '{40}', 50);
SELECT * FROM hnsw_check('items_l2', true);
SELECT * FROM hnsw_check('items_ip', true);
SELECT * FROM hnsw_check('items_cosine', true);
SELECT * FROM hnsw_check('items_l1', true);
DROP TABLE items;
