# A preloaded server with the extension in a schema outside the search path: operators, dump and
# restore, the binary form, parallel plans.

use strict;
use warnings FATAL => 'all';

use File::Compare;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('basic', "shared_preload_libraries = 'vector_ext'");

like($node->safe_psql('postgres', 'SHOW vector_ext.simd'),
	qr/^(scalar|avx2|avx512|neon)$/, 'the setting exists when preloaded, and shows its effect');

# --- another schema ---

$node->safe_psql('postgres', q{
	CREATE ROLE ordinary LOGIN;
	CREATE SCHEMA s;
	GRANT USAGE ON SCHEMA s TO ordinary;
});
error_is($node, 'postgres', 'SET ROLE ordinary; CREATE EXTENSION vector_ext',
	'42501', 'an ordinary user cannot create the extension');
$node->safe_psql('postgres', q{
	CREATE EXTENSION vector_ext SCHEMA s;
	CREATE TABLE points (id bigint PRIMARY KEY, v s.vector(3));
	INSERT INTO points VALUES
		(1, '[1,2,3]'), (2, '[1.5,-2e10,0.1]'), (3, '[-0,1e-45,3.4028235e38]'), (4, '[1,2,4]'),
		(5, NULL);
	GRANT SELECT ON points TO ordinary;
});
is($node->safe_psql('postgres', q{
	SELECT id FROM points ORDER BY v OPERATOR(s.<->) '[1,2,3]' LIMIT 3}),
	"1\n4\n2", 'exact search with an operator outside the search path');
for my $operator ('<->', '<#>', '<=>', '<+>')
{
	is($node->safe_psql('postgres', qq{
		SET ROLE ordinary;
		SELECT count(v OPERATOR(s.$operator) '[1,2,3]') FROM points}),
		'4', "an ordinary user calls $operator");
}
is($node->safe_psql('postgres', q{
	SELECT s.avg(v), s.sum(v) FROM points WHERE id IN (1, 4)}),
	'[1,2,3.5]|[2,4,7]', 'aggregates outside the search path');
is($node->safe_psql('postgres', q{
	SET search_path = '';
	SELECT id FROM public.points WHERE v IS NOT NULL ORDER BY v, id LIMIT 1}),
	'3', 'the default order needs no search path');
$node->safe_psql('postgres', q{
	CREATE SCHEMA t;
	ALTER EXTENSION vector_ext SET SCHEMA t;
});
is($node->safe_psql('postgres', q{
	SELECT id FROM points ORDER BY v OPERATOR(t.<->) '[1,2,3]' LIMIT 1}),
	'1', 'the extension moves to another schema');

# --- dump and restore ---

my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '--file', $dump, $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(
	[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('restored') ],
	'restore');
my $all_rows = 'SELECT id, v FROM points ORDER BY id';
is($node->safe_psql('restored', $all_rows), $node->safe_psql('postgres', $all_rows),
	'restored rows are equal');
is($node->safe_psql('restored', q{
	SELECT format_type(atttypid, atttypmod) FROM pg_attribute
	WHERE attrelid = 'points'::regclass AND attname = 'v'}),
	't.vector(3)', 'the restored column has its dimensions');

# --- binary form ---

my ($first, $second) = map { $node->basedir . "/$_.copy" } 'first', 'second';
$node->safe_psql('postgres', qq{
	CREATE TABLE copied (LIKE points);
	COPY points TO '$first' (FORMAT binary);
	COPY copied FROM '$first' (FORMAT binary);
	COPY copied TO '$second' (FORMAT binary);
});
cmp_ok(-s $first, '>', 4 * 16, 'COPY wrote the rows');
is(compare($first, $second), 0, 'binary COPY out, in and out is bit-identical');

sub message
{
	my ($n_dims, $unused, @values) = @_;
	return pack('n n (f>)*', $n_dims, $unused, @values);
}

