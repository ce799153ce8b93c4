# One server with pgvector: never both in one database, and a clear error for the second.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('beside_pgvector');
if ($node->safe_psql('postgres', q{
	SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'}) eq '0'
	|| $node->safe_psql('postgres', q{
	SELECT count(*) FROM pg_available_extensions WHERE name = 'vector_tools'}) ne '0')
{
	$node->stop;
	plan skip_all => 'pgvector is not installed';
}

# The objects of a database, as a dump of the schema shows them.
sub schema_of
{
	my ($database) = @_;
	my ($stdout, $stderr) = run_command(
		[ 'pg_dump', '--schema-only', $node->connstr($database) ]);
	$stdout =~ s/^\\(un)?restrict .*$//mg;
	return $stdout;
}

$node->safe_psql('postgres', 'CREATE DATABASE theirs');
$node->safe_psql('postgres', 'CREATE DATABASE ours');

$node->safe_psql('theirs', 'CREATE EXTENSION vector');
my $schema = schema_of('theirs');
error_is($node, 'theirs', 'CREATE EXTENSION vector_ext', '42710',
	'beside pgvector the extension is refused, with a hint', 'database');
error_is($node, 'theirs', 'CREATE SCHEMA s; CREATE EXTENSION vector_ext SCHEMA s', '42710',
	'in another schema too', 'database');
$node->safe_psql('theirs', 'DROP SCHEMA s');
is(schema_of('theirs'), $schema, 'nothing is left of it');
is($node->safe_psql('theirs', q{SELECT '[1,2]'::vector <-> '[4,6]'}), '5', 'pgvector still works');

$node->safe_psql('ours', 'CREATE EXTENSION vector_ext');
$schema = schema_of('ours');
my ($status) = $node->psql('ours', 'CREATE EXTENSION vector');
isnt($status, 0, 'pgvector is refused beside us');
is(schema_of('ours'), $schema, 'nothing is left of it');
is($node->safe_psql('ours', q{SELECT '[1,2]'::vector <-> '[4,6]'}), '5', 'we still work');

$node->stop;
done_testing();
