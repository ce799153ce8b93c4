# old_snapshot_threshold (PostgreSQL 15 and 16): a search by a snapshot whose rows have been removed says
# so, and does not return fewer.
#
# Its clock has minutes: this takes two or three of them, and runs only with VECTOR_EXT_SLOW=1.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VectorExt;

plan skip_all => 'takes some minutes; VECTOR_EXT_SLOW=1 runs it' unless $ENV{VECTOR_EXT_SLOW};

my $node = start_node('old_snapshot', 'autovacuum = off');
if ($node->safe_psql('postgres', q{SELECT count(*) FROM pg_settings WHERE name = 'old_snapshot_threshold'}) == 0)
{
	$node->stop;
	plan skip_all => 'the server has no old_snapshot_threshold';
}
$node->append_conf('postgresql.conf', q{old_snapshot_threshold = '1min'});
$node->restart;
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');

# Table, what its vectors are, the rows to be removed (in table blocks of their own), what the search
# returns that began before.
my @cases = (
	[ 'untouched', 'ARRAY[i, i % 7, i % 5]', 'id < 0', '40' ],
	[ 'near_half', 'ARRAY[i, i % 7, i % 5]', 'id <= 1000', '72000' ],
	[ 'all_rows', 'ARRAY[i, i % 7, i % 5]', 'id > 0', '72000' ],
	[ 'one_chain', 'ARRAY[1, 2, 3]', 'id <= 1900', '72000' ],
	[ 'with_cold_pages', 'array_fill(i::float4, ARRAY[400])', 'id <= 1000', '72000' ]);

my %sessions;
for my $case (@cases)
{
	my ($table, $vector) = @$case;
	my $n_dims = $vector =~ /(400)/ ? $1 : 3;
	$node->safe_psql('postgres', qq{
		CREATE TABLE $table (id integer, v vector($n_dims));
		INSERT INTO $table SELECT i, ($vector)::vector FROM generate_series(1, 2000) i;
		CREATE INDEX ${table}_v ON $table USING hnsw (v vector_l2_ops)});
	my $query = $n_dims == 3 ? q{'[1,2,3]'} : q{array_fill(1::float4, ARRAY[400])::vector};
	my %session = (in => '', out => '', err => '',
		search => "SELECT count(*) FROM (SELECT FROM $table ORDER BY v <-> $query LIMIT 40) f;");
	$session{client} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres') ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err}, IPC::Run::timeout(600));
	$sessions{$table} = \%session;
	$session{in} .= "SET enable_seqscan = off; BEGIN ISOLATION LEVEL REPEATABLE READ;\n"
	  . "$session{search}\n\\echo ready\n";
	$session{client}->pump until $session{out} =~ /ready/;
	like($session{out}, qr/^40\n/, "$table: a search before");
	$session{out} = '';
}
$node->safe_psql('postgres', "DELETE FROM $$_[0] WHERE $$_[2]") for @cases;
my $n_left;
for my $try (1 .. 240)
{
	# What the clock knows of is transactions.
	$node->safe_psql('postgres', 'SELECT pg_current_xact_id()');
	$node->safe_psql('postgres', 'VACUUM');
	$n_left = $node->safe_psql('postgres', 'SELECT sum(n_dead_tup) FROM pg_stat_user_tables');
	last if $n_left == 0;
	sleep(1);
}
is($n_left, 0, 'vacuum has removed rows that snapshots should show');
for my $case (@cases)
{
	my ($table, $vector, $rows, $expected) = @$case;
	my $session = $sessions{$table};
	$session->{in} .= "$session->{search}\n";
	$session->{client}->finish;
	is($session->{err} =~ /ERROR:  (\w+)/ ? $1 : $session->{out} =~ s/\n//r,
		$expected, "$table: a search by the old snapshot");
	index_is_sound($node, "${table}_v", $table);
}
$node->stop;

done_testing();
