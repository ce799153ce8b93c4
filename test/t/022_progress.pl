# pg_stat_progress_create_index shows what a build is doing, by one backend and with a worker; how
# many rows are a batch is what hnsw_estimate says.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_rows = 10000;

my $node = start_node('progress', 'max_parallel_maintenance_workers = 1',
	'min_parallel_table_scan_size = 0');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'points', $n_rows, 96, 22);

# What a millisecond's watch saw of a build, until it was over.
$node->safe_psql('postgres', q{
	CREATE TABLE seen (phase text, done bigint, total bigint, n_builders integer, n_workers integer);
	CREATE PROCEDURE watch() LANGUAGE plpgsql AS $$
	DECLARE
		has_begun boolean := false;
	BEGIN
		LOOP
			PERFORM pg_stat_clear_snapshot();
			INSERT INTO seen
				SELECT phase, tuples_done, tuples_total, count(*) OVER (),
					(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker')
				FROM pg_stat_progress_create_index WHERE phase LIKE 'building index: %';
			has_begun := has_begun OR FOUND;
			EXIT WHEN has_begun AND NOT EXISTS (
				SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND state = 'active');
			PERFORM pg_sleep(0.001);
		END LOOP;
	END $$});

# Builds the index with these settings while the watch is on; returns what the server told.
sub watched_build
{
	my ($test_name, $settings) = @_;
	$node->safe_psql('postgres', 'TRUNCATE seen; DROP INDEX IF EXISTS points_v');
	my ($stdout, $stderr) = ('', '');
	my $watcher = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'CALL watch()' ],
		'<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(120));
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'CALL watch()' AND state = 'active'")
	  or die 'the watch does not start';
	my ($status, undef, $messages) = $node->psql('postgres', qq{
		$settings
		SET client_min_messages = debug1;
		CREATE INDEX points_v ON points USING hnsw (v vector_l2_ops) WITH (ef_construction = 200)});
	is($status, 0, "$test_name: the index is built");
	$watcher->finish;
	is($stderr, '', "$test_name: the watch ends");
	return $messages;
}

for my $n_workers (0, 1)
{
	my $by = $n_workers == 0 ? 'one backend' : 'a leader and a worker';
	my $messages =
	  watched_build($by, "SET max_parallel_maintenance_workers = $n_workers;");

	is($node->safe_psql('postgres', 'SELECT max(n_workers) FROM seen'), $n_workers, "$by: at work");
	is($node->safe_psql('postgres', q{
		SELECT string_agg(DISTINCT substr(phase, 17), ',' ORDER BY substr(phase, 17)) FROM seen
		WHERE phase NOT LIKE '%: initializing' AND phase NOT LIKE '%: writing'}),
		'linking,loading tuples,partitioning,selecting', "$by: the phases are seen");
	is($node->safe_psql('postgres', q{
		SELECT count(*) FROM seen
		WHERE n_builders <> 1 OR done < 0 OR total < 0 OR (total > 0 AND done > total)}),
		'0', "$by: counts are within their totals, and one backend reports");
	is($node->safe_psql('postgres', qq{
		SELECT string_agg(phase, ',' ORDER BY phase) FROM (
			SELECT substr(phase, 17) AS phase FROM seen WHERE total = $n_rows
			GROUP BY phase HAVING count(DISTINCT done) > 3 AND max(done) > $n_rows / 2
				AND substr(phase, 17) IN ('linking', 'selecting')) AS s}),
		'linking,selecting', "$by: the count of points goes up");
	like($messages,
		qr/built index "points_v": initializing [\d.]+ s, loading tuples [\d.]+ s, partitioning [\d.]+ s, linking [\d.]+ s, selecting [\d.]+ s, writing [\d.]+ s/,
		"$by: the times of the phases are logged");
	my ($sum) = (0);
	$sum += $1 while $messages =~ /([\d.]+) s\b/g;
	cmp_ok($sum, '>', 0, "$by: they are not all zero");
	index_is_sound($node, 'points_v', $by);
}

# hnsw_estimate names the memory in which all rows become one batch; with less they do not.
my $kilobytes = $node->safe_psql('postgres', qq{
	SET max_parallel_maintenance_workers = 0;
	SELECT build_memory / 1024 FROM hnsw_estimate($n_rows, 96, ef_construction => 200)});
for my $percent (100, 95)
{
	my $memory = int($kilobytes * $percent / 100);
	watched_build("$percent % of the memory", qq{
		SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '${memory}kB';});
	my $largest = $node->safe_psql('postgres', 'SELECT max(total) FROM seen');
	cmp_ok($largest, $percent == 100 ? '==' : '<', $n_rows, "$percent % of the memory: batch");
	cmp_ok($largest, '>', 0.9 * $n_rows, "$percent % of the memory: no waste");
}

# A batch that joins a graph counts the searches that take the time, not only what prepares them.
my $part = int($kilobytes * 0.6);
watched_build('a later batch', qq{
	SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '${part}kB';});
cmp_ok($node->safe_psql('postgres', q{
	SELECT avg((done = total)::int) FROM seen WHERE total > 0 AND phase LIKE '%: linking'}),
	'<', 0.5, 'a later batch: the count of points goes up');

$node->stop;
done_testing();
