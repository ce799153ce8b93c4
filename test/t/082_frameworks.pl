# What frameworks send, run by extension vector: each file of test/frameworks gives what pgvector 0.8.7
# gave (scripts/against-pgvector runs them by its library).

use strict;
use warnings FATAL => 'all';

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('frameworks');
if ($node->safe_psql('postgres', q{
	SELECT count(*) FROM pg_available_extensions WHERE name = 'vector_tools'}) eq '0')
{
	$node->stop;
	plan skip_all => 'pgvector is installed: extension vector is its own';
}

my $folder = "$FindBin::RealBin/../frameworks";
for my $file (sort glob "$folder/*.sql")
{
	my ($name) = $file =~ /(\w+)\.sql$/;
	my $out = '';
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	IPC::Run::run(
		[ 'psql', '-X', '-A', '-a', '-q', '-v', 'VERBOSITY=terse', '-d', $node->connstr($name) ],
		'<', $file, '>&', \$out, IPC::Run::timeout(60));
	same_lines($out, slurp_file("$folder/expected/$name.out"), "$name as with pgvector");
}

$node->stop;
done_testing();
