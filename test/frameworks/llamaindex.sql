-- Nodes with text search beside vectors, an index made with its options, and a hybrid query.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA IF NOT EXISTS llm;
CREATE TABLE llm.data_nodes (
    id BIGSERIAL NOT NULL, text VARCHAR NOT NULL, metadata_ JSON, node_id VARCHAR, embedding VECTOR(4),
    text_search_tsv TSVECTOR GENERATED ALWAYS AS (to_tsvector('english', text)) STORED, PRIMARY KEY (id));
CREATE INDEX nodes_idx_1 ON llm.data_nodes ((metadata_ ->> 'ref_doc_id'));
CREATE INDEX nodes_idx ON llm.data_nodes USING gin (text_search_tsv);
CREATE INDEX IF NOT EXISTS data_nodes_embedding_idx ON llm.data_nodes
    USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 64);
INSERT INTO llm.data_nodes (text, metadata_, node_id, embedding) VALUES
    ('The quick brown fox', '{"ref_doc_id": "1", "year": 2020}', 'n1', '[0.9,0.1,0,0.2]'),
    ('jumps over the lazy dog', '{"ref_doc_id": "1", "year": 2021}', 'n2', '[0.1,0.9,0.1,0]'),
    ('Foxes are quick', '{"ref_doc_id": "2", "year": 2022}', 'n3', '[0.8,0.2,0.1,0.1]') RETURNING id;
SET hnsw.ef_search = 100;
SELECT id, node_id, text, metadata_, round((1 - (embedding <=> '[1,0,0,0]'))::numeric, 4) AS similarity
FROM llm.data_nodes WHERE (metadata_ ->> 'year')::float >= 2021
ORDER BY embedding <=> '[1,0,0,0]' ASC LIMIT 2;
BEGIN;
SET LOCAL hnsw.ef_search = 40;
SET LOCAL ivfflat.probes = 10;
SELECT node_id, ts_rank(text_search_tsv, to_tsquery('english', 'quick | fox')) > 0 AS found
FROM llm.data_nodes WHERE text_search_tsv @@ to_tsquery('english', 'quick | fox') ORDER BY node_id;
COMMIT;
SHOW ivfflat.probes;
DELETE FROM llm.data_nodes WHERE metadata_ ->> 'ref_doc_id' = '1';
SELECT node_id, embedding FROM llm.data_nodes;
