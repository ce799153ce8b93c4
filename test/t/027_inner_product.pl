# By inner product the longest rows are the nearest to all others. What comes in singly is found as
# well as what CREATE INDEX puts in.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('inner_product', 'shared_buffers = 256MB', 'max_wal_size = 1GB',
	'autovacuum = off');
$node->safe_psql('postgres', q{
	CREATE EXTENSION vector_ext;
	-- Numbers between 0 and 1, the same for the same key.
	CREATE FUNCTION noise(key bigint) RETURNS real LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN (hashint8extended(key, 7) & 1048575) / 1048576.0});

# Rows, dimensions, the least recall, and coordinate j of row i. Of rows in the corner of a cube many
# are hidden behind longer ones in every direction but a few, for any graph of this kind; with one
# offset for all, most queries have the same answers, so that each row that is hard to find costs 0.05.
my %coordinates = (
	'all positive' => [ 10000, 3, 0.85, 'noise(1000 * i + j)' ],
	'one offset for all' => [ 3000, 64, 0.84, '30 * (1 + 0.2 * noise(j)) + noise(1000 * (i % 50) + j) * 6
		+ noise(1000 * i + j)' ],
	'few long, many short' => [ 3000, 24, 0.97, '(noise(1000 * i + j) - 0.5) / (0.02 + noise(1000 * i))' ]);

for my $name (sort keys %coordinates)
{
	my ($n_rows, $n_dims, $least, $coordinate) = @{ $coordinates{$name} };
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS pool, queries;
		CREATE TABLE pool AS SELECT i AS id, (SELECT array_agg($coordinate ORDER BY j)
			FROM generate_series(1, $n_dims) j)::vector($n_dims) AS v
			FROM generate_series(1, $n_rows + 200) i;
		CREATE UNIQUE INDEX ON pool (id);
		ALTER TABLE pool ALTER v TYPE vector($n_dims);
		CREATE TABLE queries AS SELECT * FROM pool WHERE id > $n_rows;
		DELETE FROM pool WHERE id > $n_rows});
	my $recall_by = sub {
		my ($way, $load) = @_;
		$node->safe_psql('postgres', qq{
			DROP TABLE IF EXISTS t;
			CREATE TABLE t (id bigint, v vector($n_dims));
			DROP SEQUENCE IF EXISTS turn;
			CREATE SEQUENCE turn});
		$load->();
		index_is_sound($node, 't_v', "$name, $way");
		my $recall = $node->safe_psql('postgres',
			q{SELECT recall FROM hnsw_recall('t_v', 20, '{40}', 200, 'queries')});
		note("$name, $way: recall $recall");
		return $recall;
	};
	my $index = 'CREATE INDEX t_v ON t USING hnsw (v vector_ip_ops)';
	my %ways = (
		'CREATE INDEX' => sub {
			$node->safe_psql('postgres', "INSERT INTO t SELECT * FROM pool; $index");
		},
		'one client' => sub {
			$node->safe_psql('postgres', "$index; SET vector_ext.insert_batch = 0;
				INSERT INTO t SELECT * FROM pool ORDER BY id");
		},
		'ten clients' => sub {
			$node->safe_psql('postgres', $index);
			run_clients($node, "$name, ten clients", [ '-c', 10, '-j', 2, '-t', $n_rows / 10 ],
				[ 1, "INSERT INTO t SELECT * FROM pool WHERE id = (SELECT nextval('turn'));\n" ]);
		},
		'a batch' => sub {
			$node->safe_psql('postgres', "$index; INSERT INTO t SELECT * FROM pool");
		});
	for my $way (sort keys %ways)
	{
		my $recall = $recall_by->($way, $ways{$way});
		cmp_ok($recall, '>=', $least, "$name, $way: recall");
	}
}

$node->stop;
done_testing();
