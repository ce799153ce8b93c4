# REPACK of PostgreSQL 19: alone, and CONCURRENTLY beside writers, whose rows it takes over from the
# log into the index that it has built.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

plan skip_all => 'REPACK needs PostgreSQL 19'
  if PostgreSQL::Test::Cluster->new('version')->pg_version->major < 19;

my $node = start_node('repack', 'wal_level = logical', 'maintenance_work_mem = 4MB');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'items', 5000, 16, 3);
$node->safe_psql('postgres', q{
	CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
	DELETE FROM items WHERE id % 5 = 0;
	REPACK items;
	CREATE SEQUENCE fresh START 10001});
finds_every_row($node, 'items', 'REPACK');
index_is_sound($node, 'items_v', 'REPACK');

my $output = '';
my $writers = start_pgbench($node, \$output, 'writers', [ '-c', 2, '-T', 8 ],
	[ 2, q{INSERT INTO items SELECT nextval('fresh'), v FROM items ORDER BY random() LIMIT 5;} ],
	[ 2, q{\set id random(1, 5000)
		UPDATE items SET v = (SELECT v FROM items ORDER BY random() LIMIT 1) WHERE id = :id;} ],
	[ 1, q{\set id random(1, 5000)
		DELETE FROM items WHERE id = :id;} ],
	[ 1, q{\set id random(1, 5000)
		BEGIN; DELETE FROM items WHERE id = :id; ROLLBACK;} ]);
my $file = q{SELECT pg_relation_filenode('items_v')};
my $before = $node->safe_psql('postgres', $file);
$node->safe_psql('postgres', 'REPACK (CONCURRENTLY) items') for 1 .. 3;
isnt($node->safe_psql('postgres', $file), $before, 'REPACK (CONCURRENTLY) makes the index anew');
$writers->finish;
is($writers->result(0), 0, 'writers succeed beside it') or diag($output);
finds_every_row($node, 'items', 'REPACK (CONCURRENTLY)');
index_is_sound($node, 'items_v', 'REPACK (CONCURRENTLY)');

$node->stop;
done_testing();
