# tune: its recall is that of hnsw_recall, it measures the index that is named and no other, proposes
# what reaches the recall, changes nothing and leaves nothing; errors have their exit codes.

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorBulk;
use VectorExt;

my $n_rows = 4000;
my $node = start_node('tune', 'shared_buffers = 128MB', 'autovacuum = off', 'jit = off',
	'max_parallel_workers_per_gather = 0');
# Where search_path does not lead.
$node->safe_psql('postgres', q{
	CREATE SCHEMA "Odd schema";
	CREATE EXTENSION vector_ext SCHEMA "Odd schema";
	ALTER DATABASE postgres SET search_path = public, "Odd schema"});
load_vectors($node, 'points', $n_rows + 100, 24, 60);
$node->safe_psql('postgres', qq{
	CREATE TABLE q AS SELECT * FROM points WHERE id > $n_rows;
	DELETE FROM points WHERE id > $n_rows;
	VACUUM ANALYZE points;
	CREATE INDEX good ON points USING hnsw (v vector_l2_ops) WITH (m = 8);
	CREATE INDEX poor ON points USING hnsw (v vector_l2_ops) WITH (m = 2, ef_construction = 4);
	ALTER DATABASE postgres SET search_path = public});

sub measured
{
	my ($name, @arguments) = @_;
	my ($status, $stdout, $stderr) = bulk($node, 'tune', '--output', 'json', @arguments);
	is($status, 0, "$name: tune succeeds") or diag($stderr);
	return decode_json($stdout);
}

sub recall_at
{
	my ($result, $ef_search) = @_;
	my ($setting) = grep { $_->{ef_search} == $ef_search } @{ $result->{settings} };
	return $setting->{recall};
}

# --- beside hnsw_recall ---

my $files_before = $node->safe_psql('postgres', 'SELECT count(*) FROM pg_class');
my $good = measured('queries of a table', 'good', '--queries', 'q', '--ef', '10,20,40');
is($good->{index}, 'public.good', 'it is the index that was named');
is($good->{queries}, 100, 'all queries are asked');
for my $ef_search (10, 20, 40)
{
	my $told = $node->safe_psql('postgres',
		qq{SELECT recall FROM "Odd schema".hnsw_recall('good', 10, '{$ef_search}', 100, 'q')});
	cmp_ok(abs(recall_at($good, $ef_search) - $told), '<', 1e-9,
		"ef_search $ef_search: recall is that of hnsw_recall, $told");
}
my $poor = measured('another index of the column', 'poor', '--queries', 'q', '--ef', '10,20,40',
	'--recall', '0.1');
for my $ef_search (10, 20, 40)
{
	my $told = $node->safe_psql('postgres',
		qq{SELECT recall FROM "Odd schema".hnsw_recall('poor', 10, '{$ef_search}', 100, 'q')});
	cmp_ok(abs(recall_at($poor, $ef_search) - $told), '<', 1e-9,
		"ef_search $ef_search: the other index is measured, $told");
}
cmp_ok(recall_at($poor, 10), '<', recall_at($good, 10) - 0.05, 'which is worse');

my ($small, $large) = @{ $good->{settings} }[0, -1];
cmp_ok($small->{pages}, '>', 0, 'pages are counted');
cmp_ok($large->{pages}, '>', $small->{pages}, 'more of them with a larger ef_search');
for my $setting (@{ $good->{settings} })
{
	ok($setting->{p50_us} > 0 && $setting->{p50_us} <= $setting->{p95_us}
		&& $setting->{p95_us} <= $setting->{p99_us}, "ef_search $setting->{ef_search}: times ascend");
	is(scalar @{ $setting->{recall_by_rank} }, 10, "ef_search $setting->{ef_search}: ten ranks");
	my $sum = 0;
	$sum += $_ for @{ $setting->{recall_by_rank} };
	cmp_ok(abs($sum / 10 - $setting->{recall}), '<', 1e-9, 'whose mean is the recall');
}

# --- sampled rows ---

my $sampled = measured('sampled rows', 'good', '--sample', 60);
is($sampled->{queries}, 60, 'so many rows are sampled');
# Counted, it would take the place of one neighbour of ten.
cmp_ok($sampled->{settings}[-1]{recall}, '>', 0.99, 'each is left out of its own answer, exact or not');
# A row finds itself before all others, even by a poor index; its neighbours it does not.
my $nearest = measured('the nearest other row', 'poor', '--sample', 200, '--k', 1, '--ef', 1,
	'--recall', '0.01');
cmp_ok(recall_at($nearest, 1), '<', 0.9, 'finding itself does not count');
note('recall@1 ', recall_at($nearest, 1));
my ($chosen) = grep { $_->{ef_search} == $sampled->{chosen_ef_search} } @{ $sampled->{settings} };
cmp_ok($chosen->{recall}, '>=', 0.95, 'the proposal reaches the recall');
is_deeply([ grep { $_->{ef_search} < $chosen->{ef_search} && $_->{recall} >= 0.95 }
	@{ $sampled->{settings} } ], [], 'and is the least that does');
is($sampled->{ef_search_now}, 40, 'the setting now is known');

