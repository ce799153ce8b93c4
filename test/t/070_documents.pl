# The SQL that documents print runs as it is printed, in order, and gives what they say: blocks as one
# psql session in a folder with the files they name, examples in tables with their results.

use strict;
use warnings FATAL => 'all';

use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('documents');
my $home = $PostgreSQL::Test::Utils::tmp_check;

sub read_document
{
	my ($name) = @_;
	return slurp_file("$FindBin::Bin/../docs/$name.md");
}

sub sql_blocks
{
	my ($text) = @_;
	my @blocks = $text =~ /^```sql\n(.*?)^```/msg;
	return @blocks;
}

sub vector_of
{
	my ($seed, $n_dims) = @_;
	return '[' . join(',', map { ($seed * 31 + $_ * 17) % 97 } 1 .. $n_dims) . ']';
}

sub write_file
{
	my ($name, @lines) = @_;
	open(my $file, '>', "$home/$name") or die "could not write $name: $!";
	print $file "$_\n" foreach @lines;
	close($file) or die "could not write $name: $!";
	return;
}

# Runs a script in the folder of the files; returns what it printed.
sub runs
{
	my ($database, $script, $test_name) = @_;
	my ($stdout, $stderr) = ('', '');
	my $psql = IPC::Run::start(
		[ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database) ],
		'<', \$script, '>', \$stdout, '2>', \$stderr,
		init => sub { chdir $home or die "no $home" }, IPC::Run::timeout(180));
	ok($psql->finish, $test_name) or diag($stderr);
	return $stdout;
}

sub new_database
{
	my ($name, $preparation) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, $preparation) if $preparation;
	return $name;
}

# loading.md
my $loading = read_document('loading');
write_file('items.csv', map { qq($_,title $_,1,") . vector_of($_, 768) . '"' } 1 .. 80);
write_file('more.csv', map { qq($_,title $_,1,") . vector_of($_, 768) . '"' } 81 .. 200);
write_file('changes.csv', 'id,title,hits,v',
	(map { qq($_,new $_,2,") . vector_of($_, 768) . '"' } 1 .. 2),
	'abc,x,1,"[1,2]"', '4,x,1,"[1,2]"', '5,x,1,"[3,oops,1]"', '6,y,1,"' . vector_of(6, 768) . '"');
my $printed = runs(new_database('loading', 'CREATE EXTENSION vector_ext'),
	join('', sql_blocks($loading)), 'loading.md runs');
$printed =~ s/ +$//mg;
my ($rejects) = $loading =~ /^( line \| key .*?)^```/ms;
like($printed, qr/\Q$rejects\E/, 'loading.md shows the rejects that there are');
my ($error) = $loading =~ /^ERROR:  (expected 768 .*)$/m;
my (undef, undef, $complaint) = $node->psql('loading', q{
	BEGIN;
	SELECT vector_stage_for('items', 'stage', '{id,title,v}');
	INSERT INTO stage VALUES (4, 'x', '[1,2]');
	SELECT vector_bulk_upsert('items', 'stage', 'update')});
like($complaint, qr/\Q$error\E/, 'loading.md shows the error of a bad row');

# tuning.md
runs(new_database('tuning', q{
	CREATE EXTENSION vector_ext;
	CREATE TABLE items (id int, v vector(16));
	CREATE TABLE q (v vector(16));
	INSERT INTO items SELECT i, ARRAY(SELECT (i * 31 + j * j * 17) % 97 FROM generate_series(1, 16) j)::vector
	FROM generate_series(1, 2000) i;
	INSERT INTO q SELECT v FROM items LIMIT 20}),
	join('', sql_blocks(read_document('tuning'))), 'tuning.md runs');

# sql_reference.md
my $reference = read_document('sql_reference');
write_file('items.csv', map { qq($_,") . vector_of($_, 3) . '"' } 1 .. 20);
runs(new_database('reference'), join('', sql_blocks($reference)), 'sql_reference.md runs');
my $n_examples = 0;
my @wrong;
foreach my $line (split /\n/, $reference)
{
	my ($query, $result) = $line =~ /\| `(SELECT .*)` \| `(.*)` \|$/ or next;
	s/\\\|/|/g foreach $query, $result;
	my ($status, $stdout, $stderr) = $node->psql('reference', $query);
	$n_examples++;
	push @wrong, "$query gives " . ($stdout || $stderr) . ", not $result"
	  if $status != 0 || $stdout ne $result;
}
cmp_ok($n_examples, '>', 50, 'sql_reference.md has examples with results');
is(join("\n", @wrong), '', 'they give those');

done_testing();
