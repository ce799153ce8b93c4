# Extension vector, by the names of pgvector, and vector_tools: what they hold, upgrades from every
# version, whom they live beside, how they dump.

use strict;
use warnings FATAL => 'all';

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorBulk;
use VectorExt;

my $node = start_node('extension_vector');
if ($node->safe_psql('postgres', q{
	SELECT count(*) FROM pg_available_extensions WHERE name = 'vector_tools'}) eq '0')
{
	$node->stop;
	plan skip_all => 'pgvector is installed: extension vector is its own';
}

my $is_new_vector = q{SELECT extversion FROM pg_extension WHERE extname = 'vector'};

sub new_database
{
	my ($name, @statements) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, join(';', @statements)) if @statements;
	return $name;
}

# Every object of an extension, as a caller sees it.
sub catalogue_of
{
	my ($database, $extension) = @_;
	my ($out, $err) = run_command(
		[ 'psql', '-X', '-q', '-d', $node->connstr($database), '-v', 'ON_ERROR_STOP=1', '-v',
			"extension=$extension", '-f', "$FindBin::RealBin/../perl/catalogue.sql" ]);
	die $err if $err ne '';
	return $out;
}

# The names of objects alone.
sub names_of
{
	my ($database, @extensions) = @_;
	my $list = join(',', map { "'$_'" } @extensions);
	return $node->safe_psql($database, qq{
		SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
		WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND refobjid IN (
			SELECT oid FROM pg_extension WHERE extname IN ($list))
		ORDER BY pg_describe_object(classid, objid, 0) COLLATE "C"});
}

# --- what they hold ---

new_database('fresh', 'CREATE EXTENSION vector', 'CREATE EXTENSION vector_tools');
new_database('whole', 'CREATE EXTENSION vector_ext');
same_lines(names_of('fresh', 'vector', 'vector_tools'), names_of('whole', 'vector_ext'),
	'vector and vector_tools hold the objects of vector_ext');
my $fresh = catalogue_of('fresh', 'vector');
unlike($fresh, qr/^without comment/m, 'every object of vector has a comment');
unlike($fresh, qr/vext_/, 'the C names are those of pgvector');
unlike(names_of('fresh', 'vector'), qr/smallint\[\]|bigint\[\]|jsonb|try_parse|f32|hnsw_info/,
	'what is ours alone is not in vector');
is( $node->safe_psql('fresh', q{SELECT '[1]'::vector IS NULL; SHOW vector_ext.version}),
	"f\n"
	  . $node->safe_psql('fresh',
		q{SELECT extversion FROM pg_extension WHERE extname = 'vector_tools'}),
	'the version of the library shows');

# --- who may have them, and beside what ---

$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE owned OWNER owner');
is($node->psql('owned', 'CREATE EXTENSION vector', extra_params => [ '-U', 'owner' ]),
	0, 'the owner of a database may create extension vector');
error_is($node, 'fresh', 'CREATE EXTENSION vector_ext', '42710', 'vector_ext beside it is refused',
	'CREATE EXTENSION vector_tools');
error_is($node, 'whole', 'CREATE EXTENSION vector', '42710', 'vector beside vector_ext is refused');
error_is($node, 'postgres', 'CREATE EXTENSION vector_tools', '42704', 'vector_tools needs vector');
new_database('cascaded', 'CREATE SCHEMA s', 'CREATE EXTENSION vector_tools SCHEMA s CASCADE');
is($node->safe_psql('cascaded', q{
	SET search_path = public;
	CREATE TABLE items (id int PRIMARY KEY, v s.vector(2));
	INSERT INTO items SELECT i, ('[' || i || ',1]')::s.vector FROM generate_series(1, 100) i;
	CREATE INDEX items_v ON items USING hnsw (v s.vector_l2_ops);
	SELECT count(*) FROM s.hnsw_check('items_v', true)}), '0', 'both work in a schema of their own');