# The proposal works as it stands.
$node->safe_psql('postgres', $_) for @{ $sampled->{sql} };
is($node->safe_psql('postgres', q{SELECT reloptions FROM pg_class WHERE relname = 'good'}),
	"{m=8,ef_search=$sampled->{chosen_ef_search}}", 'the proposed statements run');
is(measured('the option', 'good', '--sample', 10)->{ef_search_now}, $sampled->{chosen_ef_search},
	'and count as the setting now');

# --- a partial index of an expression, queries of a file, equal vectors ---

$node->safe_psql('postgres', q{
	SET search_path = public, "Odd schema";
	CREATE TABLE mixed (id bigint, v vector);
	INSERT INTO mixed SELECT id, v FROM points WHERE id <= 1500;
	INSERT INTO mixed SELECT id, '[1,2]' FROM generate_series(1, 50) id;
	INSERT INTO mixed SELECT id, NULL FROM generate_series(1, 50) id;
	CREATE INDEX mixed_v ON mixed USING hnsw ((v::vector(24)) vector_l2_ops)
		WHERE vector_dims(v) = 24;
	INSERT INTO mixed SELECT 1, (SELECT v FROM points WHERE id = 1) FROM generate_series(1, 30);
	ANALYZE mixed});
my $mixed = measured('a partial index', 'mixed', '--sample', 40, '--ef', '40,400');
is($mixed->{settings}[-1]{recall}, 1, 'a partial index of an expression is measured');
my $csv = $node->basedir . '/queries.csv';
$node->safe_psql('postgres', qq{COPY (SELECT v FROM q LIMIT 30) TO '$csv' (FORMAT csv, HEADER)});
my $filed = measured('a file', 'good', '--queries', $csv, '--ef', '20', '--recall', '0.5');
is($filed->{queries}, 30, 'queries come from a file');

# --- other builds ---

my $rebuilt = measured('rebuilds', 'good', '--sample', 40, '--rebuild', 'm=4,8',
	'ef_construction=16,64', '--rebuild-rows', 2000);
is_deeply([ map { "$_->{m} $_->{ef_construction}" } @{ $rebuilt->{rebuilds} } ],
	[ '8 64', '4 16', '4 64', '8 16' ], 'each combination is built, that of the index first');
cmp_ok(abs($rebuilt->{rebuild_rows} - 2000), '<', 400, 'on a sample');
ok(!(grep { $_->{build_seconds} <= 0 || $_->{index_bytes} <= 0 || !@{ $_->{settings} } }
	@{ $rebuilt->{rebuilds} }), 'time, size and recall of each are told');
$node->safe_psql('postgres', 'DROP TABLE mixed');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_class'), $files_before,
	'nothing is left behind');

# --- text ---

my ($status, $stdout, $stderr) = bulk($node, 'tune', 'good', '--queries', 'q');
is($status, 0, 'text is the default');
like($stdout, qr/^\s+ef_search\s+recall.*^\* \s*\d+\s/ms, 'it has a table with a chosen row');
like($stdout, qr/^With ef_search \d+ a search finds [\d.]+ % of the 10 nearest rows/m, 'and the answer');
like($stdout, qr/^\s+ALTER INDEX public\.good SET \(ef_search = \d+\);$/m, 'and the statement');

# --- what ends it ---

($status) = bulk($node, 'tune', 'poor', '--queries', 'q', '--recall', '1', '--ef', '10');
is($status, 1, 'a recall that is not reached: 1');
for my $case (
	[ 3, qr/there is no index or table "nothing"/, 'nothing' ],
	[ 3, qr/is not an hnsw index but a btree index/, 'points_pkey' ],
	[ 3, qr/has 2 hnsw indexes.*good.*poor/s, 'points' ],
	[ 3, qr/has no hnsw index/, 'q' ],
	[ 3, qr/there is no index or table "two words"/, 'two words' ],
	[ 3, qr/expected a share/, 'good', '--recall', '95' ],
	[ 3, qr/expected a share/, 'good', '--recall', 'nan' ],
	[ 3, qr/expected numbers from 1 to 1000/, 'good', '--ef', '10,x' ],
	[ 3, qr/no more rows than ef_search/, 'good', '--ef', '5' ],
	[ 3, qr/is the table that is searched/, 'good', '--queries', 'points' ],
	[ 3, qr/there is no file and no table/, 'good', '--queries', '/nowhere/q.npy' ],
	[ 3, qr/has no column of type/, 'good', '--queries', 'pg_class' ],
	[ 3, qr/could not write/, 'good', '--html', '/nowhere/report.html' ],
	[ 3, qr/expected m=/, 'good', '--rebuild', 'n=3' ],
	[ 3, qr/required/, ])
{
	my ($wanted, $message, @arguments) = @$case;
	my ($code, $out, $err) = bulk($node, 'tune', @arguments);
	is($code, $wanted, "tune @arguments: $wanted");
	like($err, $message, 'and says why');
	is($out, '', 'and prints no result');
}

index_is_sound_in_schema($_) for qw(good poor);

# As index_is_sound, with the extension in its schema.
sub index_is_sound_in_schema
{
	my ($index) = @_;
	is($node->safe_psql('postgres', qq{SELECT * FROM "Odd schema".hnsw_check('$index', true)}),
		'', "hnsw_check($index) finds nothing");
	return;
}

$node->stop;
done_testing();
