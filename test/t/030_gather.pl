# Rows that a transaction gathers, beside other clients, vacuum and DDL; cancelled flushes.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_rows = 2000;

my $node = start_node('gather', 'shared_buffers = 128MB', 'max_wal_size = 1GB', 'autovacuum = off',
	'allow_in_place_tablespaces = on', 'log_statement = none');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'pool', $n_rows + 200, 64, 30);
my $rows_file = $node->basedir . '/rows.copy';
$node->safe_psql('postgres', qq{
	CREATE TABLE queries AS SELECT * FROM pool WHERE id > $n_rows;
	DELETE FROM pool WHERE id > $n_rows;
	COPY pool TO '$rows_file'});

sub make_table
{
	my ($table) = @_;
	$node->safe_psql('postgres', qq{
		CREATE TABLE $table (LIKE pool INCLUDING ALL);
		CREATE INDEX ${table}_v ON $table USING hnsw (v vector_l2_ops)});
	return;
}

sub has_rows
{
	my ($table, $n, $test_name) = @_;
	is($node->safe_psql('postgres', "SELECT count(*) FROM $table"), $n, "$test_name: $n rows");
	index_is_sound($node, "${table}_v", $test_name);
	finds_every_row($node, $table, $test_name);
	is_as_good_as_fresh($node, "${table}_v", 'queries', $test_name) if $n;
	return;
}

# --- clients upsert the same keys, beside deletes and vacuum ---

make_table('raced');
$node->safe_psql('postgres', q{
	CREATE INDEX raced_ip ON raced USING hnsw ((subvector(v, 1, 16)::vector(16)) vector_ip_ops)});
for my $batch ('64MB', '64kB')
{
	run_clients($node, "upserts with $batch", [ '-c', 8, '-j', 2, '-T', 4 ],
		[ 30, qq{
			\\set id random(1, 60)
			BEGIN;
			SET LOCAL vector_ext.insert_batch = '$batch';
			INSERT INTO raced SELECT id, v FROM pool WHERE id BETWEEN :id AND :id + 9 ORDER BY id
				ON CONFLICT DO NOTHING;
			INSERT INTO raced SELECT p.id, q.v FROM pool p JOIN pool q ON q.id = p.id + 100
				WHERE p.id BETWEEN :id + 10 AND :id + 19 ORDER BY p.id
				ON CONFLICT (id) DO UPDATE SET v = excluded.v;
			COMMIT;
		} ],
		[ 30, qq{
			\\set id random(1, 60)
			\\set goes_back random(0, 2)
			BEGIN;
			SET LOCAL vector_ext.insert_batch = '$batch';
			INSERT INTO raced SELECT id, v FROM pool WHERE id BETWEEN :id AND :id + 9 ORDER BY id
				ON CONFLICT DO NOTHING;
			SAVEPOINT outer_one;
			INSERT INTO raced SELECT p.id, q.v FROM pool p JOIN pool q ON q.id = p.id + 200
				WHERE p.id BETWEEN :id + 10 AND :id + 19 ORDER BY p.id
				ON CONFLICT (id) DO UPDATE SET v = excluded.v;
			SAVEPOINT inner_one;
			INSERT INTO raced SELECT p.id, q.v FROM pool p JOIN pool q ON q.id = p.id + 300
				WHERE p.id BETWEEN :id + 20 AND :id + 24 ORDER BY p.id ON CONFLICT DO NOTHING;
			\\if :goes_back
			ROLLBACK TO inner_one;
			\\endif
			INSERT INTO raced SELECT p.id, q.v FROM pool p JOIN pool q ON q.id = p.id + 400
				WHERE p.id BETWEEN :id + 25 AND :id + 29 ORDER BY p.id ON CONFLICT DO NOTHING;
			\\set goes_back random(0, 1)
			\\if :goes_back
			ROLLBACK TO outer_one;
			\\else
			RELEASE outer_one;
			\\endif
			INSERT INTO raced SELECT p.id, q.v FROM pool p JOIN pool q ON q.id = p.id + 500
				WHERE p.id BETWEEN :id + 30 AND :id + 34 ORDER BY p.id ON CONFLICT DO NOTHING;
			COMMIT;
		} ],
		[ 60, "\\set id random(1, 80)\nDELETE FROM raced WHERE id = :id;\n" ],
		[ 10, "VACUUM (INDEX_CLEANUP on, TRUNCATE off) raced;\n" ]);
	index_is_sound($node, 'raced_ip', "upserts with $batch");
	has_rows('raced', $node->safe_psql('postgres', 'SELECT count(DISTINCT id) FROM raced'),
		"upserts with $batch");
}

# --- loaders with overlapping keys ---

