# The kinds of CREATE INDEX with parallel workers: who gets them, and that every kind of table and
# index is built with them as without; rows out of line; wal_level = minimal.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_rows = 2000;

my $node = start_node('variants', 'shared_buffers = 256MB', 'autovacuum = off',
	'wal_level = minimal', 'max_wal_senders = 0', 'max_worker_processes = 8',
	'max_parallel_workers = 8', 'max_parallel_maintenance_workers = 2', 'log_min_messages = debug1',
	'maintenance_work_mem = 1GB');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'items', $n_rows, 64, 25);

# `sql` starts so many parallel workers.
sub starts_workers
{
	my ($n_workers, $sql, $test_name) = @_;
	my $offset = -s $node->logfile;
	$node->safe_psql('postgres', $sql);
	my $n_started = () = substr(slurp_file($node->logfile), $offset) =~
	  /starting background worker process "parallel worker/g;
	is($n_started, $n_workers, "$test_name: $n_workers workers");
	return;
}

# The index is sound and has so many nodes.
sub has_nodes
{
	my ($index, $n_nodes, $test_name) = @_;
	index_is_sound($node, $index, $test_name);
	is($node->safe_psql('postgres', "SELECT nodes, unlinked FROM hnsw_info('$index')"),
		"$n_nodes|0", "$test_name: $index has all rows");
	return;
}

# --- who gets workers ---

my $create = 'DROP INDEX IF EXISTS items_v; CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops)';
starts_workers(0, $create, 'a table that the planner finds small');
starts_workers(2, "SET min_parallel_table_scan_size = 0; $create", 'a table that it finds large');
starts_workers(0, "SET min_parallel_table_scan_size = 0; SET maintenance_work_mem = '32MB'; $create",
	'little memory');
$node->safe_psql('postgres', 'ALTER TABLE items SET (parallel_workers = 1)');
starts_workers(1, $create, 'parallel_workers = 1');
$node->safe_psql('postgres', 'ALTER TABLE items SET (parallel_workers = 4)');
starts_workers(2, $create, 'max_parallel_maintenance_workers = 2');
starts_workers(0, "SET max_parallel_maintenance_workers = 0; $create",
	'max_parallel_maintenance_workers = 0');
has_nodes('items_v', $n_rows, 'no workers');
starts_workers(0, "SET max_parallel_workers = 0; $create", 'none can be had');
has_nodes('items_v', $n_rows, 'none can be had');
starts_workers(4, "SET max_parallel_maintenance_workers = 4; $create", 'four are allowed');
has_nodes('items_v', $n_rows, 'four workers');
$node->safe_psql('postgres', 'ALTER TABLE items SET (parallel_workers = 0)');
starts_workers(0, "SET min_parallel_table_scan_size = 0; $create", 'parallel_workers = 0');

# --- kinds of indexes ---

$node->safe_psql('postgres', 'ALTER TABLE items SET (parallel_workers = 2)');
starts_workers(2, 'CREATE INDEX CONCURRENTLY items_c ON items USING hnsw (v vector_cosine_ops)',
	'CONCURRENTLY');
has_nodes('items_c', $n_rows, 'CONCURRENTLY');
starts_workers(2, 'REINDEX INDEX CONCURRENTLY items_c', 'REINDEX CONCURRENTLY');
has_nodes('items_c', $n_rows, 'REINDEX CONCURRENTLY');
starts_workers(2, 'REINDEX INDEX items_v', 'REINDEX');
has_nodes('items_v', $n_rows, 'REINDEX');

starts_workers(2, q{CREATE INDEX items_part ON items USING hnsw (v vector_ip_ops) WHERE id % 4 = 1},
	'partial');
has_nodes('items_part', $n_rows / 4, 'partial');
starts_workers(2, q{
	CREATE INDEX items_of ON items USING hnsw ((subvector(v, 3, 40)::vector(40)) vector_l1_ops)
	WHERE id <= 1000}, 'expression');
has_nodes('items_of', 1000, 'expression');
is($node->safe_psql('postgres', q{
	SET enable_seqscan = off;
	SELECT id FROM items WHERE id <= 1000
	ORDER BY subvector(v, 3, 40)::vector(40) <+>
		(SELECT subvector(v, 3, 40)::vector(40) FROM items WHERE id = 77) LIMIT 1}), '77',
	'a search by the expression finds');
$node->safe_psql('postgres', q{
	CREATE FUNCTION alone(v vector) RETURNS vector
		LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$ BEGIN RETURN v; END $$;
	CREATE FUNCTION picky(id bigint, v vector) RETURNS vector
		LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
	BEGIN
		IF id = 1900 THEN
			RAISE EXCEPTION 'not this one' USING ERRCODE = 'VX001';
		END IF;
		RETURN v;
	END $$});
starts_workers(0, 'CREATE INDEX items_alone ON items USING hnsw ((alone(v)::vector(64)) vector_l2_ops)',
	'an expression that must not be parallel');
has_nodes('items_alone', $n_rows, 'an expression that must not be parallel');
error_is($node, 'postgres',
	'CREATE INDEX items_picky ON items USING hnsw ((picky(id, v)::vector(64)) vector_l2_ops)',
	'VX001', 'an error in a row ends the build');
leaves_nothing($node, 'an error in a row');

# --- kinds of tables ---

starts_workers(2, q{
	CREATE UNLOGGED TABLE fleeting WITH (parallel_workers = 2) AS SELECT * FROM items;
	CREATE INDEX fleeting_v ON fleeting USING hnsw (v vector_l2_ops)}, 'unlogged');
