-- Every node must be anchored somewhere. Here the lists of the few nodes in the middle, which are
-- the nearest of all others, soon hold nothing but anchors.
CREATE TABLE hub (id int, v vector(64));
CREATE INDEX hub_v ON hub USING hnsw (v vector_l2_ops) WITH (m = 2, ef_construction = 4);
SET statement_timeout = '60s';
INSERT INTO hub
SELECT i, array_agg(CASE WHEN j = i THEN 0.01 ELSE 0 END ORDER BY j)::vector
FROM generate_series(1, 6) AS i, generate_series(1, 64) AS j GROUP BY i ORDER BY i;
INSERT INTO hub
SELECT 100 + i, array_agg(CASE WHEN j = i THEN 1 ELSE 0 END ORDER BY j)::vector
FROM generate_series(1, 64) AS i, generate_series(1, 64) AS j GROUP BY i ORDER BY i;
SELECT * FROM hnsw_check('hub_v', true);
SET enable_seqscan = off;
SET hnsw.ef_search = 100;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM hub ORDER BY v <-> (SELECT v FROM hub WHERE id = 101)) AS found;
DROP TABLE hub;
