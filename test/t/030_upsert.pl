# Loads at once: many clients merge overlapping keys into tables with an index, nothing fails, every
# row is counted once, and the index stays sound. Also: progress, and a load that is killed.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('upsert', 'shared_buffers = 64MB', 'max_connections = 40',
	'deadlock_timeout = 100ms', 'autovacuum_naptime = 1s');
$node->safe_psql('postgres', q{
	CREATE EXTENSION vector_ext;
	CREATE TABLE calls (target text, mode text, inserted bigint, updated bigint, unchanged bigint,
	                    skipped bigint, rejected bigint, n_rows bigint);
	CREATE TABLE items (id int PRIMARY KEY, v vector(8), n bigint NOT NULL DEFAULT 1);
	CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops) WITH (m = 8, ef_construction = 32);
	CREATE TABLE stamped (LIKE items INCLUDING ALL);
	CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE TRIGGER stamp BEFORE INSERT ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
	CREATE TABLE parted (LIKE items INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY HASH (id);
	CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	CREATE INDEX parted_v ON parted USING hnsw (v vector_l2_ops) WITH (m = 8, ef_construction = 32);
	SELECT vector_rejects_table('rejects');
	-- Merges 60 random ones of 400 keys, in random order, and notes the counts.
	CREATE PROCEDURE merge(target regclass, mode text, rules jsonb, rejects regclass)
	LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM vector_stage_for(target, 'stage');
		INSERT INTO stage
		SELECT id, ARRAY[id % 7, random(), 0, 0, id % 11, random(), 0, id]::vector, 1
		FROM (SELECT id FROM generate_series(1, 400) id ORDER BY random() LIMIT 60) s;
		INSERT INTO calls
		SELECT target, mode, inserted, updated, unchanged, skipped, rejected, 60
		FROM vector_bulk_upsert(target, 'stage', mode, merge => rules, reject_into => rejects);
	END $$});

# --- sixteen loads of overlapping keys ---

my $offset = -s $node->logfile;
my $output = '';
my $clients = start_pgbench($node, \$output, 'loads', [ '-c', 16, '-j', 2, '-t', 25 ],
	map { [ $_->[0], "CALL merge($_->[1]);" ] }
	  [ 4, q('items', 'update', '{"n": "sum"}', NULL) ],
	[ 2, q('items', 'skip', NULL, NULL) ],
	[ 2, q('items', 'error', NULL, 'rejects') ],
	[ 1, q('items', 'update', '{"n": "sum"}', 'rejects') ],
	[ 2, q('stamped', 'update', '{"n": "sum"}', NULL) ],
	[ 1, q('stamped', 'skip', NULL, NULL) ],
	[ 1, q('stamped', 'error', NULL, 'rejects') ],
	[ 1, q('parted', 'update', '{"n": "sum"}', NULL) ],
	[ 1, q('parted', 'skip', NULL, 'rejects') ]);
$clients->finish;
is($clients->result(0), 0, 'sixteen loads at once succeed') or diag($output);
unlike(substr(slurp_file($node->logfile), $offset), qr/(ERROR|FATAL|PANIC):|deadlock/,
	'no load fails or deadlocks');
is($node->safe_psql('postgres', q{
		SELECT count(*) FILTER (WHERE inserted + updated + unchanged + skipped + rejected <> n_rows)
		FROM calls}), '0', 'the counts of every call add up');
for my $target ('items', 'stamped', 'parted')
{
	is( $node->safe_psql('postgres', qq{
			SELECT (SELECT sum(inserted) FROM calls WHERE target = '$target') = count(*),
			       (SELECT sum(inserted + updated) FROM calls WHERE target = '$target') = sum(n)
			FROM $target}),
		't|t', "$target: every row was inserted by one load, every update was counted and kept");
}
is($node->safe_psql('postgres',
		'SELECT (SELECT sum(rejected) FROM calls) = count(*) FROM rejects'),
	't', 'every reject is in the table for them');
index_is_sound($node, $_, 'after loads at once')
  for 'items_v', 'stamped_v_idx', 'parted_0_v_idx', 'parted_1_v_idx';

# --- progress ---

$node->safe_psql('postgres', q{
	CREATE TABLE slow (id int PRIMARY KEY);
	CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql
	AS 'BEGIN PERFORM pg_sleep(0.25); RETURN NEW; END';
	CREATE TRIGGER wait BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION wait()});
my ($status, $stdout, $stderr) = $node->psql('postgres', q{
	CREATE TEMP TABLE stage AS SELECT i AS id FROM generate_series(1, 44) i;
	SELECT inserted FROM vector_bulk_upsert('slow', 'stage')});
is($stdout, '44', 'a slow load ends');
# Forty rows, fewer on a machine that is busy.
my $taken = $stderr =~ /NOTICE:  vector_bulk_upsert: (\d+) of 44 rows taken, 0 rejected/ ? $1 : 0;
cmp_ok($taken, '>=', 20, 'it says how far it is') or diag($stderr);
cmp_ok($taken, '<=', 41, '... after ten seconds');

# --- a load that is killed ---

$node->safe_psql('postgres', 'TRUNCATE items');
my $pid_query = q{SELECT pid FROM pg_stat_activity WHERE application_name = 'load'};
my $load = IPC::Run::start(
	[
		'psql', '-XAtq', '-d', $node->connstr('postgres') . ' application_name=load', '-c',
		q{CREATE TEMP TABLE stage AS
		  SELECT i AS id, ARRAY[i % 7, random(), 0, 0, i % 11, random(), 0, i]::vector AS v
		  FROM generate_series(1, 200000) i},
		'-c', q{SELECT inserted FROM vector_bulk_upsert('items', 'stage')}
	],
	'<', \undef, '>', \my $load_output, '2>', \my $load_errors, IPC::Run::timeout(120));
ok($node->poll_query_until('postgres', q{
		SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE application_name = 'load' AND relation = 'items'::regclass AND mode = 'RowExclusiveLock'}),
	'a load writes');
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM ($pid_query) s");
$load->finish;
is($load_output, '', 'it is killed while it writes');
is($node->safe_psql('postgres', 'SELECT count(*) FROM items'), '0', 'none of its rows stays');
$node->safe_psql('postgres', 'VACUUM items');
index_is_sound($node, 'items_v', 'after a load that was killed');

$node->stop;
done_testing();