# The types in one schema, the tools in another: a stage takes what the column would refuse.
new_database('apart', 'CREATE SCHEMA types', 'CREATE SCHEMA tools',
	'CREATE EXTENSION vector SCHEMA types', 'CREATE EXTENSION vector_tools SCHEMA tools');
is($node->safe_psql('apart', q{
	SET search_path = public, types, tools;
	CREATE TABLE items (id int PRIMARY KEY, v vector(2), h halfvec(2));
	BEGIN;
	SELECT vector_stage_for('items', 'stage');
	INSERT INTO stage VALUES (1, '[1,2]', '[1,2]'), (2, '[1,2,3]', '[1,2]'), (3, '[1,2]', '[1]');
	SELECT vector_rejects_table('rejects');
	SELECT inserted, rejected FROM vector_bulk_upsert('items', 'stage', reject_into => 'rejects');
	SELECT key, message FROM rejects ORDER BY key;
	COMMIT}),
	"stage\nrejects\n1|2\n2|expected 2 dimensions, not 3\n3|expected 2 dimensions, not 1",
	'types and tools in two schemas');

# Another type of the name in the schema of the tools would be taken for that of extension vector.
new_database('captured', 'CREATE SCHEMA s', 'CREATE EXTENSION vector SCHEMA s', 'CREATE DOMAIN public.vector AS text');
error_is($node, 'captured', 'CREATE EXTENSION vector_tools SCHEMA public', '42710',
	'vector_tools is refused where vector means another type', 'comes before it');
is($node->safe_psql('captured', 'CREATE EXTENSION vector_tools SCHEMA s; SELECT s.vector_dims(s.vector_try_parse($$[1,2]$$))'),
	'2', 'and works beside the type');

# --- one library, by two names ---

is( $node->safe_psql('fresh', q{
	LOAD 'vector_ext'; LOAD 'vector'; LOAD '$libdir/vector_ext';
	CREATE TABLE items (id int, v vector(4));
	INSERT INTO items SELECT i, ARRAY[i % 7, i % 11, i % 13, i]::vector FROM generate_series(1, 30000) i;
	SET maintenance_work_mem = '64MB';
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_maintenance_workers = 2;
	ALTER TABLE items SET (parallel_workers = 2);
	CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
	SELECT count(*) FROM hnsw_check('items_v', true)}),
	'0', 'loaded by either name it is one, and its parallel workers find it');
my ($status, $stdout, $stderr) = $node->psql('fresh', q{
	SET client_min_messages = debug1;
	REINDEX INDEX items_v});
unlike($stderr, qr/without parallel workers/, 'no worker failed');

# --- upgrades ---

my %paths = map { split /\|/ } split /\n/, $node->safe_psql('fresh', q{
	SELECT source, path FROM pg_extension_update_paths('vector')
	WHERE target = '0.8.7' AND source <> '0.8.7'});
is(scalar(grep { $paths{$_} eq "$_--0.8.7" } keys %paths),
	41, 'from each of 41 earlier versions there is a way in one step');

my ($share) = run_command([ 'pg_config', '--sharedir' ]);

