-- Indexes on `bit`: both operator classes, expressions of `vector`, changes, tools, limits.

SET jit = off;
CREATE FUNCTION pg_temp.noise(seed bigint) RETURNS bit(256) LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || substr(sha256(int8send(seed))::text, 3))::bit(256)
$$;
-- `n_bits` of them. Kinds: random; around twenty centres; of 64 values; a quarter without a set bit.
CREATE FUNCTION pg_temp.bits(kind text, i bigint, n_bits int) RETURNS varbit
LANGUAGE sql IMMUTABLE AS $$
    SELECT substring(string_agg(
        (CASE kind
             WHEN 'random' THEN pg_temp.noise(1000 * i + part)
             WHEN 'centres' THEN pg_temp.noise(-1000 * (1 + i % 20) - part)
                                 # (pg_temp.noise(1000 * i + part) & pg_temp.noise(1000 * i + part + 500)
                                    & pg_temp.noise(1000 * i + part + 900))
             WHEN 'few' THEN pg_temp.noise(1000 * (i * i % 64) + part)
             WHEN 'zeros' THEN CASE WHEN i % 4 = 0 THEN 0::bit(256)
                                    ELSE pg_temp.noise(1000 * i + part)
                                         & pg_temp.noise(1000 * i + part + 500) END
         END)::text, '') FROM 1 FOR n_bits)::varbit
    FROM generate_series(1, (n_bits + 255) / 256) part
$$;

-- A third of the rows are there when the index is built, the others come in statements of many rows and
-- of one; some are updated and deleted. Of fifty searches: how many of the ten
-- nearest are found, judged by their distances since many are equally far; how many answers are out of
-- order.
CREATE FUNCTION pg_temp.try_class(class text, operator text, kind text, n_bits int,
                                  OUT recall float8, OUT out_of_order int, OUT metric text,
                                  OUT codec text, OUT dims int, OUT told float8, OUT problems bigint)
LANGUAGE plpgsql SET hnsw.ef_search = 100 AS $$
DECLARE
    searches text := format('
        SELECT q.id AS query, a.* FROM queries q, LATERAL
            (SELECT id, v %1$s q.v AS d, row_number() OVER () AS place
             FROM (SELECT * FROM items WHERE v IS NOT NULL ORDER BY v %1$s q.v LIMIT 10 OFFSET 0) s) a',
        operator);
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE items (id int PRIMARY KEY, v bit(%s))', n_bits);
    INSERT INTO items SELECT i, pg_temp.bits(kind, i, n_bits) FROM generate_series(1, 300) i;
    EXECUTE format('CREATE INDEX items_v ON items USING hnsw (v bit_%s_ops)', class);
    INSERT INTO items SELECT i, pg_temp.bits(kind, i, n_bits) FROM generate_series(301, 800) i;
    FOR i IN 801 .. 840 LOOP
        INSERT INTO items VALUES (i, pg_temp.bits(kind, i, n_bits));
    END LOOP;
    INSERT INTO items VALUES (841, NULL);
    UPDATE items SET v = pg_temp.bits(kind, id + 1000, n_bits) WHERE id % 9 = 0;
    UPDATE items SET id = id + 1000 WHERE id % 10 = 1;
    DELETE FROM items WHERE id % 7 = 0;
    CREATE TEMPORARY TABLE queries AS
    SELECT i AS id, pg_temp.bits(kind, 5000 + i, n_bits) AS v FROM generate_series(1, 25) i
    UNION ALL (SELECT 5000 + id, v FROM items WHERE v IS NOT NULL ORDER BY id LIMIT 25);
    SET LOCAL enable_indexscan = off;
    EXECUTE 'CREATE TEMPORARY TABLE exact AS ' || searches;
    SET LOCAL enable_indexscan = on;
    SET LOCAL enable_seqscan = off;
    EXECUTE 'CREATE TEMPORARY TABLE found AS ' || searches;
    SET LOCAL enable_seqscan = on;
    SELECT count(*) / 500.0 INTO recall
    FROM found JOIN (SELECT query, max(d) AS d FROM exact GROUP BY query) e USING (query)
    WHERE found.d <= e.d;
    SELECT count(*) INTO out_of_order
    FROM found a JOIN found b ON b.query = a.query AND b.place = a.place + 1 AND b.d < a.d;
    SELECT i.metric, i.codec, i.dims INTO STRICT metric, codec, dims FROM hnsw_info('items_v') i;
    SELECT r.recall INTO STRICT told FROM hnsw_recall('items_v', 10, '{100}', 40) r;
    SELECT count(*) INTO problems FROM hnsw_check('items_v', true);
    DROP TABLE items, queries, exact, found;
