# An index whose rows come and go keeps its size: vacuum's free slots are used again.
#
# VECTOR_EXT_CYCLES is the number of rounds, 4 by default.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_cycles = $ENV{VECTOR_EXT_CYCLES} // 4;
my $n_rows = 2500;

my $node = start_node('size', 'shared_buffers = 128MB', 'max_wal_size = 2GB', 'autovacuum = off');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');

sub size_of
{
	my ($index) = @_;
	return $node->safe_psql('postgres', "SELECT pg_relation_size('$index')");
}

# A codec with a cold tier, and one without.
for my $n_dims (260, 64)
{
	my $table = "points_$n_dims";
	my $index = "${table}_v";
	load_vectors($node, $table, $n_rows, $n_dims, $n_dims);
	$node->safe_psql('postgres', qq{
		CREATE TABLE pool AS TABLE $table;
		CREATE INDEX $index ON $table USING hnsw (v vector_l2_ops)});
	my $first_size = size_of($index);

	# Each insert draws a layer, so the records of upper layers can take an extent more.
	my $extent = 5 * 8192;

	$node->safe_psql('postgres', "DELETE FROM $table WHERE id % 4 <> 0");
	$node->safe_psql('postgres', "VACUUM $table");
	$node->safe_psql('postgres', "INSERT INTO $table SELECT * FROM pool WHERE id % 4 <> 0");
	cmp_ok(size_of($index), '<=', 1.02 * $first_size + $extent,
		"$n_dims dimensions: three quarters deleted, vacuumed, inserted");
	index_is_sound($node, $index, "$n_dims dimensions, after the first round");

	for my $cycle (1 .. $n_cycles)
	{
		# Other rows each time; in one round all of them.
		my $condition = $cycle == 3 ? 'true' : "(id + $cycle) % 2 = 0";
		$node->safe_psql('postgres', "DELETE FROM $table WHERE $condition");
		$node->safe_psql('postgres', "VACUUM $table");
		$node->safe_psql('postgres', "INSERT INTO $table SELECT * FROM pool WHERE $condition");
	}
	cmp_ok(size_of($index), '<=', 1.02 * $first_size + $extent,
		"$n_dims dimensions: $n_cycles rounds more do not make it grow");
	note("$n_dims dimensions: $first_size bytes, then ", size_of($index));
	is($node->safe_psql('postgres', "SELECT nodes, dead, unlinked FROM hnsw_info('$index')"),
		"$n_rows|0|0", "$n_dims dimensions: the index holds a node per row");
	index_is_sound($node, $index, "$n_dims dimensions, at the end");
	finds_every_row($node, $table, "$n_dims dimensions, at the end");

	# After a restart too, although what is known of free space is not logged.
	$node->safe_psql('postgres', "DELETE FROM $table WHERE id % 2 = 0");
	$node->safe_psql('postgres', "VACUUM $table");
	$node->restart;
	$node->safe_psql('postgres', "INSERT INTO $table SELECT * FROM pool WHERE id % 2 = 0");
	cmp_ok(size_of($index), '<=', 1.02 * $first_size + $extent, "$n_dims dimensions: across a restart");

	# Updates of the vector; a fifth of the rows is there twice until the next vacuum.
	for my $cycle (1 .. $n_cycles)
	{
		$node->safe_psql('postgres', qq{
			UPDATE $table SET v = v + array_fill(0.001::real, ARRAY[$n_dims])::vector
			WHERE id % 5 = $cycle % 5});
		$node->safe_psql('postgres', "VACUUM $table");
	}
	cmp_ok(size_of($index), '<=', 1.25 * $first_size, "$n_dims dimensions: updates");
	index_is_sound($node, $index, "$n_dims dimensions, after updates");
	finds_every_row($node, $table, "$n_dims dimensions, after updates");
	$node->safe_psql('postgres', 'DROP TABLE pool');
}

$node->stop;
done_testing();
