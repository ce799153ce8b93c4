-- Exact nearest neighbours: ORDER BY a distance, with filters, joins, NULLs, and every way to
-- give the query.

CREATE TABLE items (id int PRIMARY KEY, category int, v vector(3));
INSERT INTO items SELECT i, i % 4, ARRAY[i % 5, i / 5 % 5, i / 25]::vector
FROM generate_series(0, 124) i;
INSERT INTO items VALUES (200, 1, NULL), (201, 2, NULL);

-- The four operators.
SELECT id, v, v <-> '[1,2,3]' AS distance FROM items ORDER BY v <-> '[1,2,3]', id LIMIT 7;
SELECT id, v, v <#> '[1,2,3]' AS distance FROM items ORDER BY v <#> '[1,2,3]', id LIMIT 5;
SELECT id, v, round((v <=> '[1,2,3]')::numeric, 6) AS distance FROM items
ORDER BY round((v <=> '[1,2,3]')::numeric, 6), id LIMIT 5;
SELECT id, v, v <+> '[1,2,3]' AS distance FROM items ORDER BY v <+> '[1,2,3]', id LIMIT 7;
SELECT id, v FROM items ORDER BY '[1,2,3]' <-> v, id LIMIT 2;

-- NULLs and NaN come last; a NULL query makes every distance NULL.
SELECT id, v <-> '[0,0,0]' AS distance FROM items WHERE id IN (0, 1, 200, 201)
ORDER BY v <-> '[0,0,0]', id;
SELECT id, v <=> '[1,0,0]' AS distance FROM items WHERE id IN (0, 1, 5, 200)
ORDER BY v <=> '[1,0,0]', id;
SELECT id, v <-> NULL AS distance FROM items WHERE id < 3 ORDER BY v <-> NULL, id;
SELECT id FROM items WHERE id < 3 ORDER BY v <-> '[0,0,0]' DESC, id;

-- Filters on other columns, on the distance, on the vector; offsets.
SELECT id, category FROM items WHERE category = 3 ORDER BY v <-> '[1,2,3]', id LIMIT 4;
SELECT id, v <-> '[2,2,2]' AS distance FROM items WHERE v <-> '[2,2,2]' <= 1 ORDER BY 2, 1;
SELECT count(*) FROM items WHERE v <-> '[2,2,2]' < 1.5;
SELECT id FROM items WHERE v <> '[1,2,3]' AND v > '[1,2,2]' ORDER BY v <-> '[1,2,3]', id LIMIT 3;
SELECT id FROM items ORDER BY v <-> '[1,2,3]', id OFFSET 5 LIMIT 3;
SELECT id FROM items ORDER BY v <-> '[1,2,3]', id LIMIT 0;

-- Neighbours of stored rows: subquery, self join, LATERAL, with groups.
SELECT id FROM items WHERE id <> 42 ORDER BY v <-> (SELECT v FROM items WHERE id = 42), id LIMIT 3;
SELECT id, v <-> (SELECT v FROM items WHERE id = 999) AS distance FROM items ORDER BY 2, 1 LIMIT 2;
SELECT q.id, n.id AS neighbour, n.distance
FROM items q,
     LATERAL (SELECT i.id, i.v <-> q.v AS distance FROM items i
              WHERE i.id <> q.id AND i.v IS NOT NULL ORDER BY 2, 1 LIMIT 2) n
WHERE q.id IN (0, 62, 124) ORDER BY 1, 3, 2;
SELECT a.id, b.id FROM items a JOIN items b ON a.v <-> b.v < 1.1 AND a.id < b.id WHERE a.id < 3
ORDER BY 1, 2;
SELECT DISTINCT ON (category) category, id FROM items WHERE v IS NOT NULL
ORDER BY category, v <-> '[2,2,2]', id;
SELECT category, min(v <-> '[4,4,4]') AS nearest FROM items GROUP BY category ORDER BY category;
SELECT id, rank() OVER (ORDER BY v <-> '[0,0,0]') AS rank FROM items WHERE id < 7 ORDER BY 2, 1;
SELECT id FROM (SELECT id FROM items ORDER BY v <-> '[0,0,0]' FETCH FIRST 2 ROWS WITH TIES) t
ORDER BY id;

-- The query as expression, array, aggregate, parameter.
SELECT id FROM items ORDER BY v <-> ARRAY[1,2,3]::vector, id LIMIT 1;
SELECT id FROM items ORDER BY v <-> '[1,1,1]'::vector * '[2,2,2]', id LIMIT 1;
SELECT id FROM items ORDER BY v <-> (SELECT avg(v) FROM items), id LIMIT 1;
SELECT id FROM items WHERE v IS NOT NULL ORDER BY l2_normalize(v) <-> '[1,0,0]', id LIMIT 2;
SELECT id FROM items WHERE v IS NOT NULL ORDER BY subvector(v, 1, 2) <-> '[4,4]', id LIMIT 2;
PREPARE nearest (vector, int) AS SELECT id FROM items ORDER BY v <-> $1, id LIMIT $2;
EXECUTE nearest ('[1,2,3]', 2);
EXECUTE nearest ('[4,4,4]', 1);
SET plan_cache_mode = force_generic_plan;
EXECUTE nearest ('[1,2,3]', 2);
EXECUTE nearest ('[1,2]', 2);
EXECUTE nearest (NULL, 2);
RESET plan_cache_mode;
DEALLOCATE nearest;

