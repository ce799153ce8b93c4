-- Prisma, Drizzle, TypeORM, knex, sequelize, kysely, objection: quoted names, casts of parameters, returning.
CREATE EXTENSION IF NOT EXISTS "vector" WITH SCHEMA "public";
CREATE TABLE "Item" ("id" SERIAL NOT NULL, "embedding" vector(3), CONSTRAINT "Item_pkey" PRIMARY KEY ("id"));
CREATE INDEX "Item_embedding_idx" ON "Item" USING hnsw ("embedding" vector_l2_ops);
PREPARE p1 AS INSERT INTO "Item" (embedding) VALUES ($1::vector), ($2::vector), ($3::vector);
EXECUTE p1('[1,1,1]', '[2,2,2]', '[1,1,2]');
PREPARE p2 AS SELECT id, embedding::text FROM "Item" ORDER BY embedding <-> $1::vector LIMIT 5;
EXECUTE p2('[1,1,1]');
CREATE TABLE "guides" ("id" serial PRIMARY KEY NOT NULL, "title" text NOT NULL, "url" text NOT NULL, "embedding" vector(3));
CREATE INDEX "embeddingIndex" ON "guides" USING hnsw ("embedding" vector_cosine_ops);
insert into "guides" ("id", "title", "url", "embedding") values (default, $$a$$, $$/a$$, '[1,0,0]'), (default, $$b$$, $$/b$$, '[0.9,0.1,0]'),
    (default, $$c$$, $$/c$$, '[0,0,1]') returning "id", "title";
select "title", "url", round((1 - ("embedding" <=> '[1,0,0]'))::numeric, 4) as "similarity" from "guides"
where 1 - ("embedding" <=> '[1,0,0]') > 0.5 order by 1 - ("embedding" <=> '[1,0,0]') desc limit 4;
create table "items" ("id" serial primary key, "embedding" vector(3), "sparse" sparsevec(5), "half" halfvec(3), "bits" bit(3));
create index "items_embedding_idx" on "items" using hnsw ("embedding" vector_l2_ops);
insert into "items" ("bits", "embedding", "half", "sparse") values ('101', '[1,2,3]', '[1,2,3]', '{1:1}/5'), ('111', '[4,5,6]', '[4,5,6]', '{2:1}/5') returning "id";
select * from "items" order by "embedding" <-> '[1,2,3]' limit 5;
select "id" from "items" order by "bits" <~> '110' limit 1;
select "id" from "items" order by "sparse" <-> '{2:1}/5' limit 1;
select avg("embedding") from "items";
update "items" set "embedding" = '[7,8,9]' where "id" = 2 returning *;
SELECT "id" FROM "items" AS "items" ORDER BY "embedding" <=> '[3,2,1]' ASC LIMIT 1;
SELECT table_name, column_name, data_type, udt_schema, udt_name FROM information_schema.columns
WHERE table_name = 'items' ORDER BY ordinal_position;
DROP TABLE "Item", "guides", "items";
DROP EXTENSION "vector";
