# Long statements are cancelled at once and leave nothing behind.
#
# Each works for many times the longest delay, on whatever machine: without an end in sight, held
# back by the server, or cancelled after a share of the time that it was seen to take.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use VectorExt;

my $n_rows = 12000;

my $node = start_node('cancel', 'shared_buffers = 256MB', 'max_wal_size = 2GB', 'autovacuum = off');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'wide', $n_rows, 260, 10);

# Starts `sql`, cancels it after each of `delays`, and measures how long it goes on.
sub is_cancelled_at_once
{
	my ($test_name, $sql, @delays) = @_;
	my $longest = 0;
	my $n_cancelled = 0;
	for my $delay (@delays)
	{
		my ($is_cancelled, $seconds) = end_after($node, 'pg_cancel_backend', $sql, $delay);
		$n_cancelled += $is_cancelled;
		$longest = $seconds if $seconds > $longest;
	}
	is($n_cancelled, scalar(@delays), "$test_name is cancelled");
	cmp_ok($longest, '<', $VectorExt::end_limit, "$test_name ends at once");
	note(sprintf('%s: %.0f ms', $test_name, 1000 * $longest));
	return;
}

# --- CREATE INDEX ---

# As much work as options can ask for.
my $create = 'wide_v ON wide USING hnsw (v vector_l2_ops) WITH (m = 100, ef_construction = 1000)';
my $start = time();
$node->safe_psql('postgres', "CREATE INDEX $create");
my $duration = time() - $start;
is_cancelled_at_once('REINDEX', 'REINDEX INDEX wide_v', 0.3 * $duration);
index_is_sound($node, 'wide_v', 'after REINDEX was cancelled');
$node->safe_psql('postgres', 'DROP INDEX wide_v');
for my $concurrently ('', ' CONCURRENTLY')
{
	is_cancelled_at_once("CREATE INDEX$concurrently",
		"CREATE INDEX$concurrently $create", map { $_ * $duration } $concurrently ? (0.2) : (0.05, 0.15, 0.3));
	is($node->safe_psql('postgres', q{
		SELECT count(*) FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
		WHERE c.relname = 'wide_v' AND i.indisvalid}), '0', "no index is left$concurrently");
}
$node->safe_psql('postgres', q{
	DROP INDEX wide_v;
	CREATE INDEX wide_v ON wide USING hnsw (v vector_l2_ops)});
leaves_nothing($node, 'after CREATE INDEX was cancelled');

# --- INSERT, COPY ---

is_cancelled_at_once('INSERT', qq{
	INSERT INTO wide SELECT a.id * $n_rows + b.id, a.v + b.v FROM wide a, wide b}, 0.05, 0.5);
index_is_sound($node, 'wide_v', 'after INSERT was cancelled');
finds_every_row($node, 'wide', 'after INSERT was cancelled');
# Equal vectors: chains instead of the graph.
is_cancelled_at_once('INSERT of equal vectors',
	'INSERT INTO wide SELECT i, v FROM wide, generate_series(1000001, 2000000) i WHERE id = 1', 0.5);
index_is_sound($node, 'wide_v', 'after INSERT of equal vectors was cancelled');

# --- VACUUM ---

# The heap is done with first, so that what is cancelled is at work in the index.
$node->safe_psql('postgres', 'DELETE FROM wide WHERE id % 3 = 0');
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP off) wide');
is_cancelled_at_once('VACUUM', q{
	SET vacuum_cost_delay = 20;
	VACUUM wide}, 0.1, 0.5);
index_is_sound($node, 'wide_v', 'after VACUUM was cancelled');
finds_every_row($node, 'wide', 'after VACUUM was cancelled');
# Without a deleted row, or with very few, the server would not ask the index to remove any.
$node->safe_psql('postgres', 'DELETE FROM wide WHERE id = 1');
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) wide');
is($node->safe_psql('postgres', q{
	SELECT nodes = (SELECT count(*) FROM wide), dead, unlinked FROM hnsw_info('wide_v')}),
	't|0|0', 'the next VACUUM ends what the cancelled ones began');
index_is_sound($node, 'wide_v', 'after the next VACUUM');
finds_every_row($node, 'wide', 'after the next VACUUM');

# --- searches and checks ---

is_cancelled_at_once('a search that goes on', qq{
	SET enable_seqscan = off;
	SET hnsw.iterative_scan = relaxed_order;
	SET hnsw.max_scan_tuples = 2000000000;
	SELECT count(*) FROM wide q,
		LATERAL (SELECT id FROM wide WHERE id % 2 = 2 ORDER BY v <-> q.v LIMIT 1) a}, 0.1, 0.4);
is_cancelled_at_once('searches', qq{
	SET enable_seqscan = off;
	SET hnsw.ef_search = 1000;
	SELECT count(*) FROM wide q, LATERAL (SELECT id FROM wide ORDER BY v <-> q.v LIMIT 1) a}, 0.1, 0.4);
is_cancelled_at_once('hnsw_check', q{
	SELECT count(*) FROM generate_series(1, 100000) i, LATERAL hnsw_check('wide_v', i > 0) c}, 0.1, 0.3, 0.5);
is_cancelled_at_once('hnsw_info', q{
	SELECT count(*) FROM generate_series(1, 1000000) i,
		LATERAL hnsw_info(CASE WHEN i > 0 THEN 'wide_v'::regclass END) c}, 0.1);
is_cancelled_at_once('hnsw_recall', q{SELECT hnsw_recall('wide_v', 10, '{1000}', 10000)}, 0.4);
index_is_sound($node, 'wide_v', 'at the end');

$node->stop;
done_testing();
