# Many clients at once: no statement fails, and the index they leave is sound and as good as a fresh
# one.
#
# VECTOR_EXT_SECONDS is the length of the mixed load, 20 by default.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use VectorExt;

my $n_seconds = $ENV{VECTOR_EXT_SECONDS} // 20;
my $n_rows = 6000;
my $n_dims = 64;

my $node = start_node('concurrency', 'shared_buffers = 64MB', 'max_wal_size = 1GB',
	'log_statement = none', 'autovacuum_naptime = 1s', 'max_parallel_maintenance_workers = 2',
	'min_parallel_index_scan_size = 0');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');

# One file of vectors, of which the last ones are the queries.
load_vectors($node, 'pool', $n_rows + 300, $n_dims, 5);
$node->safe_psql('postgres', qq{
	CREATE TABLE queries AS SELECT * FROM pool WHERE id > $n_rows;
	DELETE FROM pool WHERE id > $n_rows});

# --- ten clients insert ---

$node->safe_psql('postgres', qq{
	CREATE TABLE inserted (LIKE pool INCLUDING ALL);
	CREATE INDEX inserted_v ON inserted USING hnsw (v vector_l2_ops);
	CREATE SEQUENCE turn});
my $n_each = $n_rows / 10;
run_clients($node, 'ten inserters', [ '-c', 10, '-j', 2, '-t', $n_each ], [ 1, q{
	INSERT INTO inserted SELECT * FROM pool WHERE id = (SELECT nextval('turn'));
} ]);
is($node->safe_psql('postgres', 'SELECT count(*) FROM inserted'), $n_rows, 'all rows came');
index_is_sound($node, 'inserted_v', 'ten inserters');
finds_every_row($node, 'inserted', 'ten inserters');
is_as_good_as_fresh($node, 'inserted_v', 'queries', 'ten inserters');

# --- three quarters are deleted ---

$node->safe_psql('postgres', q{
	DELETE FROM inserted WHERE id % 4 <> 0;
	VACUUM inserted});
index_is_sound($node, 'inserted_v', 'after deleting 75 %');
finds_every_row($node, 'inserted', 'after deleting 75 %');
is_as_good_as_fresh($node, 'inserted_v', 'queries', 'after deleting 75 %');

# --- everything at once ---

$node->safe_psql('postgres', qq{
	CREATE TABLE mixed (LIKE pool INCLUDING ALL, other integer)
		WITH (autovacuum_enabled = off);
	INSERT INTO mixed SELECT * FROM pool WHERE id <= $n_rows / 2;
	CREATE INDEX mixed_v ON mixed USING hnsw (v vector_l2_ops);
	CREATE INDEX mixed_other ON mixed (other);
	CREATE INDEX mixed_part ON mixed USING hnsw ((subvector(v, 1, 8)::vector(8)) vector_cosine_ops)
		WITH (m = 4, ef_construction = 16) WHERE id % 2 = 0});
