-- What the server knows of access method hnsw: its properties, operator classes, functions.

SELECT amname, amhandler, amtype FROM pg_am WHERE amname = 'hnsw';
SELECT opcname, opcintype::regtype, opcdefault, opckeytype
FROM pg_opclass WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'hnsw') ORDER BY opcname;
SELECT f.opfname, amopstrategy AS strategy, amopopr::regoperator AS operator,
       amoppurpose AS purpose, s.opfname AS sorted_by
FROM pg_amop JOIN pg_opfamily f ON f.oid = amopfamily
     JOIN pg_opfamily s ON s.oid = amopsortfamily
WHERE amopmethod = (SELECT oid FROM pg_am WHERE amname = 'hnsw') ORDER BY 1, 2;
SELECT opfname, amprocnum AS number, amproc::regprocedure AS function
FROM pg_amproc JOIN pg_opfamily f ON f.oid = amprocfamily
WHERE opfmethod = (SELECT oid FROM pg_am WHERE amname = 'hnsw') ORDER BY 1, 2;
SELECT opcname, amvalidate(oid)
FROM pg_opclass WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'hnsw') ORDER BY opcname;
SELECT p.proname AS function, pg_get_function_arguments(p.oid) AS arguments,
       pg_get_function_result(p.oid) AS result, p.provolatile AS volatile,
       p.proisstrict AS strict, p.proparallel AS parallel, l.lanname AS language
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.proname LIKE 'hnsw\_%' AND p.proname NOT LIKE '%\_support' ORDER BY p.proname COLLATE "C" \gx

-- Properties of the access method, of an index and of its column.
CREATE TABLE items (id int, v vector(3));
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
SELECT property, pg_indexam_has_property(oid, property)
FROM pg_am, unnest(ARRAY['can_order', 'can_unique', 'can_multi_col', 'can_exclude',
                         'can_include']) WITH ORDINALITY p (property, i)
WHERE amname = 'hnsw' ORDER BY i;
SELECT property, pg_index_has_property('items_v', property)
FROM unnest(ARRAY['clusterable', 'index_scan', 'bitmap_scan', 'backward_scan'])
     WITH ORDINALITY p (property, i) ORDER BY i;
SELECT property, pg_index_column_has_property('items_v', 1, property)
FROM unnest(ARRAY['asc', 'desc', 'nulls_first', 'nulls_last', 'orderable', 'distance_orderable',
                  'returnable', 'search_array', 'search_nulls']) WITH ORDINALITY p (property, i)
ORDER BY i;
SELECT pg_get_indexdef('items_v'::regclass);
SELECT * FROM hnsw_check('items_v', true);
DROP TABLE items;

-- An operator class of one's own, over the functions that the index knows.
CREATE OPERATOR CLASS own_ops FOR TYPE vector USING hnsw AS
    OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
    FUNCTION 1 vector_l2_squared_distance(vector, vector);
CREATE TABLE items (id int, v vector(2));
INSERT INTO items SELECT i, ARRAY[i, i]::vector FROM generate_series(1, 20) i;
CREATE INDEX items_own ON items USING hnsw (v own_ops);
SET enable_seqscan = off;
SELECT id FROM items ORDER BY v <-> '[7,7.2]' LIMIT 3;
RESET enable_seqscan;
SELECT * FROM hnsw_check('items_own', true);
DROP TABLE items;
DROP OPERATOR FAMILY own_ops USING hnsw;

-- One over another function is refused when an index is made.
CREATE OPERATOR CLASS odd_ops FOR TYPE vector USING hnsw AS
    OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
    FUNCTION 1 vector_spherical_distance(vector, vector);
CREATE TABLE items (v vector(2));
CREATE INDEX ON items USING hnsw (v odd_ops);
\echo :SQLSTATE
DROP TABLE items;
DROP OPERATOR FAMILY odd_ops USING hnsw;
