-- Sessions that insert one row each share the free slots that there are.
CREATE TABLE few (id int, v vector(300));
CREATE INDEX few_v ON few USING hnsw (v vector_l2_ops);
INSERT INTO few VALUES (1, array_fill(0.1, ARRAY[300])::vector);
SELECT pg_relation_size('few_v') AS size_of_one \gset
\c -
INSERT INTO few VALUES (2, array_fill(0.2, ARRAY[300])::vector);
\c -
INSERT INTO few VALUES (3, array_fill(0.3, ARRAY[300])::vector);
\c -
INSERT INTO few VALUES (4, array_fill(0.4, ARRAY[300])::vector);
SELECT pg_relation_size('few_v') = :size_of_one AS same_size FROM hnsw_info('few_v') WHERE nodes = 4;
-- So do sessions that come after a build.
REINDEX INDEX few_v;
SELECT pg_relation_size('few_v') AS size_of_build \gset
\c -
INSERT INTO few VALUES (5, array_fill(0.5, ARRAY[300])::vector);
SELECT pg_relation_size('few_v') = :size_of_build AS same_size FROM hnsw_info('few_v') WHERE nodes = 5;
SELECT * FROM hnsw_check('few_v', true);
DROP TABLE few;