make_table('loaded');
run_clients($node, 'sixteen loaders', [ '-c', 16, '-j', 2, '-t', 1 ],
	[ 1, 'INSERT INTO loaded SELECT id, v FROM pool WHERE id % 16 <> :client_id ORDER BY id
		ON CONFLICT DO NOTHING;' ]);
has_rows('loaded', $n_rows, 'sixteen loaders');

# --- first batches into an empty index ---

$node->safe_psql('postgres', q{
	CREATE TABLE first (id bigserial, v vector(64));
	CREATE INDEX first_v ON first USING hnsw (v vector_l2_ops)});
run_clients($node, 'first batches', [ '-c', 3, '-j', 2, '-t', 1 ],
	[ 1, 'INSERT INTO first (v) SELECT v FROM pool WHERE id % 3 = :client_id;' ]);
has_rows('first', $n_rows, 'first batches');

# --- loads into an index that has many slots and few nodes ---

make_table('emptied');
$node->safe_psql('postgres', "COPY emptied FROM '$rows_file'");
$node->safe_psql('postgres', 'DELETE FROM emptied WHERE id > 10');
$node->safe_psql('postgres', 'VACUUM emptied');
run_clients($node, 'loads into an emptied index', [ '-c', 4, '-j', 2, '-t', 1 ],
	[ 1, 'INSERT INTO emptied SELECT id, v FROM pool WHERE id > 10 AND id % 4 = :client_id;' ]);
has_rows('emptied', $n_rows, 'loads into an emptied index');

# --- an error in the middle of a COPY ---

make_table('broken');
my $broken_file = $node->basedir . '/broken.copy';
append_to_file($broken_file, slurp_file($rows_file) . "1\tnothing\n");
for my $batch ('64MB', '64kB')
{
	error_is($node, 'postgres', qq{
		SET vector_ext.insert_batch = '$batch';
		COPY broken FROM '$broken_file'}, '22P02', 'a COPY fails at its end');
	has_rows('broken', 0, "after it, with $batch");
}
$node->safe_psql('postgres', "VACUUM broken; COPY broken FROM '$rows_file'; VACUUM broken");
has_rows('broken', $n_rows, 'the next COPY');

# --- the index is moved beside loads, and made beside one ---

make_table('moved');
$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION ''");
$node->safe_psql('postgres', 'CREATE SEQUENCE turn');
my $output = '';
my $loads = start_pgbench($node, \$output, 'loads', [ '-c', 4, '-j', 2, '-t', 20 ],
	[ 1, "BEGIN;\nINSERT INTO moved SELECT nextval('turn'), v FROM pool WHERE id <= 20;\n"
		. "SELECT count(*) FROM moved;\nCOMMIT;\n" ]);
for (1 .. 5)
{
	for my $tablespace ('elsewhere', 'pg_default')
	{
		$node->safe_psql('postgres', "ALTER INDEX moved_v SET TABLESPACE $tablespace");
	}
}
$loads->finish;
is($loads->result(0), 0, 'loads go on while the index moves') or diag($output);
has_rows('moved', 1600, 'moved');

$node->safe_psql('postgres', 'CREATE TABLE made (LIKE pool INCLUDING ALL)');
$node->safe_psql('postgres', q{CREATE INDEX made_ip ON made USING hnsw (v vector_ip_ops)});
my $copy = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c',
		"COPY made FROM PROGRAM 'cat $rows_file; sleep 1'" ],
	'<', \undef, '>&', \$output, IPC::Run::timeout(60));
$node->poll_query_until('postgres',
	q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'made_ip'::regclass AND granted});
my $adder = start_pgbench($node, \my $added, 'adder', [ '-t', 200 ],
	[ 1, "INSERT INTO made SELECT nextval('turn') + 100000, v FROM pool WHERE id % 500 = 0;\n" ]);
$node->safe_psql('postgres',
	'CREATE INDEX CONCURRENTLY made_v ON made USING hnsw (v vector_l2_ops)');
$_->finish for $copy, $adder;
is($copy->result(0), 0, 'COPY goes on beside CREATE INDEX CONCURRENTLY') or diag($output);
is($adder->result(0), 0, 'inserts go on beside CREATE INDEX CONCURRENTLY') or diag($added);
index_is_sound($node, 'made_ip', 'made beside a COPY');
has_rows('made', $n_rows + 800, 'made beside a COPY');

# --- the last flush of a statement hears statement_timeout ---

$node->safe_psql('postgres', q{
	CREATE TABLE timed (id bigint, v vector(64));
	CREATE INDEX timed_v ON timed USING hnsw (v vector_l2_ops) WITH (m = 100, ef_construction = 1000);
	INSERT INTO timed SELECT -id, v + v FROM pool WHERE id <= 1000});

