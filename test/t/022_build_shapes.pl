# CREATE INDEX of tables of many shapes: whatever builds the graph - one process or several, all rows
# at once or in as many batches as little memory takes - it is sound, and as good as the graph that
# inserts make.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_rows = 3000;
my $ef_search = 20;
# What a graph may lose against the one it is compared with.
my $tolerance = 0.01;

my $node = start_node('shapes', 'shared_buffers = 512MB', 'max_wal_size = 4GB', 'autovacuum = off',
	'log_statement = none', 'log_min_messages = debug1', 'checkpoint_timeout = 1h',
	'max_worker_processes = 8', 'max_parallel_workers = 8', 'max_parallel_maintenance_workers = 4');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');

# Makes `table` of `n` generated vectors and `table`_queries of some more.
sub load_with_queries
{
	my ($table, $n, $n_dims, $n_queries) = @_;
	load_vectors($node, $table, $n + $n_queries, $n_dims, 22);
	$node->safe_psql('postgres', qq{
		CREATE TABLE ${table}_queries AS SELECT * FROM $table WHERE id > $n;
		DELETE FROM $table WHERE id > $n;
		VACUUM ANALYZE $table});
	return;
}

# Builds the index `built` with this many workers and this much memory, and asks what must hold of
# every index; where it is built at once, every vector has one node. Returns its recall, if there are
# queries.
sub build
{
	my ($shape, $metric, $n_workers, $memory, $is_at_once) = @_;
	my ($table, $queries, $n_distinct) = @$shape{qw(table queries n_distinct)};
	my $name = "$table by $metric, $n_workers workers, $memory";
	my $offset = -s $node->logfile;
	# Workers are had where the rows are thought to be few enough.
	my ($status, $stdout, $stderr) = $node->psql('postgres', qq{
		SET client_min_messages = warning;
		UPDATE pg_class SET reltuples = 100 WHERE oid = '$table'::regclass;
		ALTER TABLE $table SET (parallel_workers = $n_workers);
		DROP INDEX IF EXISTS built;
		SET maintenance_work_mem = '$memory';
		CREATE INDEX built ON $table USING hnsw (v vector_${metric}_ops)});
	is("$status $stderr", '0 ', "$name: built without a warning");
	my $n_launched = () = substr(slurp_file($node->logfile), $offset) =~
	  /starting background worker process "parallel worker/g;
	# Little memory may be thought to serve fewer.
	cmp_ok($n_launched, $is_at_once ? '==' : '<=', $n_workers, "$name: the workers take part");
	index_is_sound($node, 'built', $name);
	# Members that insert equal vectors at the same time may make a node each.
	my $n_more = $is_at_once ? 0 : 4 + int($n_distinct / 100);
	is($node->safe_psql('postgres', qq{
		SELECT nodes BETWEEN $n_distinct AND $n_distinct + $n_more, dead, unlinked
		FROM hnsw_info('built')}), 't|0|0', "$name: there is a node of each vector");
	finds_every_row($node, $table, $name) if $shape->{is_small} && $metric eq 'l2';
	return $queries ? recall_of($node, 'built', $queries, $ef_search) : undef;
}

# Recall of a graph whose rows were inserted one by one.
sub recall_of_inserts
{
	my ($shape, $metric) = @_;
	$node->safe_psql('postgres', qq{
		SET vector_ext.insert_batch = 0;
		CREATE TABLE inserted (LIKE $shape->{table});
		CREATE INDEX inserted_v ON inserted USING hnsw (v vector_${metric}_ops);
		INSERT INTO inserted SELECT * FROM $shape->{table}});
	my $recall = recall_of($node, 'inserted_v', $shape->{queries}, $ef_search);
	$node->safe_psql('postgres', 'DROP TABLE inserted');
	return $recall;
}

# Builds a shape with each of `crews`, numbers of workers, at once and with little memory.
sub check_shape
{
	my ($shape, $metric, @crews) = @_;
	my $floor;
	$floor = recall_of_inserts($shape, $metric) - $tolerance if $shape->{queries};
	for my $n_workers (@crews)
	{
		for my $is_at_once (1, 0)
		{
			# Each member has buffers of its own, beside which little is to be had for rows.
			my $little = ($n_workers + 1) * $shape->{member_megabytes} + 2;
			my $memory = $is_at_once ? '1GB' : "${little}MB";
			my $recall = build($shape, $metric, $n_workers, $memory, $is_at_once);
			next unless defined $floor;
			cmp_ok($recall, '>=', $floor,
				"$shape->{table} by $metric, $n_workers workers, $memory: recall is as of inserts");
		}
	}
	return;
}

# --- rows in any order, and cluster by cluster ---

load_with_queries('shuffled', $n_rows, 64, 500);
my %shuffled = (table => 'shuffled', queries => 'shuffled_queries', n_distinct => $n_rows,
	member_megabytes => 6);
check_shape(\%shuffled, 'l2', 0, 1, 2, 3, 4);
check_shape(\%shuffled, 'ip', 0, 2);
check_shape(\%shuffled, 'cosine', 0, 2);

$node->safe_psql('postgres', q{
	CREATE TABLE sorted AS SELECT s.* FROM shuffled s
	ORDER BY (SELECT p.id FROM shuffled p WHERE p.id <= 100 ORDER BY p.v <-> s.v LIMIT 1), s.id});
my %sorted = (%shuffled, table => 'sorted');
check_shape(\%sorted, 'l2', 0, 2);
check_shape(\%sorted, 'ip', 3);

# --- equal vectors ---

my $half = $n_rows / 2;
$node->safe_psql('postgres', qq{
	CREATE TABLE doubled AS
	SELECT id, v FROM shuffled WHERE id <= $half
	UNION ALL
	SELECT $half + i, v FROM generate_series(1, $half) i JOIN shuffled ON id = 1 + i % 40
	ORDER BY 1;
	CREATE TABLE equal AS SELECT i AS id, v FROM generate_series(1, $n_rows) i, shuffled WHERE id = 1});
check_shape({ %shuffled, table => 'doubled', n_distinct => $half }, 'l2', 0, 2);
check_shape({ table => 'equal', n_distinct => 1, member_megabytes => 6, is_small => 1 }, 'l2', 0, 4);

# --- hardly any rows ---

$node->safe_psql('postgres', q{
	CREATE TABLE single AS SELECT * FROM shuffled WHERE id = 1;
	CREATE TABLE empty (LIKE shuffled);
	CREATE TABLE nulls (LIKE shuffled);
	INSERT INTO nulls SELECT i, NULL FROM generate_series(1, 3000) i});
check_shape({ table => $_, n_distinct => $_ eq 'single' ? 1 : 0, member_megabytes => 6, is_small => 1 },
	'l2', 0, 2)
  for 'single', 'empty', 'nulls';

# --- few and many dimensions ---

load_with_queries('narrow', $n_rows, 2, 500);
check_shape({ table => 'narrow', queries => 'narrow_queries', n_distinct => $n_rows,
	member_megabytes => 5 }, 'l2', 0, 2);
load_with_queries('widest', 400, 8000, 100);
check_shape({ table => 'widest', queries => 'widest_queries', n_distinct => 400,
	member_megabytes => 70 }, 'l2', 0, 1);

$node->stop;
done_testing();
