# The index in a whole server: other sessions' temporary tables, another format version, dump and
# restore, progress, auto_explain, pgvector's library in the same session.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('misc', "session_preload_libraries = 'auto_explain'",
	'auto_explain.log_min_duration = 0', 'auto_explain.log_analyze = on');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'points', 6000, 260, 15);

# --- progress ---

my $build = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c',
		'CREATE INDEX points_v ON points USING hnsw (v vector_l2_ops) WITH (ef_construction = 400)' ],
	'<', \undef, '>&', \my $output, IPC::Run::timeout(120));
my (%phases, $most_rows);
while ($build->pumpable)
{
	$build->pump_nb;
	my ($phase, $n_rows) = split(/\|/, $node->safe_psql('postgres', q{
		SELECT phase, tuples_done FROM pg_stat_progress_create_index}) || next);
	$phases{$phase} = 1;
	$most_rows = $n_rows if $n_rows > ($most_rows // 0);
}
$build->finish;
my @building = grep { /^building index: / } keys %phases;
cmp_ok(scalar(@building), '>=', 1, 'CREATE INDEX tells its phase') or diag(explain(\%phases));
cmp_ok($most_rows, '>', 0, 'CREATE INDEX counts rows');
index_is_sound($node, 'points_v', 'built');

# --- auto_explain ---

my $offset = -s $node->logfile;
$node->safe_psql('postgres', q{
	SET enable_seqscan = off;
	SELECT id FROM points ORDER BY v <-> (SELECT v FROM points WHERE id = 1) LIMIT 3});
like(substr(slurp_file($node->logfile), $offset), qr/Index Scan using points_v on .*actual/,
	'auto_explain logs the index scan');

# --- dump and restore ---

$node->safe_psql('postgres', q{
	CREATE INDEX points_part ON points USING hnsw ((subvector(v, 1, 9)::vector(9)) vector_cosine_ops)
		WITH (m = 8, ef_construction = 20, ef_search = 33) WHERE id > 5000;
	CREATE TABLE parted (id bigint, v vector(260)) PARTITION BY RANGE (id);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (301);
	CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (301) TO (601);
	CREATE INDEX parted_v ON parted USING hnsw (v vector_ip_ops);
	INSERT INTO parted SELECT * FROM points WHERE id <= 600});
my $dump = $node->basedir . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '-j', 2, '-d', $node->connstr('restored'), $dump ], 'pg_restore');
my $definitions = q{SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%hnsw%' ORDER BY 1};
is($node->safe_psql('restored', $definitions), $node->safe_psql('postgres', $definitions),
	'restored indexes have the same definitions');
is($node->safe_psql('restored', q{
	SELECT count(*) FROM pg_indexes, hnsw_check(indexname::regclass, true)
	WHERE indexdef LIKE '%hnsw%' AND indexname <> 'parted_v'}), '0', 'restored indexes are sound');
like($node->safe_psql('restored', q{
	SET enable_seqscan = off;
	SELECT id FROM points ORDER BY v <-> (SELECT v FROM points WHERE id = 1) LIMIT 1}),
	qr/^1$/, 'a restored index finds');

# --- temporary tables of other sessions ---

my $other = '';
my $in = q{
	CREATE TEMPORARY TABLE mine (id bigint, v vector(3));
	INSERT INTO mine SELECT i, ARRAY[i, 0, 1]::vector FROM generate_series(1, 100) i;
	CREATE INDEX mine_v ON mine USING hnsw (v vector_l2_ops);
	SELECT count(*) FROM hnsw_check('mine_v', true);
	SELECT id FROM mine ORDER BY v <-> '[42,0,1]' LIMIT 1;
	\echo ready
};
my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \$in, '>', \$other, IPC::Run::timeout(60));
$session->pump until $other =~ /ready/;
is($other, "0\n42\nready\n", 'a temporary index works in its own session');
my $mine = $node->safe_psql('postgres', q{SELECT oid FROM pg_class WHERE relname = 'mine_v'});
for my $tool ('hnsw_check', 'hnsw_info', 'hnsw_prewarm', 'hnsw_recall')
{
	error_is($node, 'postgres', "SELECT $tool($mine)", '0A000',
		"$tool refuses another session's temporary index");
}
$in .= "\\q\n";
$session->finish;

# --- an index of another format version ---

my $path = $node->data_dir . '/'
  . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('points_part')});
$node->stop;
disable_checksums($node);
open(my $file, '+<:raw', $path) or die "could not open $path: $!";
seek($file, 24 + 4, 0);
print $file pack('V', 99);
close($file) or die "could not write $path: $!";
$node->start;
my $search = q{
	SET enable_seqscan = off;
	SET enable_sort = off;
	SELECT id FROM points WHERE id > 5000
	ORDER BY subvector(v, 1, 9)::vector(9) <=> '[1,1,1,1,1,1,1,1,1]' LIMIT 3};
for my $sql ($search, q{INSERT INTO points SELECT id + 10000, v FROM points WHERE id = 6000},
	q{SELECT * FROM hnsw_check('points_part')}, q{SELECT * FROM hnsw_info('points_part')})
{
	my ($what) = $sql =~ /(hnsw_\w+|INSERT|ORDER BY)/;
	error_is($node, 'postgres', $sql, '0A000', "$what: another format version is refused", 'REINDEX');
}
$node->safe_psql('postgres', 'REINDEX INDEX points_part');
is(scalar(split(/\n/, $node->safe_psql('postgres', $search))), 3, 'REINDEX makes it usable again');
index_is_sound($node, 'points_part', 'after REINDEX');

# --- pgvector's library in the same session ---

SKIP:
{
	# Where vector_tools is there, so is our own extension vector.
	skip 'pgvector is not installed', 2 if $node->safe_psql('postgres', q{
		SELECT count(*) FILTER (WHERE name = 'vector') = 0 OR count(*) > 1
		FROM pg_available_extensions WHERE name IN ('vector', 'vector_tools')}) eq 't';
	error_is($node, 'postgres', "LOAD 'vector'; SELECT '[1,2]'::vector", '42710',
		'a session that has loaded pgvector gets an error');
	is($node->safe_psql('postgres', q{SELECT '[1,2]'::vector <-> '[4,6]'}), '5',
		'the next session works');
}

$node->stop;
done_testing();
