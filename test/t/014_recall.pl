# How many of the true neighbours a search finds, by metric and codec: floors that a change of codes,
# search or build must not fall below.
#
# VECTOR_EXT_DATA names a folder with fashion-mnist as base.u8.npy.gz and queries.u8.npy.gz, without
# which that part is skipped; VECTOR_EXT_ROWS says how many of its 60,000 rows to take, 20,000 by
# default.

use strict;
use warnings FATAL => 'all';

use IO::Uncompress::Gunzip;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my %operators = (l2 => '<->', ip => '<#>', cosine => '<=>', l1 => '<+>');
my $n_queries = 200;
my $n_real_rows = $ENV{VECTOR_EXT_ROWS} // 20000;

my $node = start_node('recall', 'shared_buffers = 512MB', 'max_wal_size = 4GB', 'autovacuum = off',
	'log_statement = none', 'maintenance_work_mem = 512MB', 'checkpoint_timeout = 1h');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');

# recall@10 from the ids that both ways of searching give, without the help of hnsw_recall.
sub recall_by_ids
{
	my ($table, $queries, $operator, $ef_search) = @_;
	my $search = sub {
		my ($settings) = @_;
		return split(/\n/, $node->safe_psql('postgres', qq{
			$settings
			SELECT q.id, a.id FROM $queries q, LATERAL (
				SELECT id FROM $table ORDER BY v $operator q.v LIMIT 10) a}));
	};
	my %exact = map { $_ => 1 } $search->('SET enable_indexscan = off;');
	my @found = $search->("SET enable_seqscan = off; SET hnsw.ef_search = $ef_search;");
	return grep({ $exact{$_} } @found) / keys %exact;
}

# The index of `table` by `metric` reaches the floor, whichever way recall is measured.
sub reaches_floor
{
	my ($table, $metric, $ef_search, $floor) = @_;
	my $name = "$table by $metric at ef_search $ef_search";
	my $told = recall_of($node, "${table}_v", "${table}_queries", $ef_search);
	my $found = recall_by_ids($table, "${table}_queries", $operators{$metric}, $ef_search);
	cmp_ok($told, '>=', $floor, "$name: hnsw_recall reaches $floor");
	cmp_ok($found, '>=', $floor, "$name: the ids found reach $floor");
	# Equal distances make the ids ambiguous, but not what counts as found.
	cmp_ok(abs($told - $found), '<=', 0.003, "$name: both agree");
	note("$name: hnsw_recall $told, by ids $found");
	return;
}

sub make_index
{
	my ($table, $metric, $type) = @_;
	$type //= 'vector';
	$node->safe_psql('postgres', qq{
		DROP INDEX IF EXISTS ${table}_v;
		CREATE INDEX ${table}_v ON $table USING hnsw (v ${type}_${metric}_ops)});
	index_is_sound($node, "${table}_v", "$table by $metric");
	return;
}

# --- generated vectors ---

# Table, rows, dimensions, and per metric the floors at ef_search 10 and 40.
my @sets = (
	[ 'small', 10000, 24, {
		l2 => [ 0.91, 0.98 ], ip => [ 0.88, 0.98 ],
		cosine => [ 0.92, 0.98 ], l1 => [ 0.86, 0.97 ] } ],
	[ 'middle', 10000, 128, {
		l2 => [ 0.97, 0.99 ], ip => [ 0.95, 0.99 ],
		cosine => [ 0.96, 0.99 ], l1 => [ 0.95, 0.99 ] } ],
	[ 'wide', 5000, 384, {
		l2 => [ 0.97, 0.99 ], ip => [ 0.95, 0.99 ],
		cosine => [ 0.97, 0.99 ], l1 => [ 0.95, 0.99 ] } ]);
for my $set (@sets)
{
	my ($table, $n_rows, $n_dims, $floors) = @$set;
	load_vectors($node, $table, $n_rows + $n_queries, $n_dims, 9);
	$node->safe_psql('postgres', qq{
		CREATE TABLE ${table}_queries AS SELECT * FROM $table WHERE id > $n_rows;
		DELETE FROM $table WHERE id > $n_rows;
		VACUUM ANALYZE $table});
	for my $metric (sort keys %$floors)
	{
		make_index($table, $metric);
		reaches_floor($table, $metric, 10, $floors->{$metric}[0]);
		reaches_floor($table, $metric, 40, $floors->{$metric}[1]);
	}
}

# Half precision is no harder to search.
for my $set (grep { $_->[0] ne 'small' } @sets)
{
	my ($table, undef, $n_dims, $floors) = @$set;
	$node->safe_psql('postgres', qq{
		DROP INDEX ${table}_v;
		ALTER TABLE $table ALTER v TYPE halfvec($n_dims);
		ALTER TABLE ${table}_queries ALTER v TYPE halfvec($n_dims);
		VACUUM ANALYZE $table});
	for my $metric (sort keys %$floors)
	{
		make_index($table, $metric, 'halfvec');
		reaches_floor($table, $metric, 10, $floors->{$metric}[0]);
		reaches_floor($table, $metric, 40, $floors->{$metric}[1]);
	}
}

