# The order that a plan counts on, in numbers of every size, codec and metric; in parallel workers,
# in executors within executors, and after an error in one of them.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('order', 'autovacuum = off', 'jit = off', 'enable_seqscan = off',
	'enable_sort = off', 'enable_hashagg = off', 'hnsw.ef_search = 400');
$node->safe_psql('postgres', q{
	CREATE EXTENSION vector_ext;
	-- How many numbers there are, and how many are not larger than the one before.
	CREATE FUNCTION judge(query text, OUT n int, OUT n_wrong int) LANGUAGE plpgsql AS $$
	DECLARE
		d float8;
		previous float8;
	BEGIN
		n := 0; n_wrong := 0;
		FOR d IN EXECUTE query LOOP
			IF d <= previous THEN n_wrong := n_wrong + 1; END IF;
			previous := d; n := n + 1;
		END LOOP;
	END $$;
	CREATE FUNCTION uses_index(query text) RETURNS boolean LANGUAGE plpgsql AS $$
	DECLARE
		line text;
	BEGIN
		FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
			IF line LIKE '%Index Scan using%_v on%' THEN RETURN true; END IF;
		END LOOP;
		RETURN false;
	END $$});

# --- numbers ---

# Multiples of a few rows, so that many distances differ in their last bits or not at all.
my %scale_of = (
	one => '1', small => '1e-12', tiny => '1e-22', large => '1e12', huge => '1e16',
	mixed => '(10 ^ ((i % 13) - 6))');
my %class_of = ('<->' => 'l2', '<#>' => 'ip', '<=>' => 'cosine', '<+>' => 'l1');
my @findings;
my $n_compared = 0;
for my $n_dims (2, 31, 33, 250, 257)
{
	for my $scale (sort keys %scale_of)
	{
		$node->safe_psql('postgres', qq{
			DROP TABLE IF EXISTS numbers;
			SELECT setseed(0.25);
			CREATE TABLE numbers AS
			SELECT i, (SELECT array_agg(((random() - 0.4 + 0 * j) * (1 + i % 7) * $scale_of{$scale})::real)
				FROM generate_series(1, $n_dims) j WHERE i > 0)::vector($n_dims) AS v
			FROM generate_series(1, 150) i;
			INSERT INTO numbers SELECT i + 1000, v + v FROM numbers;
			INSERT INTO numbers SELECT i + 2000, v + v + v FROM numbers WHERE i < 100});
		for my $operator (sort keys %class_of)
		{
			my $result = $node->safe_psql('postgres', qq{
				CREATE INDEX numbers_v ON numbers USING hnsw (v vector_$class_of{$operator}_ops);
				ANALYZE numbers;
				SELECT uses_index(query), (judge(query)).*
				FROM (SELECT format('SELECT DISTINCT v $operator %L FROM numbers ORDER BY 1', v)
					AS query FROM numbers WHERE i IN (1, 77, 1005)) q;
				SELECT 'damaged' FROM hnsw_check('numbers_v', true) WHERE severity <> 'quality' LIMIT 1;
				DROP INDEX numbers_v});
			for (split /\n/, $result)
			{
				my ($uses_index, $n, $n_wrong) = split /\|/;
				$n_compared += $n // 0;
				push @findings, "$n_dims dimensions, $scale, $operator: $_"
				  if $uses_index ne 't' || $n_wrong;
			}
		}
	}
}
is(join("\n", @findings), '', 'distinct distances come in order');
cmp_ok($n_compared, '>', 20000, 'there were many');

# --- executors ---

$node->safe_psql('postgres', q{
	SELECT setseed(0.5);
	CREATE TABLE signs AS
	SELECT i, (SELECT array_agg(sign(random() - 0.5) * CASE WHEN j = 1 THEN 1 + 0.02 * (i % 3) ELSE 1 END)
		FROM generate_series(1, 300) j WHERE i > 0)::vector(300) AS v
	FROM generate_series(1, 390) i;
	CREATE INDEX signs_v ON signs USING hnsw (v vector_l2_ops);
	CREATE TABLE queries AS SELECT array_fill(0, ARRAY[300])::vector(300) AS zero;
	ANALYZE;
	CREATE FUNCTION n_levels() RETURNS bigint LANGUAGE sql PARALLEL SAFE AS $$
		SELECT count(*) FROM (SELECT DISTINCT v <-> (SELECT zero FROM queries) AS d
			FROM signs ORDER BY d) s $$;
	CREATE FUNCTION nearest() RETURNS float8 LANGUAGE sql PARALLEL SAFE AS $$
		SELECT v <-> (SELECT zero FROM queries) FROM signs ORDER BY 1 LIMIT 1 $$});
my $levels = 'SELECT DISTINCT v <-> (SELECT zero FROM queries) AS d FROM signs ORDER BY d';
is($node->safe_psql('postgres', "SELECT uses_index('$levels')"), 't', 'the index serves the query');
is($node->safe_psql('postgres', 'SELECT n_levels()'), 3, 'in a function');
# The inner one counts on no order, so that it may return what is farther by a thousandth.
is( $node->safe_psql('postgres', "SELECT count(*), count(DISTINCT d) FROM ($levels) s, nearest() n
		WHERE n_levels() = 3 AND n <= 1.001 * d"),
	'3|3', 'an executor within another');
is( $node->safe_psql('postgres', qq{
		BEGIN;
		DECLARE c CURSOR FOR $levels;
		FETCH 1 FROM c;
		DO 'BEGIN PERFORM d / 0 FROM ($levels) s; EXCEPTION WHEN division_by_zero THEN END';
		SELECT nearest() > 0;
		FETCH ALL FROM c;
		COMMIT}) =~ tr/\n//, 3, 'a scan that goes on after another one failed');
is( $node->safe_psql('postgres', qq{
		CREATE MATERIALIZED VIEW view AS $levels;
		REFRESH MATERIALIZED VIEW view;
		SELECT count(*) FROM view}), 3, 'in a materialized view');
my $in_parallel =
  $node->safe_psql('postgres', q{SELECT name FROM pg_settings
	WHERE name IN ('force_parallel_mode', 'debug_parallel_query')});
is( $node->safe_psql('postgres', qq{
		SET $in_parallel = on;
		SELECT count(*), count(DISTINCT d) FROM ($levels) s}), '3|3', 'in a parallel worker');
is($node->safe_psql('postgres', q{SELECT count(*) FROM hnsw_check('signs_v', true)}), 0,
	'the index is sound');

done_testing();
