# info and check: facts are those of the catalogue and of hnsw_info; damage ends check with 2, what
# only costs recall with 1.

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorBulk;
use VectorExt;

my $node = start_node('inspect', 'autovacuum = off');
$node->safe_psql('postgres', q{
	CREATE SCHEMA s;
	CREATE EXTENSION vector_ext SCHEMA s;
	ALTER DATABASE postgres SET search_path = public, s});
load_vectors($node, 'points', 2000, 16, 63);
$node->safe_psql('postgres', q{
	CREATE INDEX points_v ON points USING hnsw (v vector_cosine_ops) WITH (m = 8, ef_search = 77);
	CREATE TABLE "Odd name" (v vector(3));
	INSERT INTO "Odd name" SELECT ARRAY[i, 1, 2]::vector FROM generate_series(1, 100) i;
	CREATE INDEX "Odd index" ON "Odd name" USING hnsw (v vector_l2_ops) WHERE v IS NOT NULL;
	ANALYZE;
	ALTER DATABASE postgres SET search_path = public});

# --- info ---

my ($status, $stdout, $stderr) = bulk($node, 'info', 'points_v', '--output', 'json');
is($status, 0, 'info succeeds') or diag($stderr);
my $facts = decode_json($stdout);
is($facts->{metric}, 'cosine', 'the metric');
is($facts->{dims}, 16, 'the dimensions');
is_deeply($facts->{options}, { m => '8', ef_search => '77' }, 'the options');
is($facts->{index_bytes}, $node->safe_psql('postgres', q{SELECT pg_relation_size('points_v')}),
	'the size');
is_deeply($facts->{info}, decode_json($node->safe_psql('postgres',
	q{SELECT to_jsonb(i) FROM s.hnsw_info('points_v') i})), 'all that hnsw_info tells');
($status, $stdout) = bulk($node, 'info', 'points');
is($status, 0, 'a table stands for its only index');
like($stdout, qr/^public\.points_v$/m, 'which is named');
like($stdout, qr/^distance +cosine \(vector_cosine_ops\)$/m, 'facts are lines');
like($stdout, qr/^vectors +2,000 different$/m, 'with numbers that can be read');
($status, $stdout) = bulk($node, 'info');
is($status, 0, 'without a name: all indexes');
like($stdout, qr/"Odd index".*points_v/s, 'of the database');
like($stdout, qr/^where +\(v IS NOT NULL\)$/m, 'partial ones with their condition');

# --- check ---

($status, $stdout) = bulk($node, 'check', '--all', '--deep');
is($status, 0, 'sound indexes: 0');
like($stdout, qr/points_v: sound, and as its table says/, 'which is said');
($status, undef, $stderr) = bulk($node, 'check');
is($status, 3, 'an index or --all is needed');

# Damage: a page of the graph is overwritten with zeros while the server is down.
my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('points_v')});
$node->safe_psql('postgres', 'CHECKPOINT');
$node->stop;
disable_checksums($node);
open(my $pages, '+<:raw', $file) or die "could not open $file: $!";
seek($pages, 8192 * 2 + 4096, 0);
print $pages "\xff" x 1024;
close($pages) or die "could not write $file: $!";
$node->start;
($status, $stdout, $stderr) = bulk($node, 'check', 'points_v', '--output', 'json');
is($status, 2, 'a damaged index: 2') or diag($stdout, $stderr);
my ($checked) = @{ decode_json($stdout) };
cmp_ok($checked->{damage}, '>', 0, 'damage is counted');
is($checked->{findings}[0]{severity}, 'damage', 'and told');
($status, $stdout) = bulk($node, 'check', '--all');
is($status, 2, 'one damaged among several: 2');
like($stdout, qr/REINDEX INDEX public\.points_v;/, 'with what to do');
like($stdout, qr/"Odd index": sound/, 'the others are checked too');
$node->safe_psql('postgres', 'REINDEX INDEX points_v');
($status) = bulk($node, 'check', 'points_v', '--deep');
is($status, 0, 'after REINDEX it is sound');

# --- errors ---

for my $command ('info', 'check')
{
	for my $name ('nothing', 'two words', '', 'points_pkey')
	{
		my ($code, $out, $err) = bulk($node, $command, $name);
		is($code, 3, "$command $name: 3");
		like($err, qr/no index or table|not an hnsw index/, 'with a reason');
	}
	bulk_ok($node, "$command by a name without its quotes", $command, 'Odd index');
	my ($code) = bulk($node, $command, 'points_v', '--dsn', 'dbname=nowhere');
	is($code, 4, "$command without a database: 4");
}

$node->stop;
done_testing();
