-- Which plan is chosen where it is clear which is best (bench/plans measures the others).

CREATE FUNCTION plan_noise(seed bigint, n_dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(hashint8extended(seed * 100000 + i, 0)::float8 / 9.3e18::float8)::vector
    FROM generate_series(1, n_dims) i
$$;
CREATE TABLE items (id int, c int, v vector(3)) WITH (autovacuum_enabled = off);
INSERT INTO items SELECT i, i % 50, plan_noise(i, 3) FROM generate_series(1, 10000) i;
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
VACUUM ANALYZE items;

-- The scans of a statement's plan, and whether it sorts.
CREATE FUNCTION plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
    RETURN (SELECT string_agg(node[1], ', ')
            FROM regexp_matches(plan::text, '"(?:Node Type|Index Name)": "((?:Seq Scan|Sort|items|some|parts)[^"]*)"', 'g') node);
END $$;
CREATE FUNCTION plan_where(condition text, n text DEFAULT '10') RETURNS text LANGUAGE sql AS $$
    SELECT plan_of(format('SELECT id FROM items WHERE %s ORDER BY v <-> ''[0.1,0.2,0.3]'' LIMIT %s', condition, n))
$$;

-- Of 10,000 rows all, 2 %, 98 %, none; one row, every row, and no LIMIT.
SELECT plan_where('true'), plan_where('c = 7'), plan_where('c <> 7'), plan_where('c = 1000');
SELECT plan_where('true', '1'), plan_where('true', '10000'), plan_where('true', 'ALL');
SELECT plan_where('true', '10 OFFSET 9000'), plan_where('c <> 7', '10 OFFSET 20');
-- A wider candidate list costs more.
SET hnsw.ef_search = 1000;
SELECT plan_where('true', '10'), plan_where('c < 25', '10');
RESET hnsw.ef_search;
-- A scan that ends before it has enough is chosen where there is no other way.
SET hnsw.max_scan_tuples = 300;
SELECT plan_where('c < 25'), plan_where('c < 2');
SET enable_seqscan = off;
SELECT plan_where('c < 2');
RESET enable_seqscan;
RESET hnsw.max_scan_tuples;
-- A cursor without LIMIT may fetch all: not by a scan that ends before. Its first beam fills LIMIT whatever
-- the limits are.
SET hnsw.max_scan_tuples = 300;
SELECT plan_of($$DECLARE c CURSOR FOR SELECT id FROM items ORDER BY v <-> '[0.1,0.2,0.3]'$$) AS limited;
SET hnsw.ef_search = 200;
SET hnsw.max_scan_tuples = 100;
SELECT plan_where('true', '100') AS one_beam;
RESET hnsw.ef_search;
RESET hnsw.max_scan_tuples;
SET work_mem = '64kB';
SELECT plan_where('true', '10'), plan_where('true', '900');
RESET work_mem;
-- Where the cache holds none of it, a search reads pages here and there.
SET effective_cache_size = '8kB';
SELECT plan_where('true');
RESET effective_cache_size;
-- As pgvector's, where a scan ends after its beam.
SET hnsw.iterative_scan = off;
SELECT plan_where('true'), plan_where('c <> 7');
RESET hnsw.iterative_scan;

-- Beside other indexes.
CREATE INDEX items_c ON items (c);
CREATE INDEX some_v ON items USING hnsw (v vector_l2_ops) WHERE c < 5;
SELECT plan_where('true'), plan_where('c = 7'), plan_where('c <> 7'), plan_where('c < 5');
DROP INDEX items_c, some_v;

-- Under a subquery, a join, a view with row security, of a prepared statement.
SELECT plan_of($$SELECT id FROM (SELECT * FROM items ORDER BY v <-> '[0,0,0]') s LIMIT 10$$) AS inside,
       plan_of($$SELECT id FROM (SELECT * FROM items ORDER BY v <-> '[0,0,0]') s WHERE c = 7 LIMIT 10$$) AS condition;
CREATE TABLE asked AS SELECT plan_noise(-i, 3)::vector(3) AS q FROM generate_series(1, 3) i;
ANALYZE asked;
SELECT plan_of($$SELECT id FROM asked, LATERAL (SELECT id FROM items ORDER BY v <-> q LIMIT 10) s$$) AS nearest,
       plan_of($$SELECT id FROM asked, LATERAL (SELECT id FROM items WHERE c = 7 ORDER BY v <-> q LIMIT 10) s$$) AS some;
PREPARE nearest(vector, int) AS SELECT id FROM items ORDER BY v <-> $1 LIMIT $2;
SET plan_cache_mode = force_generic_plan;
SELECT plan_of($$EXECUTE nearest('[0,0,0]', 10)$$) AS generic;
SET plan_cache_mode = force_custom_plan;
SELECT plan_of($$EXECUTE nearest('[0,0,0]', 10)$$) AS custom;
RESET plan_cache_mode;
DEALLOCATE nearest;
CREATE TABLE parts (LIKE items) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (5001);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (5001) TO (10001);
CREATE INDEX parts_v ON parts USING hnsw (v vector_l2_ops);
INSERT INTO parts SELECT * FROM items;
VACUUM ANALYZE parts;
SELECT plan_of($$SELECT id FROM parts ORDER BY v <-> '[0,0,0]' LIMIT 10$$) AS parts,
       plan_of($$SELECT id FROM parts WHERE c = 7 ORDER BY v <-> '[0,0,0]' LIMIT 10$$) AS some;

-- Tables that are empty or that nobody has analyzed have plans, too; costs are numbers.
CREATE TABLE fresh (id int, c int, v vector(3)) WITH (autovacuum_enabled = off);
CREATE INDEX fresh_v ON fresh USING hnsw (v vector_l2_ops);
CREATE INDEX fresh_some ON fresh USING hnsw (v vector_l2_ops) WHERE c = 1;
SET enable_seqscan = off;
CREATE FUNCTION cost_is_sound(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    plan json;
    costs float8[];
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
    SELECT array_agg(c[1]::float8) INTO costs
      FROM regexp_matches(plan::text, '"(?:Startup|Total) Cost": ([^,]*),', 'g') c;
    RETURN plan::text LIKE '%"Order By"%' AND NOT EXISTS (SELECT FROM unnest(costs) c WHERE NOT c BETWEEN 0 AND 1e9);
END $$;
SELECT limits, cost_is_sound('SELECT id FROM fresh ORDER BY v <-> ''[1,1,1]'' ' || limits) AS fresh,
       cost_is_sound('SELECT id FROM fresh WHERE c = 1 ORDER BY v <-> ''[1,1,1]'' ' || limits) AS some,
       cost_is_sound('SELECT id FROM items ORDER BY v <-> ''[1,1,1]'' ' || limits) AS items
FROM unnest('{LIMIT 0,LIMIT 1,LIMIT 9000000000000000000,LIMIT NULL,""}'::text[]) limits;
INSERT INTO fresh SELECT i, 1, plan_noise(i, 3) FROM generate_series(1, 100) i;
SELECT cost_is_sound('SELECT id FROM fresh ORDER BY v <-> ''[1,1,1]'' LIMIT 10');
TRUNCATE fresh;
ANALYZE fresh;
SELECT cost_is_sound('SELECT id FROM fresh ORDER BY v <-> ''[1,1,1]'' LIMIT 10');
RESET enable_seqscan;

DROP TABLE items, asked, parts, fresh;
DROP FUNCTION plan_noise, plan_of, plan_where, cost_is_sound;
