# What the write-ahead log carries: a standby has the same pages, answers and sound indexes, is
# promoted, and recovery restores indexes that were made in the ways that log differently.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_rows = 3000;
my $n_more = 1000;

# --- a streaming standby, each page compared after its replay ---

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', q{
	fsync = off
	wal_consistency_checking = 'generic'
	wal_keep_size = 2GB
	max_wal_size = 1GB
	max_prepared_transactions = 5
	autovacuum = off
});
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', q{
	shared_buffers = 2MB
	max_standby_streaming_delay = -1
});
$standby->start;

$primary->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($primary, 'pool', $n_rows + $n_more, 260, 3);
$primary->safe_psql('postgres', q{
	CREATE TABLE wide (LIKE pool INCLUDING ALL);
	CREATE TABLE narrow (id bigint PRIMARY KEY, v vector(24));
});

sub same_answers
{
	my ($test_name) = @_;
	$primary->wait_for_catchup($standby);
	for my $table ('wide', 'narrow')
	{
		# The same pages give the same ids and distances.
		my $search = qq{
			SET enable_seqscan = off;
			SELECT q.id, a.id, a.d FROM (SELECT id, v FROM $table ORDER BY id LIMIT 100) q,
				LATERAL (SELECT id, v <-> q.v AS d FROM $table ORDER BY v <-> q.v LIMIT 10) a};
		same_lines($standby->safe_psql('postgres', $search),
			$primary->safe_psql('postgres', $search),
			"$test_name: the standby finds the same in $table");
		# Pages that were never written to are not logged: the files may differ in length.
		my $info = "SELECT nodes, dead, unlinked, links_avg, layers FROM hnsw_info('${table}_v')";
		is($standby->safe_psql('postgres', $info), $primary->safe_psql('postgres', $info),
			"$test_name: the standby has the same index of $table");
		index_is_sound($_, "${table}_v", $test_name . ' on ' . $_->name) for $primary, $standby;
	}
	return;
}

$primary->safe_psql('postgres', qq{
	INSERT INTO wide SELECT * FROM pool WHERE id <= $n_rows;
	INSERT INTO narrow SELECT id, subvector(v, 1, 24)::vector(24) FROM pool WHERE id <= $n_rows;
	CREATE INDEX wide_v ON wide USING hnsw (v vector_l2_ops);
	CREATE INDEX narrow_v ON narrow USING hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 32)});
same_answers('after the build');

$primary->safe_psql('postgres', qq{
	INSERT INTO wide SELECT * FROM pool WHERE id > $n_rows;
	INSERT INTO wide SELECT id + 1000000, v FROM pool WHERE id % 10 = 0;
	INSERT INTO narrow SELECT id, subvector(v, 1, 24)::vector(24) FROM pool WHERE id > $n_rows;
	INSERT INTO narrow
		SELECT 1000000 + i, v FROM narrow, generate_series(1, 200) i WHERE id = 1});
same_answers('after inserts');

$primary->safe_psql('postgres', q{
	DELETE FROM wide WHERE id % 3 = 0;
	DELETE FROM narrow WHERE id % 3 = 0;
	UPDATE wide SET v = (SELECT v FROM pool p WHERE p.id = wide.id + 1) WHERE id % 50 = 1;
	VACUUM wide, narrow});
same_answers('after deletes and vacuum');

$primary->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY narrow_v');
$primary->safe_psql('postgres', q{
	INSERT INTO wide SELECT id + 2000000, v FROM pool WHERE id % 3 = 0;
	DELETE FROM wide WHERE id < 1000;
	VACUUM wide;
	ALTER INDEX wide_v SET (ef_search = 80)});
same_answers('after slots were used again');

# --- promotion ---

$primary->safe_psql('postgres', q{
	BEGIN;
	INSERT INTO wide SELECT id + 3000000, v FROM pool LIMIT 100;
	PREPARE TRANSACTION 'prepared';
	CREATE UNLOGGED TABLE passing (id bigint, v vector(260));
	CREATE INDEX passing_v ON passing USING hnsw (v vector_cosine_ops);
	INSERT INTO passing SELECT * FROM pool LIMIT 500});
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', "SELECT hnsw_is_foreign('passing_v'); SELECT count(*) FROM vector_foreign_indexes()"),
	"f\n0", 'a standby has no file of an unlogged index');
error_is($standby, 'postgres', "SELECT * FROM $_('passing_v')", '0A000', "$_ says so")
  for qw(hnsw_info hnsw_check hnsw_recall);
$primary->stop('immediate');
$standby->promote;
is($standby->safe_psql('postgres', q{
	SELECT count(*) FROM passing;
	INSERT INTO passing SELECT * FROM pool LIMIT 500;
	SELECT count(*) FROM passing}), "0\n500", 'an unlogged table starts empty');
