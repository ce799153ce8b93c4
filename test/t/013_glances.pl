# Glances, reads of codes without a pin, change speed and nothing else: the same answers at rest, no
# failure when pages move under them.
#
# VECTOR_EXT_SECONDS is the length of each load, 5 by default.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_seconds = $ENV{VECTOR_EXT_SECONDS} // 5;
my $n_rows = 5000;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', q{
	fsync = off
	shared_buffers = 256MB
	max_wal_size = 1GB
	wal_keep_size = 2GB
	log_statement = none
});
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($primary, 'wide', $n_rows, 260, 6);
load_vectors($primary, 'middle', $n_rows, 64, 7);
load_vectors($primary, 'narrow', $n_rows, 16, 8);
my @tables = ('wide', 'middle', 'narrow');
for my $table (@tables)
{
	$primary->safe_psql('postgres', qq{
		CREATE INDEX ${table}_v ON $table USING hnsw (v vector_l2_ops);
		CREATE TABLE ${table}_pool AS TABLE $table});
}
$primary->backup('base');

# The answers of searches that walk much of the index, with and without glances.
sub same_answers
{
	my ($node, $test_name) = @_;
	for my $table (@tables)
	{
		my %answers;
		for my $glances ('on', 'off')
		{
			$answers{$glances} = $node->safe_psql('postgres', qq{
				SET vector_ext.glance_reads = $glances;
				SET enable_seqscan = off;
				SET hnsw.ef_search = 100;
				SELECT q.id, a.id, a.d FROM (SELECT id, v FROM ${table}_pool
						WHERE id % 50 = 0 ORDER BY id) q,
					LATERAL (SELECT id, v <-> q.v AS d FROM $table ORDER BY v <-> q.v LIMIT 50) a});
		}
		same_lines($answers{on}, $answers{off},
			"$test_name: $table has the same answers without glances");
		cmp_ok(scalar(split(/\n/, $answers{on})), '>=', 5000, "$test_name: $table has answers");
	}
	return;
}

same_answers($primary, 'at rest');
# --- beside writers and vacuum ---

my $pick = "\\set id random(1, $n_rows)\n\\set from random(1, $n_rows)\n";

sub writing_scripts
{
	return map {
		[ 5, "$pick INSERT INTO $_ SELECT * FROM ${_}_pool WHERE id = :id ON CONFLICT DO NOTHING;\n" ],
		[ 5, "$pick DELETE FROM $_ WHERE id = :id;\n" ],
		[ 1, "VACUUM $_;\n" ]
	} @tables;
}

sub reading_scripts
{
	return map {
		my $table = $_;
		map { [ 5, "$pick SET vector_ext.glance_reads = $_;
			SELECT id FROM $table ORDER BY v <-> (SELECT v FROM ${table}_pool WHERE id = :from)
			LIMIT 20;\n" ] } 'on', 'off'
	} @tables;
}

sub run_load
{
	my ($test_name, $writer, $reader) = @_;
	my ($written, $read) = ('', '');
	my %offsets = map { $_->name => -s $_->logfile } $writer, $reader;
	my $writers = start_pgbench($writer, \$written, 'writers', [ '-c', 3, '-T', $n_seconds ],
		writing_scripts());
	my $readers = start_pgbench($reader, \$read, 'readers', [ '-c', 3, '-T', $n_seconds ],
		reading_scripts());
	$_->finish for $writers, $readers;
	is($writers->result(0), 0, "$test_name: no writer fails") or diag($written);
	is($readers->result(0), 0, "$test_name: no reader fails") or diag($read);
	for my $node ($writer, $reader)
	{
		my @errors = grep { /(ERROR|FATAL|PANIC|WARNING):/ && !/conflict with recovery/ }
		  split(/\n/, substr(slurp_file($node->logfile), $offsets{ $node->name }));
		is("@errors", '', "$test_name: nothing fails on " . $node->name);
	}
	return;
}

run_load('many buffers', $primary, $primary);
same_answers($primary, 'after writers');
index_is_sound($primary, "${_}_v", 'after writers') for @tables;

# --- buffers are far fewer than pages ---

$primary->append_conf('postgresql.conf', "shared_buffers = 1MB\n");
$primary->restart;
same_answers($primary, 'few buffers');
run_load('few buffers', $primary, $primary);
same_answers($primary, 'few buffers after writers');
index_is_sound($primary, "${_}_v", 'few buffers after writers') for @tables;

# --- on a standby under replay ---

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', q{
	shared_buffers = 2MB
	hot_standby_feedback = on
	max_standby_streaming_delay = -1
});
$standby->start;
$primary->wait_for_catchup($standby);
same_answers($standby, 'on a standby');
run_load('on a standby', $primary, $standby);
$primary->wait_for_catchup($standby);
same_answers($standby, 'on a standby after replay');
index_is_sound($standby, "${_}_v", 'on a standby after replay') for @tables;

$standby->stop;
$primary->stop;
done_testing();
