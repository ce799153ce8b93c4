# What tests of vector-bulk share: files of vectors in every format, and running the program.

package VectorBulk;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use IPC::Run;
use JSON::PP;
use Test::More;

our @EXPORT = qw(bulk bulk_ok bulk_fails start_bulk npy write_file vector_rows numbers csv_text jsonl_text
  copy_binary);

# Runs vector-bulk on the node's database; returns exit code, standard output, standard error.
sub bulk
{
	my ($node, @arguments) = @_;
	my ($stdout, $stderr) = ('', '');
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	local $ENV{PGAPPNAME} = 'vector-bulk';
	my $input = ref $arguments[-1] ? pop @arguments : \undef;
	IPC::Run::run([ 'vector-bulk', @arguments ], '<', $input, '>', \$stdout, '2>', \$stderr,
		IPC::Run::timeout(120));
	return ($? & 127 ? 128 + ($? & 127) : $? >> 8, $stdout, $stderr);
}

# Starts it in the background; the caller finishes or kills it.
sub start_bulk
{
	my ($node, $output, @arguments) = @_;
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	local $ENV{PGAPPNAME} = 'vector-bulk';
	return IPC::Run::start([ 'vector-bulk', @arguments ],
		'<', \undef, '>&', $output, IPC::Run::timeout(120));
}

# It succeeds; returns its standard output.
sub bulk_ok
{
	my ($node, $test_name, @arguments) = @_;
	my ($code, $stdout, $stderr) = bulk($node, @arguments);
	is($code, 0, $test_name) or diag($stderr);
	return $stdout;
}

# It ends with the exit code and a message that matches.
sub bulk_fails
{
	my ($node, $test_name, $expected, $pattern, @arguments) = @_;
	my ($code, undef, $stderr) = bulk($node, @arguments);
	is($code, $expected, "$test_name: exit code") or diag($stderr);
	like($stderr, $pattern, "$test_name: message");
	return;
}

sub write_file
{
	my ($path, $bytes) = @_;
	open(my $file, '>:raw', $path) or die "could not write $path: $!";
	print $file $bytes;
	close($file) or die "could not write $path: $!";
	return $path;
}

# A .npy file of these bytes; options descr, fortran, shape, version.
sub npy
{
	my ($data, $shape, %options) = @_;
	my $header = sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }",
		$options{descr} // '<f4', $options{fortran} ? 'True' : 'False', $shape);
	my $version = $options{version} // 1;
	my $length = $options{length} // length($header) + 1;
	return "\x93NUMPY" . chr($version) . "\0" . pack($version == 1 ? 'v' : 'V', $length)
	  . "$header\n" . $data;
}

# Row i of n: (i % 7, i, 0.5, -i, ...), exact in float32.
sub vector_rows
{
	my ($n, $dims) = @_;
	return map { my $i = $_; [ map { $_ % 2 ? $i * $_ : ($i % 7) / 4 - $_ } 0 .. $dims - 1 ] } 0 .. $n - 1;
}

sub numbers
{
	return pack('f<*', map { @$_ } @_);
}

sub vector_text
{
	my ($row) = @_;
	return '[' . join(',', @$row) . ']';
}

# id, title, embedding; ids from 0.
sub csv_text
{
	my @rows = @_;
	return "id,title,embedding\n" . join('', map {
		qq($_,"title ""$_""\nof two lines","${\ vector_text($rows[$_])}"\n) } 0 .. $#rows);
}

sub jsonl_text
{
	my @rows = @_;
	return join('', map {
		qq({"id": $_, "title": "t\\u00e9 $_", "meta": {"n": $_}, "embedding": ${\ vector_text($rows[$_])}}\n)
	} 0 .. $#rows);
}

# id, embedding
sub copy_binary
{
	my @rows = @_;
	return "PGCOPY\n\xff\r\n\0" . pack('NN', 0, 0) . join('', map {
		my $row = $rows[$_];
		pack('n N q> N n n f>*', 2, 8, $_, 4 + 4 * @$row, scalar(@$row), 0, @$row) } 0 .. $#rows)
	  . "\xff\xff";
}

1;
