# What a vacuum reads, and whether it says so: its work grows with the index and no faster, and each
# page it reads counts against the cost limit.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

chomp(my $share = `pg_config --sharedir`);
plan skip_all => 'pg_stat_statements, which counts what a vacuum reads, is not installed'
  unless -e "$share/extension/pg_stat_statements.control";

my $node = start_node('vacuum_work', 'shared_buffers = 256MB', 'autovacuum = off',
	"shared_preload_libraries = 'pg_stat_statements'", 'pg_stat_statements.track_utility = on');
$node->safe_psql('postgres',
	'CREATE EXTENSION vector_ext; CREATE EXTENSION pg_stat_statements');

# Pages that the last statement of this text read from the buffer pool.
sub pages_read_by
{
	my ($statement) = @_;
	return $node->safe_psql('postgres',
		"SELECT shared_blks_hit + shared_blks_read FROM pg_stat_statements WHERE query = '$statement'");
}

# --- a long chain ---

# The rows come after the index, so that records stand in front of the chain: in the order of ids each
# is farther from its node than the one before.
sub pages_to_clear_chain
{
	my ($n_rows, $condition) = @_;
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS chained;
		CREATE TABLE chained (id integer, v vector(3));
		CREATE INDEX chained_v ON chained USING hnsw (v vector_l2_ops);
		INSERT INTO chained VALUES (1, '[1,2,3]');
		INSERT INTO chained SELECT i, '[1,2,3]' FROM generate_series(2, $n_rows) i;
		DELETE FROM chained WHERE $condition});
	$node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()');
	$node->safe_psql('postgres', 'VACUUM chained');
	my $n_pages = pages_read_by('VACUUM chained');
	is($node->safe_psql('postgres', q{
		SET enable_seqscan = off;
		SELECT count(*) = (SELECT count(*) FROM chained)
		FROM (SELECT FROM chained ORDER BY v <-> '[1,2,3]' LIMIT 1000000) f}),
		't', "$n_rows equal rows but those with $condition are found");
	index_is_sound($node, 'chained_v', "$n_rows equal rows but those with $condition");
	return $n_pages;
}

for my $condition ('id > 1', 'id < 1000000', 'id % 1000 <> 0')
{
	my $few = pages_to_clear_chain(10000, $condition);
	my $many = pages_to_clear_chain(40000, $condition);
	cmp_ok($many, '<', 8 * $few, "four times the equal rows are about four times the work ($condition)");
	note("$few pages, $many pages");
}

# --- a graph ---

for my $metric ('l2', 'ip', 'cosine')
{
	my @pages;
	for my $n_rows (2000, 8000)
	{
		load_vectors($node, 'graph', $n_rows, 16, 44);
		$node->safe_psql('postgres', qq{
			CREATE INDEX graph_v ON graph USING hnsw (v vector_${metric}_ops);
			DELETE FROM graph WHERE id % 3 = 0;
			SELECT pg_stat_statements_reset()});
		$node->safe_psql('postgres', 'VACUUM graph');
		push @pages, pages_read_by('VACUUM graph');
		index_is_sound($node, 'graph_v', "$metric, a third of $n_rows rows deleted");
		$node->safe_psql('postgres', 'DROP TABLE graph');
	}
	cmp_ok($pages[1], '<', 5 * $pages[0],
		"$metric: four times the deleted rows are about four times the work");
	note("$metric: $pages[0] pages, $pages[1] pages");
}

# --- the cost limit ---

load_vectors($node, 'items', 3000, 16, 45);
$node->safe_psql('postgres', 'CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops)');
$node->safe_psql('postgres', q{DELETE FROM items WHERE id % 60 = 0;
	SELECT pg_stat_statements_reset()});
# Twenty pages that were in the buffer pool are a delay; what else costs is free here. Between two
# moments at which it sleeps, a vacuum is not charged for more than four delays.
my $delay = 4;
my $seconds = $node->safe_psql('postgres', qq{
	SET vacuum_cost_delay = $delay;
	SET vacuum_cost_limit = 200;
	SET vacuum_cost_page_hit = 10;
	SET vacuum_cost_page_miss = 0;
	SET vacuum_cost_page_dirty = 0;
	SELECT clock_timestamp() AS start \\gset
	VACUUM items;
	SELECT extract(epoch FROM clock_timestamp() - :'start')});
my $n_pages = pages_read_by('VACUUM items');
cmp_ok($seconds, '>=', 0.5 * $n_pages / 20 * $delay / 1000,
	'a vacuum sleeps for the pages it has read, however it found them');
note("$n_pages pages read in $seconds s");
index_is_sound($node, 'items_v', 'a vacuum that sleeps');
finds_every_row($node, 'items', 'a vacuum that sleeps');
$node->stop;

done_testing();
