# Rows that were deleted or changed, and are not vacuumed yet, hide no others: on the primary, where
# many more of them than a scan may visit do not matter either, and on a standby.

use strict;
use warnings FATAL => 'all';

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
});

# Rows of a search by index, and those of them that an exact search has.
sub search
{
	my ($node, $limit, @settings) = @_;
	my $found = $node->safe_psql('postgres', join('', map { "SET $_;" } @settings) . qq{
		SET enable_seqscan = off;
		SELECT id FROM t ORDER BY v <-> (SELECT v FROM q) LIMIT $limit});
	my $exact = $node->safe_psql('postgres',
		"SELECT id FROM t ORDER BY (v <-> (SELECT v FROM q)) + 0 LIMIT $limit");
	my %is_right = map { $_ => 1 } split /\n/, $exact;
	my @found = split /\n/, $found;
	return (scalar @found, scalar grep { $is_right{$_} } @found);
}

sub fills
{
	my ($test_name) = @_;
	$primary->wait_for_catchup($standby);
	for my $node ($primary, $standby)
	{
		for my $limit (10, 100)
		{
			my ($n, $n_right) = search($node, $limit);
			is($n, $limit, "$test_name: LIMIT $limit is filled on the " . $node->name);
			cmp_ok($n_right, '>=', 0.9 * $limit, "$test_name: by near rows");
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

# A row that is dead to all does not count as visited. A standby does not know which are.
my ($n_limited, $n_right) = search($primary, 10, 'hnsw.max_scan_tuples = 200');
is($n_limited, 10, 'dead rows do not count towards max_scan_tuples');
cmp_ok($n_right, '>=', 9, 'nor hide near rows');

$primary->safe_psql('postgres', 'VACUUM t');
fills('vacuumed');
$primary->safe_psql('postgres', 'DELETE FROM t WHERE id % 100 <> 0');
my $n_left = $primary->safe_psql('postgres', 'SELECT count(*) FROM t');
$primary->wait_for_catchup($standby);
is((search($primary, 1000))[0], $n_left, 'the few that are left are all found on the primary');
is((search($standby, 1000))[0], $n_left, 'and on the standby');

done_testing();