END $$;
SELECT class, kind, n_bits, metric, codec, dims, recall > 0.95 AS is_found, out_of_order,
       told > 0.95 AS is_told, problems
FROM (VALUES (1, 'hamming', '<~>'), (2, 'jaccard', '<%>')) AS c (place, class, operator),
     (VALUES (1, 'random', 64), (2, 'random', 1000), (3, 'centres', 256), (4, 'few', 200),
             (5, 'zeros', 33), (6, 'random', 3)) AS k (number, kind, n_bits),
     pg_temp.try_class(class, operator, kind, n_bits)
ORDER BY place, number;

-- NULL, other lengths, queries of other types.
CREATE TABLE items (id int, v bit(8));
CREATE INDEX items_v ON items USING hnsw (v bit_hamming_ops);
INSERT INTO items SELECT i, i::bit(8) FROM generate_series(0, 255) i;
INSERT INTO items VALUES (256, NULL);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <~> B'00000111' LIMIT 3;
SELECT id, v <~> B'00000111' AS distance FROM items ORDER BY v <~> B'00000111' LIMIT 1;
SELECT v <~> B'00000111' AS distance, count(*)
FROM (SELECT v FROM items ORDER BY v <~> B'00000111' LIMIT 37) s GROUP BY 1 ORDER BY 1;
SELECT id FROM items ORDER BY v <~> X'ff' LIMIT 1;
SELECT id FROM items ORDER BY v <~> '11111110' LIMIT 1;
SELECT id FROM items ORDER BY v <~> '11111110'::varbit LIMIT 1;
SELECT count(*) FROM (SELECT FROM items ORDER BY v <~> NULL LIMIT 300) s;
SELECT id FROM items ORDER BY v <~> B'111' LIMIT 1;
SELECT id FROM items ORDER BY v <~> B'111100001' LIMIT 1;
SELECT id FROM items ORDER BY v <~> '' LIMIT 1;
INSERT INTO items VALUES (0, B'111');
INSERT INTO items VALUES (0, B'111100001');
-- Not the operator of the class.
RESET enable_seqscan;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <%> B'00000111' LIMIT 3;
SET enable_seqscan = off;

-- Scans go on, also behind filters; the order holds where a plan counts on it.
SET hnsw.ef_search = 10;
SELECT count(*) FROM (SELECT FROM items ORDER BY v <~> B'00000111' LIMIT 200) s;
SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM items WHERE id % 64 = 7
                                       ORDER BY v <~> B'00000111' LIMIT 4) s;
SELECT d, count(*) FROM (SELECT v <~> B'00000111' AS d FROM items WHERE v IS NOT NULL
                         ORDER BY v <~> B'00000111' LIMIT 256) s GROUP BY d ORDER BY d;
SET hnsw.iterative_scan = strict_order;
SELECT count(*) AS rows, count(*) FILTER (WHERE d < before) AS out_of_order
FROM (SELECT d, lag(d) OVER () AS before
      FROM (SELECT v <~> B'01010101' AS d FROM items ORDER BY v <~> B'01010101' LIMIT 256) s) t;
SET hnsw.iterative_scan = off;
SELECT count(*) FROM (SELECT FROM items ORDER BY v <~> B'00000111' LIMIT 200) s;
RESET hnsw.iterative_scan;
RESET hnsw.ef_search;

