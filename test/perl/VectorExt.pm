# What the TAP tests share: a running server, errors by SQLSTATE, generated vectors, and what must
# hold for every index.

package VectorExt;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

our @EXPORT = qw(start_node disable_checksums error_is copy_file same_lines load_vectors index_is_sound
  finds_every_row recall_of is_as_good_as_fresh end_after leaves_nothing kill_server
  start_pgbench run_clients);

# A new, running server with these lines in its configuration.
sub start_node
{
	my ($name, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', join("\n", 'fsync = off', @settings));
	$node->start;
	return $node;
}

# Leaves a changed page of the server, which does not run, to us: from PostgreSQL 18 on initdb makes
# checksums, by which the server would refuse it.
sub disable_checksums
{
	my ($node) = @_;
	my ($control) = run_command([ 'pg_controldata', $node->data_dir ]);
	system_or_bail('pg_checksums', '--disable', '--no-sync', '--pgdata', $node->data_dir)
	  if $control =~ /checksum version: +[1-9]/;
	return;
}

# `sql` fails with `sqlstate`; when given, `hint` matches what follows the error's message.
sub error_is
{
	my ($node, $database, $sql, $sqlstate, $test_name, $hint) = @_;
	my ($status, $stdout, $stderr) = $node->psql(
		$database, $sql,
		on_error_stop => 1,
		extra_params => [ '--set', 'VERBOSITY=verbose' ]);
	my ($found) = $stderr =~ /ERROR:  (\w{5}): /;
	if (($found // 'no error') ne $sqlstate)
	{
		fail($test_name);
		diag("expected $sqlstate, got: $stderr");
	}
	elsif (defined $hint)
	{
		like($stderr, qr/^HINT:  .*$hint/m, $test_name);
	}
	else
	{
		pass($test_name);
	}
	return;
}

# Writes a binary COPY file of rows with one column, whose messages are given; returns its path.
sub copy_file
{
	my ($node, $name, @messages) = @_;
	my $path = $node->basedir . "/$name.copy";
	open(my $file, '>:raw', $path) or die "could not write $path: $!";
	print $file "PGCOPY\n\xff\r\n\0", pack('N N', 0, 0),
	  (map { pack('n N', 1, length $_) . $_ } @messages), pack('n', 0xffff);
	close($file) or die "could not write $path: $!";
	return $path;
}

# As is(), for long results: a failure shows the first lines that differ.
sub same_lines
{
	my ($got, $expected, $test_name) = @_;
	return pass($test_name) if $got eq $expected;
	my @got = split(/\n/, $got);
	my @expected = split(/\n/, $expected);
	my $i = 0;
	$i++ while $i < @got && $i < @expected && $got[$i] eq $expected[$i];
	fail($test_name);
	diag('line ', $i + 1, ': got ', $got[$i] // 'the end', ', expected ', $expected[$i] // 'the end');
	return;
}

# Makes `table` (id bigint PRIMARY KEY, v vector(n_dims)) of generated vectors: clusters, whose
# coordinates decay so that neighbours exist at any number of dimensions. The same seed gives the
# same vectors on every machine.
sub load_vectors
{
	my ($node, $table, $n_rows, $n_dims, $seed) = @_;
	my $n_clusters = 100;
	srand($seed);
	my @scales = map { $_**-0.4 } 1 .. $n_dims;
	my @centres = map { [ map { $_ * (rand() + rand() - 1) } @scales ] } 1 .. $n_clusters;
	my $path = $node->basedir . "/$table.copy";
	open(my $file, '>:raw', $path) or die "could not write $path: $!";
	print $file "PGCOPY\n\xff\r\n\0", pack('N N', 0, 0);
	for my $id (1 .. $n_rows)
	{
		my $centre = $centres[ rand($n_clusters) ];
		my $i = 0;
		my @vector = map { $_ + $scales[ $i++ ] * (rand() + rand() - 1) } @$centre;
		print $file pack('n N q> N n n (f>)*', 2, 8, $id, 4 + 4 * $n_dims, $n_dims, 0, @vector);
	}
	print $file pack('n', 0xffff);
	close($file) or die "could not write $path: $!";
	$node->safe_psql('postgres', qq{
		CREATE TABLE $table (id bigint PRIMARY KEY, v vector($n_dims));
		COPY $table FROM '$path' (FORMAT binary);
		ANALYZE $table});
	unlink $path;
	return;
}

# hnsw_check has nothing to say about the index and its table.
sub index_is_sound
{
	my ($node, $index, $test_name) = @_;
	is($node->safe_psql('postgres', "SELECT * FROM hnsw_check('$index', true) LIMIT 10"),
		'', "$test_name: hnsw_check($index) finds nothing");
	return;
}

# A search by index that goes on to the end returns each row of the table once.
sub finds_every_row
{
	my ($node, $table, $test_name) = @_;
	is($node->safe_psql('postgres', qq{
		SET enable_seqscan = off;
		SET hnsw.iterative_scan = relaxed_order;
		SET hnsw.max_scan_tuples = 2000000000;
		SET hnsw.scan_mem_multiplier = 100;
		WITH found AS MATERIALIZED (
			SELECT id FROM $table
			ORDER BY v <-> (SELECT v FROM $table WHERE v IS NOT NULL LIMIT 1) LIMIT 2000000000)
		SELECT count(*) = (SELECT count(v) FROM $table), count(*) = count(DISTINCT id) FROM found}),
		't|t', "$test_name: the index of $table finds every row once");
	return;
}

# recall@10 for a table of queries.
sub recall_of
{
	my ($node, $index, $queries, $ef_search) = @_;
	return $node->safe_psql('postgres',
		"SELECT recall FROM hnsw_recall('$index', 10, '{$ef_search}', 1000, '$queries')");
}

# What a statement may go on once it is told to end, in seconds: the promise is a quarter of one; a
# machine that runs other tests beside gets four times that.
our $end_limit = 1;

# Starts `sql` and ends it after so many seconds by `how`, pg_cancel_backend or pg_terminate_backend.
# Returns whether it was ended, and how long it then went on.
sub end_after
{
	my ($node, $how, $sql, $delay) = @_;
	my ($stdout, $stderr) = ('', '');
	local $ENV{PGAPPNAME} = 'victim';
	my $client = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
			map { ('-c', $_) } split(/;\n/, $sql) ],
		'<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(60));
	local $ENV{PGAPPNAME} = undef;
	$node->poll_query_until('postgres', q{
		SELECT count(*) = 1 FROM pg_stat_activity
		WHERE application_name = 'victim' AND backend_type = 'client backend'
			AND state = 'active' AND query NOT LIKE 'SET%'})
	  or die "does not start: $sql";
	sleep($delay);
	# Both times are the server's own.
	my $seconds = $node->safe_psql('postgres', qq{
		DO \$\$
		DECLARE
			victim integer := (SELECT pid FROM pg_stat_activity
				WHERE application_name = 'victim' AND backend_type = 'client backend'
					AND state = 'active');
			start timestamptz := clock_timestamp();
		BEGIN
			PERFORM $how(victim);
			WHILE EXISTS (SELECT FROM pg_locks WHERE pid = victim) LOOP
				PERFORM pg_sleep(0.002);
			END LOOP;
			PERFORM set_config('test.seconds',
				extract(epoch FROM clock_timestamp() - start)::text, false);
		END \$\$;
		SELECT current_setting('test.seconds')});
	$client->finish;
	return ($stderr =~ /due to (user request|administrator command)/ ? 1 : 0, $seconds);
}

# A statement that failed left no parallel worker, and no file of a table or a sort.
sub leaves_nothing
{
	my ($node, $test_name) = @_;
	ok($node->poll_query_until('postgres', q{
		SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'}),
		"$test_name: no parallel worker is left");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0',
		"$test_name: no temporary file is left");
	# Files of tables go for good with a checkpoint.
	$node->safe_psql('postgres', 'CHECKPOINT');
	is($node->safe_psql('postgres', q{
		SELECT count(*) FROM pg_ls_dir('base/' ||
			(SELECT oid FROM pg_database WHERE datname = current_database())) f
		WHERE f ~ '^\d+$' AND NOT EXISTS (SELECT FROM pg_class c
			WHERE pg_relation_filenode(c.oid) = f::bigint)}), '0', "$test_name: no file is left");
	return;
}

# The recall of an index, by a table of queries, is within 0.01, or what is given, of that of the same index
# made anew beside it, at an ef_search so small that there is something to lose.
sub is_as_good_as_fresh
{
	my ($node, $index, $queries, $test_name, $margin) = @_;
	$margin //= 0.01;
	my $definition = $node->safe_psql('postgres', "SELECT pg_get_indexdef('$index'::regclass)");
	$node->safe_psql('postgres', $definition =~ s/INDEX \S+ ON/INDEX fresh ON/r);
	my ($found, $fresh) = map { recall_of($node, $_, $queries, 20) } $index, 'fresh';
	$node->safe_psql('postgres', 'DROP INDEX fresh');
	cmp_ok($found, '>=', $fresh - $margin, "$test_name: recall is within $margin of a fresh index");
	note("recall $found, fresh $fresh");
	return;
}

# All of the server's processes die at once, wherever they are.
sub kill_server
{
	my ($node) = @_;
	my ($postmaster) = split(/\n/, slurp_file($node->data_dir . '/postmaster.pid'));
	my @pids = split(/\n/, $node->safe_psql('postgres',
		'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'));
	$node->kill9;
	kill('KILL', @pids);
	for (1 .. 1000)
	{
		return unless grep { kill(0, $_) } $postmaster, @pids;
		sleep(0.02);
	}
	die 'the server is killed and still there';
}

# Starts pgbench with these arguments and scripts, [ weight, text ] each; the caller finishes it.
# `output` is a reference to a string.
sub start_pgbench
{
	my ($node, $output, $name, $arguments, @scripts) = @_;
	my @files;
	for my $script (@scripts)
	{
		my ($weight, $text) = @$script;
		my $path = $node->basedir . "/$name." . scalar(@files) . '.sql';
		open(my $file, '>', $path) or die "could not write $path: $!";
		print $file $text;
		close($file) or die "could not write $path: $!";
		push @files, '-f', "$path\@$weight";
	}
	return IPC::Run::start(
		[ 'pgbench', '-n', @$arguments, @files, '-d', $node->connstr('postgres') ],
		'<', \undef, '>&', $output, IPC::Run::timeout(600));
}

# Runs pgbench to its end; neither it nor the server's log shows an error.
sub run_clients
{
	my ($node, $test_name, $arguments, @scripts) = @_;
	my $output = '';
	my $offset = -s $node->logfile;
	my $pgbench = start_pgbench($node, \$output, 'clients', $arguments, @scripts);
	$pgbench->finish;
	is($pgbench->result(0), 0, "$test_name: pgbench succeeds") or diag($output);
	my @errors = grep { /(ERROR|FATAL|PANIC|WARNING):/ }
	  split(/\n/, substr(slurp_file($node->logfile), $offset));
	is("@errors", '', "$test_name: nothing fails");
	return;
}

1;
