# The server is killed while clients write; after each recovery index and table agree.
#
# VECTOR_EXT_CYCLES is the number of kills, 10 by default.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VectorExt;

my $n_cycles = $ENV{VECTOR_EXT_CYCLES} // 10;
my $n_rows = 3000;

# Few buffers and frequent checkpoints: pages reach the disk in many states.
my $node = start_node('crash',
	'shared_buffers = 2MB', 'checkpoint_timeout = 30s', 'max_wal_size = 32MB',
	'autovacuum_naptime = 1s', 'restart_after_crash = off');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');

# Codes with a cold tier, and exact ones with upper layers in plenty.
load_vectors($node, 'wide_pool', $n_rows, 260, 1);
load_vectors($node, 'narrow_pool', $n_rows, 12, 2);
my @tables = ('wide', 'narrow');
for my $table (@tables)
{
	my $m = $table eq 'wide' ? 16 : 4;
	$node->safe_psql('postgres', qq{
		CREATE TABLE $table (LIKE ${table}_pool INCLUDING ALL);
		INSERT INTO $table SELECT * FROM ${table}_pool;
		CREATE INDEX ${table}_v ON $table USING hnsw (v vector_l2_ops)
			WITH (m = $m, ef_construction = 32)});
}

my @scripts;
for my $table (@tables)
{
	my $pick = "\\set id random(1, 1000000)\n\\set from random(1, $n_rows)\n";
	push @scripts,
	  [ 60, "$pick INSERT INTO $table SELECT :id, v FROM ${table}_pool WHERE id = :from
			ON CONFLICT (id) DO UPDATE SET v = excluded.v;\n" ],
	  [ 20, "$pick UPDATE $table SET v = (SELECT v FROM ${table}_pool WHERE id = :from)
			WHERE id = (SELECT id FROM $table WHERE id >= :from LIMIT 1);\n" ],
	  [ 20, "$pick BEGIN; SET LOCAL vector_ext.insert_batch = 0;
			INSERT INTO $table SELECT :id, v FROM ${table}_pool WHERE id = :from
			ON CONFLICT DO NOTHING; ROLLBACK;\n" ],
	  [ 40, "$pick DELETE FROM $table WHERE id IN (
			SELECT id FROM $table WHERE id >= :id ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED);\n" ],
	  [ 20, "$pick SELECT id FROM $table
			ORDER BY v <-> (SELECT v FROM ${table}_pool WHERE id = :from) LIMIT 10;\n" ];
}
push @scripts, [ 2, "VACUUM wide, narrow;\n" ], [ 1, "CHECKPOINT;\n" ];

for my $cycle (1 .. $n_cycles)
{
	my $output = '';
	my $pgbench = start_pgbench($node, \$output, 'load', [ '-c', 4, '-T', 300 ], @scripts);
	sleep(0.5 + rand(1.5));
	kill_server($node);
	$pgbench->finish;
	my @errors = grep { /ERROR|FATAL|PANIC/ && !/deadlock|unexpected postmaster exit/ }
	  split(/\n/, $output);
	is("@errors", '', "cycle $cycle: no statement failed before the kill");
	$node->start;
	for my $table (@tables)
	{
		index_is_sound($node, "${table}_v", "cycle $cycle");
		finds_every_row($node, $table, "cycle $cycle");
	}
}

# What the crashes left behind goes with a vacuum.
$node->safe_psql('postgres', 'VACUUM wide, narrow');
for my $table (@tables)
{
	index_is_sound($node, "${table}_v", 'after the last vacuum');
	finds_every_row($node, $table, 'after the last vacuum');
	# All are reached, but a search is approximate.
	cmp_ok($node->safe_psql('postgres', qq{
		SET hnsw.ef_search = 200;
		SET enable_seqscan = off;
		SELECT count(*) FROM $table a WHERE v <> (SELECT v FROM $table ORDER BY v <-> a.v LIMIT 1)}),
		'<=', $node->safe_psql('postgres', "SELECT ceil(count(*) / 1000.0) FROM $table"),
		"nearly each vector of $table is its own nearest neighbour");
}

$node->stop;
done_testing();
