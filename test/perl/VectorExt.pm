# What the TAP tests share: a running server, errors by SQLSTATE, generated vectors, and what must
# hold for every index.

package VectorExt;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use Test::More;

our @EXPORT = qw(start_node error_is copy_file same_lines load_vectors index_is_sound
  finds_every_row recall_of start_pgbench);

# A new, running server with these lines in its configuration.
sub start_node
{
	my ($name, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', join("\n", 'fsync = off', @settings));
	$node->start;
	return $node;
}

# `sql` fails with `sqlstate`; when given, `hint` matches what follows the error's message.
sub error_is
{
	my ($node, $database, $sql, $sqlstate, $test_name, $hint) = @_;
	my ($status, $stdout, $stderr) = $node->psql(
		$database, $sql,
		on_error_stop => 1,
		extra_params => [ '--set', 'VERBOSITY=verbose' ]);
	my ($found) = $stderr =~ /ERROR:  (\w{5}): /;
	if (($found // 'no error') ne $sqlstate)
	{
		fail($test_name);
		diag("expected $sqlstate, got: $stderr");
	}
	elsif (defined $hint)
	{
		like($stderr, qr/^HINT:  .*$hint/m, $test_name);
	}
	else
	{
		pass($test_name);
	}
	return;
}

# Writes a binary COPY file of rows with one column, whose messages are given; returns its path.
sub copy_file
{
	my ($node, $name, @messages) = @_;
	my $path = $node->basedir . "/$name.copy";
	open(my $file, '>:raw', $path) or die "could not write $path: $!";
	print $file "PGCOPY\n\xff\r\n\0", pack('N N', 0, 0),
	  (map { pack('n N', 1, length $_) . $_ } @messages), pack('n', 0xffff);
	close($file) or die "could not write $path: $!";
	return $path;
}

# As is(), for long results: a failure shows the first lines that differ.
sub same_lines
{
	my ($got, $expected, $test_name) = @_;
	return pass($test_name) if $got eq $expected;
	my @got = split(/\n/, $got);
	my @expected = split(/\n/, $expected);
	my $i = 0;
	$i++ while $i < @got && $i < @expected && $got[$i] eq $expected[$i];
	fail($test_name);
	diag('line ', $i + 1, ': got ', $got[$i] // 'the end', ', expected ', $expected[$i] // 'the end');
	return;
}

# Makes `table` (id bigint PRIMARY KEY, v vector(n_dims)) of generated vectors: clusters, whose
# coordinates decay so that neighbours exist at any number of dimensions. The same seed gives the
# same vectors on every machine.
sub load_vectors
{
	my ($node, $table, $n_rows, $n_dims, $seed) = @_;
	my $n_clusters = 100;
	srand($seed);
	my @scales = map { $_**-0.4 } 1 .. $n_dims;
	my @centres = map { [ map { $_ * (rand() + rand() - 1) } @scales ] } 1 .. $n_clusters;
	my $path = $node->basedir . "/$table.copy";
	open(my $file, '>:raw', $path) or die "could not write $path: $!";
	print $file "PGCOPY\n\xff\r\n\0", pack('N N', 0, 0);
	for my $id (1 .. $n_rows)
	{
		my $centre = $centres[ rand($n_clusters) ];
		my $i = 0;
		my @vector = map { $_ + $scales[ $i++ ] * (rand() + rand() - 1) } @$centre;
		print $file pack('n N q> N n n (f>)*', 2, 8, $id, 4 + 4 * $n_dims, $n_dims, 0, @vector);
	}
	print $file pack('n', 0xffff);
	close($file) or die "could not write $path: $!";
	$node->safe_psql('postgres', qq{
		CREATE TABLE $table (id bigint PRIMARY KEY, v vector($n_dims));
		COPY $table FROM '$path' (FORMAT binary);
		ANALYZE $table});
	unlink $path;
	return;
}

# hnsw_check has nothing to say about the index and its table.
sub index_is_sound
{
	my ($node, $index, $test_name) = @_;
	is($node->safe_psql('postgres', "SELECT * FROM hnsw_check('$index', true) LIMIT 10"),
		'', "$test_name: hnsw_check($index) finds nothing");
	return;
}

# A search by index that goes on to the end returns each row of the table once.
sub finds_every_row
{
	my ($node, $table, $test_name) = @_;
	is($node->safe_psql('postgres', qq{
		SET enable_seqscan = off;
		SET hnsw.iterative_scan = relaxed_order;
		SET hnsw.max_scan_tuples = 2000000000;
		SET hnsw.scan_mem_multiplier = 100;
		WITH found AS MATERIALIZED (
			SELECT id FROM $table
			ORDER BY v <-> (SELECT v FROM $table WHERE v IS NOT NULL LIMIT 1) LIMIT 2000000000)
		SELECT count(*) = (SELECT count(v) FROM $table), count(*) = count(DISTINCT id) FROM found}),
		't|t', "$test_name: the index of $table finds every row once");
	return;
}

# recall@10 for a table of queries.
sub recall_of
{
	my ($node, $index, $queries, $ef_search) = @_;
	return $node->safe_psql('postgres',
		"SELECT recall FROM hnsw_recall('$index', 10, '{$ef_search}', 1000, '$queries')");
}

# Starts pgbench with these arguments and scripts, [ weight, text ] each; the caller finishes it.
# `output` is a reference to a string.
sub start_pgbench
{
	my ($node, $output, $name, $arguments, @scripts) = @_;
	my @files;
	for my $script (@scripts)
	{
		my ($weight, $text) = @$script;
		my $path = $node->basedir . "/$name." . scalar(@files) . '.sql';
		open(my $file, '>', $path) or die "could not write $path: $!";
		print $file $text;
		close($file) or die "could not write $path: $!";
		push @files, '-f', "$path\@$weight";
	}
	return IPC::Run::start(
		[ 'pgbench', '-n', @$arguments, @files, '-d', $node->connstr('postgres') ],
		'<', \undef, '>&', $output, IPC::Run::timeout(600));
}

1;