-- A query of other dimensions is an error as soon as a row is compared.
SELECT id FROM items ORDER BY v <-> '[1,2]' LIMIT 1;
SELECT id FROM items WHERE id < 0 ORDER BY v <-> '[1,2]' LIMIT 1;

-- Functions in SQL and PL/pgSQL, cursors.
CREATE FUNCTION pg_temp.nearest_sql(query vector) RETURNS int LANGUAGE sql STABLE
    AS 'SELECT id FROM items ORDER BY v <-> query, id LIMIT 1';
CREATE FUNCTION pg_temp.nearest_loop(query vector, wanted int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    row record;
    here vector := query;
    path text := '';
BEGIN
    FOR row IN SELECT id, v FROM items WHERE v IS NOT NULL ORDER BY v <-> here, id LIMIT wanted LOOP
        path := path || row.id || ':' || (row.v - query) || ' ';
        here := here + row.v;
    END LOOP;
    RETURN path || here;
END $$;
SELECT pg_temp.nearest_sql('[4,4,3.6]'), pg_temp.nearest_loop('[1,2,3]', 3);
BEGIN;
DECLARE near SCROLL CURSOR FOR SELECT id FROM items ORDER BY v <-> '[1,2,3]', id;
FETCH 2 FROM near;
MOVE 10 FROM near;
FETCH BACKWARD 1 FROM near;
FETCH ABSOLUTE 1 FROM near;
COMMIT;

-- Changes of the row are seen.
BEGIN;
UPDATE items SET v = v + '[0.25,0,0]' WHERE id = 86;
DELETE FROM items WHERE id = 85;
SELECT id, v <-> '[1,2,3]' AS distance FROM items ORDER BY 2, 1 LIMIT 2;
ROLLBACK;
INSERT INTO items VALUES (86, 0, '[9,9,9]') ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v - items.v
    RETURNING id, v;

-- Plans: a sort under the limit, and in parallel.
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5;
ANALYZE items;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_indexscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,2,3]', id LIMIT 5;
SELECT id FROM items ORDER BY v <-> '[1,2,3]', id LIMIT 5;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET enable_indexscan;
DROP TABLE items;

-- The same order from every storage of the column, also out of line; a column without dimensions
-- holds several.
CREATE TABLE stored (id int, plain vector, main vector, extended vector, external vector(700));
ALTER TABLE stored ALTER plain SET STORAGE PLAIN, ALTER main SET STORAGE MAIN,
    ALTER extended SET STORAGE EXTENDED;
INSERT INTO stored SELECT i, v, v, v, v
FROM generate_series(1, 20) i,
     LATERAL (SELECT array_agg(CASE WHEN j = i THEN 1 ELSE j % 3 END)::vector AS v
              FROM generate_series(1, 700) j) s;
SELECT attname, attstorage FROM pg_attribute WHERE attrelid = 'stored'::regclass AND attnum > 1
ORDER BY attnum;
SELECT count(*) AS rows,
       count(*)
       FILTER (WHERE plain <-> q <> main <-> q OR main <-> q <> extended <-> q
                     OR extended <-> q <> external <-> q) AS different,
       array_agg(id ORDER BY external <-> q, id) AS order
FROM stored, (SELECT external AS q FROM stored WHERE id = 7) s;
INSERT INTO stored (id, plain) VALUES (100, '[1,2]'), (101, '[1,2,3]'), (102, '[2,2]');
SELECT id, plain <-> '[1,2]' AS distance FROM stored WHERE vector_dims(plain) = 2 ORDER BY 2;
SELECT id FROM stored WHERE id > 100 ORDER BY plain <-> '[1,2]';
DROP TABLE stored;

-- Partitions, inheritance, generated columns, views, composite values and arrays carry vectors.
CREATE TABLE items (
    id int, half int, v vector(2), unit vector(2) GENERATED ALWAYS AS (l2_normalize(v)) STORED
) PARTITION BY LIST (half);
CREATE TABLE items_0 PARTITION OF items FOR VALUES IN (0);
CREATE TABLE items_1 PARTITION OF items FOR VALUES IN (1);
INSERT INTO items SELECT i, i % 2, ARRAY[3 * i, 4 * i]::vector FROM generate_series(1, 6) i;
SELECT id, tableoid::regclass, v, unit FROM items ORDER BY v <-> '[7,8]', id LIMIT 3;
CREATE VIEW near AS SELECT id, v <-> '[0,0]' AS distance FROM items;
SELECT * FROM near ORDER BY distance LIMIT 2;
SELECT i, (i).v <+> '[0,0]' AS l1 FROM items i WHERE id = 1;
SELECT array_agg(v ORDER BY v <-> '[9,12]', id) FROM items WHERE half = 1;
SELECT to_jsonb(v), json_build_object('v', v) FROM items WHERE id = 1;
DROP VIEW near;
DROP TABLE items;