-- Equal values are one node; places of rows that go are used again.
\getenv directory PG_ABS_BUILDDIR
\set file :directory '/results/hnsw_bit.data'
\set load '\\copy items FROM ' :'file' ' (FORMAT binary)'
COPY (SELECT 1000 + i, (i % 2)::bit(8) FROM generate_series(1, 2000) i) TO STDOUT (FORMAT binary) \g :file
:load
SELECT nodes FROM hnsw_info('items_v');
SELECT count(*) FROM (SELECT FROM items ORDER BY v <~> B'00000001' LIMIT 1500) s;
DELETE FROM items WHERE id % 2 = 0;
VACUUM items;
SELECT count(*), count(DISTINCT v) FROM (SELECT v FROM items ORDER BY v <~> B'00000001' LIMIT 1001) s;
SELECT id FROM items ORDER BY v <~> B'11111110' LIMIT 1;
SELECT * FROM hnsw_check('items_v', true);
INSERT INTO items SELECT 5000 + i, i::bit(8) FROM generate_series(0, 255) i;
SELECT id FROM items ORDER BY v <~> B'11111110', id LIMIT 1;
SELECT nodes, dead FROM hnsw_info('items_v');
REINDEX INDEX items_v;
SELECT nodes, dead FROM hnsw_info('items_v');
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;

-- Jaccard: what has no bit set is 1 apart from everything, itself too, and found behind all others.
CREATE TABLE items (id int, v bit(10));
CREATE INDEX items_v ON items USING hnsw (v bit_jaccard_ops);
INSERT INTO items SELECT i, 0::bit(10) FROM generate_series(1, 500) i;
INSERT INTO items SELECT 1000 + i, i::bit(10) FROM generate_series(1, 60) i;
SELECT id, v <%> B'0000000011' AS distance FROM items ORDER BY v <%> B'0000000011' LIMIT 1;
SELECT count(*) FROM (SELECT FROM items ORDER BY v <%> B'0000000011' LIMIT 600) s;
SELECT count(*), min(d), max(d)
FROM (SELECT v <%> B'0000000000' AS d FROM items ORDER BY v <%> B'0000000000' LIMIT 600) s;
SET vector_ext.exact_order = on;
SELECT count(*), count(*) FILTER (WHERE d < before) AS out_of_order
FROM (SELECT d, lag(d) OVER () AS before
      FROM (SELECT v <%> B'0000001011' AS d FROM items ORDER BY v <%> B'0000001011' LIMIT 600) s) t;
RESET vector_ext.exact_order;
SELECT nodes FROM hnsw_info('items_v');
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;

-- Bits of vectors, ranked again by the vectors.
CREATE TABLE items (id int, embedding vector(64));
INSERT INTO items SELECT i, (SELECT array_agg(sin(i * 7 + j * i)) FROM generate_series(1, 64) j)
FROM generate_series(1, 500) i;
CREATE INDEX items_bits ON items USING hnsw ((binary_quantize(embedding)::bit(64)) bit_hamming_ops);
INSERT INTO items VALUES (501, (SELECT embedding FROM items WHERE id = 77)), (502, NULL);
EXPLAIN (COSTS OFF)
SELECT * FROM items
ORDER BY binary_quantize(embedding)::bit(64) <~> binary_quantize(array_fill(1, ARRAY[64])::vector) LIMIT 5;
SELECT id FROM (
    SELECT * FROM items
    ORDER BY binary_quantize(embedding)::bit(64)
             <~> binary_quantize((SELECT embedding FROM items WHERE id = 77)) LIMIT 20
) s ORDER BY embedding <=> (SELECT embedding FROM items WHERE id = 77), id LIMIT 2;
SELECT recall > 0.95 AS is_told FROM hnsw_recall('items_bits', 10, '{40}', 40);
SELECT * FROM hnsw_check('items_bits', true);
-- The expression does not say how many bits there are.
CREATE INDEX ON items USING hnsw ((binary_quantize(embedding)) bit_hamming_ops);
DROP TABLE items;