# `sql`, the first statement of a session, is timed out in its flush, on whatever machine: after it
# has gathered its rows, long before they are inserted. So is the COMMIT after it.
sub flush_is_timed_out
{
	my ($sql, $test_name) = @_;
	my ($gather, $flush) = split(/\n/, $node->safe_psql('postgres', qq{
		BEGIN;
		SELECT clock_timestamp() AS start \\gset
		$sql;
		SELECT clock_timestamp() AS gathered \\gset
		COMMENT ON TABLE timed IS 'flushed';
		SELECT clock_timestamp() AS flushed \\gset
		SELECT extract(epoch FROM :'gathered'::timestamptz - :'start')
		UNION ALL SELECT extract(epoch FROM :'flushed'::timestamptz - :'gathered');
		ROLLBACK}));
	$node->safe_psql('postgres', 'VACUUM timed');
	note("$gather s to gather, $flush s to flush");
	my $timeout = int(1000 * ($gather + $flush / 4));
	for my $statements ($sql, "BEGIN;\n$sql;\nCOMMIT")
	{
		my (undef, undef, $stderr) =
		  $node->psql('postgres', "SET statement_timeout = $timeout;\n$statements");
		like($stderr,
			qr/canceling statement due to statement timeout\nCONTEXT:  while inserting gathered rows into index "timed_v"/,
			$test_name);
	}
	has_rows('timed', 1000, "$test_name: after it");
	$node->safe_psql('postgres', 'VACUUM timed');
	return;
}

flush_is_timed_out("COPY timed FROM '$rows_file'", 'COPY is timed out');
flush_is_timed_out('INSERT INTO timed SELECT * FROM pool', 'INSERT is timed out');

# --- flushes are cancelled ---

# Runs the statements one by one and cancels the first one that begins with `victim`, while it runs;
# returns what the client says.
sub run_and_cancel
{
	my ($victim, @statements) = @_;
	my $canceller = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', qq{
			DO \$\$
			DECLARE
				victim integer;
			BEGIN
				WHILE victim IS NULL LOOP
					PERFORM pg_stat_clear_snapshot();
					SELECT pid INTO victim FROM pg_stat_activity
					WHERE application_name = 'victim' AND state = 'active'
						AND query LIKE '$victim%';
				END LOOP;
				PERFORM pg_sleep(0.005);
				PERFORM pg_cancel_backend(victim);
			END \$\$} ],
		'<', \undef, '>&', \my $cancelled, IPC::Run::timeout(60));
	local $ENV{PGAPPNAME} = 'victim';
	my $said = '';
	my $client = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), map { ('-c', $_) } @statements ],
		'<', \undef, '>&', \$said, IPC::Run::timeout(60));
	$_->finish for $client, $canceller;
	return $said;
}

$node->safe_psql('postgres', q{
	CREATE TABLE cancelled (id bigint, v vector(64));
	CREATE INDEX cancelled_v ON cancelled USING hnsw (v vector_l2_ops)
		WITH (m = 50, ef_construction = 500)});
my $load = "COPY cancelled FROM '$rows_file'";
my $flush_is_cancelled = qr/canceling statement due to user request\nCONTEXT:  while inserting gathered rows into index "cancelled_v"/;
like(run_and_cancel('COMMIT', 'BEGIN', $load, 'COMMIT', q{SELECT 'the next transaction'}),
	qr/$flush_is_cancelled\nthe next transaction/, 'a flush is cancelled at COMMIT, which ends all');
has_rows('cancelled', 0, 'after it');
like(run_and_cancel('SELECT', 'BEGIN', $load, 'SELECT * FROM hnsw_check(\'cancelled_v\')', 'COMMIT'),
	$flush_is_cancelled, 'a flush is cancelled in a look at the index');
has_rows('cancelled', 0, 'after it');
# Cancelled in a savepoint, or in a block that catches it, the flush leaves the rows from before to the
# next one; a vacuum comes in between.
my $vacuum = '\! psql -XAtq -d "' . $node->connstr('postgres') . '" -c "VACUUM cancelled"';
like(run_and_cancel('SELECT', 'BEGIN', $load, 'SAVEPOINT here',
		'INSERT INTO cancelled SELECT -id, v FROM pool WHERE id <= 500',
		q{SELECT nodes FROM hnsw_info('cancelled_v')}, $vacuum, 'ROLLBACK TO here', $vacuum,
		'INSERT INTO cancelled SELECT id + 10000, v + v FROM pool WHERE id <= 100', 'COMMIT'),
	$flush_is_cancelled, 'a flush is cancelled in a savepoint');
