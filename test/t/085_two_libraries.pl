# pgvector's package and this project, each in a server of its own: a database goes from one to the
# other by streaming, by logical replication, by pg_upgrade and as a dump, and back, and holds the same
# rows and answers the same. Skipped where apt has no package of pgvector for the server.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my @settings = ('fsync = off', 'wal_level = logical', 'max_wal_senders = 8', 'autovacuum = off', 'jit = off');

# A copy of the server's files with pgvector's package in place of what is ours. The server finds its
# files relative to its programs. Returns undef where there is no package.
sub server_of_pgvector
{
	my ($bin, $lib, $share) = map { my ($path) = run_command([ 'pg_config', "--$_" ]); $path }
	  qw(bindir pkglibdir sharedir);
	my ($version) = $bin =~ m{/(\d+)/bin$} or return;
	my $folder = PostgreSQL::Test::Utils::tempdir();
	my $output = '';
	IPC::Run::run([ 'apt-get', '-q', 'download', "postgresql-$version-pgvector" ],
		'>&', \$output, init => sub { chdir $folder }, IPC::Run::timeout(120))
	  or return;
	my ($package) = glob "$folder/*.deb" or return;
	(my $installed = $bin) =~ s{/bin$}{};
	system_or_bail('cp', '-a', '--parents', $installed, $share, $folder);
	unlink glob("$folder$lib/vector*.so $folder$share/extension/vector*");
	system_or_bail('dpkg', '-x', $package, $folder);
	return "$folder$installed";
}

my ($share) = run_command([ 'pg_config', '--sharedir' ]);
plan skip_all => 'pgvector is installed: extension vector is its own'
  unless -e "$share/extension/vector_tools.control";
my $theirs_path = server_of_pgvector()
  or plan skip_all => 'apt has no package of pgvector for this server';

# A new cluster that is not running: with pgvector's library, or with ours.
sub theirs { return PostgreSQL::Test::Cluster->new($_[0], install_path => $theirs_path) }
sub ours { return PostgreSQL::Test::Cluster->new($_[0]) }

sub start_new
{
	my ($node) = @_;
	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', join("\n", @settings));
	$node->start;
	return $node;
}

# Each type, with vectors of row i and a query.
my %values = (
	vector => [ 'vector(3)', 'ARRAY[i % 17, i % 23, i % 31]::vector', "'[5,6,7]'", '<->' ],
	halfvec => [ 'halfvec(3)', 'ARRAY[i % 13, i % 23, i % 31]::vector::halfvec', "'[5,6,7]'", '<=>' ],
	sparsevec => [ 'sparsevec(9)', 'ARRAY[i % 17, 0, 0, 0, i % 11, 0, 0, 0, i % 31]::vector::sparsevec', "'{1:5,9:7}/9'", '<#>' ],
	bit => [ 'bit(12)', '(i % 4096)::bit(12)', "B'101010101010'", '<~>' ]);
my %classes = (
	vector => 'vector_l2_ops',
	halfvec => 'halfvec_cosine_ops',
	sparsevec => 'sparsevec_ip_ops',
	bit => 'bit_hamming_ops');
my @shapes = qw(plain lists parts partial defaults);
my @tables = map { my $type = $_; map { "${type}_$_" } @shapes } sort keys %values;

