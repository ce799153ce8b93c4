# Beside the server's own modules, and what newer servers add: soft errors.

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

$node->stop;
done_testing();
