# CREATE INDEX and memory: every setting of maintenance_work_mem builds a sound index, no build takes
# more than it allows, and too little shared memory costs the workers, at whatever moment it shows.
#
# VECTOR_EXT_SWEEP is the step of the sweep over maintenance_work_mem in kilobytes, 4,099 by default;
# 257 takes some minutes.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VectorExt;

my $sweep_step = $ENV{VECTOR_EXT_SWEEP} // 4099;
my $n_rows = 12000;

my @settings = ('shared_buffers = 256MB', 'max_wal_size = 4GB', 'autovacuum = off',
	'checkpoint_timeout = 1h', 'log_statement = none', 'max_worker_processes = 8',
	'max_parallel_workers = 8', 'max_parallel_maintenance_workers = 4', 'wal_level = replica');

# What makes CREATE INDEX on `table` ask for so many workers, even where the rows do not fit.
sub with_workers
{
	my ($table, $n_workers) = @_;
	return qq{ALTER TABLE $table SET (parallel_workers = $n_workers);
		UPDATE pg_class SET reltuples = 100 WHERE oid = '$table'::regclass;};
}

# --- the sweep ---

# Files instead of shared memory: those of this server alone can be told.
my $node = start_node('memory', @settings, 'dynamic_shared_memory_type = mmap');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'wide', $n_rows, 260, 23);
# The last row is equal to another; some builds have it in a later batch than that.
$node->safe_psql('postgres', qq{
	CREATE TABLE items_260 AS
	SELECT id, v FROM wide WHERE id < 1500 UNION ALL SELECT 1500, v FROM wide WHERE id = 2
	ORDER BY id;
	CREATE TABLE items_64 AS SELECT id, subvector(v, 1, 64)::vector(64) AS v FROM items_260 ORDER BY id;
	CREATE TABLE items_2 AS SELECT id, subvector(v, 1, 2)::vector(2) AS v FROM items_260 ORDER BY id});
my $report = $node->safe_psql('postgres', qq{
	SET client_min_messages = notice;
	DO \$\$
	DECLARE
		tables text[] := '{items_2,items_64,items_260}';
		kilobytes integer := 1024;
		indexed text;
		n_rows bigint;
		n_builds integer := 0;
		finding text;
	BEGIN
		WHILE kilobytes < 48 * 1024 LOOP
			PERFORM set_config('maintenance_work_mem', kilobytes || 'kB', false);
			FOR n_workers IN 0..4 LOOP
				-- Every table with every number of workers, in turns.
				indexed := tables[1 + n_builds % 3];
				EXECUTE format('ALTER TABLE %s SET (parallel_workers = %s)', indexed, n_workers);
				UPDATE pg_class SET reltuples = 100 WHERE oid = indexed::regclass;
				EXECUTE format('CREATE INDEX built ON %s USING hnsw (v vector_l2_ops)', indexed);
				SELECT string_agg(format('%s: %s', severity, problem), '; ') INTO finding
				FROM hnsw_check('built', true);
				IF finding IS NOT NULL THEN
					RAISE EXCEPTION '% with % workers and % kB: %', indexed, n_workers, kilobytes, finding;
				END IF;
				SELECT nodes INTO n_rows FROM hnsw_info('built');
				IF n_rows NOT BETWEEN 1499 AND 1500 THEN
					RAISE EXCEPTION '% with % workers and % kB: % nodes', indexed, n_workers, kilobytes, n_rows;
				END IF;
				DROP INDEX built;
				COMMIT;
				n_builds := n_builds + 1;
			END LOOP;
			kilobytes := kilobytes + $sweep_step;
		END LOOP;
		PERFORM set_config('test.n_builds', n_builds::text, false);
	END \$\$;
	SELECT current_setting('test.n_builds')});
is($report, 5 * (1 + int((48 * 1024 - 1024 - 1) / $sweep_step)),
	"builds with any maintenance_work_mem are sound ($report builds)");

# --- what a build takes ---

# What a file of /proc says, or nothing where its process has gone.
sub read_proc
{
	my ($path) = @_;
	open(my $file, '<', "/proc/$path") or return '';
	local $/ = undef;
	return <$file> // '';
}

# Kilobytes of a process that it shares with none.
sub private_kilobytes
{
	my ($pid) = @_;
	return read_proc("$pid/status") =~ /^RssAnon:\s+(\d+) kB/m ? $1 : 0;
}

