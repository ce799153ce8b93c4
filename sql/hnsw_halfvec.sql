-- Indexes on `halfvec`: every operator class, expressions of `vector`, changes, tools, limits.

SET jit = off;
CREATE FUNCTION pg_temp.noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;

-- Half of the rows are there when the index is built, the others come in statements of many rows and
-- of one; some are updated and deleted. Of fifty searches, in exact order: how many of the ten nearest
-- are found, how many answers are out of order, how many rows come first when searched for by their
-- own vector.
CREATE FUNCTION pg_temp.try_class(class text, operator text, n_dims int,
                                  OUT recall float8, OUT out_of_order int, OUT own_first int,
                                  OUT metric text, OUT codec text, OUT dims int, OUT told float8,
                                  OUT problems bigint)
LANGUAGE plpgsql SET hnsw.ef_search = 100 SET vector_ext.exact_order = on AS $$
DECLARE
    searches text := format('
        SELECT q.id AS query, a.* FROM queries q, LATERAL
            (SELECT id, v <-> q.v = 0 AS is_own, v %1$s q.v AS d, row_number() OVER () AS place
             FROM (SELECT * FROM items WHERE v IS NOT NULL ORDER BY v %1$s q.v LIMIT 10) s) a',
        operator);
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE items (id int PRIMARY KEY, v halfvec(%s))', n_dims);
    INSERT INTO items SELECT i, pg_temp.noise(i, n_dims) FROM generate_series(1, 300) i;
    EXECUTE format('CREATE INDEX items_v ON items USING hnsw (v halfvec_%s_ops)', class);
    INSERT INTO items SELECT i, pg_temp.noise(i, n_dims) FROM generate_series(301, 500) i;
    FOR i IN 501 .. 540 LOOP
        INSERT INTO items VALUES (i, pg_temp.noise(i, n_dims)::halfvec);
    END LOOP;
    INSERT INTO items VALUES (541, NULL);
    UPDATE items SET v = pg_temp.noise(id + 1000, n_dims) WHERE id % 9 = 0;
    UPDATE items SET id = id + 1000 WHERE id % 10 = 1;
    DELETE FROM items WHERE id % 7 = 0;
    CREATE TEMPORARY TABLE queries AS
    SELECT i AS id, pg_temp.noise(5000 + i, n_dims)::halfvec AS v FROM generate_series(1, 25) i
    UNION ALL (SELECT 5000 + id, v FROM items WHERE v IS NOT NULL ORDER BY id LIMIT 25);
    SET LOCAL enable_indexscan = off;
    EXECUTE 'CREATE TEMPORARY TABLE exact AS ' || searches;
    SET LOCAL enable_indexscan = on;
    SET LOCAL enable_seqscan = off;
    EXECUTE 'CREATE TEMPORARY TABLE found AS ' || searches;
    SET LOCAL enable_seqscan = on;
    SELECT count(*) / 500.0 INTO recall FROM exact JOIN found USING (query, id);
    SELECT count(*) INTO out_of_order
    FROM found a JOIN found b ON b.query = a.query AND b.place = a.place + 1 AND b.d < a.d;
    SELECT count(*) INTO own_first FROM found WHERE place = 1 AND is_own;
    SELECT i.metric, i.codec, i.dims INTO STRICT metric, codec, dims FROM hnsw_info('items_v') i;
    SELECT r.recall INTO STRICT told FROM hnsw_recall('items_v', 10, '{100}', 40) r;
    SELECT count(*) INTO problems FROM hnsw_check('items_v', true);
    DROP TABLE items, queries, exact, found;
END $$;
SELECT class, n_dims, metric, codec, dims, recall > 0.95 AS is_found, out_of_order,
       own_first >= CASE class WHEN 'ip' THEN 0 ELSE 25 END AS owns_first, told > 0.95 AS is_told,
       problems
FROM (VALUES (1, 'l2', '<->'), (2, 'ip', '<#>'), (3, 'cosine', '<=>'), (4, 'l1', '<+>'))
         AS c (place, class, operator),
     unnest(ARRAY[3, 16, 100, 400]) n_dims, pg_temp.try_class(class, operator, n_dims)
ORDER BY place, n_dims;

-- The index orders as the column's type does: what half precision does not tell apart is equal.
CREATE TABLE items (id int, v halfvec(3));
CREATE INDEX items_v ON items USING hnsw (v halfvec_l2_ops);
INSERT INTO items SELECT i, ARRAY[i, 2048 + i % 2, 1]::halfvec FROM generate_series(1, 100) i;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[50,2048,1]' LIMIT 3;
SELECT id, v <-> '[50,2048,1]' AS distance FROM items ORDER BY v <-> '[50,2048,1]', id LIMIT 3;
SELECT id FROM items ORDER BY v <-> '[7.2,2048,1]'::vector(3) LIMIT 1;
SELECT count(*) FROM (SELECT FROM items ORDER BY v <-> NULL LIMIT 200) s;
SELECT id FROM items ORDER BY v <-> '[1,2]' LIMIT 1;
INSERT INTO items VALUES (0, '[1,2]');
INSERT INTO items VALUES (0, '[1,2,65520]');
-- Not the operator of the class. (Newer servers say of a node that a setting disables it.)
CREATE FUNCTION nodes_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line !~ '^ *Disabled: ' THEN
            RETURN NEXT line;
        END IF;
    END LOOP;
END $$;
SELECT nodes_of($$SELECT id FROM items ORDER BY v <=> '[50,2048,1]' LIMIT 3$$);

