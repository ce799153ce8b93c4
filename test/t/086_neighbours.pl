# Beside what stands around databases in production: pg_stat_statements and auto_explain in the same
# server, postgres_fdw between two, pgbouncer in front of one.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VectorExt;

my $node = start_node('neighbours',
	"shared_preload_libraries = 'pg_stat_statements, auto_explain, vector_ext'",
	'auto_explain.log_min_duration = 0', 'auto_explain.log_analyze = on', 'max_prepared_transactions = 5');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext; CREATE EXTENSION pg_stat_statements');
load_vectors($node, 'items', 2000, 16, 5);
$node->safe_psql('postgres', 'CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops)');
my $query = $node->safe_psql('postgres', 'SELECT v FROM items WHERE id = 7');

# --- pg_stat_statements and auto_explain ---

my $log_start = -s $node->logfile;
for my $id (7, 8, 9)
{
	my $near = $node->safe_psql('postgres', "SELECT v FROM items WHERE id = $id");
	is($node->safe_psql('postgres', "SELECT id FROM items ORDER BY v <-> '$near' LIMIT 1"), $id,
		"row $id is found by its vector");
}
is($node->safe_psql('postgres', q{
	SELECT calls, rows FROM pg_stat_statements WHERE query = 'SELECT id FROM items ORDER BY v <-> $1 LIMIT $2'}),
	'3|3', 'pg_stat_statements takes searches for one statement');
like(slurp_file($node->logfile, $log_start), qr/Index Scan using items_v on items .*actual .*rows=1/,
	'auto_explain logs the scan');
$node->safe_psql('postgres', 'BEGIN; INSERT INTO items SELECT id + 10000, v FROM items; COMMIT');
finds_every_row($node, 'items', 'rows that were gathered beside both');

# --- postgres_fdw ---

my $front = start_node('front');
$front->safe_psql('postgres', sprintf(q{
	CREATE EXTENSION vector_ext;
	CREATE EXTENSION postgres_fdw;
	CREATE SERVER back FOREIGN DATA WRAPPER postgres_fdw
		OPTIONS (host '%s', port '%s', dbname 'postgres', extensions 'vector_ext');
	CREATE USER MAPPING FOR CURRENT_USER SERVER back;
	CREATE FOREIGN TABLE items (id bigint, v vector(16)) SERVER back;
	CREATE TABLE parts (id bigint, v vector(16)) PARTITION BY RANGE (id);
	CREATE TABLE parts_here PARTITION OF parts FOR VALUES FROM (1000000) TO (2000000);
	CREATE INDEX parts_here_v ON parts_here USING hnsw (v vector_l2_ops);
	CREATE FOREIGN TABLE parts_there PARTITION OF parts FOR VALUES FROM (0) TO (1000000)
		SERVER back OPTIONS (table_name 'items');
	INSERT INTO parts SELECT id + 1000000, v FROM items WHERE id BETWEEN 1 AND 1000},
	$node->host, $node->port));
my $nearest = $node->safe_psql('postgres', "SELECT id, v <-> '$query' FROM items ORDER BY v <-> '$query', id LIMIT 5");
is($front->safe_psql('postgres', "SELECT id, v <-> '$query' FROM items ORDER BY v <-> '$query', id LIMIT 5"),
	$nearest, 'postgres_fdw gives the same rows');
like($front->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS off) SELECT id FROM items ORDER BY v <-> '$query' LIMIT 5"),
	qr/Remote SQL: .* ORDER BY .*<->.* LIMIT 5/, 'and sends order and LIMIT, so that the index serves');
is($front->safe_psql('postgres', "SELECT id FROM parts ORDER BY v <-> '$query', id LIMIT 3"), "7\n10007\n1000007",
	'partitions here and there give the nearest of all');
is($front->safe_psql('postgres', "
	INSERT INTO items VALUES (77777, '$query');
	UPDATE items SET id = 77778 WHERE v <-> '$query' = 0 AND id = 77777;
	SELECT count(*) FROM items WHERE v <-> '$query' = 0"), '3', 'writes go through it');
index_is_sound($node, 'items_v', 'after postgres_fdw');

# --- pgbouncer ---

my ($bouncer) = grep { -x } qw(/usr/sbin/pgbouncer /usr/bin/pgbouncer);
SKIP:
{
	skip('no pgbouncer', 9) unless $bouncer;
	my $folder = PostgreSQL::Test::Utils::tempdir_short();
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $user = $node->safe_psql('postgres', 'SELECT current_user');
	append_to_file("$folder/users", qq{"$user" ""\n});
	append_to_file("$folder/ini", join("\n", '[databases]',
			sprintf('postgres = host=%s port=%s', $node->host, $node->port), '[pgbouncer]',
			"unix_socket_dir = $folder", "listen_port = $port", 'auth_type = trust', "auth_file = $folder/users",
			'pool_mode = transaction', 'default_pool_size = 2', "logfile = $folder/log", ''));
	my $output = '';
	my $running = IPC::Run::start([ $bouncer, "$folder/ini" ], '>&', \$output);
	for (1 .. 100)
	{
		last if -S "$folder/.s.PGSQL.$port";
		sleep 0.1;
	}
	# Clients share two sessions: settings of a transaction are its own.
	my $connection = "host=$folder port=$port user=$user dbname=postgres";
	my @clients = map {
		my ($client, $sql) = ($_, '');
		$sql .= "BEGIN; SET LOCAL hnsw.ef_search = " . (100 + $client) . "; SELECT id FROM items ORDER BY v <-> '$query', id LIMIT 1;
			SHOW hnsw.ef_search; COMMIT; SHOW hnsw.ef_search;\n" for 1 .. 20;
		{ number => $client, sql => $sql, out => '' };
	} 1 .. 6;
	$_->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $connection ], '<', \$_->{sql}, '>&', \$_->{out}, IPC::Run::timeout(120))
	  for @clients;
	$_->{run}->finish for @clients;
	is($_->{out}, join('', ("7\n" . (100 + $_->{number}) . "\n40\n") x 20), "client $_->{number} of pgbouncer has its own settings")
	  for @clients;
	my $rows = '';
	ok(IPC::Run::run([ 'psql', '-XAtq', '-d', $connection ], '<', \qq{
		BEGIN;
		INSERT INTO items SELECT id + 200000, v FROM items WHERE id <= 1000;
		COMMIT;
		BEGIN;
		INSERT INTO items SELECT id + 300000, v FROM items WHERE id <= 1000;
		ROLLBACK;
		SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> '$query' LIMIT 5000) s;
		}, '>&', \$rows, IPC::Run::timeout(120)), 'loads go through it');
	is($rows, "5000\n", 'and rows are found');
	index_is_sound($node, 'items_v', 'after pgbouncer');
	$running->signal('INT');
	$running->finish;
}

$front->stop;
$node->stop;
done_testing();