# Kilobytes of all dynamic shared memory of the server.
sub shared_kilobytes
{
	my $n_blocks = 0;
	$n_blocks += (stat($_))[12] // 0 for glob($node->data_dir . '/pg_dynshmem/*');
	return $n_blocks / 2;
}

# The parallel workers of a leader.
sub workers_of
{
	my ($postmaster, $leader) = @_;
	return grep { read_proc("$_/cmdline") =~ /parallel worker for PID $leader\b/ }
	  split(' ', read_proc("$postmaster/task/$postmaster/children"));
}

# Builds an index of `table`, and returns the most kilobytes that leader, workers and shared memory had
# together, beyond what the leader had before.
sub peak_of_build
{
	my ($table, $n_workers, $megabytes) = @_;
	$node->safe_psql('postgres', with_workers($table, $n_workers));
	my $before = shared_kilobytes();
	my ($output, $peak, $most_workers) = ('', 0, 0);
	my $client = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
			'-c', 'SELECT pg_backend_pid()', '-c', "SET maintenance_work_mem = '${megabytes}MB'",
			'-c', "CREATE INDEX built ON $table USING hnsw (v vector_l2_ops)" ],
		'<', \undef, '>&', \$output, IPC::Run::timeout(300));
	$client->pump until $output =~ /^(\d+)\n/;
	my $leader = $1;
	my $postmaster = (split(/\n/, slurp_file($node->data_dir . '/postmaster.pid')))[0];
	while ($client->pumpable)
	{
		$client->pump_nb;
		my @workers = workers_of($postmaster, $leader);
		my $kilobytes = shared_kilobytes() - $before;
		$kilobytes += private_kilobytes($_) for $leader, @workers;
		$peak = $kilobytes if $kilobytes > $peak;
		$most_workers = @workers if @workers > $most_workers;
		sleep(0.003);
	}
	$client->finish;
	is($output, "$leader\n", "CREATE INDEX with $n_workers workers and $megabytes MB succeeds");
	# Little memory may be thought to serve fewer.
	cmp_ok($most_workers, $megabytes >= 128 ? '==' : '<=', $n_workers, 'the workers take part');
	index_is_sound($node, 'built', "$n_workers workers, $megabytes MB");
	$node->safe_psql('postgres', 'DROP INDEX built');
	return $peak;
}

# Rows that need 55 MB to be linked at once.
$node->safe_psql('postgres', q{
	CREATE TABLE narrow AS
	SELECT i AS id, ARRAY[hashint4(i) % 1000, hashint4(i + 1000000) % 1000, hashint4(i + 2000000) % 1000,
		hashint4(i + 3000000) % 1000]::vector(4) AS v
	FROM generate_series(1, 70000) i});

SKIP:
{
	skip 'there is no /proc to measure memory with', 1
	  unless private_kilobytes($$) && read_proc(getppid() . '/task/' . getppid() . '/children');
	for my $build ([ 'wide', 0, 4 ], [ 'wide', 0, 20 ], [ 'wide', 1, 20 ], [ 'wide', 2, 32 ],
		[ 'wide', 4, 56 ], [ 'wide', 4, 128 ], map { [ 'narrow', 1, $_ ] } 34, 40, 48)
	{
		my ($table, $n_workers, $megabytes) = @$build;
		my $peak = peak_of_build($table, $n_workers, $megabytes) / 1024;
		cmp_ok($peak, '<=', $megabytes + 16,
			"$table: $n_workers workers with $megabytes MB take at most 16 MB more");
		note(sprintf('%s: %d workers, %d MB: peak %.1f MB', $table, $n_workers, $megabytes, $peak));
	}
}
$node->stop;

# --- too little shared memory ---

# What it takes to run a command with a /dev/shm of its own of this size. Who does so is root within;
# the second namespace maps the user back, since a server does not run as root.
sub with_shared_memory
{
	my ($size, $command) = @_;
	return ('unshare', '-Urm', 'sh', '-c',
		'mount -t tmpfs -o size=$1 tmpfs /dev/shm &&
			exec unshare -U --map-user=$2 --map-group=$3 sh -c "$4"',
		'sh', $size, $>, $) + 0, $command);
}

# Runs a command that sees what the server sees.
sub run_in_server
{
	my ($command) = @_;
	$node->safe_psql('postgres', "COPY (SELECT WHERE false) TO PROGRAM '$command'");
	return;
}

