-- A collection of documents: embeddings without dimensions, metadata as jsonb.
SELECT pg_advisory_xact_lock(1573678846307946496);
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE langchain_pg_collection (
    uuid UUID NOT NULL, name VARCHAR NOT NULL, cmetadata JSON, PRIMARY KEY (uuid), UNIQUE (name));
CREATE TABLE langchain_pg_embedding (
    id VARCHAR NOT NULL, collection_id UUID, embedding VECTOR, document VARCHAR, cmetadata JSONB,
    PRIMARY KEY (id),
    FOREIGN KEY (collection_id) REFERENCES langchain_pg_collection (uuid) ON DELETE CASCADE);
CREATE INDEX ix_cmetadata_gin ON langchain_pg_embedding USING gin (cmetadata jsonb_path_ops);
INSERT INTO langchain_pg_collection VALUES ('11111111-1111-1111-1111-111111111111', 'docs', 'null');
PREPARE add(VARCHAR, UUID, VECTOR, VARCHAR, JSONB) AS
INSERT INTO langchain_pg_embedding (id, collection_id, embedding, document, cmetadata)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding, document = excluded.document,
    cmetadata = excluded.cmetadata
RETURNING id;
EXECUTE add('a', '11111111-1111-1111-1111-111111111111', '[0.1,0.2,0.3]', 'cats', '{"topic": "animals", "n": 1}');
EXECUTE add('b', '11111111-1111-1111-1111-111111111111', '[0.3,0.2,0.1]', 'ducks', '{"topic": "animals", "n": 2}');
EXECUTE add('c', '11111111-1111-1111-1111-111111111111', '[-0.1,0.5,0]', 'bread', '{"topic": "food", "n": 3}');
EXECUTE add('a', '11111111-1111-1111-1111-111111111111', '[0.1,0.25,0.3]', 'cats!', '{"topic": "animals", "n": 1}');
SELECT e.document, e.cmetadata, round((e.embedding <=> '[0.1,0.2,0.3]')::numeric, 5) AS distance
FROM langchain_pg_embedding e JOIN langchain_pg_collection c ON e.collection_id = c.uuid
WHERE e.collection_id = '11111111-1111-1111-1111-111111111111'::UUID
      AND jsonb_path_match(e.cmetadata, CAST('$.topic == $value' AS JSONPATH), CAST('{"value": "animals"}' AS JSONB))
ORDER BY distance ASC LIMIT 4;
SELECT e.document, round((e.embedding <-> '[0.1,0.2,0.3]')::numeric, 5) AS distance
FROM langchain_pg_embedding e WHERE jsonb_path_exists(e.cmetadata, '$.n ? (@ >= 2)')
ORDER BY e.embedding <-> '[0.1,0.2,0.3]' LIMIT 4;
SELECT e.document, round((e.embedding <#> '[0.1,0.2,0.3]')::numeric, 5) AS distance
FROM langchain_pg_embedding e ORDER BY e.embedding <#> '[0.1,0.2,0.3]' LIMIT 2;
-- An index needs dimensions, which the column has not.
CREATE INDEX ON langchain_pg_embedding USING hnsw (embedding vector_cosine_ops);
CREATE INDEX ON langchain_pg_embedding USING hnsw ((embedding::vector(3)) vector_cosine_ops);
DELETE FROM langchain_pg_collection WHERE name = 'docs';
SELECT count(*) FROM langchain_pg_embedding;