$node->safe_psql('postgres', 'CREATE TABLE typed (v t.vector(2)); CREATE TABLE untyped (v t.vector)');
my $nan = unpack('f>', "\x7f\xc0\0\0");
my $infinity = unpack('f>', "\x7f\x80\0\0");
my @cases = (
	[ 'no bytes', '', '08P01' ],
	[ 'one byte', "\0", '08P01' ],
	[ 'three bytes', "\0\2\0", '08P01' ],
	[ 'a header only', message(2, 0), '08P01' ],
	[ 'a body that is cut', substr(message(2, 0, 1, 2), 0, 11), '08P01' ],
	[ 'one byte too many', message(2, 0, 1, 2) . "\0", '22P03' ],
	[ 'a dimension too many', message(2, 0, 1, 2, 3), '22P03' ],
	[ 'no dimensions', message(0, 0), '22000' ],
	[ 'unused is not 0', message(2, 1, 1, 2), '22000' ],
	[ 'NaN', message(2, 0, 1, $nan), '22000' ],
	[ 'infinity', message(2, 0, $infinity, 1), '22000' ],
	[ 'negative infinity', message(2, 0, 1, -$infinity), '22000' ],
	[ '16001 dimensions', message(16001, 0, (1) x 16001), '54000' ],
	[ '65535 dimensions', message(65535, 0, (1) x 65535), '54000' ],
	[ 'the text form', '[1,2,3]', '54000', 'text format' ],
	[ 'dimensions of another column', message(3, 0, 1, 2, 3), '22000', undef, 'typed' ]);
my $case_number = 0;
for my $case (@cases)
{
	my ($name, $message, $sqlstate, $hint, $table) = @$case;
	my $path = copy_file($node, 'case' . $case_number++, message(2, 0, 0, 0), $message);
	$table //= 'untyped';
	error_is($node, 'postgres', "COPY $table FROM '$path' (FORMAT binary)",
		$sqlstate, "binary input: $name: $sqlstate", $hint);
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM (TABLE typed UNION ALL TABLE untyped) u'),
	'0', 'no row of a refused file was stored');

my $largest = copy_file($node, 'largest', message(16000, 0, map { $_ / 2 } 1 .. 16000));
$node->safe_psql('postgres', "COPY untyped FROM '$largest' (FORMAT binary)");
is($node->safe_psql('postgres', 'SELECT t.vector_dims(v) FROM untyped'),
	'16000', 'the largest vector is stored');
$node->safe_psql('postgres', "COPY untyped TO '$largest.out' (FORMAT binary)");
is(compare($largest, "$largest.out"), 0, 'the largest vector is bit-identical');

# --- parallel plans ---

my $search = q{SELECT id FROM many ORDER BY v OPERATOR(t.<->) '[0.3,0.4,0.5,0.6]', id LIMIT 10};
my $sum = q{SELECT count(*), t.avg(v) FROM many};
my $parallel = q{
	SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 2;
};
my $serial = 'SET max_parallel_workers_per_gather = 0;';
$node->safe_psql('postgres', q{
	CREATE TABLE many (id bigint, v t.vector(4));
	SELECT setseed(0.5);
	INSERT INTO many SELECT i, ARRAY[random(), random(), random(), random()]::float4[]::t.vector
		FROM generate_series(1, 20000) i;
	VACUUM ANALYZE many;
});
like($node->safe_psql('postgres', "$parallel EXPLAIN $search"),
	qr/Gather Merge.*Parallel Seq Scan/s, 'exact search has a parallel plan');
like($node->safe_psql('postgres', "$parallel EXPLAIN (ANALYZE, TIMING OFF) $search"),
	qr/Workers Launched: [12]/, 'workers take part in it');
is($node->safe_psql('postgres', "$parallel $search"),
	$node->safe_psql('postgres', "$serial $search"), 'the parallel search finds the same rows');
like($node->safe_psql('postgres', "$parallel EXPLAIN $sum"),
	qr/Partial Aggregate/, 'avg has a parallel plan');
is($node->safe_psql('postgres', "$parallel $sum"),
	$node->safe_psql('postgres', "$serial $sum"), 'the parallel average is the same');

$node->stop;
done_testing();
