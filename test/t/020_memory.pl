# What a long session remembers of the indexes it has used stays bounded.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('memory');
$node->safe_psql('postgres', q{
	CREATE EXTENSION vector_ext;
	CREATE TABLE items (id int, v vector(8)) PARTITION BY LIST (id);
	SELECT format('CREATE TABLE items_%s PARTITION OF items FOR VALUES IN (%s)', i, i)
	FROM generate_series(1, 40) AS i \gexec
	INSERT INTO items SELECT i, ARRAY[i, 1, 2, 3, 4, 5, 6, 7]::vector FROM generate_series(1, 40) AS i;
	CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops)});

# More indexes than the session keeps buffer hints for, over and over.
my $search = q{SELECT count(*) FROM (SELECT * FROM items ORDER BY v <-> '[1,1,1,1,1,1,1,1]') AS found;};
my $size = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name = 'TopMemoryContext';};
my $output = $node->safe_psql('postgres',
	"SET enable_seqscan = off; $search $size" . $search x 30 . $size);
my ($n_found, $before, @rest) = split(/\n/, $output);
is($n_found, 40, 'a search of all partitions finds every row');
cmp_ok($rest[-1], '<', $before + 65536, 'searching them again takes no more memory');
index_is_sound($node, "items_${_}_v_idx", "partition $_") for 1, 40;

done_testing();
