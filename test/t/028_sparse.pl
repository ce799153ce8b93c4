# Indexes on sparse vectors like those of learned term weights: 30,522 dims, 60 to 250 entries, words as
# frequent as in a text. However rows come in, they are found as well; so they are after most have
# gone; damaged codes are told.

use strict;
use warnings FATAL => 'all';

use IndexFile;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_dims = 30522;
my $n_rows = 3000;
my $n_queries = 100;

my $node = PostgreSQL::Test::Cluster->new('sparse');
$node->init;
disable_checksums($node);
$node->append_conf('postgresql.conf', q{
	fsync = off
	autovacuum = off
	shared_buffers = 256MB
	maintenance_work_mem = 256MB
	max_wal_size = 4GB
	checkpoint_timeout = 1h
	log_statement = none
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');

srand(28);
# The k-th most frequent word comes with probability 1 / k, nearly.
sub draw_word { return int(exp(rand() * log($n_dims))) }
my @topics = map { [ map { draw_word() } 1 .. 150 ] } 1 .. 100;
# Frequent words have any index.
my @index_of = sort { rand() <=> 0.5 } 1 .. $n_dims;

# Half of the words are of a topic, and weigh more.
sub vector
{
	my ($n_least, $n_most) = @_;
	my $topic = $topics[ rand @topics ];
	my $n = $n_least + int(rand($n_most - $n_least + 1));
	my %weights;
	while (keys %weights < $n)
	{
		my $is_of_topic = rand() < 0.5;
		my $word = $is_of_topic ? $topic->[ rand @$topic ] : draw_word();
		$weights{ $index_of[ $word - 1 ] } = sprintf('%.3f', 0.01 + rand() * ($is_of_topic ? 2 : 1));
	}
	return '{' . join(',', map { "$_:$weights{$_}" } sort { $a <=> $b } keys %weights) . "}/$n_dims";
}

sub write_file
{
	my ($name, $n, @sizes) = @_;
	my $path = $node->basedir . "/$name.copy";
	open(my $file, '>', $path) or die "could not write $path: $!";
	print $file "$_\t", vector(@sizes), "\n" for 1 .. $n;
	close($file) or die "could not write $path: $!";
	return $path;
}

my $rows = write_file('rows', $n_rows, 60, 250);
my $queries = write_file('queries', $n_queries, 20, 60);
$node->safe_psql('postgres', qq{
	CREATE TABLE queries (id int, v sparsevec($n_dims));
	COPY queries FROM '$queries';
	CREATE TABLE built (id int PRIMARY KEY, v sparsevec($n_dims));
	COPY built FROM '$rows';
	ANALYZE built});

# The table `name` whose index is there before its rows come.
sub make_table
{
	my ($name, $class) = @_;
	$node->safe_psql('postgres', qq{
		CREATE TABLE $name (LIKE built INCLUDING ALL);
		CREATE INDEX ${name}_v ON $name USING hnsw (v sparsevec_${class}_ops)});
	return;
}

# --- the same rows by every way ---

my %floors = (ip => [ 0.97, 0.99 ], cosine => [ 0.97, 0.99 ], l2 => [ 0.96, 0.98 ], l1 => [ 0.95, 0.98 ]);
for my $class (sort keys %floors)
{
	$node->safe_psql('postgres', qq{
		DROP INDEX IF EXISTS built_v;
		CREATE INDEX built_v ON built USING hnsw (v sparsevec_${class}_ops)});
	index_is_sound($node, 'built_v', "built by $class");
	my @found = map { recall_of($node, 'built_v', 'queries', $_) } 40, 100;
	note("built by $class: recall @found");
	cmp_ok($found[0], '>=', $floors{$class}[0], "built by $class: recall at ef_search 40");
	cmp_ok($found[1], '>=', $floors{$class}[1], "built by $class: recall at ef_search 100");
}

$node->safe_psql('postgres', 'DROP INDEX built_v; CREATE INDEX built_v ON built USING hnsw (v sparsevec_ip_ops)');
my @built = map { recall_of($node, 'built_v', 'queries', $_) } 40, 100;
$node->safe_psql('postgres', q{
	DROP INDEX built_v;
	SET max_parallel_maintenance_workers = 2;
	SET maintenance_work_mem = '64MB';
	ALTER TABLE built SET (parallel_workers = 2);
	CREATE INDEX built_v ON built USING hnsw (v sparsevec_ip_ops)});
my %ways = (
	'single rows' => q{SET vector_ext.insert_batch = 0; INSERT INTO single SELECT * FROM built},
	'COPY' => qq{COPY copied FROM '$rows'},
	'in batches' => q{SET vector_ext.insert_batch = '4MB'; INSERT INTO batches SELECT * FROM built});
make_table($_, 'ip') for qw(single copied batches);
$node->safe_psql('postgres', $ways{$_}) for sort keys %ways;
for my $table (qw(built single copied batches))
{
	index_is_sound($node, "${table}_v", $table);
	my @found = map { recall_of($node, "${table}_v", 'queries', $_) } 40, 100;
	note("$table: recall @found");
	cmp_ok($found[0], '>=', $built[0] - 0.02, "$table: as good at ef_search 40 as a build");
	cmp_ok($found[1], '>=', $built[1] - 0.01, "$table: as good at ef_search 100 as a build");
}

# --- own vectors, equal ones, and few that stay ---

# Of one length: a long vector is farther from its neighbours than those are from each other.
make_table('kept', 'l2');
$node->safe_psql('postgres', qq{
	INSERT INTO kept SELECT id, l2_normalize(v) FROM built;
	INSERT INTO kept SELECT id + 100000, v FROM kept WHERE id % 10 = 0;
	INSERT INTO kept SELECT id + 200000, v FROM kept WHERE id < 5000 AND id % 10 = 0});
is($node->safe_psql('postgres', "SELECT nodes FROM hnsw_info('kept_v')"), $n_rows,
	'equal vectors are one node');

# How many of a sample of rows a search for their own vectors misses.
sub n_missed
{
	return $node->safe_psql('postgres', qq{
		SET enable_seqscan = off;
		SELECT count(*) FROM (SELECT * FROM kept WHERE id % 7 = 3 ORDER BY id LIMIT 400) q
		WHERE NOT EXISTS (SELECT FROM (SELECT v <-> q.v AS d FROM kept ORDER BY v <-> q.v LIMIT 1) a
			WHERE d = 0)});
}
is(n_missed(), '0', 'rows are found by their own vectors');
finds_every_row($node, 'kept', 'with equal vectors');
index_is_sound($node, 'kept_v', 'with equal vectors');

$node->safe_psql('postgres', 'DELETE FROM kept WHERE id % 4 > 0');
$node->safe_psql('postgres', 'VACUUM kept');
is(n_missed(), '0', 'after VACUUM rows are found by their own vectors');
finds_every_row($node, 'kept', 'after VACUUM');
index_is_sound($node, 'kept_v', 'after VACUUM');
# Few rows and few queries: one build differs from the next by as much as 0.02.
is_as_good_as_fresh($node, 'kept_v', 'queries', 'after VACUUM', 0.05);
$node->safe_psql('postgres', qq{
	INSERT INTO kept SELECT id + 300000, l2_normalize(v) FROM built WHERE id % 4 > 0});
is(n_missed(), '0', 'with rows in the places of others');
index_is_sound($node, 'kept_v', 'with rows in the places of others');
is_as_good_as_fresh($node, 'kept_v', 'queries', 'with rows in the places of others', 0.05);

# --- rows of more entries than codes have room for ---

# The index is made for the rows of its table, then come others, of up to as many as there can be.
my $long = write_file('long', 300, 400, 3000);
$node->safe_psql('postgres', qq{
	CREATE TABLE long (LIKE built INCLUDING ALL);
	INSERT INTO long SELECT * FROM built WHERE id <= 500;
	CREATE INDEX long_v ON long USING hnsw (v sparsevec_l2_ops);
	CREATE TEMPORARY TABLE more (LIKE built);
	COPY more FROM '$long';
	INSERT INTO long SELECT id + 100000, v FROM more});
index_is_sound($node, 'long_v', 'long rows');
# What a code had no room for makes a row look as far from itself as from others: of the best 40 by codes
# it may be none.
my %missed = map { $_ => $node->safe_psql('postgres', qq{
	SET enable_seqscan = off;
	SET hnsw.ef_search = $_;
	SET vector_ext.exact_order = on;
	SELECT count(*) FROM (SELECT * FROM long WHERE id > 100000 LIMIT 100) q
	WHERE NOT EXISTS (SELECT FROM (SELECT v <-> q.v AS d FROM long ORDER BY v <-> q.v LIMIT 1) a
		WHERE d = 0)}) } (40, 400);
cmp_ok($missed{40}, '<=', 3, 'nearly all long rows are found by their own vectors');
is($missed{400}, '0', 'all of them with a wider candidate list');
finds_every_row($node, 'long', 'long rows');

# --- damage ---

# A copy of the index file with some bytes of a node's code changed.
my $path = $node->data_dir . '/' .
  $node->safe_psql('postgres', q{SELECT pg_relation_filepath('long_v')});
$node->stop;
my $sound = slurp_file($path);
my %damages = (
	'more entries than there is room for' => [ 8, pack('V', 0x7fffffff) ],
	'fewer entries' => [ 8, pack('V', 1) ],
	'another norm' => [ 0, pack('d<', -1) ],
	'a value that is no number' => [ 12, pack('V', 0x7fc00000) ],
	'another value' => [ 12, pack('f<', 1e30) ],
	'the last index of all first' => [ undef, pack('v', 0xffff) ]);
for my $what (sort keys %damages)
{
	my ($offset, $bytes) = @{ $damages{$what} };
	my $pages = [ unpack('(a' . PAGE . ')*', $sound) ];
	my $index = read_index($pages);
	my $record = find_record($index, NODE);
	$offset //= 12 + 4 * get($index, $record, $index->{code_offset} + 8, 'V');
	put($index, $record, $index->{code_offset} + $offset, $bytes);
	write_pages($path, $pages);
	$node->start;
	is($node->safe_psql('postgres', q{
		SELECT severity, node FROM hnsw_check('long_v') LIMIT 1}), "damage|$record->{id}", "$what: it is told");
	my ($status, $stdout, $stderr) = $node->psql('postgres', q{
		SET enable_seqscan = off;
		SELECT count(*) FROM (SELECT FROM long ORDER BY v <-> (SELECT v FROM queries LIMIT 1) LIMIT 900) s});
	ok($status == 0 || $stderr =~ /order|damaged/, "$what: a search ends") or diag($stderr);
	$node->stop;
}
write_pages($path, [ unpack('(a' . PAGE . ')*', $sound) ]);
$node->start;
index_is_sound($node, 'long_v', 'as it was');
$node->stop;

done_testing();