-- Rows come by COPY, and go; their places are used again.
\getenv directory PG_ABS_BUILDDIR
\set file :directory '/results/hnsw_halfvec.data'
\set load '\\copy items FROM ' :'file' ' (FORMAT binary)'
COPY (SELECT 1000 + i, ARRAY[i * 0.25, 9, 9]::halfvec FROM generate_series(1, 200) i)
    TO STDOUT (FORMAT binary) \g :file
:load
SELECT id FROM items ORDER BY v <-> '[10,9,9]' LIMIT 1;
DELETE FROM items WHERE id % 2 = 0;
VACUUM items;
SELECT id FROM items ORDER BY v <-> '[10,9,9]', id LIMIT 2;
INSERT INTO items SELECT 2000 + i, ARRAY[i * 0.25, 19, 9]::halfvec FROM generate_series(1, 100) i;
SELECT id FROM items ORDER BY v <-> '[10,19,9]' LIMIT 1;
SELECT * FROM hnsw_check('items_v', true);
REINDEX INDEX items_v;
SELECT id FROM items ORDER BY v <-> '[10,19,9]' LIMIT 1;
SELECT nodes FROM hnsw_info('items_v');
DROP TABLE items;

-- An index on an expression of a column of `vector`.
CREATE TABLE items (id int, v vector(3));
INSERT INTO items SELECT i, ARRAY[i, i % 7, 1]::vector FROM generate_series(1, 200) i;
CREATE INDEX items_v ON items USING hnsw ((v::halfvec(3)) halfvec_l2_ops);
INSERT INTO items VALUES (300, '[300,1,1]'), (301, NULL);
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v::halfvec(3) <-> '[100,2,1]' LIMIT 2;
SELECT id FROM items ORDER BY v::halfvec(3) <-> '[100,2,1]' LIMIT 2;
SELECT id FROM items ORDER BY v::halfvec(3) <-> '[299,1,1]' LIMIT 1;
-- The nearest by the index, put in the order of the column itself.
SELECT id FROM (SELECT * FROM items ORDER BY v::halfvec(3) <-> '[100,2,1]' LIMIT 10) s
ORDER BY v <-> '[100,2,1]' LIMIT 2;
INSERT INTO items VALUES (400, '[70000,1,1]');
SELECT recall > 0.95 AS is_told FROM hnsw_recall('items_v', 10, '{40}', 40);
SELECT * FROM hnsw_check('items_v', true);
CREATE INDEX items_half ON items USING hnsw ((v::halfvec(3)) halfvec_cosine_ops) WHERE id < 100;
SELECT id FROM items WHERE id < 100 ORDER BY v::halfvec(3) <=> '[1,1,1]' LIMIT 1;
DROP TABLE items;

-- The limits are those of `vector`: the numbers are kept as from single precision.
CREATE TABLE items (v halfvec, w halfvec(8000), x halfvec(8001), y halfvec(7997));
CREATE INDEX ON items USING hnsw (v halfvec_l2_ops);
CREATE INDEX ON items USING hnsw (w);
CREATE INDEX ON items USING hnsw (w vector_l2_ops);
CREATE INDEX ON items USING hnsw (x halfvec_l2_ops);
CREATE INDEX ON items USING hnsw (y halfvec_l1_ops);
CREATE INDEX items_w ON items USING hnsw (w halfvec_l2_ops);
INSERT INTO items (w) SELECT array_fill(i, ARRAY[8000])::halfvec FROM generate_series(1, 10) i;
SELECT vector_dims(w), subvector(w, 1, 2) FROM items
ORDER BY w <-> array_fill(7, ARRAY[8000])::halfvec LIMIT 1;
SELECT * FROM hnsw_check('items_w', true);
DROP TABLE items;
CREATE TABLE items (v vector(3));
CREATE INDEX ON items USING hnsw (v halfvec_l2_ops);
DROP TABLE items;
RESET enable_seqscan;

-- Staged and merged as `vector` is, bad rows told apart by the type of their column.
CREATE TABLE items (id int PRIMARY KEY, v vector(2), h halfvec(2));
CREATE INDEX items_h ON items USING hnsw (h halfvec_l2_ops);
INSERT INTO items VALUES (1, '[1,1]', '[1,1]'), (2, '[2,2]', '[2,2]');
SELECT vector_rejects_table('rejects');
BEGIN;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage VALUES (2, '[5,5]', '[5,5]'), (3, '[3,3]', '[3,3]'), (4, '[4,4]', '[4,4,4]');
SELECT inserted, updated, rejected
FROM vector_bulk_upsert('items', 'stage', 'update', ARRAY['id'], reject_into => 'rejects');
SELECT vector_stage_for('items', 'lenient', lenient => true);
INSERT INTO lenient VALUES (5, '[5,6]', '[6,5]'), (6, '[1,70000]', '[1,70000]'), (7, '[1]', '[1,1]'),
    (8, 'oops', '[1,1]'), (9, '[1,1]', 'oops'), (10, '[1,1]', '[1]'), (1, '[1,1]', '[9,9]');
SELECT inserted, updated, rejected
FROM vector_bulk_upsert('items', 'lenient', 'update', ARRAY['id'], reject_into => 'rejects',
                        merge => '{"h": "sum"}');
COMMIT;
SELECT * FROM items ORDER BY h <-> '[5.1,5]';
SELECT sqlstate, message, raw FROM rejects ORDER BY key::int, message;
SELECT * FROM hnsw_check('items_h', true);
DROP TABLE items, rejects;

DROP FUNCTION nodes_of(text);

-- The classes.
SELECT opcname, opcintype::regtype, opcdefault, amvalidate(o.oid)
FROM pg_opclass o JOIN pg_am a ON a.oid = opcmethod
WHERE amname = 'hnsw' AND opcintype = 'halfvec'::regtype ORDER BY opcname;
