# Other sessions see a load: rows that wait, how far a batch is, the phase; in COPY, an upsert and
# COMMIT. A build's per cent never fall, nor does anything stay behind.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_rows = 12000;

my $node = start_node('load_progress', 'max_parallel_maintenance_workers = 1',
	'min_parallel_table_scan_size = 0');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'points', $n_rows, 64, 33);
my $file = $node->basedir . '/points.copy';
$node->safe_psql('postgres', qq{
	COPY (SELECT id, v FROM points) TO '$file' (FORMAT binary);
	CREATE TABLE items (id bigint PRIMARY KEY, v vector(64));
	CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops) WITH (ef_construction = 200);
	CREATE INDEX items_w ON items USING hnsw (v vector_l1_ops)});

# What a watch of some milliseconds sees of the view, until the statement is over.
$node->safe_psql('postgres', q{
	CREATE TABLE loads AS SELECT clock_timestamp() AS at, * FROM vector_load_progress;
	CREATE TABLE builds AS SELECT clock_timestamp() AS at, * FROM hnsw_build_progress;
	CREATE PROCEDURE watch() LANGUAGE plpgsql AS $$
	DECLARE
		has_begun boolean := false;
	BEGIN
		LOOP
			PERFORM pg_stat_clear_snapshot();
			INSERT INTO loads SELECT clock_timestamp(), * FROM vector_load_progress;
			has_begun := has_begun OR FOUND;
			INSERT INTO builds SELECT clock_timestamp(), * FROM hnsw_build_progress;
			has_begun := has_begun OR FOUND;
			-- CONCURRENTLY waits for whoever is in a transaction.
			COMMIT;
			EXIT WHEN has_begun AND NOT EXISTS (
				SELECT FROM pg_stat_activity WHERE application_name = 'watched');
			PERFORM pg_sleep(0.002);
		END LOOP;
	END $$});

sub watched
{
	my ($script, $test_name) = @_;
	$node->safe_psql('postgres', 'TRUNCATE loads, builds');
	my ($stdout, $stderr) = ('', '');
	my $watcher = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'CALL watch()' ],
		'<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(120));
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'CALL watch()' AND state = 'active'")
	  or die 'the watch does not start';
	my ($status, undef, $messages) =
	  $node->psql('postgres', "SET application_name = 'watched'; $script", on_error_stop => 1);
	is($status, 0, "$test_name: it is done") or diag($messages);
	$watcher->finish;
	is($stderr, '', "$test_name: the watch ends");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM vector_load_progress'),
		0, "$test_name: nothing stays behind");
	return;
}

sub seen
{
	my ($query, $expected, $test_name) = @_;
	return is($node->safe_psql('postgres', $query), $expected, $test_name);
}

# Several batches, and the last one at the commit.
watched(qq{
	SET vector_ext.insert_batch = '4MB';
	COPY items FROM '$file' (FORMAT binary)}, 'COPY');
seen(q{SELECT DISTINCT relid::regclass::text FROM loads}, 'items', 'it is the table');
seen(qq{
	SELECT bool_or(command = 'COPY' AND phase = 'taking rows' AND rows_waiting > 0 AND rows_taken > 0),
		bool_or(command = 'COPY' AND phase LIKE 'into the index: %' AND rows_coming_in > 500
			AND rows_come_in BETWEEN 0 AND rows_coming_in),
		bool_or(command = 'COMMIT' AND rows_waiting > 0), max(rows_waiting) < $n_rows
	FROM loads}, 't|t|t|t', 'rows wait, come in, and the last ones at the commit');
seen(q{
	WITH s AS (SELECT rows_taken, lag(rows_taken) OVER (ORDER BY at) AS before FROM loads WHERE command = 'COPY')
	SELECT count(*) FROM s WHERE rows_taken < before}, 0, 'rows taken never fall');

# In a transaction of its own that only COMMIT ends.
watched(qq{
	BEGIN;
	UPDATE items SET v = v + v WHERE id % 3 = 0;
	COMMIT}, 'COMMIT');
seen(q{SELECT DISTINCT command, relid::regclass FROM loads}, 'COMMIT|items', 'COMMIT is seen alone');

