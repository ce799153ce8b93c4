# Gathered rows and crashes: a COPY is there whole or not at all, a prepared transaction has its rows.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VectorExt;

my $n_rows = 1000;

my $node = start_node('gather_crash', 'shared_buffers = 16MB', 'checkpoint_timeout = 30s',
	'autovacuum = off', 'restart_after_crash = off', 'max_prepared_transactions = 5');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'pool', $n_rows + 200, 260, 31);
my $rows_file = $node->basedir . '/rows.copy';
$node->safe_psql('postgres', qq{
	CREATE TABLE queries AS SELECT * FROM pool WHERE id > $n_rows;
	DELETE FROM pool WHERE id > $n_rows;
	COPY pool (v) TO '$rows_file';
	CREATE TABLE items (id bigserial, v vector(260));
	CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops)});

sub is_whole
{
	my ($test_name, @counts) = @_;
	my $n = $node->safe_psql('postgres', 'SELECT count(*) FROM items');
	ok(scalar(grep { $_ == $n } @counts), "$test_name: no COPY is there in part") or diag("$n rows");
	index_is_sound($node, 'items_v', $test_name);
	finds_every_row($node, 'items', $test_name);
	return $n;
}

# --- killed during COPY: all of it waits, or some has been flushed ---

my $n = 0;
for my $batch ('64MB', '300kB', '300kB', '64MB')
{
	my $copy = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'),
			'-c', "SET vector_ext.insert_batch = '$batch'",
			'-c', "COPY items (v) FROM PROGRAM 'cat $rows_file; sleep 0.5; cat $rows_file'" ],
		'<', \undef, '>&', \my $output, IPC::Run::timeout(60));
	$node->poll_query_until('postgres',
		q{SELECT count(*) > 0 FROM pg_locks WHERE relation = 'items_v'::regclass});
	sleep(rand(0.9));
	kill_server($node);
	$copy->finish;
	$node->start;
	$n = is_whole("killed with $batch", $n, $n + 2 * $n_rows);
	is_as_good_as_fresh($node, 'items_v', 'queries', "killed with $batch") if $n;
}
$node->safe_psql('postgres', "VACUUM items; COPY items (v) FROM '$rows_file'; VACUUM items");
$n = is_whole('after a vacuum', $n + $n_rows);

# --- prepared, then killed ---

for my $end ('COMMIT', 'ROLLBACK')
{
	$node->safe_psql('postgres', qq{
		BEGIN;
		COPY items (v) FROM '$rows_file';
		PREPARE TRANSACTION 'load'});
	kill_server($node);
	$node->start;
	is_whole("prepared, to $end", $n);
	$node->safe_psql('postgres', "$end PREPARED 'load'");
	$n += $end eq 'COMMIT' ? $n_rows : 0;
	is_whole("$end PREPARED", $n);
	is_as_good_as_fresh($node, 'items_v', 'queries', "$end PREPARED");
}
$node->safe_psql('postgres', 'VACUUM items');
is_whole('at the end', $n);

$node->stop;
done_testing();
