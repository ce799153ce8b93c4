# A chain of equal vectors that leads to another node's record is reported by whoever follows it,
# and nobody follows it for ever.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('damaged_chain');
$node->safe_psql('postgres', q{
	CREATE EXTENSION vector_ext;
	CREATE TABLE items (id int, v vector(3));
	CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
	INSERT INTO items SELECT i, '[1,2,3]' FROM generate_series(1, 4) AS i;
	INSERT INTO items VALUES (5, '[4,5,6]')});
my $path = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('items_v')});
$node->stop;
disable_checksums($node);

# The record with the further rows is the second one of the first hot page, or the third where the
# node reached an upper layer. Its owner stands behind its head of 8 bytes; records of 3 dimensions
# and m 16 have 172 bytes.
open(my $file, '+<:raw', $path) or die "could not open $path: $!";
my ($place, $kind, $owner);
for my $id (1, 2)
{
	$place = 2 * 8192 + 24 + 172 * $id;
	seek($file, $place, 0);
	read($file, my $record, 12);
	($kind, $owner) = unpack('C x7 V', $record);
	last if $kind == 3;
}
is($kind, 3, 'a record of further rows is where the test expects it');
is($owner, 0, 'it belongs to the first node');
seek($file, $place + 8, 0);
print $file pack('V', 40);
close($file);
$node->start;

my $bounded = q{SET statement_timeout = '60s'; SET enable_seqscan = off;};
error_is($node, 'postgres', qq{$bounded SELECT id FROM items ORDER BY v <-> '[1,2,3]'},
	'XX002', 'a scan reports the chain', 'REINDEX');
error_is($node, 'postgres', qq{$bounded INSERT INTO items VALUES (6, '[1,2,3]')},
	'XX002', 'an insert reports the chain', 'REINDEX');
like($node->safe_psql('postgres', q{SELECT problem FROM hnsw_check('items_v')}),
	qr/chain leads to a record that is not its own/, 'hnsw_check names it');
$node->safe_psql('postgres', 'REINDEX INDEX items_v');
index_is_sound($node, 'items_v', 'after REINDEX');

done_testing();
