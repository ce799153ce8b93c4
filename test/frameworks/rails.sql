-- What migrations, neighbours and the dump of a schema send.
CREATE EXTENSION IF NOT EXISTS "vector";
CREATE TABLE "items" ("id" bigserial PRIMARY KEY, "name" character varying, "embedding" vector(3),
    "half_embedding" halfvec(3), "binary_embedding" bit(3), "sparse_embedding" sparsevec(5),
    "created_at" timestamp(6) DEFAULT now() NOT NULL);
CREATE INDEX "index_items_on_embedding" ON "items" USING hnsw ("embedding" vector_l2_ops);
INSERT INTO "items" ("name", "embedding", "half_embedding", "binary_embedding", "sparse_embedding") VALUES
    ('a', '[1.0,1.0,1.0]', '[1,1,1]', '000', '{1:1,3:2}/5'), ('b', '[2.0,2.0,2.0]', '[2,2,2]', '101', '{2:1,4:2}/5'),
    ('c', '[1.0,1.0,2.0]', '[1,1,2]', '111', '{1:1,5:3}/5'), ('d', NULL, NULL, NULL, NULL) RETURNING "id";
SELECT "items"."id", "items"."name", round(("items"."embedding" <-> '[1.0,1.0,1.0]')::numeric, 4) AS neighbor_distance
FROM "items" WHERE "items"."embedding" IS NOT NULL
ORDER BY "items"."embedding" <-> '[1.0,1.0,1.0]' LIMIT 5;
SELECT "items"."id", round(("items"."embedding" <=> '[1.0,1.0,1.0]')::numeric, 4) AS neighbor_distance
FROM "items" WHERE "items"."embedding" IS NOT NULL AND "items"."id" != 1
ORDER BY "items"."embedding" <=> '[1.0,1.0,1.0]', "items"."id" LIMIT 3;
SELECT "items"."id", ("items"."half_embedding" <+> '[1,1,1]') AS neighbor_distance FROM "items"
WHERE "items"."half_embedding" IS NOT NULL ORDER BY "items"."half_embedding" <+> '[1,1,1]' LIMIT 3;
SELECT "items"."id", ("items"."binary_embedding" <~> '101') AS neighbor_distance FROM "items"
WHERE "items"."binary_embedding" IS NOT NULL ORDER BY "items"."binary_embedding" <~> '101' LIMIT 3;
SELECT "items"."id", ("items"."binary_embedding" <%> '101') AS neighbor_distance FROM "items"
WHERE "items"."binary_embedding" IS NOT NULL ORDER BY "items"."binary_embedding" <%> '101', 1 LIMIT 2;
SELECT "items"."id", ("items"."sparse_embedding" <#> '{1:1,3:1}/5') AS neighbor_distance FROM "items"
WHERE "items"."sparse_embedding" IS NOT NULL ORDER BY "items"."sparse_embedding" <#> '{1:1,3:1}/5', 1 LIMIT 3;
SELECT AVG("items"."embedding") FROM "items";
SELECT SUM("items"."half_embedding") FROM "items";
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a
WHERE a.attrelid = '"items"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;
SELECT i.relname, pg_get_indexdef(d.indexrelid) FROM pg_class t JOIN pg_index d ON t.oid = d.indrelid
JOIN pg_class i ON d.indexrelid = i.oid WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'items';
SELECT extname FROM pg_extension WHERE extname = 'vector';
UPDATE "items" SET "embedding" = '[9.0,9.0,9.0,9.0]' WHERE "items"."id" = 1;
UPDATE "items" SET "embedding" = '[9.0,9.0,NaN]' WHERE "items"."id" = 1;
ALTER TABLE "items" DROP COLUMN "embedding";
DROP EXTENSION "vector";
DROP TABLE "items";
DROP EXTENSION IF EXISTS "vector" CASCADE;
