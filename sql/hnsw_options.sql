-- Index options and settings: what they do, and what every wrong one gets.

-- A sequential scan that is disabled looks dear enough to be compiled.
SET jit = off;

CREATE FUNCTION pg_temp.outcome(statement text, OUT state text, OUT message text, OUT detail text,
                                OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    state := '00000';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;

CREATE TABLE items (id int, number int, v vector(3), no_dims vector, wide vector(8001));

-- Which indexes there can be.
SELECT definition, o.*
FROM (VALUES
    (1, '(v)'), (2, '(no_dims vector_l2_ops)'), (3, '((no_dims::vector(3)) vector_l2_ops)'),
    (4, '(wide vector_l2_ops)'), (5, '(wide vector_ip_ops)'), (6, '(wide vector_cosine_ops)'),
    (7, '(wide vector_l1_ops)'), (8, '(wide vector_l1_ops) WITH (m = 2)'),
    (9, '(wide vector_l1_ops) WITH (m = 100, ef_construction = 200)'),
    (10, '(number vector_l2_ops)'), (11, '(number)'), (12, '(v vector_ops)'),
    (13, '(v int4_ops)'), (14, '(v vector_l2_ops, number)'),
    (15, '(v vector_l2_ops, v vector_ip_ops)'), (16, '(v vector_l2_ops) INCLUDE (id)'),
    (17, '(v vector_l2_ops DESC)'), (18, '(v vector_l2_ops ASC)'),
    (19, '(v vector_l2_ops NULLS FIRST)'), (20, '((v + v) vector_l2_ops)'),
    (21, '((ARRAY[number])) ')) t (n, definition),
     pg_temp.outcome('CREATE INDEX ON items USING hnsw ' || definition) o
ORDER BY n;
SELECT o.* FROM pg_temp.outcome('CREATE UNIQUE INDEX ON items USING hnsw (v vector_l2_ops)') o;
SELECT o.* FROM pg_temp.outcome('ALTER TABLE items ADD EXCLUDE USING hnsw (v WITH <->)') o;

-- Options: those out of range, those of other kinds, those that do not go together.
SELECT options, o.*
FROM (VALUES
    (1, 'm = 1'), (2, 'm = 101'), (3, 'm = -5'), (4, 'm = x'), (5, 'm = 2.5'),
    (6, 'm = 2147483648'), (7, 'ef_construction = 3'), (8, 'ef_construction = 1001'),
    (9, 'ef_construction = 31'), (10, 'm = 33'), (11, 'm = 100'),
    (12, 'm = 9, ef_construction = 17'),
    (13, 'ef_search = -1'), (14, 'ef_search = 1001'), (15, 'fillfactor = 50'), (16, 'lists = 100'),
    (17, 'm = 8, m = 9'), (20, 'm = 2, ef_construction = 4'), (21, 'm = 9, ef_construction = 18'),
    (22, 'm = 100, ef_construction = 200'), (23, 'ef_construction = 1000'), (24, 'ef_search = 0'),
    (25, 'ef_search = 1000'), (26, 'M = 8, EF_Construction = 16')) t (n, options),
     pg_temp.outcome(format('CREATE INDEX ON items USING hnsw (v vector_l2_ops) WITH (%s)',
                            options)) o
ORDER BY n;
SELECT pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = 'items'::regclass ORDER BY indexrelid;
SELECT count(*) AS indexes, sum((SELECT count(*) FROM hnsw_check(indexrelid, true))) AS problems
FROM pg_index WHERE indrelid = 'items'::regclass;
DROP TABLE items;

CREATE TABLE items (id int PRIMARY KEY, v vector(3));
INSERT INTO items
SELECT i, ARRAY[hashint4(i) / 1e9, hashint4(i + 1000) / 1e9, hashint4(i + 2000) / 1e9]::vector
FROM generate_series(1, 400) i;
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops) WITH (m = 6, ef_construction = 40);
CREATE FUNCTION pg_temp.n_found() RETURNS bigint LANGUAGE sql
    SET enable_seqscan = off SET enable_sort = off SET hnsw.iterative_scan = off
    AS $$ SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> '[0,0,0]') s $$;

