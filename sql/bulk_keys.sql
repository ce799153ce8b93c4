-- Keys of vector_bulk_upsert as tables have them.
\set VERBOSITY default
\set SHOW_CONTEXT never

-- Soft deletion: a name is unique among the rows that are there.
CREATE TABLE pages (id serial PRIMARY KEY, slug text, deleted_at date, v vector(2));
CREATE UNIQUE INDEX pages_slug ON pages (slug) WHERE deleted_at IS NULL;
CREATE TABLE pages_in (slug text, v vector(2));
INSERT INTO pages (slug, deleted_at, v) VALUES
    ('a', NULL, '[1,1]'), ('a', '2020-01-01', '[0,0]'), ('b', '2020-01-01', '[0,0]'), ('c', NULL, '[3,3]');
INSERT INTO pages_in VALUES ('a', '[9,9]'), ('b', '[8,8]'), ('c', '[3,3]');
SELECT inserted, updated, unchanged, skipped FROM vector_bulk_upsert('pages', 'pages_in', 'update', key => '{slug}');
SELECT slug, deleted_at, v FROM pages ORDER BY slug, deleted_at;
SELECT inserted, updated, unchanged, skipped FROM vector_bulk_upsert('pages', 'pages_in', 'skip', key => '{slug}');
SELECT inserted FROM vector_bulk_upsert('pages', 'pages_in', key => '{slug}');
-- The primary key is left to its default, so that the other key is taken without being named.
SELECT inserted, updated, unchanged, skipped FROM vector_bulk_upsert('pages', 'pages_in', 'update');
-- Rows of the source that are outside of the predicate meet nobody, not even each other.
CREATE TABLE pages_old (slug text, deleted_at date, v vector(2));
INSERT INTO pages_old VALUES ('a', '2021-01-01', '[7,7]'), ('a', '2022-01-01', '[7,7]'), ('c', NULL, '[5,5]');
SELECT inserted, updated, unchanged, skipped FROM vector_bulk_upsert('pages', 'pages_old', 'update', key => '{slug}');
SELECT slug, deleted_at, v FROM pages ORDER BY slug, deleted_at;
INSERT INTO pages_old VALUES ('c', NULL, '[5,5]');
SELECT inserted FROM vector_bulk_upsert('pages', 'pages_old', 'update', key => '{slug}');
SELECT inserted, updated, unchanged, skipped
FROM vector_bulk_upsert('pages', 'pages_old', 'update', key => '{slug}', duplicates => 'first');
-- Rejects, and a row of another transaction, meet the same rows.
SELECT vector_rejects_table('refused');
SELECT inserted, rejected FROM vector_bulk_upsert('pages', 'pages_in', key => '{slug}', reject_into => 'refused');
SELECT source_row, key, sqlstate, message FROM refused ORDER BY 1;
-- By a default that is outside of the predicate all rows are new.
CREATE TABLE drafts (id serial, name text, is_live boolean DEFAULT false);
CREATE UNIQUE INDEX ON drafts (name) WHERE is_live;
INSERT INTO drafts (name, is_live) VALUES ('x', true);
CREATE TABLE drafts_in AS SELECT 'x' AS name;
SELECT inserted, updated FROM vector_bulk_upsert('drafts', 'drafts_in', 'skip', key => '{name}');

-- An expression.
CREATE TABLE people (id serial PRIMARY KEY, email text, hits int DEFAULT 1, v vector(2));
CREATE UNIQUE INDEX people_email ON people (lower(email));
CREATE TABLE people_in (email text, hits int, v vector(2));
INSERT INTO people (email, v) VALUES ('ann@x.org', '[1,1]');
INSERT INTO people_in VALUES ('Ann@X.org', 4, '[2,2]'), ('bob@x.org', 5, '[3,3]');
SELECT inserted, updated FROM vector_bulk_upsert('people', 'people_in', 'update', key => '{email}', merge => '{"hits": "sum"}');
SELECT email, hits, v FROM people ORDER BY id;
SELECT inserted, updated, unchanged FROM vector_bulk_upsert('people', 'people_in', 'update', update_columns => '{v}');
INSERT INTO people_in VALUES ('BOB@x.org', 6, '[4,4]'), (NULL, 7, '[5,5]');
SELECT inserted FROM vector_bulk_upsert('people', 'people_in', 'update', key => '{email}');
TRUNCATE refused;
SELECT inserted, updated, unchanged, rejected
FROM vector_bulk_upsert('people', 'people_in', 'update', key => '{email}', reject_into => 'refused');
SELECT source_row, key, sqlstate, message FROM refused ORDER BY 1;
-- Beside a plain column, and with a predicate.
CREATE TABLE users (tenant int, name text, gone boolean, hits int, CHECK (hits > 0));
CREATE UNIQUE INDEX users_key ON users (tenant, lower(name)) WHERE NOT coalesce(gone, false);
CREATE TABLE users_in (tenant int, name text, hits int);
INSERT INTO users VALUES (1, 'Ann', NULL, 1), (1, 'ANN', true, 1), (2, 'ann', false, 1);
INSERT INTO users_in VALUES (1, 'ann', 5), (2, 'Ann', 1), (3, 'ann', 1);
SELECT inserted, updated, unchanged FROM vector_bulk_upsert('users', 'users_in', 'update');
SELECT * FROM users ORDER BY tenant, name COLLATE "C";

