# Whichever way rows come in, and however they change, searches find their neighbours, for shapes of
# rows that are hard in different ways: the small form of bench/quality.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_rows = 700;
my $n_queries = 100;
my $n_rounds = 6;

my $node = start_node('quality', 'shared_buffers = 256MB', 'autovacuum = off', 'jit = off');
$node->safe_psql('postgres', q{
	CREATE EXTENSION vector_ext;
	-- Numbers between 0 and 1, the same for the same key; and such of a normal distribution.
	CREATE FUNCTION noise(key bigint) RETURNS float8 LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN ((hashint8extended(key, 7) & 1048575) + 0.5) / 1048576.0;
	CREATE FUNCTION normal(key bigint) RETURNS float8 LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN sqrt(-2 * ln(noise(2 * key))) * cos(2 * pi() * noise(2 * key + 1));
});

# For each shape the dimensions; coordinate j of row i, whose own noise has the keys from `k` on; the
# metrics, each with the least recall by any way. Other shapes and metrics are in 014_recall.pl (batches),
# 026_centroid.pl (offsets), 027_inner_product.pl, 028_sparse.pl and 048_far_groups.pl.
my %shapes = (
	'outliers' => [ 24, 'normal(k + j) * CASE WHEN i % 200 = 7 THEN 500 ELSE 1 END', { l2 => 0.98 } ],
	'heavy norms' => [ 16, 'normal(k + j) * (noise(k) ^ (-0.667) - 0.95)', { l2 => 0.93, l1 => 0.93 } ],
	'half duplicates' => [ 24, 'CASE WHEN noise(k) < 0.5 THEN normal((20 * noise(k))::int * 100 + j)
		ELSE normal(k + j) END', { l1 => 0.98 } ],
	'sorted by cluster' => [ 16, '10 * noise(i / 50 * 100 + j) + 0.2 * normal(k + j)', { cosine => 0.98 } ],
	'drift' => [ 16, 'i / 100.0 * normal(j) + 0.3 * normal(k + j)', { l2 => 0.98, cosine => 0.95 } ],
	'two dimensions' => [ 2, 'noise(k + j)', { ip => 0.93 } ],
	'eight dimensions' => [ 8, 'noise(k + j)', { l2 => 0.98 } ],
	'low intrinsic' => [ 48, 'normal(k) * sin(j) + normal(k + 1) * sin(2 * j) + normal(k + 2) * sin(3 * j)
		+ normal(k + 3) * cos(j) + 0.02 * noise(k + j)', { l2 => 0.98 } ]);

# `pool` has the rows by `version`: 1 to be searched in the end, 0 to be replaced; `queries` is beside.
sub make_pool
{
	my ($n_dims, $coordinate, $n) = @_;
	$n //= $n_rows;
	my $vector = "(SELECT array_agg($coordinate ORDER BY j) FROM generate_series(1, $n_dims) j)::vector($n_dims)";
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS pool, queries;
		CREATE TABLE pool AS SELECT i AS id, version, $vector AS v FROM generate_series(1, $n) i,
			generate_series(0, 1) version, LATERAL (SELECT 1000000 + (2 * i + version) * 1000 AS k) keys;
		CREATE TABLE queries AS SELECT number AS id, $vector AS v FROM generate_series(1, $n_queries) number,
			LATERAL (SELECT number * $n / $n_queries AS i, 9000000 + number * 1000 AS k) keys;
		ALTER TABLE pool ALTER v TYPE vector($n_dims)});
	return;
}

# Each way leaves the rows of version 1 in `t`.
my $rows = 'SELECT id, v FROM pool WHERE version = 1 ORDER BY id';
my $quarter = 'SELECT id, v FROM pool WHERE version = 0 AND id % 4 = 0 ORDER BY id';
my $vacuum = 'VACUUM (INDEX_CLEANUP on) t';

# Each tenth of the rows is updated or deleted and comes back, in turns; the last rounds give all rows
# their version 1.
sub churn
{
	my @statements;
	for my $round (1 .. $n_rounds)
	{
		my $version = $round > $n_rounds - 2 ? 1 : $round % 2;
		my $those = $round > $n_rounds - 2 ? "t.id % 2 = $round % 2" : "hashint8extended(t.id, $round) % 10 = 0";
		push @statements, $round % 2
		  ? "UPDATE t SET v = p.v FROM pool p WHERE p.id = t.id AND p.version = $version AND $those"
		  : "DELETE FROM t WHERE $those; $vacuum;
			INSERT INTO t SELECT id, v FROM pool t WHERE version = $version AND $those", $vacuum;
	}
	return join(";\n", @statements);
}

my %ways = (
	'CREATE INDEX' => sub { "INSERT INTO t $rows; $_[0]" },
	'a batch' => sub { "$_[0]; INSERT INTO t $rows" },
	'single rows' => sub { "$_[0]; SET vector_ext.insert_batch = 0; INSERT INTO t $rows" },
	'upserts' => sub { "INSERT INTO t $quarter; $_[0]; INSERT INTO t $rows
		ON CONFLICT (id) DO UPDATE SET v = excluded.v; $vacuum" },
	'churn' => sub { "INSERT INTO t $rows; $_[0]; " . churn() },
	'churn of single rows' => sub {
		"$_[0]; SET vector_ext.insert_batch = 0; INSERT INTO t $rows; " . churn() });

for my $shape (sort keys %shapes)
{
	my ($n_dims, $coordinate, $least) = @{ $shapes{$shape} };
	make_pool($n_dims, $coordinate);
	for my $metric (sort keys %$least)
	{
		my $index = "CREATE INDEX t_v ON t USING hnsw (v vector_${metric}_ops)";
		my $recall_by = sub {
			my ($load) = @_;
			$node->safe_psql('postgres', "DROP TABLE IF EXISTS t;
				CREATE TABLE t (id bigint PRIMARY KEY, v vector($n_dims)); $load");
			return recall_of($node, 't_v', 'queries', 40);
		};
		for my $way (sort keys %ways)
		{
			my $recall = $recall_by->($ways{$way}->($index));
			cmp_ok($recall, '>=', $least->{$metric}, "$shape, $metric, $way: recall");
			note("$shape, $metric, $way: $recall");
			index_is_sound($node, 't_v', "$shape, $metric, $way") if $way =~ /churn/;
		}
	}
}

# Where a few rows are the nearest of most others, rows that vacuum linked anew are still found when
# others have come.
make_pool(48, 'normal(k + j) * (noise(k) ^ (-0.667) - 0.95)', 3600);
$node->safe_psql('postgres', "DROP TABLE t;
	CREATE TABLE t (id bigint, v vector(48));
	CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
	SET vector_ext.insert_batch = 0;
	INSERT INTO t $rows;
	DELETE FROM t WHERE id % 3 = 0;
	$vacuum;
	INSERT INTO t SELECT id, v FROM pool WHERE version = 0 AND id % 2 = 0");
cmp_ok($node->safe_psql('postgres', q{
		SET enable_seqscan = off;
		SELECT count(*) FROM (SELECT v FROM t WHERE id % 7 = 0) s WHERE (SELECT min(d) FROM (
			SELECT t.v <-> s.v AS d FROM t ORDER BY t.v <-> s.v LIMIT 10) x) > 0}),
	'<=', 14, 'at most 14 of 600 rows are missed that vacuum linked and others joined');

$node->stop;
done_testing();