# Twenty tables: five of each type.
sub schema
{
	my $sql = "CREATE EXTENSION IF NOT EXISTS vector;\n";
	for my $type (sort keys %values)
	{
		my ($column, $value, $query, $operator) = @{ $values{$type} };
		my $index = "USING hnsw (v $classes{$type})";
		my $lists = $type eq 'sparsevec' ? $index : "USING ivfflat (v $classes{$type}) WITH (lists = 5)";
		my $domain = $type eq 'vector' ? 'CREATE DOMAIN place AS vector(3) CHECK (vector_norm(VALUE) < 1000);' : '';
		my $more = $type eq 'vector' ? "more $column\[], place place DEFAULT '[1,2,3]'" : "more $column\[]";
		$sql .= qq{
			CREATE TABLE ${type}_plain (id int PRIMARY KEY, v $column);
			CREATE TABLE ${type}_lists (id int PRIMARY KEY, v $column);
			CREATE TABLE ${type}_parts (id int PRIMARY KEY, v $column) PARTITION BY RANGE (id);
			CREATE TABLE ${type}_parts_1 PARTITION OF ${type}_parts FOR VALUES FROM (0) TO (400);
			CREATE TABLE ${type}_parts_2 PARTITION OF ${type}_parts FOR VALUES FROM (400) TO (9999999);
			CREATE TABLE ${type}_partial (id int PRIMARY KEY, v $column);
			$domain
			CREATE TABLE ${type}_defaults (id int PRIMARY KEY, v $column DEFAULT $query, $more);
			INSERT INTO ${type}_plain SELECT i, $value FROM generate_series(1, 800) i;
			INSERT INTO ${type}_lists TABLE ${type}_plain;
			INSERT INTO ${type}_parts TABLE ${type}_plain;
			INSERT INTO ${type}_partial TABLE ${type}_plain;
			INSERT INTO ${type}_defaults (id, v, more) SELECT id, v, ARRAY[v, NULL] FROM ${type}_plain;
			INSERT INTO ${type}_defaults (id) SELECT generate_series(801, 810);
			CREATE INDEX ON ${type}_plain $index;
			CREATE INDEX ON ${type}_lists $lists;
			CREATE INDEX ON ${type}_parts $index;
			CREATE INDEX ON ${type}_partial $index WITH (m = 8, ef_construction = 40) WHERE id % 2 = 0;
			CREATE INDEX ON ${type}_defaults $index;
			CREATE VIEW ${type}_seen AS SELECT id, v $operator $query AS distance FROM ${type}_plain;
			CREATE MATERIALIZED VIEW ${type}_kept AS SELECT id, v FROM ${type}_plain WHERE id % 3 = 0;
			CREATE INDEX ON ${type}_kept $index;
			CREATE FUNCTION nearest($type) RETURNS int LANGUAGE sql STABLE AS
				'SELECT id FROM ${type}_plain ORDER BY v $operator \$1, id LIMIT 1';
		};
	}
	return $sql;
}

# Some rows come, change and go in every table.
sub changes
{
	my ($first) = @_;
	my $sql = '';
	for my $table (@tables)
	{
		my ($type) = $table =~ /^([a-z]+)_/;
		my $value = $values{$type}[1];
		$sql .= qq{
			INSERT INTO $table (id, v) SELECT i, $value FROM generate_series($first, $first + 19) i;
			INSERT INTO $table (id, v) VALUES ($first + 20, NULL);
			UPDATE $table SET v = (SELECT v FROM $table WHERE id = 1) WHERE id IN (5, $first + 1);
			DELETE FROM $table WHERE id IN (6, $first + 2);
		};
	}
	return $sql;
}

# Every row, and the nearest by exact search.
sub answers
{
	my ($node, $database) = @_;
	my $sql = "SET enable_indexscan = off;\n";
	for my $table (@tables)
	{
		my ($type) = $table =~ /^([a-z]+)_/;
		my ($column, $value, $query, $operator) = @{ $values{$type} };
		$sql .= qq{
			SELECT '$table', count(*), md5(string_agg(t::text, E'\\n' ORDER BY id)) FROM $table t;
			SELECT id, v, v $operator $query FROM $table WHERE v IS NOT NULL ORDER BY v $operator $query, id LIMIT 4;
		};
	}
	$sql .= qq{
		SELECT '$_', count(*), md5(string_agg(t::text, E'\\n' ORDER BY id)) FROM ${_}_seen t;
		SELECT '$_', count(*), md5(string_agg(t::text, E'\\n' ORDER BY id)) FROM ${_}_kept t;
		SELECT nearest($values{$_}[2]::$values{$_}[0]);
	} for sort keys %values;
	my ($status, $stdout, $stderr) = $node->psql($database, $sql, on_error_stop => 1);
	return $status == 0 ? $stdout : "failed: $stderr";
}

