# One constant vector that is added to all rows and queries changes no distance, and costs no recall,
# however the rows come in: codes are measured from a centroid, which is the mean of what comes first.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_rows = 2000;
my $node = start_node('centroid', 'shared_buffers = 256MB', 'autovacuum = off');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');

# `pool` and `queries`, with each component of the offset near to `offset`.
sub make_pool
{
	my ($n_dims, $offset) = @_;
	$node->safe_psql('postgres', 'DROP TABLE IF EXISTS pool, queries');
	load_vectors($node, 'pool', $n_rows + 100, $n_dims, 7);
	$node->safe_psql('postgres', qq{
		UPDATE pool SET v = v + (SELECT array_agg($offset * (1 + sin(i) / 5) ORDER BY i)::vector($n_dims)
			FROM generate_series(1, $n_dims) i);
		CREATE TABLE queries AS SELECT * FROM pool WHERE id > $n_rows;
		DELETE FROM pool WHERE id > $n_rows});
	return;
}

# Makes `t` with its index in one of several ways; returns recall@10 at ef 40.
sub recall_by
{
	my ($way, $n_dims, $metric) = @_;
	my $index = "CREATE INDEX t_v ON t USING hnsw (v vector_${metric}_ops)";
	my %sql = (
		'CREATE INDEX' => "INSERT INTO t SELECT * FROM pool; $index",
		'CREATE INDEX CONCURRENTLY' => "INSERT INTO t SELECT * FROM pool;
			CREATE INDEX CONCURRENTLY t_v ON t USING hnsw (v vector_${metric}_ops)",
		'a batch' => "$index; INSERT INTO t SELECT * FROM pool",
		'single rows' => "$index; SET vector_ext.insert_batch = 0;
			INSERT INTO t SELECT * FROM pool ORDER BY id",
		'transactions of five' => "$index; " . join(' ', map { "INSERT INTO t
			SELECT * FROM pool WHERE id BETWEEN $_ AND $_ + 4;\n" } map { 1 + 5 * $_ } 0 .. $n_rows / 5 - 1),
		'a few, then a batch' => "$index; INSERT INTO t SELECT * FROM pool WHERE id <= 3;
			INSERT INTO t SELECT * FROM pool WHERE id > 3");
	$node->safe_psql('postgres',
		"DROP TABLE IF EXISTS t; CREATE TABLE t (id bigint PRIMARY KEY, v vector($n_dims))");
	$node->safe_psql('postgres', $sql{$way} // die $way);
	index_is_sound($node, 't_v', "$n_dims dimensions, $metric, $way");
	return recall_of($node, 't_v', 'queries', 40);
}

my @ways = ('CREATE INDEX', 'CREATE INDEX CONCURRENTLY', 'a batch', 'single rows',
	'transactions of five', 'a few, then a batch');
for my $case ([ 100, 'l2' ], [ 100, 'l1' ], [ 600, 'l2' ])
{
	my ($n_dims, $metric) = @$case;
	make_pool($n_dims, 0);
	my $plain = recall_by('CREATE INDEX', $n_dims, $metric);
	make_pool($n_dims, 20);
	for my $way (@ways)
	{
		my $recall = recall_by($way, $n_dims, $metric);
		cmp_ok($recall, '>=', $plain - 0.02,
			"$n_dims dimensions, $metric, $way: an offset costs no recall");
		note("recall $recall, without offset by CREATE INDEX $plain");
	}
}

# --- rows that are few among others ---

make_pool(300, 20);
$node->safe_psql('postgres', q{
	DROP TABLE IF EXISTS t;
	CREATE TABLE t (id bigint, v vector(300));
	INSERT INTO t SELECT g, NULL FROM generate_series(1, 500000) g;
	INSERT INTO t SELECT * FROM pool;
	CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops)});
cmp_ok(recall_of($node, 't_v', 'queries', 40), '>=', 0.95, 'rows at the end of a table give a centroid');

# --- equal rows lie at no distance from the centroid ---

$node->safe_psql('postgres', q{
	CREATE TABLE equal (id integer, v vector(300));
	CREATE INDEX equal_v ON equal USING hnsw (v vector_l2_ops);
	INSERT INTO equal SELECT 1, v FROM queries LIMIT 1;
	INSERT INTO equal SELECT 2, v FROM equal;
	INSERT INTO equal SELECT 3, v FROM queries OFFSET 1 LIMIT 1});
is($node->safe_psql('postgres', q{
	SET enable_seqscan = off;
	SELECT string_agg(id::text, ' ') FROM (
		SELECT id FROM equal ORDER BY v <-> (SELECT v FROM equal WHERE id = 3)) f}) =~ s/2 1/1 2/r,
	'3 1 2', 'the row that is the centroid is found, and its equal, and another');
index_is_sound($node, 'equal_v', 'the centroid is a row');

# --- a vector too long to measure from ---

$node->safe_psql('postgres', q{
	CREATE TABLE long (id integer, v vector(300));
	CREATE INDEX long_v ON long USING hnsw (v vector_l2_ops);
	INSERT INTO long SELECT 1, array_agg(1e17)::vector(300) FROM generate_series(1, 300);
	INSERT INTO long SELECT 2, array_agg(-1e17)::vector(300) FROM generate_series(1, 300)});
is($node->safe_psql('postgres', q{
	SET enable_seqscan = off;
	SELECT string_agg(id::text, ' ') FROM (SELECT id FROM long ORDER BY v <->
		(SELECT array_agg(-1e16)::vector(300) FROM generate_series(1, 300))) f}),
	'2 1', 'vectors on both sides of the origin that are too long for a centroid');

$node->stop;
done_testing();