-- NULLS NOT DISTINCT: NULL is a value like others.
CREATE TABLE terms (id serial PRIMARY KEY, tenant int, slug text, n int, UNIQUE NULLS NOT DISTINCT (tenant, slug));
CREATE TABLE terms_in (tenant int, slug text, n int);
INSERT INTO terms (tenant, slug, n) VALUES (NULL, 'x', 1), (1, 'x', 1), (NULL, NULL, 1);
INSERT INTO terms_in VALUES (NULL, 'x', 2), (1, NULL, 2), (NULL, NULL, 1), (1, 'x', 3);
SELECT inserted, updated, unchanged FROM vector_bulk_upsert('terms', 'terms_in', 'update', key => '{slug,tenant}');
SELECT tenant, slug, n FROM terms ORDER BY tenant, slug;
SELECT inserted, skipped FROM vector_bulk_upsert('terms', 'terms_in', 'skip', key => '{slug,tenant}');
SELECT inserted FROM vector_bulk_upsert('terms', 'terms_in', key => '{slug,tenant}');
INSERT INTO terms_in VALUES (NULL, NULL, 7);
SELECT inserted FROM vector_bulk_upsert('terms', 'terms_in', 'update', key => '{slug,tenant}');
SELECT updated, unchanged, skipped
FROM vector_bulk_upsert('terms', 'terms_in', 'update', key => '{slug,tenant}', duplicates => 'last');

-- What cannot be a key is refused by its name and the reason.
CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED, n int);
CREATE TABLE late_in (id int, n int);
INSERT INTO late_in VALUES (1, 1);
SELECT inserted FROM vector_bulk_upsert('late', 'late_in', 'update', key => '{id}');
\echo :LAST_ERROR_SQLSTATE
SELECT inserted FROM vector_bulk_upsert('late', 'late_in', 'update');
CREATE TABLE doubled (id int, twice int GENERATED ALWAYS AS (id * 2) STORED);
CREATE UNIQUE INDEX ON doubled (abs(twice));
SELECT inserted FROM vector_bulk_upsert('doubled', 'late_in', 'skip');

-- Several keys: the choice is named; one that the table fills by itself is none.
CREATE TABLE docs (id bigserial PRIMARY KEY, url text UNIQUE NOT NULL, hash int, n int);
CREATE TABLE docs_in (url text, hash int, n int);
INSERT INTO docs_in VALUES ('a', 1, 1);
SELECT inserted, updated FROM vector_bulk_upsert('docs', 'docs_in', 'update');
SELECT inserted, updated, unchanged FROM vector_bulk_upsert('docs', 'docs_in', 'update');
CREATE UNIQUE INDEX docs_hash ON docs (hash);
SELECT inserted FROM vector_bulk_upsert('docs', 'docs_in', 'update');
SELECT inserted, unchanged FROM vector_bulk_upsert('docs', 'docs_in', 'update', key => '{hash}');
ALTER TABLE docs DROP CONSTRAINT docs_pkey;
SELECT inserted FROM vector_bulk_upsert('docs', 'docs_in', 'update');
DROP INDEX docs_hash;
SELECT inserted FROM vector_bulk_upsert('docs', 'docs_in', 'update', key => '{hash}');
-- Of two for the same columns that for all rows is taken; of two for some rows none.
CREATE UNIQUE INDEX ON docs (hash) WHERE n > 0;
CREATE UNIQUE INDEX ON docs (hash) WHERE n < 0;
SELECT inserted FROM vector_bulk_upsert('docs', 'docs_in', 'update', key => '{hash}');
CREATE UNIQUE INDEX ON docs (hash);
SELECT unchanged FROM vector_bulk_upsert('docs', 'docs_in', 'update', key => '{hash}');

-- Partitions.
CREATE TABLE parted (tenant int, name text, n int) PARTITION BY LIST (tenant);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE UNIQUE INDEX ON parted (tenant, lower(name)) WHERE n > 0;
CREATE TABLE parted_in (tenant int, name text, n int);
INSERT INTO parted VALUES (1, 'a', 1), (1, 'b', -1);
INSERT INTO parted_in VALUES (1, 'A', 2), (1, 'B', 1), (1, 'C', -5);
SELECT inserted, updated FROM vector_bulk_upsert('parted', 'parted_in', 'update', update_columns => '{n}');
SELECT * FROM parted ORDER BY name COLLATE "C";

DROP TABLE pages, pages_in, pages_old, refused, drafts, drafts_in, people, people_in, users, users_in,
    terms, terms_in, late, late_in, doubled, docs, docs_in, parted, parted_in;
