-- What adapters ask for types, and statements with numbered parameters of unknown type.
CREATE EXTENSION IF NOT EXISTS vector;
SELECT typname AS name, typarray <> 0 AS has_array, oid::regtype::text AS regtype, typdelim AS delimiter
FROM pg_type t WHERE t.oid = to_regtype('vector') ORDER BY t.oid;
SELECT typname, typtype, typelem, typbasetype, typreceive::text, typsend::text FROM pg_type
WHERE typname IN ('vector', 'halfvec', 'sparsevec') ORDER BY typname;
CREATE TABLE item (id SERIAL NOT NULL, embedding VECTOR(3), half_embedding HALFVEC(3), binary_embedding BIT(3),
    sparse_embedding SPARSEVEC(3), embeddings VECTOR(3)[], PRIMARY KEY (id));
CREATE INDEX my_index ON item USING hnsw (embedding vector_l2_ops) WITH (m = 16, ef_construction = 64);
CREATE INDEX half_precision_index ON item USING hnsw ((CAST(embedding AS HALFVEC(3))) halfvec_l2_ops) WITH (m = 16, ef_construction = 64);
CREATE INDEX binary_quantize_index ON item USING hnsw ((CAST(binary_quantize(embedding) AS BIT(3))) bit_hamming_ops);
PREPARE add AS INSERT INTO item (embedding, half_embedding, binary_embedding, sparse_embedding) VALUES ($1, $2, $3, $4) RETURNING item.id;
EXECUTE add('[1.0,2.0,3.0]', '[1,2,3]', B'101', '{1:1,2:2,3:3}/3');
EXECUTE add('[4.0,5.0,6.0]', '[4,5,6]', B'010', '{1:4,2:5,3:6}/3');
EXECUTE add('[7.0,8.0,-9.0]', NULL, NULL, NULL);
PREPARE near AS SELECT item.id, item.embedding <-> $1 AS anon_1 FROM item ORDER BY item.embedding <-> $1 LIMIT $2;
EXECUTE near('[1,2,3]', 2);
SELECT item.id FROM item ORDER BY CAST(item.embedding AS HALFVEC(3)) <-> CAST('[3,1,2]' AS HALFVEC(3)) LIMIT 2;
SELECT id FROM (SELECT item.id, item.embedding FROM item
    ORDER BY CAST(binary_quantize(item.embedding) AS BIT(3)) <~> binary_quantize(CAST('[3,-1,2]' AS VECTOR(3))) LIMIT 20) AS near
ORDER BY embedding <=> '[3,-1,2]' LIMIT 2;
SELECT avg(item.embedding) AS avg_1, sum(item.embedding) AS sum_1, max(vector_norm(item.embedding)) > 13 AS long FROM item;
UPDATE item SET embeddings = ARRAY['[1,2,3]', '[4,5,6]']::vector[] WHERE id = 1 RETURNING embeddings;
SELECT embeddings[2] FROM item WHERE id = 1;
COPY item (embedding) FROM STDIN;
[1,1,1]
[2,2,2]
\.
COPY (SELECT embedding FROM item ORDER BY id) TO STDOUT;
SELECT vector_dims(embedding), l2_normalize(embedding), subvector(embedding, 1, 2), binary_quantize(embedding)
FROM item WHERE id = 1;
SELECT embedding + '[1,1,1]', embedding - '[1,1,1]', embedding * '[2,2,2]', embedding || '[9]' FROM item WHERE id = 1;
SELECT cosine_distance(embedding, '[1,2,3]'), l1_distance(embedding, '[1,2,4]'), inner_product(embedding, '[1,1,1]'),
    l2_distance(embedding, '[1,2,7]') FROM item WHERE id = 1;
SELECT item.id FROM item WHERE item.embedding IN ('[1,2,3]', '[4,5,6]') ORDER BY item.embedding DESC;
DROP TABLE item;
