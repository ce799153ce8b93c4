# vector-bulk that is stopped: killed, cancelled, left by the server, without rights, on a full disk.
# What was to be loaded is there as a whole or not at all, and an import goes on.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VectorBulk;
use VectorExt;

plan skip_all => 'vector-bulk is not installed'
  if system('vector-bulk --version >/dev/null 2>&1') != 0;

my $node = start_node('bulk', 'shared_buffers = 64MB', 'max_connections = 40');
$node->safe_psql('postgres', q{
	CREATE EXTENSION vector_ext;
	CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(16))});
my $dir = PostgreSQL::Test::Utils::tempdir();
my $n = 30000;
my $file = write_file("$dir/items.npy", npy(join('', map { pack('f<16', $_, 1 .. 15) } 1 .. $n), "$n, 16"));
my @load = ('load', $file, '--table', 'items', '--quiet');
srand(20240229);

# No process of the server still works for a client that is gone.
sub wait_for_end
{
	$node->poll_query_until('postgres', q{
		SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'vector-bulk'})
	  or die 'a server process of vector-bulk does not end';
	return;
}

# Kills the program without a warning; was there something to kill?
sub kill_now
{
	my ($client) = @_;
	my $is_running = $client->pumpable;
	$client->signal('KILL') if $is_running;
	$client->finish;
	return $is_running ? 1 : 0;
}

# How long a load takes here, so that kills are spread over all of it.
my $start = Time::HiRes::time();
bulk_ok($node, 'load', @load, '--index', 'after');
my $seconds = Time::HiRes::time() - $start;
note("a load takes $seconds s");
$node->safe_psql('postgres', 'DROP INDEX items_embedding_idx; TRUNCATE items');

# --- killed at any moment ---

for my $threads (0, 2)
{
	my %seen;
	for my $round (0 .. 4)
	{
		my $output = '';
		my $client = start_bulk($node, \$output, @load, '-t', $threads, '--index', 'after');
		sleep($seconds * (0.1 + 0.9 * $round / 4 + rand(0.1)));
		kill_now($client);
		wait_for_end();
		my $count = $node->safe_psql('postgres', 'SELECT count(*) FROM items');
		ok($count == 0 || $count == $n, "killed, -t $threads, round $round: nothing or all")
		  or diag("$count rows");
		$node->safe_psql('postgres', 'DROP INDEX IF EXISTS items_embedding_idx; TRUNCATE items');
	}
}
bulk_ok($node, 'load after the kills', @load, '-t', 2);
is($node->safe_psql('postgres', q{SELECT count(*), (SELECT count(*) FROM pg_class WHERE relname ~ 'bulk_stage') FROM items}),
	"$n|0", 'all rows, in no table but this');
$node->safe_psql('postgres', 'TRUNCATE items');

my @create = ('load', $file, '--table', 'made', '--create', '--quiet', '-t', 2, '--index', 'after');
for my $round (0 .. 4)
{
	my $output = '';
	my $client = start_bulk($node, \$output, @create);
	sleep($seconds * (0.1 + 0.9 * $round / 4 + rand(0.1)));
	kill_now($client);
	wait_for_end();
	my $is_there = $node->safe_psql('postgres', q{SELECT to_regclass('made') IS NOT NULL}) eq 't';
	my $count = $is_there ? $node->safe_psql('postgres', 'SELECT count(*) FROM made') : $n;
	is($count, $n, "killed, a new table, round $round: no table or all rows");
	$node->safe_psql('postgres', 'DROP TABLE made') if $is_there;
}
bulk_ok($node, 'a new table by two connections after the kills', @create);
is($node->safe_psql('postgres', q{SELECT count(*), (SELECT count(*) FROM pg_class WHERE relname ~ 'bulk_stage') FROM made}),
	"$n|0", 'a new table: all rows, and what killed runs left is dropped');
index_is_sound($node, 'made_embedding_idx', 'a new table by two connections');

# --- imports go on ---

for my $threads (1, 3)
{
	my @import = (@load, '--import-id', "import $threads", '-t', $threads, '--batch-size', 3000 * $threads);
	my $n_kills = 0;
	for my $round (1 .. 6)
	{
		my $output = '';
		my $client = start_bulk($node, \$output, @import);
		sleep(rand($seconds / 2));
		$n_kills += kill_now($client);
		# A new run waits for what the old one left: no pause here.
	}
	my ($code, $stdout, $stderr) = bulk($node, @import, '--index', 'after');
	is($code, 0, "import by $threads: the last run") or diag($stderr);
	note("$n_kills kills");
	is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT id), min(id), max(id) FROM items'),
		"$n|$n|0|" . ($n - 1), "import by $threads: every row once");
	index_is_sound($node, 'items_embedding_idx', "import by $threads");
	($code, $stdout) = bulk($node, @import, '--summary', 'json');
	like($stdout, qr/"vectors":0,.*"loaded_before":$n/, "import by $threads: once more loads nothing");
	$node->safe_psql('postgres', 'DROP INDEX items_embedding_idx; TRUNCATE items');
}
write_file("$dir/other.npy", npy(join('', map { pack('f<16', $_, 1 .. 15) } 2 .. 11), '10, 16'));
bulk_fails($node, 'an import with another file', 3, qr/was made with another file/, 'load', "$dir/other.npy", '--table', 'items', '--import-id', 'import 1');
bulk_fails($node, 'an import of standard input', 3, qr/standard input cannot be read again/, 'load', '-', '-f', 'csv', '--table', 'items', '--import-id', 'x');

