# What the TAP tests share: a running server, and errors by SQLSTATE.

package VectorExt;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use Test::More;

our @EXPORT = qw(start_node error_is copy_file);

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

1;