-- Types and limits. A page of 64,000 bits has room for the links of m = 16.
CREATE DOMAIN code AS bit(16);
CREATE DOMAIN loose AS varbit;
CREATE TABLE items (a varbit(8), b varbit, c code, d loose, e bit(64000), f bit(64001), g bit);
CREATE INDEX ON items USING hnsw (a bit_hamming_ops);
CREATE INDEX ON items USING hnsw (b bit_jaccard_ops);
CREATE INDEX ON items USING hnsw (d bit_hamming_ops);
CREATE INDEX ON items USING hnsw ((a || b) bit_hamming_ops);
CREATE INDEX ON items USING hnsw (c);
CREATE INDEX ON items USING hnsw (c vector_l2_ops);
CREATE INDEX ON items USING hnsw (f bit_hamming_ops);
CREATE INDEX ON items USING hnsw (e bit_hamming_ops) WITH (m = 17);
CREATE INDEX ON items USING hnsw (e bit_hamming_ops) WITH (m = 100, ef_construction = 200);
CREATE INDEX items_c ON items USING hnsw (c bit_hamming_ops);
CREATE INDEX items_b ON items USING hnsw ((b::bit(20)) bit_hamming_ops);
CREATE INDEX items_e ON items USING hnsw (e bit_jaccard_ops);
CREATE INDEX items_g ON items USING hnsw (g bit_hamming_ops);
INSERT INTO items (b, c, e, g) SELECT i::bit(12), i::bit(16), (repeat('0', 64000 - 100 * i) || repeat('1', 100 * i))::bit(64000), i::bit
FROM generate_series(1, 100) i;
SELECT c FROM items ORDER BY c <~> 7::bit(16) LIMIT 1;
SELECT b FROM items ORDER BY b::bit(20) <~> B'00000000011000000000' LIMIT 1;
SELECT length(replace(e::text, '0', '')) AS set FROM items
ORDER BY e <%> (repeat('0', 64000 - 5037) || repeat('1', 5037))::bit(64000) LIMIT 2;
SELECT g, count(*) FROM (SELECT g FROM items ORDER BY g <~> B'1' LIMIT 60) s GROUP BY g ORDER BY g;
SELECT c.relname, p.* FROM pg_class c, LATERAL hnsw_check(c.oid, true) p
WHERE relname IN ('items_b', 'items_c', 'items_e', 'items_g');
SELECT metric, codec, dims, cold_pages, centroid_offset FROM hnsw_info('items_e');
-- A column does not become varbit below its index.
ALTER TABLE items ALTER COLUMN g TYPE varbit(1);
ALTER TABLE items ALTER COLUMN g TYPE varbit;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'items'::regclass AND attname = 'g';
DROP TABLE items;
DROP DOMAIN code, loose;
RESET enable_seqscan;

-- Staged and merged.
CREATE TABLE items (id int PRIMARY KEY, v bit(4));
CREATE INDEX items_v ON items USING hnsw (v bit_hamming_ops);
INSERT INTO items VALUES (1, B'0001'), (2, B'0010');
SELECT vector_rejects_table('rejects');
BEGIN;
SELECT vector_stage_for('items', 'stage');
INSERT INTO stage VALUES (2, B'1111'), (3, B'0011');
SELECT inserted, updated, rejected FROM vector_bulk_upsert('items', 'stage', 'update', ARRAY['id']);
SELECT vector_stage_for('items', 'lenient', lenient => true);
INSERT INTO lenient VALUES (4, '1100'), (5, '11'), (6, '12ab'), (1, '1000');
SELECT inserted, updated, rejected
FROM vector_bulk_upsert('items', 'lenient', 'update', ARRAY['id'], reject_into => 'rejects');
COMMIT;
SET enable_seqscan = off;
SELECT id, v FROM items ORDER BY v <~> B'1111', id;
SELECT sqlstate, message, raw FROM rejects ORDER BY key::int;
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items, rejects;

-- What an index would take.
SELECT hot_bytes, cold_bytes FROM hnsw_estimate(100000, 1024, metric => 'hamming');
CREATE TABLE items (v bit(1024), w varbit);
INSERT INTO items SELECT i::bit(1024) FROM generate_series(1, 100) i;
SELECT cold_bytes FROM hnsw_estimate('items', 'v', metric => 'jaccard');
SELECT cold_bytes FROM hnsw_estimate('items', 'v');
SELECT cold_bytes FROM hnsw_estimate('items', 'v', metric => 'cosine');
SELECT cold_bytes FROM hnsw_estimate('items', 'w');
SELECT hot_bytes FROM hnsw_estimate(10, 70000, metric => 'jaccard');
DROP TABLE items;

-- The classes.
SELECT opcname, opcintype::regtype, opcdefault, amvalidate(o.oid)
FROM pg_opclass o JOIN pg_am a ON a.oid = opcmethod
WHERE amname = 'hnsw' AND opcintype = 'bit'::regtype ORDER BY opcname;
