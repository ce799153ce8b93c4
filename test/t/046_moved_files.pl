# Rows of a transaction that wait for an index whose file changes meanwhile: they come into the index
# that has their file, or a copy of it, and never into another one.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $node = start_node('moved_files', 'autovacuum = off', 'allow_in_place_tablespaces = on');
$node->safe_psql('postgres', q{CREATE EXTENSION vector_ext; CREATE SEQUENCE ids});
$node->safe_psql('postgres', q{CREATE TABLESPACE elsewhere LOCATION ''});

# Tables of this name, empty or with `n_rows` rows from `first` on, and an index.
sub make_table
{
	my ($name, $first, $n_rows) = @_;
	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS $name;
		CREATE TABLE $name (id bigint, v vector(3));
		ALTER TABLE $name ALTER COLUMN v SET STORAGE plain;
		INSERT INTO $name SELECT nextval('ids'), ARRAY[i % 97, i % 89, i % 83]::vector
			FROM generate_series($first, $first + $n_rows - 1) i;
		CREATE INDEX ${name}_v ON $name USING hnsw (v vector_l2_ops)});
	return;
}

sub has_rows
{
	my ($name, $n_rows, $test_name) = @_;
	is($node->safe_psql('postgres', "SELECT count(*) FROM $name"), $n_rows, "$test_name: $n_rows rows");
	index_is_sound($node, "${name}_v", $test_name);
	finds_every_row($node, $name, $test_name);
	return;
}

# SQL that inserts `n_rows` rows from `first` on.
sub insert_rows
{
	my ($name, $first, $n_rows) = @_;
	return qq{INSERT INTO $name SELECT nextval('ids'), ARRAY[i % 97, i % 89, i % 83]::vector
		FROM generate_series($first, $first + $n_rows - 1) i;};
}

# --- event triggers, which run after a command has been announced ---

make_table('items', 1, 500);
$node->safe_psql('postgres', q{
	CREATE FUNCTION note_command() RETURNS event_trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO items SELECT nextval('ids'), ARRAY[i % 97, i % 89, i % 83]::vector
		FROM generate_series(100001, 100000 + current_setting('test.n_noted', true)::int) i;
	END $$;
	CREATE EVENT TRIGGER noted ON ddl_command_start EXECUTE FUNCTION note_command()});
my $n_rows = 500;
for my $command (
	'ALTER INDEX items_v SET TABLESPACE elsewhere', 'ALTER INDEX items_v SET TABLESPACE pg_default',
	'ALTER TABLE items ADD COLUMN c1 integer', 'ALTER TABLE items ADD COLUMN c2 float DEFAULT random()',
	'ALTER TABLE items SET TABLESPACE elsewhere', 'ALTER TABLE items ALTER COLUMN v TYPE vector(3)',
	'ALTER TABLE items SET UNLOGGED', 'ALTER TABLE items SET LOGGED',
	'ALTER INDEX items_v SET (ef_search = 50)',
	'CREATE INDEX further ON items USING hnsw (v vector_l1_ops)', 'REINDEX TABLE items',
	'DROP INDEX further')
{
	# Few rows go in one by one, more as a batch; some wait before and behind the command as well.
	for my $n_noted (10, 200)
	{
		my ($status, undef, $stderr) = $node->psql('postgres', "SET test.n_noted = $n_noted; BEGIN;"
			. insert_rows('items', 200001, 100) . "$command;" . insert_rows('items', 300001, 100)
			. 'COMMIT', on_error_stop => 1);
		is($status, 0, "rows from an event trigger before $command") or diag($stderr);
		# REINDEX has event triggers from PostgreSQL 17 on.
		$n_rows = $node->safe_psql('postgres', 'SELECT count(*) FROM items');
		has_rows('items', $n_rows, $command);
		last if $command =~ /^(CREATE|DROP)|ADD COLUMN/;
	}
}
$node->safe_psql('postgres', 'DROP EVENT TRIGGER noted');
cmp_ok($n_rows, '>', 3000, 'the event trigger has run');

# --- files that are swapped in the catalogue ---

# What tools that rewrite a table beside it do at their end.
sub swap
{
	my @names = @_;
	return map { qq{
		UPDATE pg_class c SET relfilenode = other.relfilenode
		FROM pg_class other
		WHERE c.relname IN ('one$_', 'two$_') AND other.relname IN ('one$_', 'two$_') AND c.oid <> other.oid;}
	} @names;
}
my $search_one = q{SET LOCAL enable_seqscan = off;
	SELECT count(*) FROM (SELECT FROM one ORDER BY v <-> '[1,2,3]' LIMIT 100000) f;};

for my $n_waiting (10, 300)
{
	my $name = "$n_waiting rows";
	make_table('one', 1, 400);
	make_table('two', 1001, 300);
	my $found = $node->safe_psql('postgres', 'BEGIN; SET LOCAL hnsw.iterative_scan = relaxed_order;'
		. insert_rows('one', 5001, $n_waiting) . insert_rows('two', 6001, 2 * $n_waiting)
		. join('', swap('', '_v')) . $search_one . 'COMMIT');
	is($found, 300 + 2 * $n_waiting, "$name: a search in the same transaction finds what its table has now");
	has_rows('one', 300 + 2 * $n_waiting, "$name: swapped");
	has_rows('two', 400 + $n_waiting, "$name: swapped");

	# The same without a search, and more rows behind the swap.
	$node->safe_psql('postgres', 'BEGIN;' . insert_rows('one', 7001, $n_waiting)
		. insert_rows('two', 8001, 2 * $n_waiting) . join('', swap('', '_v'))
		. insert_rows('one', 9001, 20) . insert_rows('two', 10001, 30) . 'COMMIT');
	has_rows('one', 420 + 3 * $n_waiting, "$name: swapped back");
	has_rows('two', 330 + 3 * $n_waiting, "$name: swapped back");
}

# One of the tables goes with the swap; an index is made anew behind it.
make_table('one', 1, 400);
make_table('two', 1001, 300);
$node->safe_psql('postgres', 'BEGIN;' . insert_rows('one', 5001, 100) . insert_rows('two', 6001, 200)
	. join('', swap('', '_v')) . 'DROP TABLE two; COMMIT');
has_rows('one', 500, 'swapped, and the other table dropped');
make_table('two', 1001, 300);
$node->safe_psql('postgres', 'BEGIN;' . insert_rows('one', 5001, 100) . insert_rows('two', 6001, 200)
	. join('', swap('', '_v')) . 'REINDEX INDEX two_v; COMMIT');
has_rows('one', 500, 'swapped, and the other index made anew');
has_rows('two', 600, 'swapped, and the index made anew');

# A change that is taken back.
$node->safe_psql('postgres', 'BEGIN;' . insert_rows('one', 5001, 100) . join('', swap('', '_v')) . 'ROLLBACK');
has_rows('one', 500, 'a swap that is taken back');
has_rows('two', 600, 'a swap that is taken back');
$node->stop;

done_testing();
