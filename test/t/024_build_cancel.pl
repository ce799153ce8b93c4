# A build that is ended at whatever moment, with or without workers, ends at once and leaves nothing.
#
# VECTOR_EXT_CANCELS is how many builds of each kind are ended, 3 by default.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use VectorExt;

my $n_ends = $ENV{VECTOR_EXT_CANCELS} // 3;
my $n_rows = 6000;

# Files instead of shared memory: those of this server alone can be told.
my $node = start_node('cancel', 'shared_buffers = 256MB', 'max_wal_size = 4GB', 'autovacuum = off',
	'checkpoint_timeout = 1h', 'log_statement = none', 'max_worker_processes = 8',
	'max_parallel_workers = 8', 'max_parallel_maintenance_workers = 4',
	'dynamic_shared_memory_type = mmap');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'wide', $n_rows, 260, 24);

# The files that stand for shared memory.
sub shared_files
{
	return $node->safe_psql('postgres', q{SELECT f FROM pg_ls_dir('pg_dynshmem') f ORDER BY 1});
}

my $files = shared_files();
srand(24);
# Ended how, workers, memory: the last two put rows aside, or insert them.
for my $kind (
	[ 'pg_cancel_backend', 0, '1GB' ], [ 'pg_cancel_backend', 2, '1GB' ],
	[ 'pg_terminate_backend', 0, '1GB' ], [ 'pg_terminate_backend', 3, '1GB' ],
	[ 'pg_cancel_backend', 0, '12MB' ], [ 'pg_terminate_backend', 2, '28MB' ])
{
	my ($how, $n_workers, $memory) = @$kind;
	my $name = "$how, $n_workers workers, $memory";
	my $build = qq{SET maintenance_work_mem = '$memory';
		CREATE INDEX wide_v ON wide USING hnsw (v vector_l2_ops) WITH (ef_construction = 200)};
	# Workers are had where the rows are thought to fit.
	my $prepare = qq{
		DROP INDEX IF EXISTS wide_v;
		ALTER TABLE wide SET (parallel_workers = $n_workers);
		UPDATE pg_class SET reltuples = 100 WHERE oid = 'wide'::regclass;};
	my $start = time();
	$node->safe_psql('postgres', "$prepare $build");
	my $duration = time() - $start;
	my ($n_ended, $longest) = (0, 0);
	for my $i (1 .. $n_ends)
	{
		$node->safe_psql('postgres', $prepare);
		my ($is_ended, $seconds) = end_after($node, $how, $build, $duration * ($i - rand()) / $n_ends);
		$n_ended += $is_ended;
		$longest = $seconds if $seconds > $longest;
	}
	# Some may have been quicker than the first.
	cmp_ok($n_ended, '>=', $n_ends / 3, "$name: builds are ended");
	cmp_ok($longest, '<', $VectorExt::end_limit, "$name: they end at once");
	note(sprintf('%s: builds take %.1f s; %d of %d ended, in %.0f ms at most',
		$name, $duration, $n_ended, $n_ends, 1000 * $longest));
	$node->safe_psql('postgres', 'DROP INDEX IF EXISTS wide_v');
	leaves_nothing($node, $name);
	is(shared_files(), $files, "$name: no shared memory is left");
}
$node->safe_psql('postgres', 'CREATE INDEX wide_v ON wide USING hnsw (v vector_l2_ops)');
index_is_sound($node, 'wide_v', 'after all');
unlike(slurp_file($node->logfile), qr/WARNING|terminated by signal|PANIC/, 'nothing is in the log');
$node->stop;
done_testing();