# --- Ctrl-C ---

for my $case ([ 'a lock', 'items', @load ], [ 'a lock, -t 2', 'items', @load, '-t', 2 ],
	[ 'a lock, an import', 'items', @load, '--import-id', 'c' ])
{
	my ($name, $table, @arguments) = @$case;
	# The load waits for the table, so that it is certainly at work when the signal comes.
	my $lock = $node->background_psql('postgres');
	$lock->query_safe("BEGIN; LOCK TABLE $table IN EXCLUSIVE MODE");
	my $output = '';
	my $client = start_bulk($node, \$output, @arguments);
	$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'vector-bulk' AND wait_event_type = 'Lock'});
	$client->signal('INT');
	$client->finish;
	is($client->result(0), 130, "Ctrl-C at $name: exit code") or diag($output);
	wait_for_end();
	$lock->query_safe('ROLLBACK');
	$lock->quit;
	is($node->safe_psql('postgres', q{SELECT count(*), (SELECT count(*) FROM pg_class WHERE relname ~ 'bulk_stage') FROM items}), '0|0', "Ctrl-C at $name: nothing is left");
}
for my $round (1 .. 3)
{
	my $output = '';
	my $client = start_bulk($node, \$output, @load, '--index', 'after');
	sleep(rand($seconds));
	$client->signal('INT') if $client->pumpable;
	$client->finish;
	my $code = $client->result(0);
	wait_for_end();
	my $count = $node->safe_psql('postgres', 'SELECT count(*) FROM items');
	ok(($code == 130 && $count == 0) || ($code == 0 && $count == $n), "Ctrl-C, round $round: code $code and $count rows") or diag($output);
	$node->safe_psql('postgres', 'DROP INDEX IF EXISTS items_embedding_idx; TRUNCATE items');
}

# --- rights ---

$node->safe_psql('postgres', q{
	CREATE ROLE reader LOGIN;
	CREATE ROLE writer LOGIN;
	GRANT SELECT ON items TO reader;
	GRANT SELECT, INSERT ON items TO writer;
	REVOKE CREATE ON SCHEMA public FROM PUBLIC;
	DROP TABLE vector_bulk_imports});
bulk_fails($node, 'no right to insert', 2, qr/permission denied for table items.*SQLSTATE 42501/, @load, '--dsn', 'user=reader');
bulk_fails($node, 'no right to create', 2, qr/permission denied for schema public/, 'load', $file, '--table', 'other', '--create', '--dsn', 'user=writer');
bulk_fails($node, 'no right to note an import', 2, qr/--import-id needs the table public\.vector_bulk_imports: permission denied/, @load, '--import-id', 'x', '--dsn', 'user=writer');
is($node->safe_psql('postgres', 'SELECT count(*) FROM items'), '0', 'nothing was loaded');
bulk_ok($node, 'a table that exists needs no right to create, with -t 2 either', @load, '-t', 2, '--dsn', 'user=writer');
is($node->safe_psql('postgres', 'SELECT count(*) FROM items'), $n, 'all was loaded');
$node->safe_psql('postgres', 'TRUNCATE items');

# --- the server ends the connection ---

my $lock = $node->background_psql('postgres');
$lock->query_safe('BEGIN; LOCK TABLE items IN EXCLUSIVE MODE');
my $output = '';
my $client = start_bulk($node, \$output, @load);
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'vector-bulk' AND wait_event_type = 'Lock'});
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vector-bulk'});
$client->finish;
is($client->result(0), 4, 'a terminated connection: exit code');
like($output, qr/the connection to the server was lost: terminating connection due to administrator command/, 'a terminated connection: message');
$lock->query_safe('ROLLBACK');
$lock->quit;

$lock = $node->background_psql('postgres');
$lock->query_safe('BEGIN; LOCK TABLE items IN EXCLUSIVE MODE');
$output = '';
$client = start_bulk($node, \$output, @load, '-t', 2);
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'vector-bulk' AND wait_event_type = 'Lock'});
$node->stop('immediate');
$client->finish;
is($client->result(0), 4, 'a server that goes away: exit code');
like($output, qr/the connection to the server was lost/, 'a server that goes away: message');
$lock->{run}->finish if ref $lock->{run};
$node->start;
bulk_ok($node, 'load into the server that came back', @load, '-t', 2);
is($node->safe_psql('postgres', q{SELECT count(*), (SELECT count(*) FROM pg_class WHERE relname ~ 'bulk_stage') FROM items}), "$n|0", 'all rows, no stage');

# --- a full disk: files of the server may not grow beyond 18 MB ---

$node->safe_psql('postgres', 'TRUNCATE items; CHECKPOINT');
$node->stop;
system('bash', '-c', "ulimit -f 18432; pg_ctl -D '" . $node->data_dir . "' -l '" . $node->logfile . "' -w start >/dev/null") == 0
  or die 'the server does not start with a limit';
my $wide = write_file("$dir/wide.npy", npy("\0\0\x80\x3f" x (400 * 14000), '14000, 400'));
$node->_update_pid(1);
for my $threads (1, 2)
{
	bulk_fails($node, "a full disk, -t $threads", 2, qr/could not (extend|write to) file/, 'load', $wide, '--table', 'wide', '--create', '-t', $threads);
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname ~ 'wide|bulk_stage'}), '0', "a full disk, -t $threads: nothing is left");
}

done_testing();