# --- real vectors ---

# Loads at most `n_rows` rows of an array of bytes, in NumPy's form.
sub load_bytes
{
	my ($table, $path, $n_rows) = @_;
	my $npy = IO::Uncompress::Gunzip->new($path) or die "could not read $path";
	my ($start, $header, $row);
	$npy->read($start, 10) == 10 && $start =~ /^\x93NUMPY\x01/ or die "$path is no NumPy file";
	$npy->read($header, unpack('v', substr($start, 8)));
	my ($n_there, $n_dims) = $header =~ /'descr': '\|u1'.*'shape': \((\d+), (\d+)\)/
	  or die "$path does not hold rows of bytes";
	$n_rows = $n_there if $n_there < $n_rows;
	my $copy = $node->basedir . "/$table.copy";
	open(my $file, '>:raw', $copy) or die "could not write $copy: $!";
	print $file "PGCOPY\n\xff\r\n\0", pack('N N', 0, 0);
	for my $id (1 .. $n_rows)
	{
		$npy->read($row, $n_dims) == $n_dims or die "$path is cut short";
		print $file pack('n N q> N n n (f>)*', 2, 8, $id, 4 + 4 * $n_dims, $n_dims, 0,
			unpack('C*', $row));
	}
	print $file pack('n', 0xffff);
	close($file) or die "could not write $copy: $!";
	$node->safe_psql('postgres', qq{
		CREATE TABLE $table (id bigint PRIMARY KEY, v vector($n_dims));
		COPY $table FROM '$copy' (FORMAT binary);
		ANALYZE $table});
	unlink $copy;
	return;
}

# Rows that drift along one way are, by cosine, a cone: the latest lie at its tip and are the nearest
# to all. A vacuum that chose lists anew by nearness alone would leave links to these only, and no way
# to the others, which are the answers to queries from outside the cone.
sub keeps_ways_out_of_a_cone
{
	my ($m) = @_;
	$node->safe_psql('postgres', qq{
		CREATE FUNCTION noise(key bigint) RETURNS float8 LANGUAGE SQL IMMUTABLE STRICT
		RETURN sqrt(-2 * ln((1 + (hashint8extended(key, 7) & 1048575)) / 1048577.0))
			* cos(2 * pi() * (hashint8extended(key, 8) & 1048575) / 1048576.0);
		CREATE FUNCTION drift(i integer, version integer) RETURNS vector LANGUAGE SQL IMMUTABLE STRICT
		RETURN (SELECT array_agg(i / 400.0 * noise(j) + 0.3 * noise(100000
				+ (version * 10000 + i) * 64::bigint + j) ORDER BY j)::vector
			FROM generate_series(1, 64) j);
		CREATE TABLE outside AS SELECT i AS id, drift(i, 99) AS v FROM generate_series(1, 40) i;
		CREATE TABLE cone (id int, v vector(64)) WITH (autovacuum_enabled = off);
		INSERT INTO cone SELECT i, drift(i, 0) FROM generate_series(1, 300) i;
		CREATE INDEX cone_v ON cone USING hnsw (v vector_cosine_ops) WITH (m = $m, ef_construction = 96);
		SET vector_ext.insert_batch = 0;
		UPDATE cone SET v = drift(id, 1) WHERE id % 3 = 1;
		INSERT INTO cone SELECT i, drift(i, 0) FROM generate_series(1727, 2026) i});
	my $before = recall_of($node, 'cone_v', 'outside', 40);
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) cone');
	my $after = recall_of($node, 'cone_v', 'outside', 40);
	cmp_ok($after, '>=', $before - 0.03, "m = $m, a cone: recall is kept by vacuum (before: $before)");
	$node->safe_psql('postgres', 'DROP TABLE cone, outside; DROP FUNCTION drift, noise');
}

keeps_ways_out_of_a_cone($_) for (16, 48);

SKIP:
{
	my $folder = $ENV{VECTOR_EXT_DATA};
	skip 'VECTOR_EXT_DATA has no fashion-mnist', 4
	  unless defined $folder && -r "$folder/base.u8.npy.gz" && -r "$folder/queries.u8.npy.gz";
	load_bytes('fashion', "$folder/base.u8.npy.gz", $n_real_rows);
	load_bytes('fashion_queries', "$folder/queries.u8.npy.gz", $n_queries);
	make_index('fashion', 'l2');
	reaches_floor('fashion', 'l2', 40, 0.99);
}

$node->stop;
done_testing();
