# Logical replication: who applies the changes gathers rows as other backends do, and is told of a
# TRUNCATE by no utility command.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->append_conf('postgresql.conf', "fsync = off\nlogical_decoding_work_mem = 64kB");
$publisher->start;
my $subscriber = start_node('subscriber', 'autovacuum = off', 'max_logical_replication_workers = 6');
$_->safe_psql('postgres', 'CREATE EXTENSION vector_ext') for $publisher, $subscriber;
load_vectors($publisher, 'pool', 600, 64, 32);
load_vectors($subscriber, 'queries', 200, 64, 32);

my $table = 'CREATE TABLE items (id bigint PRIMARY KEY, other int, v vector(64))';
$publisher->safe_psql('postgres', qq{
	$table;
	INSERT INTO items SELECT id, 0, v FROM pool WHERE id <= 200;
	CREATE PUBLICATION items FOR TABLE items});
$subscriber->safe_psql('postgres', qq{
	$table;
	CREATE INDEX items_other ON items (other);
	CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops)});
my $source = $publisher->connstr('postgres') =~ s/'/''/gr;
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION items CONNECTION '$source' PUBLICATION items WITH (streaming = on)");
$subscriber->wait_for_subscription_sync;

# The subscriber has the publisher's rows after `sql`, and finds them.
sub is_applied
{
	my ($test_name, $sql) = @_;
	$publisher->safe_psql('postgres', $sql);
	$publisher->wait_for_catchup('items');
	my $rows = 'SELECT id, other, v FROM items ORDER BY id';
	same_lines($subscriber->safe_psql('postgres', $rows), $publisher->safe_psql('postgres', $rows),
		"$test_name: the same rows");
	index_is_sound($subscriber, 'items_v', $test_name);
	finds_every_row($subscriber, 'items', $test_name);
	is_as_good_as_fresh($subscriber, 'items_v', 'queries', $test_name);
	return;
}

is_applied('the first copy', 'SELECT 1');
is_applied('inserts', q{
	INSERT INTO items SELECT id, 0, v FROM pool WHERE id BETWEEN 201 AND 220});
is_applied('updates and deletes', q{
	BEGIN;
	INSERT INTO items SELECT id, 0, v FROM pool WHERE id BETWEEN 221 AND 240;
	UPDATE items SET other = id WHERE id BETWEEN 150 AND 230;
	UPDATE items SET v = v + v WHERE id % 10 = 0;
	DELETE FROM items WHERE id % 7 = 0;
	COMMIT});
is_applied('a savepoint', q{
	BEGIN;
	INSERT INTO items SELECT id, 0, v FROM pool WHERE id BETWEEN 241 AND 250;
	SAVEPOINT here;
	INSERT INTO items SELECT id, 0, v FROM pool WHERE id BETWEEN 251 AND 260;
	ROLLBACK TO here;
	INSERT INTO items SELECT id, 1, v FROM pool WHERE id BETWEEN 251 AND 260;
	COMMIT});
is_applied('a truncate between inserts', q{
	BEGIN;
	INSERT INTO items SELECT id, 0, v FROM pool WHERE id BETWEEN 261 AND 270;
	TRUNCATE items;
	INSERT INTO items SELECT id, 0, v FROM pool WHERE id BETWEEN 266 AND 290;
	COMMIT});
is_applied('a streamed transaction', q{
	BEGIN;
	INSERT INTO items SELECT id, 0, v FROM pool WHERE id > 300;
	SAVEPOINT here;
	DELETE FROM items WHERE id % 3 = 0;
	ROLLBACK TO here;
	INSERT INTO items SELECT id + 1000, 0, v FROM pool;
	COMMIT});

$subscriber->stop;
$publisher->stop;
done_testing();