has_rows('cancelled', $n_rows + 100, 'after it');
$node->safe_psql('postgres', 'DELETE FROM cancelled; VACUUM cancelled');
is(run_and_cancel('DO', 'BEGIN', $load, q{DO $$
	BEGIN
		INSERT INTO cancelled SELECT -id, v FROM pool WHERE id <= 500;
		PERFORM nodes FROM hnsw_info('cancelled_v');
	EXCEPTION WHEN query_canceled THEN
	END $$}, $vacuum, 'COMMIT'),
	'', 'a flush is cancelled in a block that catches that');
has_rows('cancelled', $n_rows, 'after it');
$node->safe_psql('postgres', 'DELETE FROM cancelled; VACUUM cancelled');

# A flush that is cut off after it has written nodes: rows that come again do not hang on those.
make_table('retried');
my $retry = 'INSERT INTO retried SELECT id, v FROM pool WHERE id > 1000';
my $seconds = $node->safe_psql('postgres', qq{
	INSERT INTO retried SELECT id, v FROM pool WHERE id <= 1000;
	SELECT clock_timestamp() AS start \\gset
	BEGIN; $retry; COMMENT ON TABLE retried IS 'flushed'; ROLLBACK; VACUUM retried;
	SELECT extract(epoch FROM clock_timestamp() - :'start')});
my $n_unlinked = 0;
# The moment is between one too early and one too late.
my ($early, $late) = (0, 4000 * $seconds);
for (1 .. 60)
{
	my $timeout = int($early + rand($late - $early)) + 1;
	my $status = $node->psql('postgres', "SET statement_timeout = $timeout;\n$retry",
		on_error_stop => 1);
	$n_unlinked = $node->safe_psql('postgres', q{SELECT unlinked FROM hnsw_info('retried_v')});
	last if $n_unlinked > 0;
	($status ? $early : $late) = $timeout;
	($early, $late) = (0, 4000 * $seconds) if $late - $early < 3;
	$node->safe_psql('postgres', 'DELETE FROM retried WHERE id > 1000; VACUUM retried');
}
cmp_ok($n_unlinked, '>', 0, 'a flush is cut off after it has written nodes');
is($node->safe_psql('postgres', qq{
	SELECT nodes AS before FROM hnsw_info('retried_v') \\gset
	$retry;
	SELECT nodes - :before >= $n_unlinked FROM hnsw_info('retried_v')}),
	't', 'the rows that come again have nodes of their own');
finds_every_row($node, 'retried', 'come again');
$node->safe_psql('postgres', 'VACUUM retried');
has_rows('retried', $n_rows, 'come again, after a vacuum');

# The same in a savepoint: the rows from before it come in once, whatever was written for them.
make_table('halved');
$node->safe_psql('postgres', 'INSERT INTO halved SELECT id, v FROM pool WHERE id <= 500');
my $look = "SELECT unlinked FROM hnsw_info('halved_v')";
my $other = 'psql -XAtq -d "' . $node->connstr('postgres') . '" -c';
($early, $late) = (0, 2000 * $seconds);
$n_unlinked = 0;
for my $i (1 .. 60)
{
	my $timeout = int($early + rand($late - $early)) + 1;
	my ($status, $stdout, $stderr) = $node->psql('postgres', qq{
		BEGIN;
		INSERT INTO halved SELECT id, v FROM pool WHERE id BETWEEN 501 AND 900;
		SAVEPOINT here;
		INSERT INTO halved SELECT id, v FROM pool WHERE id BETWEEN 901 AND 1000;
		SET LOCAL statement_timeout = $timeout;
		SELECT 1 FROM hnsw_info('halved_v');
		\\! $other "VACUUM (INDEX_CLEANUP on) halved"
		ROLLBACK TO here;
		\\! $other "VACUUM (INDEX_CLEANUP on) halved"
		\\! $other "$look"
		INSERT INTO halved SELECT id, v FROM pool WHERE id BETWEEN 901 AND 910;
		COMMIT}, on_error_stop => 0);
	is($stderr =~ s/.*canceling statement due to statement timeout\nCONTEXT:  while inserting[^\n]*//r, '',
		'nothing else fails') if $stderr ne '';
	($n_unlinked) = $stdout =~ /(\d+)\s*$/;
	last if $stderr ne '' && $n_unlinked > 0;
	($stderr ne '' ? $early : $late) = $timeout;
	($early, $late) = (0, 2000 * $seconds) if $late - $early < 3;
	$node->safe_psql('postgres', 'DELETE FROM halved WHERE id > 500; VACUUM halved');
}
cmp_ok($n_unlinked, '>', 0, 'a flush is cut off in a savepoint after it has written nodes');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT id) FROM halved'), '910|910',
	'the rows from before the savepoint are there');
finds_every_row($node, 'halved', 'cut off in a savepoint');
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) halved');
has_rows('halved', 910, 'cut off in a savepoint, after a vacuum');

$node->stop;
done_testing();
