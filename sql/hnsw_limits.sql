-- Dimensions, lengths and other ends of what an index takes.

-- A sequential scan that is disabled looks dear enough to be compiled.
SET jit = off;

-- Numbers between -1 and 1 that look random and are the same everywhere.
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;

-- Makes a table with an index, half of the rows inserted after it, and searches for every row:
-- how many come first themselves, how many distances to the first are the least possible.
CREATE FUNCTION pg_temp.try_dims(n_dims int, class text, operator text, n_rows int,
                                 OUT codec text, OUT own_first int, OUT nearest_first int,
                                 OUT cold boolean, OUT problems bigint)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    item record;
    first record;
    least float8;
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE items (id int, v vector(%s))', n_dims);
    INSERT INTO items SELECT i, pg_temp.noise(i, n_dims) FROM generate_series(1, n_rows / 2) i;
    EXECUTE format('CREATE INDEX items_v ON items USING hnsw (v %s)', class);
    INSERT INTO items
    SELECT i, pg_temp.noise(i, n_dims) FROM generate_series(n_rows / 2 + 1, n_rows) i;
    own_first := 0;
    nearest_first := 0;
    FOR item IN SELECT * FROM items LOOP
        EXECUTE format('SELECT id, v %1$s $1 AS d FROM items ORDER BY v %1$s $1 LIMIT 1', operator)
            INTO first USING item.v;
        EXECUTE format('SELECT min(v %1$s $1) FROM items', operator) INTO least USING item.v;
        own_first := own_first + (first.id = item.id)::int;
        nearest_first := nearest_first + (first.d <= least + 1e-3 * abs(least) + 1e-6)::int;
    END LOOP;
    SELECT i.codec, i.cold_pages > 0 INTO STRICT codec, cold FROM hnsw_info('items_v') i;
    SELECT count(*) INTO problems FROM hnsw_check('items_v', true);
    DROP TABLE items;
END $$;

SELECT n_dims, t.*
FROM unnest(ARRAY[1, 2, 3, 16, 32, 33, 64, 256, 257, 1536]) n_dims,
     pg_temp.try_dims(n_dims, 'vector_l2_ops', '<->', 40) t ORDER BY 1;
SELECT n_dims, t.codec, t.nearest_first, t.cold, t.problems
FROM unnest(ARRAY[1, 2, 3, 16, 32, 33, 64, 256, 257, 1536]) n_dims,
     pg_temp.try_dims(n_dims, 'vector_ip_ops', '<#>', 40) t ORDER BY 1;
SELECT n_dims, t.codec, t.nearest_first, t.cold, t.problems
FROM unnest(ARRAY[1, 2, 3, 16, 32, 33, 64, 256, 257, 1536]) n_dims,
     pg_temp.try_dims(n_dims, 'vector_cosine_ops', '<=>', 40) t ORDER BY 1;
SELECT n_dims, t.*
FROM unnest(ARRAY[1, 2, 3, 16, 32, 33, 64, 256, 257, 1536]) n_dims,
     pg_temp.try_dims(n_dims, 'vector_l1_ops', '<+>', 40) t ORDER BY 1;

-- The widest.
SELECT class, t.*
FROM (VALUES ('vector_l2_ops', '<->', 8000), ('vector_cosine_ops', '<=>', 8000),
             ('vector_l1_ops', '<+>', 7996)) c (class, operator, n_dims),
     pg_temp.try_dims(n_dims, class, operator, 8) t;
SELECT t.codec, t.nearest_first, t.problems
FROM pg_temp.try_dims(8000, 'vector_ip_ops', '<#>', 8) t;

