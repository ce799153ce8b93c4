# Groups that lie far from each other are found, whichever way their rows came: each row by its own
# vector, at the default ef_search.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('far_groups', 'shared_buffers = 256MB', 'autovacuum = off');
$node->safe_psql('postgres', q{
	CREATE EXTENSION vector_ext;
	-- Numbers between 0 and 1, the same for the same key.
	CREATE FUNCTION noise(key bigint) RETURNS real LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN (hashint8extended(key, 7) & 1048575) / 1048576.0;
	-- A vector around a centre of its group.
	CREATE FUNCTION member(id bigint, grp bigint, dims integer, spread real, width real)
	RETURNS vector LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN ARRAY(SELECT spread * noise(grp * 1000 + j) + width * noise(1000000 + id * 1000 + j)
		FROM generate_series(1, dims) j)::vector;
});

# Rows that their own vectors do not find by `$operator`, L2 if none is given. `$rows` gives id and v;
# `$load` fills t and makes its index.
sub lost_rows
{
	my ($name, $rows, $load, $operator) = @_;
	$operator //= '<->';
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS t, source;
		CREATE TABLE source AS $rows;
		CREATE TABLE t (id bigint, v vector)});
	my $dims = $node->safe_psql('postgres', 'SELECT vector_dims(v) FROM source LIMIT 1');
	$node->safe_psql('postgres', "ALTER TABLE t ALTER v TYPE vector($dims)");
	$load->();
	my $lost = $node->safe_psql('postgres', qq{
		SET enable_seqscan = off;
		SET enable_sort = off;
		SELECT count(*) FROM source s, LATERAL (
			SELECT v $operator s.v AS d FROM t ORDER BY v $operator s.v LIMIT 1) x
		WHERE x.d > 1e-4});
	index_is_sound($node, 't_v', $name);
	return $lost;
}

sub create_index
{
	my ($options, $memory) = @_;
	my $with = $options ? "WITH ($options)" : '';
	my $set = $memory ? "SET maintenance_work_mem = '$memory';" : '';
	$node->safe_psql('postgres', "$set CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops) $with");
	return;
}

# Loads rows of `source` in the order of their ids, each alone or in batches.
sub insert_rows
{
	my ($batch, $condition) = @_;
	$node->safe_psql('postgres', qq{
		SET vector_ext.insert_batch = '$batch';
		INSERT INTO t SELECT * FROM source WHERE $condition ORDER BY id});
	return;
}

# A search that loses a group loses all of it, so that a single row that is missed now and then, as in
# any such graph, is no failure.
sub groups_are_found
{
	my ($name, $rows, $load) = @_;
	my $lost = 0;
	$lost += lost_rows("$name, build $_", $rows, $load) for 1 .. 3;
	cmp_ok($lost, '<', $name =~ /^three rows/ ? 3 : 10,
		"$name: a search for each row of three tables loses no group");
	note("$name: $lost rows lost");
	return;
}

my %rows = (
	'three rows, then many' => q{
		SELECT i AS id, member(i, 0, 8, 1000, 1) AS v FROM generate_series(1, 3) i UNION ALL
		SELECT i, member(i, 0, 8, 0, 4) FROM generate_series(4, 1500) i},
	'one group after the other' => q{
		SELECT i AS id, member(i, i / 100, 8, 20, 0.8) AS v FROM generate_series(1, 2000) i},
	'groups in turns' => q{
		SELECT i AS id, member(i, i % 20, 64, 10, 0.4) AS v FROM generate_series(1, 2000) i});

for my $name (sort keys %rows)
{
	for my $batch ('0', '64kB')
	{
		groups_are_found("$name, insert_batch $batch", $rows{$name},
			sub { create_index(); insert_rows($batch, 'true'); });
	}
	groups_are_found("$name, half of it built", $rows{$name},
		sub { insert_rows('64MB', 'id <= 800'); create_index(); insert_rows('0', 'id > 800'); });
	groups_are_found("$name, built", $rows{$name},
		sub { insert_rows('64MB', 'true'); create_index(); });
}

# A small group comes in singly, then a large one nearer to it than what leads to it, whose own
# neighbours are others. Searches come to it only because it has a node on the layer above.
for my $options ('m = 16', 'm = 48, ef_construction = 96')
{
	my $lost = 0;
	for (1 .. 24)
	{
		$lost += lost_rows("a group behind a later one, $options",
			q{SELECT i AS id, ARRAY[noise(4 * i) +
					CASE WHEN i <= 400 THEN -10 WHEN i <= 800 THEN 14 WHEN i <= 834 THEN 0 ELSE 9 END,
					noise(4 * i + 1), noise(4 * i + 2), noise(4 * i + 3)]::vector AS v
				FROM generate_series(1, 1034) i},
			sub {
				insert_rows('64MB', 'id <= 800');
				create_index($options);
				insert_rows('0', 'id > 800');
			});
	}
	cmp_ok($lost, '<', 10, "a group behind a later one, $options: searches find it in 24 tables");
	note("a group behind a later one, $options: $lost rows lost");
}