-- ALTER INDEX: m and ef_construction are kept for the next REINDEX and the next insert.
SELECT m, ef_construction, links_max <= 2 * m AS links_fit FROM hnsw_info('items_v');
ALTER INDEX items_v SET (m = 4, ef_construction = 30);
SELECT m, ef_construction FROM hnsw_info('items_v');
INSERT INTO items VALUES (401, '[9,9,9]');
REINDEX INDEX items_v;
SELECT m, ef_construction, links_max <= 2 * m AS links_fit FROM hnsw_info('items_v');
ALTER INDEX items_v RESET (m, ef_construction);
REINDEX INDEX items_v;
SELECT m, ef_construction FROM hnsw_info('items_v');
ALTER INDEX items_v SET (m = 40);
INSERT INTO items VALUES (402, '[9,9,8]');
REINDEX INDEX items_v;
ALTER INDEX items_v RESET (m);
ALTER INDEX items_v SET (nonsense = 1);
ALTER INDEX items_v SET (ef_search = 1001);
SELECT * FROM hnsw_check('items_v', true);

-- hnsw.ef_search: as many different vectors as it says, of a scan that does not go on; the index
-- option counts where it is not set, be it to the default's own value.
SHOW hnsw.ef_search;
SELECT pg_temp.n_found();
ALTER INDEX items_v SET (ef_search = 7);
SELECT pg_temp.n_found();
SET hnsw.ef_search = 90;
SELECT pg_temp.n_found();
SET hnsw.ef_search = 40;
SELECT pg_temp.n_found();
RESET hnsw.ef_search;
SELECT pg_temp.n_found();
SET hnsw.ef_search TO DEFAULT;
SELECT pg_temp.n_found();
BEGIN;
SET LOCAL hnsw.ef_search = 11;
SELECT pg_temp.n_found();
COMMIT;
SELECT pg_temp.n_found();
BEGIN;
SET hnsw.ef_search = 12;
SAVEPOINT inner_one;
SET hnsw.ef_search = 13;
SELECT pg_temp.n_found();
ROLLBACK TO inner_one;
SELECT pg_temp.n_found();
ROLLBACK;
SELECT pg_temp.n_found();
CREATE FUNCTION pg_temp.n_found_of_14() RETURNS bigint LANGUAGE sql
    SET hnsw.ef_search = 14 AS 'SELECT pg_temp.n_found()';
SELECT pg_temp.n_found_of_14(), pg_temp.n_found();
ALTER INDEX items_v SET (ef_search = 9);
SELECT pg_temp.n_found();
ALTER INDEX items_v SET (ef_search = 0);
SELECT pg_temp.n_found();
ALTER INDEX items_v SET (ef_search = 5);
ALTER INDEX items_v RESET (ef_search);
SELECT pg_temp.n_found();
SET hnsw.ef_search = 1000;
SELECT pg_temp.n_found();
SET hnsw.ef_search = 1;
SELECT pg_temp.n_found();
RESET hnsw.ef_search;

-- Settings: defaults and bounds; refused values.
SELECT name, setting, boot_val, min_val, max_val, enumvals, context, vartype,
       short_desc <> '' AS described
FROM pg_settings
WHERE name LIKE 'hnsw.%' OR name IN ('vector_ext.glance_reads', 'vector_ext.exact_order',
                                         'vector_ext.fill_limit')
ORDER BY name;
SELECT statement, o.*
FROM (VALUES
    (1, 'hnsw.ef_search = 0'), (2, 'hnsw.ef_search = 1001'), (3, 'hnsw.ef_search = -1'),
    (4, $$hnsw.ef_search = 'many'$$), (5, 'hnsw.iterative_scan = on'),
    (6, $$hnsw.iterative_scan = 'strict'$$), (7, 'hnsw.max_scan_tuples = 0'),
    (8, 'hnsw.scan_mem_multiplier = 0.5'), (9, 'hnsw.scan_mem_multiplier = 1001'),
    (10, 'hnsw.nonsense = 1'), (11, 'vector_ext.glance_reads = 2'),
    (12, $$vector_ext.exact_order = 'maybe'$$), (13, 'vector_ext.fill_limit = 2'),
    (20, 'hnsw.ef_search = 1'), (21, 'hnsw.ef_search = 1000'), (22, 'hnsw.iterative_scan = off'),
    (23, 'hnsw.iterative_scan = Relaxed_Order'), (24, 'hnsw.iterative_scan = strict_order'),
    (25, 'hnsw.max_scan_tuples = 2147483647'), (26, 'hnsw.scan_mem_multiplier = 1.5'))
    t (n, statement),
     pg_temp.outcome('SET LOCAL ' || statement) o
ORDER BY n;
DROP TABLE items;
