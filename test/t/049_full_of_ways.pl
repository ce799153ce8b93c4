# Vacuums that are cut off once they have marked the dead leave lists that keep nothing but ways to
# dead nodes: with m = 2 four of them fill a list. Inserts beside them come to an end, and hide nothing.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('full_of_ways', 'autovacuum = off', 'enable_seqscan = off');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');

# Milliseconds after which a vacuum that sleeps at each page has marked the dead and mended nothing.
# Each vacuum is cut off after as many, which follow what the last one has reached.
my $timeout = 20;

# Returns the dead nodes, and whether all rows that were deleted are marked.
sub cut_vacuum_off
{
	my ($n_live) = @_;
	$node->psql('postgres', qq{
		SET vacuum_cost_limit = 1;
		SET vacuum_cost_delay = 2;
		SET statement_timeout = $timeout;
		VACUUM (INDEX_CLEANUP on, TRUNCATE off) t});
	my ($n_nodes, $n_dead) =
	  split /\|/, $node->safe_psql('postgres', "SELECT nodes, dead FROM hnsw_info('t_v')");
	my $is_early = $n_nodes - $n_dead > $n_live;
	$timeout = int($is_early ? 1 + 1.1 * $timeout : $n_dead > 0 ? $timeout - 1 : 0.7 * $timeout);
	return ($n_dead, !$is_early);
}

sub insert
{
	my ($test_name, $rows) = @_;
	my ($status, undef, $stderr) = $node->psql('postgres', qq{
		SET statement_timeout = '60s';
		SET vector_ext.insert_batch = @{[ $rows =~ /generate_series/ ? "'8MB'" : 0 ]};
		INSERT INTO t $rows}, on_error_stop => 1);
	is($status, 0, "$test_name ends") or BAIL_OUT($stderr);
	return;
}

sub all_are_found
{
	my ($test_name) = @_;
	is($node->safe_psql('postgres', q{
		SET hnsw.iterative_scan = relaxed_order;
		SET hnsw.max_scan_tuples = 1000000;
		SELECT count(DISTINCT id) FROM (SELECT id FROM t ORDER BY v <-> '[0,0]' LIMIT 100000) f}),
		$node->safe_psql('postgres', 'SELECT count(*) FROM t'), "$test_name: all rows are found");
	return;
}

for my $is_batch (0, 1)
{
	my $kind = $is_batch ? 'batch' : 'row';
	$node->safe_psql('postgres', q{
		DROP TABLE IF EXISTS t;
		CREATE TABLE t (id integer, v vector(2));
		CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops) WITH (m = 2, ef_construction = 8);
		INSERT INTO t VALUES (0, '[0,0]')});
	my ($n_live, $n_dead, $most_dead) = (1, 0, 0);
	my ($is_marked, $n_of_first) = (1, 0);
	for (my $i = 1;
		$i <= 20 || ($i <= 100 && ($most_dead < 8 || ($is_batch && $n_live == 1))); ++$i)
	{
		# A row hangs on the first one if nobody else is alive for the index.
		++$n_of_first if $is_marked;
		insert("$kind: insert $i beside $n_dead dead", "VALUES ($i, '[1,$i]')");
		$node->safe_psql('postgres', "DELETE FROM t WHERE id = $i");
		($n_dead, $is_marked) = cut_vacuum_off($n_live);
		$most_dead = $n_dead if $n_dead > $most_dead;
		next if !$is_batch || !$is_marked || $n_of_first < 4 || $n_live > 1;
		insert("$kind: a batch beside $n_dead dead",
			'SELECT 1000 + i, ARRAY[i, i % 7]::vector(2) FROM generate_series(1, 300) i');
		$n_live = 301;
		all_are_found("$kind, beside $n_dead dead");
	}
	cmp_ok($most_dead, '>=', 8, "$kind: twice the dead that a list holds");
	is($n_live, $is_batch ? 301 : 1, "$kind: what was to come has come");
	insert("$kind: a row that stays", "VALUES (5000, '[3,3]')");
	all_are_found("$kind, before vacuum");
	$node->safe_psql('postgres', 'VACUUM t');
	all_are_found("$kind, after vacuum");
	index_is_sound($node, 't_v', "$kind, after vacuum");
	is($node->safe_psql('postgres', "SELECT dead FROM hnsw_info('t_v')"),
		'0', "$kind: nothing dead is left");
}

$node->stop;
done_testing();