# Takes back what the upgrade from a version does, which so is put to the test: objects that it creates
# are dropped, with what depends on them, and those that it replaces are made as they were.
sub go_back_to
{
	my ($database, $version) = @_;
	my $script = slurp_file("$share/extension/vector--$version--0.8.7.sql");
	$script =~ s/^COMMENT .*?;\n//msg;
	my @members;
	while ($script =~ /^CREATE (FUNCTION|TYPE|CAST|OPERATOR CLASS|OPERATOR|AGGREGATE|ACCESS METHOD) (.*?)(?:;\n)/msg)
	{
		my ($kind, $rest) = ($1, $2);
		my $name =
			$kind eq 'FUNCTION' ? $rest =~ s/\) RETURNS.*/)/sr
		  : $kind eq 'TYPE' ? $rest =~ s/ \(.*//sr
		  : $kind eq 'CAST' ? $rest =~ s/\).*/)/sr
		  : $kind eq 'ACCESS METHOD' ? $rest =~ s/ .*//sr
		  : $kind eq 'AGGREGATE' ? $rest =~ s/\) .*/)/sr
		  : $kind eq 'OPERATOR'
		  ? $rest =~ s/^(\S+).*LEFTARG = (\w+), RIGHTARG = (\w+).*/$1 ($2, $3)/sr
		  : $rest =~ s/^(\w+).*USING (\w+).*/$1 USING $2/sr;
		push @members, [ $kind, $name ];
		push @members, [ 'OPERATOR FAMILY', $name ] if $kind eq 'OPERATOR CLASS';
	}
	my %seen;
	my @once = grep { !$seen{"@$_"}++ } reverse @members;
	# The other half of an old form, which the upgrade drops before it creates the new one.
	my @old;
	push @old, 'CREATE OPERATOR - (LEFTARG = vector, RIGHTARG = vector, PROCEDURE = vector_sub, COMMUTATOR = -);
		ALTER EXTENSION vector ADD OPERATOR - (vector, vector)' if $script =~ /^DROP OPERATOR -/m;
	my @arrays = ('integer[]', 'real[]', 'double precision[]');
	push @arrays, 'numeric[]' unless $script =~ /^CREATE FUNCTION array_to_vector\(numeric/m;
	push @old, map { "CREATE CAST ($_ AS vector) WITH FUNCTION array_to_vector($_, integer, boolean) AS IMPLICIT;
		ALTER EXTENSION vector ADD CAST ($_ AS vector)" } @arrays
	  if $script =~ /^DROP CAST/m;
	push @old, 'ALTER TYPE vector SET (STORAGE = extended)' if $script =~ /ALTER TYPE vector SET .STORAGE/;
	push @old, 'ALTER OPERATOR <= (vector, vector) SET (RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
		ALTER OPERATOR >= (vector, vector) SET (RESTRICT = scalargtsel, JOIN = scalargtjoinsel)'
	  if $script =~ /^ALTER OPERATOR <=/m;
	push @old, 'ALTER FUNCTION vector_add(vector, vector) PARALLEL UNSAFE' if $script =~ /^ALTER FUNCTION vector_add/m;
	$node->safe_psql($database, join(";\n",
		'SET client_min_messages = error',
		($script =~ /SET .RECEIVE = vector_recv/ ? 'ALTER TYPE vector SET (RECEIVE = NONE, SEND = NONE)' : ()),
		(map { "ALTER EXTENSION vector DROP $_->[0] $_->[1]" } @once),
		(map { "DROP $_->[0] IF EXISTS $_->[1] CASCADE" } @once),
		@old,
		"UPDATE pg_extension SET extversion = '$version' WHERE extname = 'vector'"));
	return;
}

for my $version (qw(0.1.0 0.1.8 0.2.0 0.2.7 0.4.4 0.5.1 0.6.0 0.6.2 0.7.4 0.8.0))
{
	my $database = new_database('from_' . $version =~ tr/./_/r, 'CREATE EXTENSION vector');
	$node->safe_psql($database, q{
		CREATE TABLE kept (v vector(2)); INSERT INTO kept VALUES ('[1,2]'), ('[3,4]')});
	go_back_to($database, $version);
	isnt(catalogue_of($database, 'vector'), $fresh, "$version has less") if $version lt '0.8';
	$node->safe_psql($database, 'ALTER EXTENSION vector UPDATE');
	same_lines(catalogue_of($database, 'vector'), $fresh, "the upgrade from $version gives the same");
	is($node->safe_psql($database, q{SELECT vector_l2_squared_distance(v, '[1,2]') FROM kept ORDER BY 1 DESC LIMIT 1; } . $is_new_vector),
		'8' . "\n0.8.7", "rows are kept from $version");
}

# --- vector-bulk beside them ---

my $home = $PostgreSQL::Test::Utils::tmp_check;
write_file("$home/rows.csv", "id,v\n" . join('', map { "$_,\"[$_,1,2]\"\n" } 1 .. 200));
$node->safe_psql('postgres', 'CREATE EXTENSION vector');
bulk_ok($node, 'vector-bulk loads where the extension is vector', 'load', "$home/rows.csv", '--table', 'rows',
	'--create', '--index', 'after');
bulk_fails($node, 'an upsert without vector_tools', 3, qr/CREATE EXTENSION vector_tools/, 'upsert',
	"$home/rows.csv", '--table', 'rows');
like(bulk_ok($node, 'info', 'info', 'rows'), qr/^rows +about 200$/m, 'info tells of the index');
$node->safe_psql('postgres', 'CREATE SCHEMA tools; CREATE EXTENSION vector_tools SCHEMA tools');
bulk_ok($node, 'an upsert beside vector_tools', 'upsert', "$home/rows.csv", '--table', 'rows');
bulk_ok($node, 'check', 'check', 'rows', '--deep');
is($node->safe_psql('postgres', q{SELECT count(*) FROM tools.hnsw_estimate('rows', 'v')}), '1',
	'functions of vector_tools find each other in their schema');
like(bulk_ok($node, 'info', 'info', 'rows'), qr/^vectors +200 different$/m, 'info has what hnsw_info tells');
$node->safe_psql('postgres', 'DROP TABLE rows; DROP EXTENSION vector CASCADE');

# --- headers ---

my ($include) = run_command([ 'pg_config', '--includedir-server' ]);
my $complaints = '';
ok(IPC::Run::run(
		[ 'cc', '-x', 'c', '-std=gnu11', '-Wall', '-Werror', '-fsyntax-only', "-I$include", '-' ],
		'<', \q{
			#include "postgres.h"
			#include "extension/vector/vector.h"
			#include "extension/vector/halfvec.h"
			#include "extension/vector/sparsevec.h"
			_Static_assert(VECTOR_SIZE(3) == 20 && HALFVEC_SIZE(3) == 14 && SPARSEVEC_SIZE(3) == 40, "bytes");
			float last_of(PG_FUNCTION_ARGS);
			float last_of(PG_FUNCTION_ARGS) {
				Vector *vector = PG_GETARG_VECTOR_P(0);
				SparseVector *sparse = PG_GETARG_SPARSEVEC_P(1);
				HalfVector *halves = PG_GETARG_HALFVEC_P(2);
				return vector->x[vector->dim - 1] + SPARSEVEC_VALUES(sparse)[sparse->nnz - 1] + halves->x[0];
			}},
		'>&', \$complaints, IPC::Run::timeout(60)), 'C code of others compiles') or diag($complaints);
is($node->safe_psql('fresh', q{
	SELECT pg_column_size('[1,2,3]'::vector), pg_column_size('[1,2,3]'::halfvec),
	       pg_column_size('{1:1,2:2,3:3}/9'::sparsevec)}), '20|14|40', 'values have the sizes it expects');

# --- a dump ---

$node->safe_psql('fresh', q{
	CREATE INDEX items_l ON items USING ivfflat (v vector_cosine_ops) WITH (lists = 50);
	CREATE TABLE kinds (h halfvec(2), s sparsevec(5), v vector);
	INSERT INTO kinds VALUES ('[1,2]', '{1:2}/5', '[1]'), (NULL, NULL, '[1,2]')});
my $dump = "$PostgreSQL::Test::Utils::tmp_check/vector.dump";
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('fresh') ], 'a database is dumped');
new_database('restored');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('restored'), $dump ], 'and restored');
for my $table (qw(items kinds))
{
	same_lines($node->safe_psql('restored', "SELECT * FROM $table t ORDER BY t::text"),
		$node->safe_psql('fresh', "SELECT * FROM $table t ORDER BY t::text"),
		"$table is the same");
}
is($node->safe_psql('restored', q{
	SELECT count(*) FROM hnsw_check('items_v', true); SELECT count(*) FROM hnsw_check('items_l', true)}),
	"0\n0", 'its indexes are sound');

$node->stop;
done_testing();