index_is_sound($standby, 'passing_v', 'unlogged, after promotion');
finds_every_row($standby, 'wide', 'after promotion');
$standby->safe_psql('postgres', q{
	COMMIT PREPARED 'prepared';
	INSERT INTO wide SELECT id + 4000000, v FROM pool LIMIT 500;
	DELETE FROM wide WHERE id < 2000;
	VACUUM wide;
	INSERT INTO narrow SELECT id + 4000000, subvector(v, 1, 24)::vector(24) FROM pool LIMIT 500});
for my $table ('wide', 'narrow')
{
	index_is_sound($standby, "${table}_v", 'writing after promotion');
	finds_every_row($standby, $table, 'writing after promotion');
}
$standby->stop;

# --- recovery with the least log ---

my $node = start_node('minimal', 'wal_level = minimal', 'max_wal_senders = 0',
	'wal_skip_threshold = 0', 'max_prepared_transactions = 5', 'autovacuum = off');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'pool', 1000, 260, 4);

$node->safe_psql('postgres', q{
	BEGIN;
	CREATE TABLE together (LIKE pool);
	CREATE INDEX together_v ON together USING hnsw (v vector_l2_ops);
	INSERT INTO together SELECT * FROM pool WHERE id <= 500;
	COMMIT;
	BEGIN;
	CREATE TABLE later (LIKE pool);
	INSERT INTO later SELECT * FROM pool WHERE id <= 500;
	CREATE INDEX later_v ON later USING hnsw (v vector_l2_ops);
	INSERT INTO later SELECT * FROM pool WHERE id > 500;
	COMMIT;
	CREATE TABLE emptied (LIKE pool);
	CREATE INDEX emptied_v ON emptied USING hnsw (v vector_l2_ops);
	INSERT INTO emptied SELECT * FROM pool WHERE id <= 300;
	BEGIN;
	TRUNCATE emptied;
	INSERT INTO emptied SELECT * FROM pool WHERE id > 300;
	COMMIT;
	CREATE TABLE aborted (LIKE pool);
	CREATE INDEX aborted_v ON aborted USING hnsw (v vector_l2_ops);
	INSERT INTO aborted SELECT * FROM pool WHERE id <= 300;
	BEGIN;
	TRUNCATE aborted;
	INSERT INTO aborted SELECT * FROM pool WHERE id > 300;
	ROLLBACK;
	CREATE UNLOGGED TABLE unlogged (LIKE pool);
	INSERT INTO unlogged SELECT * FROM pool WHERE id <= 500;
	CREATE INDEX unlogged_v ON unlogged USING hnsw (v vector_l2_ops);
	INSERT INTO unlogged SELECT * FROM pool WHERE id > 500;
	CREATE UNLOGGED TABLE becomes (LIKE pool);
	CREATE INDEX becomes_v ON becomes USING hnsw (v vector_l2_ops);
	INSERT INTO becomes SELECT * FROM pool;
	ALTER TABLE becomes SET LOGGED;
	CREATE TABLE prepared (LIKE pool);
	CREATE INDEX prepared_v ON prepared USING hnsw (v vector_l2_ops);
	INSERT INTO prepared SELECT * FROM pool WHERE id <= 500;
});
for my $half ('commit', 'rollback')
{
	my $first = $half eq 'commit' ? 501 : 751;
	$node->safe_psql('postgres', qq{
		BEGIN;
		INSERT INTO prepared SELECT * FROM pool WHERE id BETWEEN $first AND $first + 249;
		PREPARE TRANSACTION '$half'});
}
index_is_sound($node, "${_}_v", 'before the crash')
  for 'together', 'later', 'emptied', 'aborted', 'unlogged', 'becomes', 'prepared';
$node->stop('immediate');
$node->start;

my %n_rows = (together => 500, later => 1000, emptied => 700, aborted => 300, unlogged => 0,
	becomes => 1000, prepared => 500);
for my $table (sort keys %n_rows)
{
	is($node->safe_psql('postgres', "SELECT count(*) FROM $table"),
		$n_rows{$table}, "after the crash: $table has its rows");
	index_is_sound($node, "${table}_v", 'after the crash');
	finds_every_row($node, $table, 'after the crash');
}
$node->safe_psql('postgres', q{
	INSERT INTO unlogged SELECT * FROM pool;
	ROLLBACK PREPARED 'rollback';
	COMMIT PREPARED 'commit'});
is($node->safe_psql('postgres', 'SELECT count(*) FROM prepared'),
	'750', 'the prepared transaction was committed');
for my $round ('before vacuum', 'after vacuum')
{
	for my $table ('prepared', 'unlogged')
	{
		index_is_sound($node, "${table}_v", "writing after the crash, $round");
		finds_every_row($node, $table, "writing after the crash, $round");
	}
	$node->safe_psql('postgres', 'VACUUM prepared, unlogged');
}
$node->stop;
done_testing();