# What is in the server's /dev/shm.
sub shared_segments
{
	return $node->safe_psql('postgres', q{
		CREATE TEMPORARY TABLE segments (name text);
		COPY segments FROM PROGRAM 'ls /dev/shm';
		SELECT name FROM segments ORDER BY 1});
}

# A build whose shared memory is filled while it reads the table, but for `n_free` megabytes; returns
# what it says.
sub build_in_filled_memory
{
	my ($n_free) = @_;
	my $hold = $node->data_dir . '/hold';
	append_to_file($hold, '');
	$node->safe_psql('postgres', with_workers('wide', 2));
	my $output = '';
	my $client = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose',
			'-d', $node->connstr('postgres'), '-c', q{SET maintenance_work_mem = '32MB'},
			'-c', 'CREATE INDEX wide_v ON wide USING hnsw ((held(id, v)::vector(260)) vector_l2_ops)' ],
		'<', \undef, '>&', \$output, IPC::Run::timeout(120));
	$node->poll_query_until('postgres',
		q{SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'})
	  or die 'the build does not come to the row that holds it';
	run_in_server("n=\$(df --output=avail -B 1M /dev/shm | tail -n 1);
		[ \$n -le $n_free ] || head -c \$((n - $n_free))M /dev/zero >/dev/shm/filler || true");
	unlink $hold;
	$client->finish;
	run_in_server('rm -f /dev/shm/filler');
	return $output;
}

SKIP:
{
	my $log = '';
	skip 'this user cannot mount a small /dev/shm', 1
	  unless IPC::Run::run([ with_shared_memory('1m', 'true') ], '>&', \$log);
	$node->append_conf('postgresql.conf', "dynamic_shared_memory_type = posix\n");
	my $start = sprintf("pg_ctl -w -D '%s' -l '%s' start", $node->data_dir, $node->logfile);
	system_or_bail(with_shared_memory('40m', $start));
	$node->_update_pid(1);
	my $segments = shared_segments();

	# More than there is: one process builds, and says why.
	my ($status, $stdout, $stderr) = $node->psql('postgres', with_workers('wide', 2) . q{
		SET maintenance_work_mem = '64MB';
		CREATE INDEX wide_v ON wide USING hnsw (v vector_l2_ops)});
	is($status, 0, 'with a small /dev/shm an index is built');
	like($stderr, qr/NOTICE:  building index "wide_v" without.*^HINT:  Enlarge \/dev\/shm/ms,
		'with a hint');
	index_is_sound($node, 'wide_v', 'small /dev/shm');

	# Enough when it begins, and then no more.
	$node->safe_psql('postgres', q{
		DROP INDEX wide_v;
		CREATE FUNCTION held(id bigint, v vector) RETURNS vector
			LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
		BEGIN
			IF id = 100 THEN
				-- Not in the sample, which comes before there is shared memory.
				PERFORM pg_stat_clear_snapshot();
				IF EXISTS (SELECT FROM pg_stat_progress_create_index WHERE phase LIKE '%loading%') THEN
					WHILE (pg_stat_file('hold', true)).size IS NOT NULL LOOP
						PERFORM pg_sleep(0.01);
					END LOOP;
				END IF;
			END IF;
			RETURN v;
		END $$});
	my $n_alone = 0;
	for my $n_free (0, 1, 3, 30)
	{
		my $output = build_in_filled_memory($n_free);
		if ($output ne '')
		{
			$n_alone++;
			like($output, qr/^\S*NOTICE: .* without parallel workers\n.*(memory|space).*\nHINT: /,
				"$n_free MB left: one process builds, and says why");
			unlike($output, qr/ERROR/, "$n_free MB left: no error");
		}
		index_is_sound($node, 'wide_v', "$n_free MB left");
		finds_every_row($node, 'wide', "$n_free MB left");
		$node->safe_psql('postgres', 'DROP INDEX wide_v');
		leaves_nothing($node, "$n_free MB left");
	}
	cmp_ok($n_alone, '>', 0, 'a build goes on alone when all shared memory is used');
	cmp_ok($n_alone, '<', 4, 'a build has its workers when there is room');
	is(shared_segments(), $segments, 'no shared memory is left');
	unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'no process crashed');
	$node->stop;
}

done_testing();
