# watch shows COPY, CREATE INDEX and VACUUM of other sessions, with phase, count and rate, and ends
# when nothing runs; what a user may not see is said.
#
# A slow operation is one that waits for a lock which the test holds, or for input that the test
# withholds: no test depends on how fast the machine is.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VectorBulk;
use VectorExt;

my $node = start_node('watch', 'autovacuum = off');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'points', 3000, 16, 62);
$node->safe_psql('postgres', 'CREATE TABLE loaded (i integer); CREATE ROLE ordinary LOGIN');

# --- nothing runs ---

my ($status, $stdout) = bulk($node, 'watch', '--until-idle', '--output', 'plain');
is($status, 0, 'watch ends at once when nothing runs');
is($stdout, "nothing runs\n", 'and says so');
my ($code, undef, $error) = bulk($node, 'watch', '--interval', '0');
is($code, 3, 'an interval of no time is refused');
like($error, qr/expected 0.01 to 86400 seconds/, 'with a reason');

# --- a COPY that waits for its input ---

my ($input, $out, $err) = ("COPY loaded FROM STDIN;\n", '', '');
my $copy = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \$input, '>', \$out, '2>', \$err, IPC::Run::timeout(180));
feed_copy(1000);

# Gives rows to the COPY until the server has counted so many of them. Each on the way holds some
# back: the pipe's writer, psql, and the server, which counts a portion when it is inserted.
sub feed_copy
{
	my ($n) = @_;
	for (1 .. 600)
	{
		$input .= join('', map { "$_\n" } 1 .. 5000) if !length $input;
		$copy->pump_nb;
		return if $node->safe_psql('postgres',
			"SELECT count(*) FROM pg_stat_progress_copy WHERE tuples_processed >= $n");
		sleep(0.1);
	}
	die "the COPY does not come to $n rows";
}

# Starts a watch; its output is to be matched by `wanted`.
my ($seen, $complaint);

sub start_watch
{
	my (@arguments) = @_;
	($seen, $complaint) = ('', '');
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	return IPC::Run::start([ 'vector-bulk', 'watch', '--interval', '0.05', @arguments ],
		'<', \undef, '>', \$seen, '2>', \$complaint, IPC::Run::timeout(180));
}

my $watch = start_watch('--until-idle', '--output', 'json');
$watch->pump until $seen =~ /\n/;
my ($first) = map { decode_json($_) } split(/\n/, $seen);
is($first->{command}, 'COPY FROM', 'a COPY of another session is seen');
is($first->{relation}, 'loaded', 'with its table');
is($first->{unit}, 'rows', 'rows are counted where the size of the input is not known');
is($first->{total}, undef, 'and no total is invented');
my $lines = ($seen =~ tr/\n//);
feed_copy($first->{done} + 1);
$watch->pump until $seen =~ /"rate":[1-9]/;
pass('a rate is told once two looks differ');

# Another user sees that something runs.
my ($status2, $hidden) = do {
	local $ENV{PGUSER} = 'ordinary';
	my $other = start_watch_as_lines();
	$other->pump until $seen =~ /\n/;
	$other->signal('INT');
	$other->finish;
	($other->result(0), $seen);
};

sub start_watch_as_lines
{
	return start_watch('--output', 'plain');
}
is($status2, 130, 'Ctrl-C ends it, with 130');
like($hidden, qr/COPY on \?: of another user, who grants pg_read_all_stats/,
	'what may not be seen is said');

$input .= "\\.\n";
$copy->finish;
$watch = start_watch('--until-idle', '--output', 'json');
$watch->finish;
is($watch->result(0), 0, 'watch ends when the COPY is over');

# --- CREATE INDEX CONCURRENTLY that waits for a transaction ---

my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; INSERT INTO points SELECT 9999, v FROM points WHERE id = 1');
my ($build_out, $build_err) = ('', '');
my $build = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c',
		'CREATE INDEX CONCURRENTLY points_v ON points USING hnsw (v vector_l2_ops)' ],
	'<', \undef, '>', \$build_out, '2>', \$build_err, IPC::Run::timeout(180));
$watch = start_watch('--until-idle', '--output', 'plain');
$watch->pump until $seen =~ /CREATE INDEX CONCURRENTLY on points: waiting|nothing runs/;
if ($seen =~ /^nothing runs/)
{
	# It looked before the build began: look again.
	$watch->finish;
	$node->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'});
	$watch = start_watch('--until-idle', '--output', 'plain');
	$watch->pump until $seen =~ /waiting/;
}
like($seen, qr/^\d+ CREATE INDEX CONCURRENTLY on points: waiting for writers/m,
	'a build shows what it waits for');
like($seen, qr{0 of 1 sessions \(0 %\)}, 'and for how many sessions');
$holder->query_safe('ROLLBACK');
$holder->quit;
$build->finish;
$watch->finish;
is($watch->result(0), 0, 'watch ends when the build does');
like($seen, qr/CREATE INDEX CONCURRENTLY on points: ended after/, 'and tells that it ended');
is($complaint, '', 'without a complaint');

# --- VACUUM that waits for a pin ---

my $cursor = $node->background_psql('postgres');
$node->safe_psql('postgres', 'DELETE FROM points WHERE id <= 10');
$cursor->query_safe('BEGIN; DECLARE c CURSOR FOR SELECT id FROM points; FETCH 1 FROM c');
my ($vacuum_out, $vacuum_err) = ('', '');
my $vacuum = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'VACUUM (FREEZE) points' ],
	'<', \undef, '>', \$vacuum_out, '2>', \$vacuum_err, IPC::Run::timeout(180));
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_stat_progress_vacuum')
  or die 'the VACUUM does not start';
$watch = start_watch('--output', 'live');
$watch->pump until $seen =~ /VACUUM on points/ && $seen =~ /pages/;
like($seen, qr/scanning heap/, 'a VACUUM shows its phase');
like($seen, qr/\x{e2}\x{96}|\x{c2}\x{b7}/, 'and a bar, in the live view');
$watch->signal('INT');
$watch->finish;
like($seen, qr/\e\[\?25h\z/, 'which gives the cursor back when it is ended');
$cursor->query_safe('ROLLBACK');
$cursor->quit;
$vacuum->finish;
is($vacuum_err, '', 'the VACUUM was not disturbed');

index_is_sound($node, 'points_v', 'afterwards');
$node->stop;
done_testing();
