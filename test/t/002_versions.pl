# Beside the server's own modules, and what newer servers add: soft errors, columns and constraints
# of new kinds.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('versions',
	"shared_preload_libraries = 'auto_explain, pg_stat_statements, vector_ext'",
	'auto_explain.log_min_duration = 0',
	'auto_explain.log_analyze = on',
	'auto_explain.log_nested_statements = on',
	"pg_stat_statements.track = 'all'");
my ($version) = $node->safe_psql('postgres', 'SHOW server_version_num') =~ /^(\d+)\d{4}$/;

$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_stat_statements;
	CREATE EXTENSION vector_ext;
	CREATE TABLE points (id bigint, v vector(2));
	INSERT INTO points SELECT i, ARRAY[i, 0]::vector FROM generate_series(1, 100) i;
});
my $offset = -s $node->logfile;
is($node->safe_psql('postgres', q{SELECT id FROM points ORDER BY v <-> '[42,0]' LIMIT 2}),
	"42\n41", 'search beside auto_explain and pg_stat_statements');
like(substr(slurp_file($node->logfile), $offset), qr/Sort Key: \(\(v <-> '\[42,0\]'::vector\)\)/,
	'auto_explain logs the plan');
is($node->safe_psql('postgres', q{
	SELECT calls, rows FROM pg_stat_statements WHERE query LIKE 'SELECT id FROM points ORDER BY v <->%'}),
	'1|2', 'pg_stat_statements counts the query');

SKIP:
{
	skip 'soft errors need PostgreSQL 16', 3 if $version < 16;
	is($node->safe_psql('postgres', q{
		SELECT string_agg(pg_input_is_valid(t, 'vector')::text, ' ' ORDER BY t)
		FROM unnest(ARRAY['[1,2]', '[1,', '[nan]', '[1e99]']) t}),
		'false true false false', 'pg_input_is_valid tells');
	is($node->safe_psql('postgres', q{
		SELECT pg_input_is_valid('[1,2]', 'vector(3)'), pg_input_is_valid('[1,2,3]', 'vector(3)')}),
		'f|t', 'pg_input_is_valid regards the dimensions of the column');
	is($node->safe_psql('postgres', q{
		SELECT string_agg((pg_input_error_info(t, 'vector')).sql_error_code, ' ' ORDER BY t)
		FROM unnest(ARRAY['[1,', '[1e99]', '[]', '[nan]']) t}),
		'22P02 22003 22000 22000', 'pg_input_error_info gives the SQLSTATE');
}

SKIP:
{
	skip 'COPY (ON_ERROR ignore) needs PostgreSQL 17', 2 if $version < 17;
	my $path = $node->basedir . '/rows.txt';
	append_to_file($path, join("\n", "1\t[1,2]", "2\t[1", "3\t[1,2,3]", "4\t[inf,1]", "5\t[3,4]", ''));
	my ($status, $stdout, $stderr) = $node->psql('postgres',
		"CREATE TABLE loaded (LIKE points); COPY loaded FROM '$path' (ON_ERROR ignore)");
	like($stderr, qr/3 rows were skipped/, 'COPY skips bad vectors');
	is($node->safe_psql('postgres', 'SELECT * FROM loaded ORDER BY id'),
		"1|[1,2]\n5|[3,4]", 'COPY keeps the good ones');
}

SKIP:
{
	skip 'virtual columns, NOT ENFORCED, WITHOUT OVERLAPS need PostgreSQL 18', 6 if $version < 18;
	$node->safe_psql('postgres', q{
		CREATE TABLE items (id int PRIMARY KEY, v vector(2) NOT NULL, n int,
			twice int GENERATED ALWAYS AS (n * 2), CHECK (n < 100) NOT ENFORCED, CHECK (twice <> 14));
		ALTER TABLE items ADD CONSTRAINT n_given NOT NULL n NOT VALID;
		CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
		CREATE TABLE rooms (room int4range, during daterange, v vector(2),
			CONSTRAINT rooms_key PRIMARY KEY (room, during WITHOUT OVERLAPS));
		SELECT vector_rejects_table('rejects')});
	is($node->safe_psql('postgres', q{
		BEGIN;
		DO $$ BEGIN PERFORM vector_stage_for('items', 'stage'); END $$;
		INSERT INTO stage VALUES (1, '[1,1]', 5), (2, '[2,2]', 7), (3, '[3,3]', 200), (4, '[4,4]', NULL);
		SELECT inserted, updated, rejected
		FROM vector_bulk_upsert('items', 'stage', 'update', reject_into => 'rejects');
		UPDATE stage SET n = 6 WHERE id = 1;
		DELETE FROM stage WHERE id IN (2, 4);
		SELECT inserted, updated, unchanged, rejected
		FROM vector_bulk_upsert('items', 'stage', 'update', reject_into => 'rejects');
		COMMIT}),
		"2|0|2\n0|1|1|0", 'an upsert regards virtual columns and what is enforced');
	is($node->safe_psql('postgres', 'SELECT id, n, twice FROM items ORDER BY id'),
		"1|6|12\n3|200|400", 'rows have their virtual columns');
	is($node->safe_psql('postgres', 'SELECT source_row, sqlstate FROM rejects ORDER BY 1'),
		"2|23514\n4|23502", 'rejects say why');
	is($node->safe_psql('postgres', q{
		BEGIN;
		DO $$ BEGIN PERFORM vector_stage_for('rooms', 'stage'); END $$;
		INSERT INTO stage VALUES ('[1,1]', '[2020-01-01,2020-02-01)', '[1,2]'),
			('[1,1]', '[2020-01-15,2020-03-01)', '[1,2]'), ('[2,2]', '[2020-01-15,2020-03-01)', '[1,2]');
		SELECT inserted, rejected FROM vector_bulk_upsert('rooms', 'stage', reject_into => 'rejects');
		COMMIT}),
		'2|1', 'a key WITHOUT OVERLAPS refuses rows');
	my ($status, $stdout, $stderr) = $node->psql('postgres', q{
		BEGIN; SELECT vector_stage_for('rooms', 'stage');
		SELECT vector_bulk_upsert('rooms', 'stage', 'update')});
	like($stderr, qr/ERROR: .*unique/, 'to update by it is refused');
	like($node->safe_psql('postgres', q{
		SET enable_seqscan = off;
		EXPLAIN (ANALYZE, COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,1]' LIMIT 1}),
		qr/Index Searches: 1$/m, 'EXPLAIN counts the search');
}

$node->stop;
done_testing();
