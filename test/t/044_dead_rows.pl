# Rows that were deleted or changed, and are not vacuumed yet, hide no others: on the primary, where
# many more of them than a scan may visit do not matter either, and on a standby likewise.

use strict;
use warnings FATAL => 'all';

use List::Util qw(min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', q{
	fsync = off
	autovacuum = off
	jit = off
	hot_standby_feedback = off
});
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($primary, 'pool', 6000, 24, 5);
$primary->safe_psql('postgres', q{
	CREATE TABLE t (id bigint PRIMARY KEY, v vector(24));
	INSERT INTO t SELECT id, v FROM pool;
	CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
	CREATE TABLE q AS SELECT v FROM pool WHERE id = 77;
	CREATE TABLE around AS SELECT v FROM pool ORDER BY (v <-> (SELECT v FROM q)) + 0 LIMIT 30;
});

# Searches by the index for each query: the rows of the one that returns fewest, and the share of their
# rows that exact searches have.
sub search
{
	my ($node, $limit, @settings) = @_;
	return split /\|/, $node->safe_psql('postgres', join('', map { "SET $_;" } @settings) . qq{
		SET enable_seqscan = off;
		SELECT min(cardinality(found)), sum(cardinality(ARRAY(
				SELECT unnest(found) INTERSECT SELECT unnest(exact))))
					/ greatest(sum(cardinality(found)), 1.0)
			FROM (SELECT ARRAY(SELECT id FROM t ORDER BY t.v <-> a.v LIMIT $limit) AS found,
					ARRAY(SELECT id FROM t ORDER BY (t.v <-> a.v) + 0 LIMIT $limit) AS exact
				FROM around a) x});
}

sub fills
{
	my ($test_name) = @_;
	$primary->wait_for_catchup($standby);
	for my $node ($primary, $standby)
	{
		for my $limit (10, 100)
		{
			my ($n, $right) = search($node, $limit);
			is($n, $limit, "$test_name: LIMIT $limit is filled on the " . $node->name);
			cmp_ok($right, '>=', 0.9, "$test_name: by near rows");
		}
		is($node->safe_psql('postgres', q{SELECT * FROM hnsw_check('t_v')}), '',
			"$test_name: the index is sound");
	}
}

my $nearest = 'SELECT id FROM t ORDER BY (v <-> (SELECT v FROM q)) + 0 LIMIT';
fills('before');
$primary->safe_psql('postgres', "DELETE FROM t WHERE id IN ($nearest 1000)");
my ($n_off) = search($primary, 10, 'hnsw.iterative_scan = off');
is($n_off, 0, 'a scan that was told to end after its beam finds none');
fills('a neighbourhood is deleted');
$primary->safe_psql('postgres', qq{
	UPDATE t SET v = p.v FROM pool p WHERE p.id = 6001 - t.id AND t.id IN ($nearest 1000)});
fills('another is embedded anew');

# A row that is dead to all does not count as visited, though the executor of a standby does not say
# which are, and though the search had met as many as it may before it knew.
for my $node ($primary, $standby)
{
	for my $setting ('', 'hnsw.ef_search = 10', 'hnsw.iterative_scan = strict_order')
	{
		my $test_name = "$setting on the " . $node->name;
		my ($n_limited, $right) = search($node, 10, 'hnsw.max_scan_tuples = 200', $setting || ());
		is($n_limited, 10, "dead rows do not count towards max_scan_tuples: $test_name");
		cmp_ok($right, '>=', $setting =~ /ef_search/ ? 0.8 : 0.9, 'nor hide near rows');
	}
}

# Rows deleted a moment ago: nobody has noted yet what became of the transaction, and on a standby nobody
# may until the server has written it down.
$primary->safe_psql('postgres', q{
	CREATE TABLE fresh AS SELECT i AS id, ARRAY[i * 0.001, 0, 0, (i * 7919 % 1000) * 1e-6]::vector(4) AS v
		FROM generate_series(1, 20000) i;
	CREATE INDEX fresh_v ON fresh USING hnsw (v vector_l2_ops);
	VACUUM ANALYZE fresh;
	CHECKPOINT;
	DELETE FROM fresh WHERE id <= 8000});