has_nodes('fleeting_v', $n_rows, 'unlogged');
starts_workers(4, q{
	CREATE TABLE parted (id bigint, v vector(64)) PARTITION BY RANGE (id);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (1001) WITH (parallel_workers = 2);
	CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (1001) TO (9999) WITH (parallel_workers = 2);
	INSERT INTO parted SELECT * FROM items;
	CREATE INDEX parted_v ON parted USING hnsw (v vector_l2_ops)}, 'two partitions');
has_nodes('parted_1_v_idx', 1000, 'first partition');
has_nodes('parted_2_v_idx', $n_rows - 1000, 'second partition');
starts_workers(2, q{
	CREATE MATERIALIZED VIEW seen WITH (parallel_workers = 2) AS SELECT * FROM items;
	CREATE INDEX seen_v ON seen USING hnsw (v vector_l2_ops)}, 'materialized view');
starts_workers(2, 'REFRESH MATERIALIZED VIEW seen', 'REFRESH');
has_nodes('seen_v', $n_rows, 'materialized view');
# A temporary table is its session's alone.
starts_workers(0, q{
	CREATE TEMPORARY TABLE mine WITH (parallel_workers = 2) AS SELECT * FROM items;
	CREATE INDEX mine_v ON mine USING hnsw (v vector_l2_ops);
	SELECT 1 / (SELECT count(*) = 0 FROM hnsw_check('mine_v', true))::int}, 'temporary');

# --- dead rows that another transaction still sees ---

$node->safe_psql('postgres', 'CREATE TABLE changed WITH (parallel_workers = 2) AS SELECT * FROM items');
my $in = q{
	BEGIN ISOLATION LEVEL REPEATABLE READ;
	SELECT count(*) FROM changed;
	\echo ready
};
my $output = '';
my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \$in, '>', \$output, IPC::Run::timeout(60));
$session->pump until $output =~ /ready/;
starts_workers(2, q{
	UPDATE changed SET v = v + v WHERE id % 5 = 0;
	DELETE FROM changed WHERE id % 5 = 1;
	CREATE INDEX changed_v ON changed USING hnsw (v vector_l2_ops)}, 'dead rows');
$in .= "COMMIT;\n\\q\n";
$session->finish;
index_is_sound($node, 'changed_v', 'dead rows');
finds_every_row($node, 'changed', 'dead rows');
$node->safe_psql('postgres', 'VACUUM changed');
has_nodes('changed_v', $n_rows * 4 / 5, 'dead rows are gone');

# --- rows out of line are fetched once, but for the 128 whose mean is the centroid ---

load_vectors($node, 'far', 400, 3000, 26);
my $read = q{
	SELECT pg_stat_force_next_flush();
	SELECT toast_blks_hit + toast_blks_read FROM pg_statio_user_tables WHERE relname = 'far';};
sub toast_blocks
{
	my ($sql) = @_;
	my ($before, $after) = $node->safe_psql('postgres', "$read $sql; $read") =~ /(\d+)/g;
	return $after - $before;
}
my $once = toast_blocks('DO $$ BEGIN PERFORM sum(vector_norm(v)) FROM far; END $$');
cmp_ok($once, '>', 400, 'the rows are out of line');
for my $n_workers (0, 2)
{
	$node->safe_psql('postgres', "ALTER TABLE far SET (parallel_workers = $n_workers)");
	my $n_blocks = toast_blocks(
		'DROP INDEX IF EXISTS far_v; CREATE INDEX far_v ON far USING hnsw (v vector_l2_ops)');
	cmp_ok($n_blocks, '<', 1.5 * $once, "$n_workers workers: a row out of line is fetched once");
	has_nodes('far_v', 400, 'rows out of line');
}

# --- wal_level = minimal: a new table's index is not logged, but there after a crash ---

my $made = q{
	BEGIN;
	CREATE TABLE %1$s (LIKE items) WITH (parallel_workers = %2$d);
	INSERT INTO %1$s SELECT * FROM items WHERE id <= 1500;
	CREATE INDEX %1$s_v ON %1$s USING hnsw (v vector_l2_ops);
	INSERT INTO %1$s SELECT * FROM items WHERE id > 1500;
	COMMIT};
$node->safe_psql('postgres', "SET wal_skip_threshold = 0;" . sprintf($made, 'synced', 2));
$node->safe_psql('postgres', "SET wal_skip_threshold = '1GB';" . sprintf($made, 'logged', 2));
$node->safe_psql('postgres', sprintf($made, 'serial', 0));
$node->safe_psql('postgres', q{
	BEGIN;
	TRUNCATE logged;
	INSERT INTO logged SELECT * FROM items WHERE id <= 500;
	REINDEX INDEX logged_v;
	COMMIT});
$node->stop('immediate');
$node->start;
has_nodes('synced_v', $n_rows, 'after a crash, synced');
has_nodes('logged_v', 500, 'after a crash, emptied and made again');
has_nodes('serial_v', $n_rows, 'after a crash, one process');
finds_every_row($node, $_, 'after a crash') for 'synced', 'logged', 'serial';
has_nodes('items_v', $n_rows, 'after a crash');
is($node->safe_psql('postgres', q{SELECT count(*), (SELECT nodes FROM hnsw_info('fleeting_v')) FROM fleeting}),
	'0|0', 'after a crash, unlogged rows are gone');

$node->stop;
done_testing();