# Makes all indexes of the server's own library.
sub reindex
{
	my ($node, $database) = @_;
	$node->safe_psql($database, "SET client_min_messages = warning; REINDEX DATABASE $database");
	return;
}

# Whether every index is used, and those of ours give as many rows as they are asked for.
sub indexes_serve
{
	my ($node, $database, $test_name) = @_;
	my $sql = "SET enable_seqscan = off; SET enable_sort = off; SET hnsw.ef_search = 1000; SET ivfflat.probes = 5;\n";
	$sql .= join '', map {
		my ($type) = /^([a-z]+)_/;
		my ($column, $value, $query, $operator) = @{ $values{$type} };
		my $where = /_partial$/ ? 'id % 2 = 0' : 'true';
		"EXPLAIN (COSTS off) SELECT id FROM $_ WHERE $where ORDER BY v $operator $query LIMIT 300;
		SELECT count(*) FROM (SELECT id FROM $_ WHERE $where ORDER BY v $operator $query LIMIT 300) t;\n"
	} @tables;
	my ($status, $stdout, $stderr) = $node->psql($database, $sql, on_error_stop => 1);
	is($stderr, '', "$test_name: no message");
	is(scalar(() = $stdout =~ /^300$/mg), scalar(@tables), "$test_name: all of LIMIT")
	  if !$node->install_path;
	is(scalar(() = $stdout =~ /Index Scan using \w+_v_idx/g), @tables + scalar(keys %values),
		"$test_name: by every index");
	return;
}

sub indexes_are_sound
{
	my ($node, $database, $test_name) = @_;
	is($node->safe_psql($database, q{
		CREATE EXTENSION vector_tools;
		SELECT c.relname, f.problem FROM pg_class c JOIN pg_am a ON a.oid = c.relam, hnsw_check(c.oid, true) f
		WHERE a.amname IN ('hnsw', 'ivfflat') AND c.relkind = 'i';
		SELECT count(*) FROM vector_foreign_indexes();
		DROP EXTENSION vector_tools}), '0', $test_name);
	return;
}

sub dump_of
{
	my ($node, $database, @options) = @_;
	my ($stdout, $stderr) = run_command(
		[ $node->installed_command('pg_dump'), @options, '-d', $node->connstr($database) ]);
	return $stdout;
}

# The lines of a dump, but for the key that is another each time, in an order of their own: rows of
# different sizes may come to lie otherwise.
sub comparable
{
	my ($dump) = @_;
	return join("\n", sort grep { !/^\\(un)?restrict / } split(/\n/, $dump));
}

# --- streaming: a standby with the other library takes over ---

my $theirs = start_new(theirs('theirs'));
$theirs->safe_psql('postgres', 'CREATE DATABASE d');
my ($status, $stdout, $stderr) = $theirs->psql('d', schema(), on_error_stop => 1);
is($status, 0, "pgvector makes twenty tables") or diag($stderr);
my $answers = answers($theirs, 'd');

$theirs->backup('first');
my $ours = ours('ours');
$ours->init_from_backup($theirs, 'first', has_streaming => 1);
$ours->start;
$theirs->wait_for_catchup($ours);
same_lines(answers($ours, 'd'), $answers, 'a standby with our library answers as its primary');
$theirs->safe_psql('d', changes(1001));
$theirs->safe_psql('d', 'VACUUM');
$theirs->wait_for_catchup($ours);
$answers = answers($theirs, 'd');
same_lines(answers($ours, 'd'), $answers, 'and goes on after changes and VACUUM');

$ours->promote;
($status, $stdout, $stderr) = $ours->psql('d', changes(2001), on_error_stop => 1);
is($status, 0, 'promoted it takes changes') or diag($stderr);
($status, $stdout, $stderr) = $ours->psql('d', 'VACUUM', on_error_stop => 1);
is($status, 0, 'and VACUUM') or diag($stderr);
$theirs->safe_psql('d', changes(2001));
$answers = answers($theirs, 'd');
same_lines(answers($ours, 'd'), $answers, 'both hold the same after the same changes');
reindex($ours, 'd');
indexes_serve($ours, 'd', 'after REINDEX');
indexes_are_sound($ours, 'd', 'hnsw_check finds nothing');