-- The most links a node can have, and the fewest, at both ends of the dimensions. With two links
-- on a layer, not every node stays in reach.
CREATE FUNCTION pg_temp.try_links(n_dims int, m int, OUT fits boolean, OUT all_found boolean,
                                  OUT damages bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET hnsw.ef_search = 150 AS $$
DECLARE
    n_found int;
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE items (id int, v vector(%s))', n_dims);
    EXECUTE format('CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops) '
                   'WITH (m = %s, ef_construction = %s)', m, greatest(2 * m, 20));
    INSERT INTO items SELECT i, pg_temp.noise(i, n_dims) FROM generate_series(1, 120) i;
    SELECT i.links_max <= 2 * i.m AND i.layers <= 17 INTO STRICT fits FROM hnsw_info('items_v') i;
    EXECUTE 'SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> $1 LIMIT 1000) s'
        INTO n_found USING pg_temp.noise(0, n_dims);
    all_found := n_found > CASE m WHEN 2 THEN 100 ELSE 119 END;
    SELECT count(*) INTO damages FROM hnsw_check('items_v', true) WHERE severity = 'damage';
    DROP TABLE items;
END $$;
SELECT n_dims, m, t.*
FROM (VALUES (1, 2), (1, 100), (40, 2), (40, 100), (300, 2), (300, 100)) c (n_dims, m),
     pg_temp.try_links(n_dims, m) t ORDER BY 1, 2;
CREATE TABLE wide (v vector(8000));
INSERT INTO wide SELECT pg_temp.noise(i, 8000) FROM generate_series(1, 3) i;
CREATE INDEX wide_v ON wide USING hnsw (v vector_l2_ops) WITH (m = 100, ef_construction = 200);
SELECT codec, nodes, hot_pages > 3 AS has_hot, cold_pages > 0 AS has_cold FROM hnsw_info('wide_v');
SELECT * FROM hnsw_check('wide_v', true);
DROP TABLE wide;

-- Vectors whose norm is beyond float32 cannot be in an index, and the statement says so; with the
-- index gone they can be in the table. L1 takes what its own sum can hold.
CREATE FUNCTION pg_temp.outcome(statement text, OUT state text, OUT message text, OUT detail text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    state := '00000';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL;
END $$;
CREATE TABLE long (v vector(33));
SELECT class, operation, o.*
FROM (VALUES ('vector_l2_ops'), ('vector_ip_ops'), ('vector_cosine_ops'), ('vector_l1_ops'))
     c (class),
     (VALUES ('INSERT', 'CREATE INDEX long_v ON long USING hnsw (v %s);'
                        'INSERT INTO long VALUES (array_fill(1e30, ARRAY[33])::vector)'),
             ('CREATE INDEX', 'INSERT INTO long VALUES (array_fill(1e30, ARRAY[33])::vector);'
                              'CREATE INDEX long_v ON long USING hnsw (v %s)'),
             ('CREATE INDEX of the longest',
              'INSERT INTO long VALUES (array_fill(3e38, ARRAY[33])::vector);'
              'CREATE INDEX long_v ON long USING hnsw (v %s)')) t (operation, statement),
     pg_temp.outcome(format(statement || '; DROP INDEX long_v; DELETE FROM long', class)) o
ORDER BY class, operation;
DROP TABLE long;

-- The longest that can: still found, beside the shortest.
CREATE TABLE long (id int, v vector(40));
INSERT INTO long
SELECT i, array_fill(10::float8 ^ (i - 19), ARRAY[40])::vector FROM generate_series(1, 36) i;
CREATE INDEX long_l2 ON long USING hnsw (v vector_l2_ops);
CREATE INDEX long_cosine ON long USING hnsw (v vector_cosine_ops);
SET enable_seqscan = off;
SELECT array_agg(id) FROM
    (SELECT id FROM long ORDER BY v <-> (SELECT v FROM long WHERE id = 36) LIMIT 3) s;
SELECT count(*) FROM
    (SELECT id FROM long ORDER BY v <=> array_fill(1, ARRAY[40])::vector LIMIT 50) s;
SELECT * FROM hnsw_check('long_l2', true);
SELECT * FROM hnsw_check('long_cosine', true);

-- A query may be longer than any row; its distances are infinite, its rows in no order.
SELECT count(*) FROM
    (SELECT id FROM long ORDER BY v <-> array_fill(3e38, ARRAY[40])::vector LIMIT 50) s;
RESET enable_seqscan;
DROP TABLE long;