my $pick = "\\set id random(1, $n_rows)\n\\set from random(1, $n_rows)\n";
run_clients($node, 'mixed load', [ '-c', 8, '-j', 2, '-T', $n_seconds ],
	[ 30, "$pick INSERT INTO mixed SELECT * FROM pool WHERE id = :id ON CONFLICT DO NOTHING;\n" ],
	[ 25, "$pick DELETE FROM mixed WHERE id = :id;\n" ],
	[ 10, "$pick UPDATE mixed SET v = (SELECT v FROM pool WHERE id = :from) WHERE id = :id;\n" ],
	[ 10, "$pick UPDATE mixed SET other = :from WHERE id = :id;\n" ],
	[ 5, "$pick BEGIN; SET LOCAL vector_ext.insert_batch = 0;
		INSERT INTO mixed SELECT * FROM pool WHERE id = :id ON CONFLICT DO NOTHING; ROLLBACK;\n" ],
	[ 40, "$pick SELECT id FROM mixed
		ORDER BY v <-> (SELECT v FROM pool WHERE id = :from) LIMIT 10;\n" ],
	[ 5, "$pick SET hnsw.iterative_scan = strict_order; SELECT id FROM mixed WHERE other < 1000
		ORDER BY v <-> (SELECT v FROM pool WHERE id = :from) LIMIT 10;
		RESET hnsw.iterative_scan;\n" ],
	[ 1, "VACUUM mixed;\n" ]);
for my $round ('before vacuum', 'after vacuum')
{
	index_is_sound($node, $_, "mixed load, $round") for 'mixed_v', 'mixed_part';
	finds_every_row($node, 'mixed', "mixed load, $round");
	$node->safe_psql('postgres', 'VACUUM mixed');
}
is_as_good_as_fresh($node, 'mixed_v', 'queries', 'mixed load');

# --- autovacuum beside clients ---

$node->safe_psql('postgres', q{
	CREATE TABLE automatic (LIKE pool INCLUDING ALL) WITH (autovacuum_vacuum_threshold = 50,
		autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0);
	INSERT INTO automatic SELECT * FROM pool WHERE id <= 2000;
	CREATE INDEX automatic_v ON automatic USING hnsw (v vector_l2_ops)});
run_clients($node, 'autovacuum beside clients', [ '-c', 4, '-j', 2, '-T', 5 ],
	[ 1, "$pick INSERT INTO automatic SELECT * FROM pool WHERE id = :id ON CONFLICT DO NOTHING;\n" ],
	[ 1, "$pick DELETE FROM automatic WHERE id = :id;\n" ]);
ok($node->poll_query_until('postgres', q{
	SELECT autovacuum_count > 0 FROM pg_stat_user_tables WHERE relname = 'automatic'}),
	'autovacuum took part');
index_is_sound($node, 'automatic_v', 'autovacuum beside clients');
finds_every_row($node, 'automatic', 'autovacuum beside clients');

# --- several indexes are vacuumed by parallel workers ---

$node->safe_psql('postgres', q{
	CREATE TABLE several (LIKE pool INCLUDING ALL) WITH (autovacuum_enabled = off);
	INSERT INTO several SELECT * FROM pool WHERE id <= 2000;
	CREATE INDEX several_l2 ON several USING hnsw (v vector_l2_ops);
	CREATE INDEX several_ip ON several USING hnsw (v vector_ip_ops);
	CREATE INDEX several_l1 ON several USING hnsw (v vector_l1_ops);
	DELETE FROM several WHERE id % 3 = 0});
my ($status, $stdout, $stderr) =
  $node->psql('postgres', 'VACUUM (PARALLEL 2, VERBOSE) several', on_error_stop => 1);
is($status, 0, 'parallel vacuum succeeds');
like($stderr, qr/launched [12] parallel vacuum worker/, 'vacuum has parallel workers');
index_is_sound($node, $_, 'parallel vacuum') for 'several_l2', 'several_ip', 'several_l1';
is($node->safe_psql('postgres', "SELECT sum(nodes), sum(dead) FROM
		unnest('{several_l2,several_ip,several_l1}'::regclass[]) i, hnsw_info(i)"),
	3 * 1334 . '|0', 'the deleted rows left all of them');

# --- an index is made beside writers ---

$node->safe_psql('postgres', q{
	CREATE TABLE busy (LIKE pool INCLUDING ALL);
	INSERT INTO busy SELECT * FROM pool WHERE id <= 3000});
my $output = '';
my $writers = start_pgbench($node, \$output, 'writers', [ '-c', 2, '-T', 4 ],
	[ 2, "$pick INSERT INTO busy SELECT * FROM pool WHERE id = :id ON CONFLICT DO NOTHING;\n" ],
	[ 1, "$pick DELETE FROM busy WHERE id = :id;\n" ],
	[ 1, "$pick UPDATE busy SET v = (SELECT v FROM pool WHERE id = :from) WHERE id = :id;\n" ]);
$node->safe_psql('postgres',
	'CREATE INDEX CONCURRENTLY busy_v ON busy USING hnsw (v vector_l2_ops)');
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY busy_v');
$writers->finish;
is($writers->result(0), 0, 'writers go on beside CREATE INDEX CONCURRENTLY') or diag($output);
index_is_sound($node, 'busy_v', 'made beside writers');
finds_every_row($node, 'busy', 'made beside writers');
# Deleted rows that no vacuum took away take places in a search of 20.
$node->safe_psql('postgres', 'VACUUM busy');
is_as_good_as_fresh($node, 'busy_v', 'queries', 'made beside writers');

$node->stop;
done_testing();
