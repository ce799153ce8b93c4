-- The extension in a schema of its own, functions that match, policies, a hybrid search by ranks.
CREATE SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA extensions;
SET search_path = public, extensions;
CREATE TABLE documents (
    id bigserial PRIMARY KEY, content text, metadata jsonb, owner text DEFAULT 'ann',
    fts tsvector GENERATED ALWAYS AS (to_tsvector('english', content)) STORED, embedding extensions.vector(3));
CREATE FUNCTION match_documents(query_embedding extensions.vector(3), match_count int DEFAULT NULL, filter jsonb DEFAULT '{}')
RETURNS TABLE (id bigint, content text, metadata jsonb, similarity float)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT id, content, metadata, 1 - (documents.embedding <=> query_embedding) AS similarity
    FROM documents WHERE metadata @> filter
    ORDER BY documents.embedding <=> query_embedding LIMIT match_count;
END;
$$;
INSERT INTO documents (content, metadata, embedding, owner) VALUES
    ('red apples', '{"kind": "fruit"}', '[1,0,0]', 'ann'), ('green pears', '{"kind": "fruit"}', '[0,1,0]', 'bob'),
    ('blue cars', '{"kind": "thing"}', '[0,0,1]', 'ann'), ('red cars', '{"kind": "thing"}', '[0.7,0,0.7]', 'bob');
CREATE INDEX ON documents USING hnsw (embedding vector_ip_ops);
CREATE INDEX ON documents USING hnsw (embedding vector_cosine_ops);
CREATE INDEX ON documents USING gin (fts);
SELECT id, content, round(similarity::numeric, 4) AS similarity FROM match_documents('[1,0.1,0]', 2);
SELECT id, content, round(similarity::numeric, 4) AS similarity FROM match_documents('[1,0.1,0]', 5, '{"kind": "thing"}');
CREATE FUNCTION hybrid_search(query_text text, query_embedding extensions.vector(3), match_count int, rrf_k int DEFAULT 50)
RETURNS SETOF documents LANGUAGE sql AS $$
WITH full_text AS (
    SELECT id, row_number() OVER (ORDER BY ts_rank_cd(fts, websearch_to_tsquery(query_text)) DESC, id) AS rank_ix
    FROM documents WHERE fts @@ websearch_to_tsquery(query_text) LIMIT least(match_count, 30) * 2),
semantic AS (
    SELECT id, row_number() OVER (ORDER BY embedding <#> query_embedding, id) AS rank_ix
    FROM documents ORDER BY rank_ix LIMIT least(match_count, 30) * 2)
SELECT documents.* FROM full_text FULL OUTER JOIN semantic ON full_text.id = semantic.id
JOIN documents ON coalesce(full_text.id, semantic.id) = documents.id
ORDER BY coalesce(1.0 / (rrf_k + full_text.rank_ix), 0.0) + coalesce(1.0 / (rrf_k + semantic.rank_ix), 0.0) DESC, documents.id
LIMIT least(match_count, 30)
$$;
SELECT id, content FROM hybrid_search('red', '[1,0,0]', 3);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE ROLE framework_reader;
GRANT USAGE ON SCHEMA extensions TO framework_reader;
GRANT SELECT ON documents TO framework_reader;
CREATE POLICY own ON documents FOR SELECT TO framework_reader USING (owner = 'bob');
SET ROLE framework_reader;
SELECT id, content FROM match_documents('[1,0.1,0]', 2);
RESET ROLE;
ALTER TABLE documents ALTER COLUMN embedding TYPE halfvec(3);
CREATE TABLE halves (id int, embedding halfvec(3));
INSERT INTO halves SELECT id, embedding::halfvec(3) FROM documents;
CREATE INDEX ON halves USING hnsw (embedding halfvec_cosine_ops);
SELECT id FROM halves ORDER BY embedding <=> '[1,0.1,0]' LIMIT 2;
DROP POLICY own ON documents;
DROP OWNED BY framework_reader;
DROP ROLE framework_reader;
