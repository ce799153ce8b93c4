# Runs the scripts of test/clients: one for each client, in a database of its own.

package Clients;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

our @EXPORT = qw(run_clients_of);

# What a script ends with when its client is not there; it has said why.
my $skipped = 77;

# Runs every `language`/test_NAME`suffix` by `command`. Checks that it succeeds, and that the indexes it
# left are sound.
sub run_clients_of
{
	my ($language, $suffix, @command) = @_;
	my $node = start_node("clients_$language");
	if ($node->safe_psql('postgres', q{
		SELECT count(*) FROM pg_available_extensions WHERE name = 'vector_tools'}) eq '0')
	{
		$node->stop;
		plan skip_all => 'pgvector is installed: extension vector is its own';
	}

	for my $script (sort glob "$FindBin::RealBin/../clients/$language/test_*$suffix")
	{
		my ($name) = $script =~ /test_(\w+)\Q$suffix\E$/;
	  SKIP:
		{
			my ($status, $out) = run_client($node, $name, @command, $script);
			skip("$name: $out", 2) if $status == $skipped;
			note($out);
			is($status, 0, "$name works with extension vector") or skip("$name failed", 1);
			has_sound_indexes($node, $name);
		}
	}
	$node->stop;
	return;
}

# Runs a command for a new database, NAME_client, which the environment names; returns its status and
# output.
sub run_client
{
	my ($node, $name, @command) = @_;
	my $out = '';
	$node->safe_psql('postgres', "CREATE DATABASE ${name}_client");
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGUSER} = $node->safe_psql('postgres', 'SELECT current_user');
	local $ENV{PGDATABASE} = "${name}_client";
	IPC::Run::run([@command], '<', \undef, '>&', \$out, IPC::Run::timeout(120));
	chomp($out);
	return ($? >> 8 || $?, $out);
}

sub has_sound_indexes
{
	my ($node, $name) = @_;
	is($node->safe_psql("${name}_client", q{
		CREATE EXTENSION vector_tools;
		SELECT count(*) > 0, string_agg(c.relname || ': ' || f.problem, E'\n')
		FROM pg_class c JOIN pg_am a ON a.oid = c.relam
			LEFT JOIN LATERAL hnsw_check(c.oid, true) f ON true
		WHERE a.amname = 'hnsw'}), 't|', "$name: hnsw_check finds nothing in its indexes");
	return;
}

1;