# An upsert.
watched(qq{
	BEGIN;
	SELECT vector_stage_for('items', 'stage');
	INSERT INTO stage SELECT id + 6000, v * v FROM points;
	SELECT * FROM vector_bulk_upsert('items', 'stage', 'update');
	COMMIT}, 'upsert');
seen(qq{
	SELECT bool_or(phase = 'examining'), bool_or(phase = 'taking rows' AND rows_taken > 100),
		bool_or(phase LIKE 'into the index%'), max(rows_total) = $n_rows, max(rows_taken) <= $n_rows,
		bool_or(rows_waiting > 100)
	FROM loads WHERE command = 'upsert'}, 't|t|t|t|t|t', 'an upsert shows its phases and rows');
seen(q{SELECT relname FROM loads JOIN pg_class c ON c.oid = relid GROUP BY 1}, 'items', 'and its target');

# Bad rows that writing finds: a subtransaction that fails does not hide the load for good.
$node->safe_psql('postgres', q{
	SELECT vector_rejects_table('rejects');
	CREATE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN IF NEW.id % 700 = 0 THEN RAISE 'no'; END IF; RETURN NEW; END $$;
	CREATE TRIGGER complain BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION complain()});
watched(qq{
	BEGIN;
	SELECT vector_stage_for('items', 'stage');
	INSERT INTO stage SELECT id + 20000, v FROM points WHERE id <= 3000;
	SELECT * FROM vector_bulk_upsert('items', 'stage', 'update', reject_into => 'rejects');
	COMMIT}, 'upsert with rejects');
seen(q{SELECT max(rows_taken) > 2500 AND bool_and(command = 'upsert') FROM loads}, 't',
	'an upsert with rejects is seen to its end');
$node->safe_psql('postgres', 'DROP TRIGGER complain ON items');

# An upsert within a COPY, by a trigger, leaves what is shown of that.
$node->safe_psql('postgres', q{
	CREATE TABLE one AS SELECT 1::bigint AS id;
	CREATE FUNCTION load_one() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM vector_bulk_upsert('items', 'one', 'skip'); RETURN NULL; END $$;
	CREATE TABLE outside (id bigint, v vector(64));
	CREATE TRIGGER load_one AFTER INSERT ON outside EXECUTE FUNCTION load_one();
	INSERT INTO outside VALUES (1, NULL)});
$node->safe_psql('postgres', "COPY outside FROM '$file' (FORMAT binary)");
pass('an upsert within COPY is no error');

# Builds: as one batch, as several, beside writers, again, by a worker and alone.
foreach my $build (
	[ 'CREATE INDEX items_x ON items USING hnsw (v vector_ip_ops)', 'CREATE INDEX' ],
	[ "SET maintenance_work_mem = '4MB'; SET max_parallel_maintenance_workers = 0;"
		  . ' CREATE INDEX items_y ON items USING hnsw (v vector_ip_ops)', 'CREATE INDEX' ],
	[ "SET maintenance_work_mem = '1MB'; SET max_parallel_maintenance_workers = 0;"
		  . ' CREATE INDEX items_u ON items USING hnsw (v vector_ip_ops) WITH (ef_construction = 400)',
		'CREATE INDEX' ],
	[ 'CREATE INDEX CONCURRENTLY items_z ON items USING hnsw (v vector_ip_ops)', 'CREATE INDEX CONCURRENTLY' ],
	[ 'REINDEX INDEX CONCURRENTLY items_z', 'REINDEX CONCURRENTLY' ])
{
	my ($script, $command) = @$build;
	watched($script, $script);
	seen("SELECT DISTINCT command FROM builds", $command, "$script: the command is told");
	seen(q{
		WITH s AS (SELECT percent, lag(percent) OVER (ORDER BY at) AS before FROM builds)
		SELECT count(*) FROM s WHERE percent < before}, 0, "$script: per cent never fall");
	seen(q{
		SELECT min(percent) < 15, max(percent) BETWEEN 80 AND 100, count(DISTINCT percent) > 8,
			count(DISTINCT phase) > 1, min(elapsed) >= interval '0', bool_or(time_left > interval '0')
		FROM builds}, 't|t|t|t|t|t', "$script: per cent, phase and time are told");
}
index_is_sound($node, $_, 'in the end') foreach qw(items_v items_z);

done_testing();