# Groups of groups of groups, each ten times as far apart: what tells them from each other are nodes
# on each layer, also with few links, and where the first groups came before there was a layer above.
{
	my $nested = q{SELECT i AS id, ARRAY(SELECT 1000 * noise(i / 1500 * 100 + j)
			+ 100 * noise(100000 + i / 300 * 100 + j) + 10 * noise(200000 + i / 60 * 100 + j)
			+ 0.7 * noise(1000000 + i * 100 + j) FROM generate_series(1, 4) j)::vector AS v
		FROM generate_series(0, 7499) i};
	my %ways = (
		'single rows' => sub { insert_rows('0', 'true'); },
		'a group a transaction' => sub {
			insert_rows('64MB', "id / 60 = $_") for 0 .. 124;
		});
	for my $way (sort keys %ways)
	{
		my $lost = 0;
		for (1 .. 2)
		{
			$lost += lost_rows("nested groups, $way", $nested,
				sub { create_index('m = 4, ef_construction = 16'); $ways{$way}->(); });
		}
		cmp_ok($lost, '<', 400, "nested groups, $way: searches find nearly all rows of two tables");
		note("nested groups, $way: $lost of 15000 rows lost");
	}
	my $lost = 0;
	for (1 .. 6)
	{
		$lost += lost_rows('nested groups, several batches', $nested, sub {
			insert_rows('64MB', 'true');
			create_index('m = 48, ef_construction = 96', '1MB');
		});
	}
	cmp_ok($lost, '<', 10, 'nested groups, CREATE INDEX in several batches: no group is lost');
	note("nested groups, several batches: $lost rows lost");
}

# Groups so many that their nodes on the layer above are all about equally far from a query: a descent
# that follows the nearest few misses some.
{
	my $lost = 0;
	for (1 .. 2)
	{
		$lost += lost_rows('many groups in many dimensions',
			q{SELECT i AS id, member(i, i / 20, 64, 1000, 10) AS v FROM generate_series(0, 4999) i},
			sub {
				create_index();
				$node->safe_psql('postgres',
					join ';', map { "INSERT INTO t SELECT * FROM source WHERE id / 20 = $_" } 0 .. 249);
			});
	}
	cmp_ok($lost, '<', 20, 'many groups in many dimensions: no group of two tables is lost');
	note("many groups in many dimensions: $lost rows lost");
}

# Groups of two, among them those that a build's samples do not meet.
{
	my $lost = lost_rows('pairs',
		q{SELECT i AS id, member(i, i / 2, 64, 100, 1e-5) AS v FROM generate_series(0, 9999) i},
		sub { insert_rows('64MB', 'true'); create_index(); });
	cmp_ok($lost, '<', 120, 'pairs: a build leaves few that no search finds');
	note("pairs: $lost of 10000 rows lost");
}

# By L1 numbers of a vector count alone: a group far from zero is as good as one near it.
is(lost_rows('groups in places, L1',
		q{SELECT i AS id, member(i, i / 50 % 4, 8, 1e5, 0)
				+ member(i, 100 + i / 50, 8, 300, 3) AS v FROM generate_series(0, 5999) i},
		sub {
			$node->safe_psql('postgres', 'CREATE INDEX t_v ON t USING hnsw (v vector_l1_ops)');
			insert_rows('64MB', 'id % 2 = 0');
			insert_rows('64MB', 'id % 2 = 1');
		}, '<+>'),
	0, 'groups in places, L1: each row is found');

# Vacuum: what led to a group may have died, and what it was entered by.
{
	my $lost = 0;
	for my $seed (1 .. 12)
	{
		$lost += lost_rows('half deleted', $rows{'one group after the other'}, sub {
			insert_rows('64MB', 'true');
			create_index();
			for my $table ('t', 'source')
			{
				$node->safe_psql('postgres',
					"DELETE FROM $table WHERE hashint8extended(id, $seed) % 2 = 0");
			}
			$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) t');
		});
	}
	cmp_ok($lost, '<', 10, 'half deleted: a search for each row of 12 tables loses no group');
	note("half deleted: $lost rows lost");
}

# Pieces of a line: each batch takes links of the ends away that are there, and has to take them over.
{
	my $lost = 0;
	for (1 .. 12)
	{
		$lost += lost_rows('pieces of a line, batches',
			q{SELECT i AS id, ARRAY[i % 97, i % 89, i % 83]::vector AS v FROM generate_series(1001, 9000) i
				WHERE i <= 1300 OR i BETWEEN 6001 AND 6600 OR i BETWEEN 8001 AND 8600},
			sub {
				insert_rows('64MB', 'id <= 1300');
				create_index();
				insert_rows('64MB', 'id BETWEEN 6001 AND 6600');
				insert_rows('64MB', 'id > 8000');
			});
	}
	cmp_ok($lost, '<', 20, 'pieces of a line, batches: a search for each row of 12 tables finds nearly all');
	note("pieces of a line, batches: $lost rows lost");
}

done_testing();
