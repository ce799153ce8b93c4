-- Upserts by a key whose collation takes different texts for equal. A server built without ICU has no
-- such collation.
SELECT NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS has_no_icu \gset
\if :has_no_icu
\quit
\endif
BEGIN;
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE named (t text COLLATE caseless PRIMARY KEY, n int);
INSERT INTO named VALUES ('Anna', 1);
SELECT vector_stage_for('named', 'named_stage');
INSERT INTO named_stage VALUES ('ANNA', 2), ('bert', 1);
SELECT inserted, updated, unchanged, skipped
FROM vector_bulk_upsert('named', 'named_stage', 'update');
INSERT INTO named_stage VALUES ('BERT', 2);
SELECT inserted, updated, unchanged, skipped
FROM vector_bulk_upsert('named', 'named_stage', 'update', duplicates => 'last');
SELECT * FROM named ORDER BY 1;
ROLLBACK;
