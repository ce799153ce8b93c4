# Indexes that pgvector made, in a server whose library is ours: their files stand in for them here,
# with metapages as pgvector writes them. Nothing fails, nothing is lost, and REINDEX makes them ours.

use strict;
use warnings FATAL => 'all';

use IndexFile;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorBulk;
use VectorExt;

use constant { THEIR_HNSW => 0xA953A953, THEIR_IVFFLAT => 0x14FF1A7, RETIRED => 0x44525456 };

my $node = start_node('foreign_index', 'autovacuum = off', 'max_prepared_transactions = 2');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'items', 2000, 8, 5);
$node->safe_psql('postgres', q{
	ALTER TABLE items ADD t text DEFAULT 'x';
	CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
	CREATE INDEX items_l ON items USING ivfflat (v vector_l2_ops);
	CREATE TABLE quiet AS SELECT * FROM items;
	CREATE INDEX quiet_v ON quiet USING hnsw (v vector_l2_ops);
	CREATE UNLOGGED TABLE passing AS SELECT * FROM items;
	CREATE INDEX passing_v ON passing USING hnsw (v vector_l2_ops);
	CHECKPOINT});

my %file = map { $_ => $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$_')") }
  qw(items_v items_l quiet_v passing_v);

# A metapage as pgvector has it: fields behind the page header, no more of ours.
sub make_foreign
{
	my ($path, $magic) = @_;
	my $pages = read_pages($path);
	# pd_lower is the end of the fields, pd_upper the beginning of its special space.
	$pages->[0] = substr($pages->[0], 0, 12) . pack('v4 V', HEADER + 64, PAGE - 8, PAGE - 8, PAGE | 4, 0)
	  . pack('V V V v v', $magic, 1, 8, 16, 64) . "\0" x (PAGE - HEADER - 16);
	write_pages($path, [ @$pages ]);
	return;
}

sub magic_of
{
	my ($name) = @_;
	$node->safe_psql('postgres', 'CHECKPOINT');
	return unpack('V', substr(read_pages($file{$name})->[0], HEADER, 4));
}

$node->stop;
disable_checksums($node);
make_foreign($file{$_}, THEIR_HNSW) for qw(items_v quiet_v passing_v);
make_foreign("$file{passing_v}_init", THEIR_HNSW);
make_foreign($file{items_l}, THEIR_IVFFLAT);
$node->start;

my $search = q{SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 400) LIMIT 5};
my ($status, $out, $err) = $node->psql('postgres', "SET enable_seqscan = off; $search; $search");
is($status, 0, 'a search goes on');
is(() = $err =~ /WARNING:  index "items_[vl]" was made by pgvector and is not used/g,
	1, 'with one warning a session');
like($err, qr/HINT:  REINDEX INDEX CONCURRENTLY/, 'that says what to do');
unlike($node->safe_psql('postgres', "SET enable_seqscan = off; EXPLAIN $search"), qr/items_[vl]/,
	'such an index is never planned');
error_is($node, 'postgres', q{SELECT * FROM hnsw_info('items_v')}, '55000', 'a tool refuses it', 'REINDEX');
error_is($node, 'postgres', q{SELECT * FROM hnsw_check('items_l')}, '55000', 'of lists, too', 'REINDEX');
error_is($node, 'postgres', q{SELECT * FROM hnsw_recall('items_v')}, '55000', 'and is not measured', 'REINDEX');
is($node->safe_psql('postgres', q{SELECT index, method, bytes = pg_relation_size(index), command
	FROM vector_foreign_indexes() WHERE index::text LIKE 'items%' ORDER BY 1}),
	"items_v|hnsw|t|REINDEX INDEX CONCURRENTLY items_v;\nitems_l|ivfflat|t|REINDEX INDEX CONCURRENTLY items_l;",
	'those that are left are listed with the commands');
my ($code, $found, $said) = bulk($node, 'check', '--all');
is($code, 1, 'vector-bulk check ends with 1') or diag($said);
like($found, qr/items_l: 1 finding, 0 of them damage.*made by pgvector.*quiet_v/s, 'and tells of each');
($code, $found) = bulk($node, 'info');
is($code, 0, 'vector-bulk info goes on');
like($found, qr/items_l.*made by pgvector and not used.*quiet_v/s, 'and tells of each');
is(magic_of('items_v'), THEIR_HNSW, 'reading leaves the file alone');

# Each way of writing, of which one is the first.
$node->safe_psql('postgres', q{
	BEGIN; INSERT INTO items SELECT id + 10000, v FROM items WHERE id <= 100; ROLLBACK});
is(magic_of('items_v'), RETIRED, 'the first row that comes in marks it out of use');
is(magic_of('items_l'), RETIRED, 'of lists, too');
$node->safe_psql('postgres', q{
	INSERT INTO items SELECT id + 20000, v FROM items WHERE id <= 100;
	UPDATE items SET v = v WHERE id = 20050;
	UPDATE items SET t = 'y' WHERE id % 7 = 0;
	DELETE FROM items WHERE id <= 50;
	SET vector_ext.insert_batch = 0;
	INSERT INTO items SELECT id + 30000, v FROM items WHERE id <= 100});
$node->safe_psql('postgres', q{
	BEGIN; INSERT INTO items SELECT id + 40000, v FROM items WHERE id <= 90; PREPARE TRANSACTION 'p'});
$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) items');
$node->safe_psql('postgres', 'ANALYZE items');
is($node->safe_psql('postgres', 'SELECT count(*) FROM items'), '2140', 'every row is there');

$node->safe_psql('postgres', 'DELETE FROM quiet WHERE id <= 50');
is(magic_of('quiet_v'), THEIR_HNSW, 'rows that are deleted change no index');
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) quiet');
is(magic_of('quiet_v'), RETIRED, 'the vacuum that takes them out of the table does');

# The mark is in the log.
kill_server($node);
$node->start;
is(magic_of('items_v'), RETIRED, 'the mark survives a crash');
is($node->safe_psql('postgres', 'SELECT count(*) FROM passing'), '0', 'an unlogged table is empty after one');
$node->safe_psql('postgres', q{INSERT INTO passing SELECT * FROM items});
is($node->safe_psql('postgres', 'SELECT count(*) FROM passing'), '2140', 'and takes rows');

# Each way to a file of ours.
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY items_v');
$node->safe_psql('postgres', 'REINDEX INDEX items_l');
$node->safe_psql('postgres', 'VACUUM FULL quiet');
$node->safe_psql('postgres', 'TRUNCATE passing; INSERT INTO passing SELECT * FROM items');
index_is_sound($node, $_, 'made anew') for qw(items_v items_l quiet_v passing_v);
finds_every_row($node, 'items', 'REINDEX');
($status, $out, $err) = $node->psql('postgres', "SET enable_seqscan = off; $search");
is($err, '', 'a search of them warns of nothing');
like($node->safe_psql('postgres', "SET enable_seqscan = off; EXPLAIN $search"), qr/items_[vl]/,
	'they are planned again');
is($node->safe_psql('postgres', 'SELECT count(*) FROM vector_foreign_indexes()'), '0', 'none is left');
is($node->safe_psql('postgres', 'SELECT hnsw_is_foreign(1)'), 'f', 'nor is one that is not there');

$node->stop;
done_testing();
