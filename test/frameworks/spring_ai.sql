-- A store with generated ids, metadata as json and jsonpath filters.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA IF NOT EXISTS public;
CREATE TABLE IF NOT EXISTS public.vector_store (
    id uuid DEFAULT gen_random_uuid() PRIMARY KEY, content text, metadata json, embedding vector(3));
CREATE INDEX IF NOT EXISTS spring_ai_vector_index ON public.vector_store USING HNSW (embedding vector_cosine_ops);
PREPARE put AS INSERT INTO public.vector_store (id, content, metadata, embedding) VALUES ($1, $2, $3::jsonb, $4)
ON CONFLICT (id) DO UPDATE SET content = $2, metadata = $3::jsonb, embedding = $4;
EXECUTE put('00000000-0000-0000-0000-000000000001', 'one', '{"country": "NL", "year": 2020}', '[0.1,0.2,0.3]');
EXECUTE put('00000000-0000-0000-0000-000000000002', 'two', '{"country": "BG", "year": 2023}', '[0.4,0.1,0.1]');
EXECUTE put('00000000-0000-0000-0000-000000000001', 'one!', '{"country": "NL", "year": 2021}', '[0.1,0.2,0.4]');
PREPARE find(vector, float8, vector, int) AS
SELECT content, metadata, round((embedding <=> $1)::numeric, 4) AS distance FROM public.vector_store
WHERE embedding <=> $1 < $2 AND metadata::jsonb @@ '$.country == "NL" && $.year >= 2020'::jsonpath
ORDER BY distance LIMIT $4;
EXECUTE find('[0.1,0.2,0.3]', 0.5, '[0.1,0.2,0.3]', 4);
SELECT content, 1 + round((embedding <#> '[0.1,0.2,0.3]')::numeric, 4) AS distance FROM public.vector_store
WHERE (1 + (embedding <#> '[0.1,0.2,0.3]')) < 2 ORDER BY distance LIMIT 4;
SELECT atttypmod FROM pg_attribute WHERE attrelid = 'public.vector_store'::regclass AND attname = 'embedding';
DELETE FROM public.vector_store WHERE metadata::jsonb @@ '$.country == "BG"'::jsonpath;
DROP TABLE IF EXISTS public.vector_store;