$primary->wait_for_catchup($standby);
for my $limit ('LIMIT 10', 'FETCH FIRST 10 ROWS WITH TIES')
{
	for my $scan ('relaxed_order', 'strict_order')
	{
		for my $node ($standby, $primary)
		{
			is($node->safe_psql('postgres', qq{
					SET enable_seqscan = off;
					SET hnsw.max_scan_tuples = 200;
					SET hnsw.iterative_scan = $scan;
					SELECT count(*), min(id) >= 8001 AND max(id) <= 8500 FROM (
						SELECT id FROM fresh ORDER BY v <-> '[0,0,0,0]' $limit) x}),
				'10|t', "rows deleted a moment ago hide nothing: $limit, $scan, " . $node->name);
		}
	}
}

$primary->safe_psql('postgres', 'VACUUM t');
fills('vacuumed');
$primary->safe_psql('postgres', 'DELETE FROM t WHERE id % 100 <> 0');
my $n_left = $primary->safe_psql('postgres', 'SELECT count(*) FROM t');
$primary->wait_for_catchup($standby);
is((search($primary, 1000))[0], $n_left, 'the few that are left are all found on the primary');
is((search($standby, 1000))[0], $n_left, 'and on the standby');

# --- a clean-up beside an open cursor ---

# Of a table's rows the ten nearest to the query and the farthest 300 are alive. A scan has met the
# ten, and dead ones around them, when VACUUM frees these; then inserts take their slots. In strict
# order a scan leaves out what it finds too late, as one does that nothing disturbs, before VACUUM or
# after.
my $scan = 'SELECT id FROM u ORDER BY v <-> (SELECT v FROM q)';
my $by_distance = 'SELECT id FROM u ORDER BY (v <-> (SELECT v FROM q)) + 0';
my $session = $primary->background_psql('postgres');
for my $m (2, 4, 16)
{
	$primary->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS u;
		CREATE TABLE u (id bigint, v vector(24));
		CREATE INDEX u_v ON u USING hnsw (v vector_l2_ops) WITH (m = $m)});
	for my $way ('relaxed_order', 'relaxed_order, slots used again', 'strict_order')
	{
		my ($order) = $way =~ /^(\w+)/;
		my $setting = "SET enable_seqscan = off; SET hnsw.iterative_scan = $order; SET hnsw.ef_search = 10";
		$primary->safe_psql('postgres', qq{
			TRUNCATE u;
			INSERT INTO u SELECT id, v FROM pool WHERE id <= 3000;
			DELETE FROM u WHERE id NOT IN ($by_distance LIMIT 10)
				AND id NOT IN ($by_distance DESC LIMIT 300)});
		my $count_undisturbed = "$setting; SELECT count(*) FROM ($scan) AS s";
		my $n_before = $primary->safe_psql('postgres', $count_undisturbed);
		my $first = $session->query_safe(qq{
			$setting;
			BEGIN ISOLATION LEVEL REPEATABLE READ;
			DECLARE c CURSOR FOR $scan;
			FETCH 1 FROM c});
		$primary->safe_psql('postgres', 'VACUUM u');
		my $n_after = $primary->safe_psql('postgres', $count_undisturbed);
		my $n_expected = $order eq 'strict_order' ? 0.9 * min($n_before, $n_after) : 310;
		$primary->safe_psql('postgres', 'INSERT INTO u SELECT id, v FROM pool WHERE id > 5000')
		  if $way =~ /again/;
		my @ids = ($first, split /\n/, $session->query_safe('FETCH ALL FROM c'));
		$session->query_safe('ROLLBACK');
		my %seen = map { $_ => 1 } @ids;
		is(scalar @ids, scalar keys %seen,
			"m = $m, $way: a scan that VACUUM overtakes returns no row twice");
		cmp_ok(scalar keys %seen, '>=', $n_expected, 'and no fewer');
		note "before VACUUM $n_before, after it $n_after";
	}
}
$session->quit;

done_testing();