$ours->backup('second');
my $back = theirs('back');
$back->init_from_backup($ours, 'second', has_streaming => 1);
$back->start;
$ours->wait_for_catchup($back);
# It reads an index whenever it plans.
error_is($back, 'd', "SELECT * FROM vector_plain ORDER BY v <-> '[1,2,3]' LIMIT 1", 'XX000',
	"pgvector refuses an index of ours, and does not misread it");
$back->promote;
reindex($back, 'd');
same_lines(answers($back, 'd'), $answers, 'after REINDEX it answers as ours');
is($back->safe_psql('d', changes(3001) . 'SELECT count(*) FROM vector_plain'), '859', 'and takes changes');
$back->stop;

# --- row for row: a scan that does not go on ends where pgvector's does ---

$theirs->safe_psql('d', 'CREATE TABLE shape AS SELECT i AS id,
	ARRAY[sin(i), cos(i * 1.3), sin(i * 0.7)]::vector(3) AS v, i % 10 AS part FROM generate_series(1, 3000) i;
	CREATE INDEX shape_v ON shape USING hnsw (v vector_l2_ops)');
$ours->safe_psql('d', 'CREATE TABLE shape (id int, v vector(3), part int)');
$ours->safe_psql('d', $theirs->safe_psql('d', "SELECT format('INSERT INTO shape VALUES (%s, %L, %s);', id, v, part) FROM shape"));
$ours->safe_psql('d', 'CREATE INDEX shape_v ON shape USING hnsw (v vector_l2_ops)');
for my $ef (1, 10, 40, 200)
{
	for my $limit (1, 10, 100, 1000)
	{
		my $search = "SET enable_seqscan = off; SET hnsw.ef_search = $ef; SET hnsw.iterative_scan = off;
			SELECT count(*) FROM (SELECT id FROM shape WHERE true ORDER BY v <-> '[0.1,0.2,0.3]' LIMIT $limit) t";
		is($ours->safe_psql('d', $search), $theirs->safe_psql('d', $search),
			"as many rows as pgvector at ef $ef, LIMIT $limit");
		# Which of the nearest match is the same if both find them all.
		$search =~ s/WHERE true/WHERE part < 5/;
		my $near = $ours->safe_psql('d', "SET enable_indexscan = off;
			SELECT least(count(*), $limit) FROM (SELECT part FROM shape ORDER BY v <-> '[0.1,0.2,0.3]' LIMIT $ef) t WHERE part < 5");
		is($ours->safe_psql('d', $search), $near, "as many of those that match, at ef $ef, LIMIT $limit");
		cmp_ok(abs($theirs->safe_psql('d', $search) - $near), '<=', 3, "pgvector too, but for some that it does not find");
	}
}
$_->safe_psql('d', 'DROP TABLE shape') for $ours, $theirs;

# --- logical replication ---

# Tables of `from` come to a new database of `to`, first as they are, then their changes.
sub replicates
{
	my ($from, $to, $name) = @_;
	my $first = $name eq 'forth' ? 4001 : 5001;
	$to->safe_psql('postgres', "CREATE DATABASE $name");
	my $schema = dump_of($from, 'd', '--schema-only');
	my ($status, $stdout, $stderr) = $to->psql($name, "SET client_min_messages = warning;\n$schema", on_error_stop => 1);
	is($status, 0, "$name: the schema restores") or diag($stderr);
	$from->safe_psql('d', "CREATE PUBLICATION $name FOR ALL TABLES WITH (publish_via_partition_root)");
	$to->safe_psql($name, sprintf(q{CREATE SUBSCRIPTION %s CONNECTION '%s dbname=d' PUBLICATION %s WITH (binary)},
			$name, $from->connstr, $name));
	$to->wait_for_subscription_sync($from, $name, $name);
	$from->safe_psql('d', changes($first));
	$from->wait_for_catchup($name);
	$to->safe_psql($name, "REFRESH MATERIALIZED VIEW ${_}_kept") for sort keys %values;
	$from->safe_psql('d', "REFRESH MATERIALIZED VIEW ${_}_kept") for sort keys %values;
	same_lines(answers($to, $name), answers($from, 'd'), "$name: the same rows and answers");
	$to->safe_psql($name, "DROP SUBSCRIPTION $name");
	$from->safe_psql('d', "DROP PUBLICATION $name");
	return;
}

replicates($theirs, $ours, 'forth');
indexes_serve($ours, 'forth', 'a subscriber of ours');
indexes_are_sound($ours, 'forth', 'hnsw_check finds nothing at the subscriber');
replicates($ours, $theirs, 'back');
indexes_serve($theirs, 'back', "a subscriber of pgvector's");

# --- dumps ---

# A dump of `from` restores into a new database of `to`.
sub restores
{
	my ($from, $to, $name) = @_;
	$to->safe_psql('postgres', "CREATE DATABASE $name");
	my $answers = answers($from, 'd');
	($status, $stdout, $stderr) = $to->psql($name, "SET client_min_messages = warning;\n" . dump_of($from, 'd'),
		on_error_stop => 1);
	is($status, 0, "$name: a plain dump restores") or diag($stderr);
	same_lines(answers($to, $name), $answers, "$name: the same rows and answers");
	indexes_serve($to, $name, $name);
	same_lines(comparable(dump_of($to, $name)), comparable(dump_of($from, 'd')), "$name: the same dump");
	my $file = $from->basedir . "/$name.dump";
	dump_of($from, 'd', '-Fc', '-f', $file);
	$to->safe_psql('postgres', "CREATE DATABASE ${name}_jobs");
	($stdout, $stderr) = run_command([ $to->installed_command('pg_restore'), '-j', '2', '-d', $to->connstr("${name}_jobs"), $file ]);
	unlike($stderr, qr/error/, "$name: two jobs restore it");
	same_lines(answers($to, "${name}_jobs"), $answers, "$name: the same rows and answers by two jobs");
	$to->safe_psql('postgres', "DROP DATABASE $_") for $name, "${name}_jobs";
	return;
}

restores($theirs, $ours, 'dump_forth');
restores($ours, $theirs, 'dump_back');

# --- pg_upgrade ---

sub upgrades
{
	my ($old, $new, $name) = @_;
	my $answers = answers($old, 'd');
	$old->stop;
	$new->init;
	$new->append_conf('postgresql.conf', join("\n", @settings));
	my $output = '';
	my $ok = IPC::Run::run(
		[ $new->installed_command('pg_upgrade'), '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir,
			'-b', $old->config_data('--bindir'), '-B', $new->config_data('--bindir'), '-s', $new->host,
			'-p', $old->port, '-P', $new->port ],
		'>&', \$output, init => sub { chdir $new->basedir }, IPC::Run::timeout(300));
	ok($ok, "$name: pg_upgrade") or diag($output);
	$new->start;
	# pgvector refuses indexes of ours until then.
	reindex($new, 'd') if $new->install_path;
	same_lines(answers($new, 'd'), $answers, "$name: the same rows and answers");
	reindex($new, 'd');
	indexes_serve($new, 'd', $name);
	return;
}

$_->safe_psql('postgres', join('', map { "DROP DATABASE IF EXISTS $_;\n" } qw(forth back))) for $ours, $theirs;
my $theirs_upgraded = ours('upgraded_forth');
upgrades($theirs, $theirs_upgraded, 'upgrade_forth');
indexes_are_sound($theirs_upgraded, 'd', 'hnsw_check finds nothing after pg_upgrade');
$theirs_upgraded->stop;
upgrades($ours, theirs('upgraded_back'), 'upgrade_back');

done_testing();
