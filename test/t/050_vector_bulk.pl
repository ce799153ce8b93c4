# vector-bulk from files to tables and back: every format, mapping, ids, several connections, merges,
# the index, searches, and what is printed.

use strict;
use warnings FATAL => 'all';

use FindBin;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorBulk;
use VectorExt;

plan skip_all => 'vector-bulk is not installed'
  if system('vector-bulk --version >/dev/null 2>&1') != 0;

my $node = start_node('bulk', 'shared_buffers = 64MB');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
my $dir = PostgreSQL::Test::Utils::tempdir();
my $n = 300;
my $dims = 5;
my @rows = vector_rows($n, $dims);

# What every load of these rows must leave, ids from 0 on.
my $expected = join("\n", map { "$_|[" . join(',', @{ $rows[$_] }) . ']' } 0 .. $n - 1);

sub holds_the_rows
{
	my ($table, $test_name) = @_;
	ok($node->safe_psql('postgres', "SELECT id, embedding FROM $table ORDER BY id") eq $expected,
		"$test_name: all rows, as they are in the file");
	return;
}

# --- formats ---

my $data = numbers(@rows);
my %files = (
	'items.npy' => npy($data, "$n, $dims"),
	'v2.npy' => npy($data, "$n, $dims", version => 2),
	'items.f32' => $data,
	'items.fvecs' => join('', map { pack('V f<*', $dims, @$_) } @rows),
	'items.csv' => csv_text(@rows),
	'items.jsonl' => jsonl_text(@rows),
	'items.copy' => copy_binary(@rows));
write_file("$dir/$_", $files{$_}) for keys %files;
write_file("$dir/items.json", encode_json({ n => $n, dim => $dims, metric => 'cosine' }));

for my $file (sort keys %files)
{
	my $table = $file =~ s/\W/_/r;
	my @create = ('--create');
	if ($file eq 'items.copy')
	{
		$node->safe_psql('postgres', "CREATE TABLE $table (id bigint PRIMARY KEY, embedding vector)");
		@create = ();
	}
	my $output = bulk_ok($node, "load $file", 'load', "$dir/$file", '--table', $table, @create,
		'--summary', 'json', '--quiet');
	my $summary = decode_json($output);
	is($summary->{vectors}, $n, "$file: the summary counts");
	holds_the_rows($table, $file);
}
is($node->safe_psql('postgres', 'SELECT title FROM items_csv WHERE id = 7'),
	"title \"7\"\nof two lines", 'CSV: quotes and newlines');
is($node->safe_psql('postgres', q{SELECT title, meta->>'n' FROM items_jsonl WHERE id = 7}),
	"t\xc3\xa9 7|7", 'JSON lines: escapes, and objects as jsonb');
is($node->safe_psql('postgres', q{SELECT attstorage FROM pg_attribute
		WHERE attrelid = 'items_npy'::regclass AND attname = 'embedding'}), 'p', '--create stores plain');

# Small integers and halves.
write_file("$dir/items.ivecs", join('', map { pack('V l<*', 3, $_, -$_, 7) } 1 .. 5));
write_file("$dir/items.bvecs", join('', map { pack('V C*', 3, $_, 255, 0) } 1 .. 5));
write_file("$dir/half.npy", npy(pack('v*', 0x3c00, 0xc000, 0x0001, 0x7bff), '2, 2', descr => '<f2'));
write_file("$dir/byte.npy", npy(pack('C*', 1 .. 6), '2, 3', descr => '|u1'));
my %others = (
	'items.ivecs' => '[1,-1,7]', 'items.bvecs' => '[1,255,0]', 'half.npy' => '[1,-2]',
	'byte.npy' => '[1,2,3]');
for my $file (sort keys %others)
{
	my $table = $file =~ s/\W/_/r;
	bulk_ok($node, "load $file", 'load', "$dir/$file", '--table', $table, '--create', '--quiet');
	is($node->safe_psql('postgres', "SELECT embedding FROM $table WHERE id = 0"), $others{$file}, "$file: the numbers");
}
bulk_ok($node, 'load packed bits', 'load', "$dir/byte.npy", '--table', 'bits', '--create', '--type',
	'bit', '--quiet');
is($node->safe_psql('postgres', 'SELECT embedding FROM bits WHERE id = 0'), '000000010000001000000011', 'bits are packed, the highest first');

# Compressed, by standard input, several files.
SKIP:
{
	skip 'no gzip or zstd here', 2
	  if system("gzip -k $dir/items.csv && zstd -q $dir/items.npy -o $dir/items.npy.zst") != 0;
	for my $file ('items.csv.gz', 'items.npy.zst')
	{
		my $table = $file =~ s/\W/_/gr;
		bulk_ok($node, "load $file", 'load', "$dir/$file", '--table', $table, '--create', '--quiet');
		holds_the_rows($table, $file);
	}
}
bulk_ok($node, 'load from standard input', 'load', '-', '-f', 'csv', '--table', 'piped', '--create', '--quiet',
	\$files{'items.csv'});
holds_the_rows('piped', 'standard input');
write_file("$dir/part$_.npy", npy(numbers(@rows[ ($_ * 100) .. ($_ * 100 + 99) ]), "100, $dims")) for 0 .. 2;
bulk_ok($node, 'load three files', 'load', (map { "$dir/part$_.npy" } 0 .. 2), '--table', 'parts', '--create', '--quiet');
holds_the_rows('parts', 'three files');

# --- several connections ---

$node->safe_psql('postgres', 'CREATE SCHEMA app');

bulk_ok($node, 'two connections', 'load', "$dir/items.csv", '--table', 'two', '--create', '-t', 2,
	'--index', 'after', '--quiet');
holds_the_rows('two', 'two connections');
index_is_sound($node, 'two_embedding_idx', 'two connections');
# Since PostgreSQL 18 columns that are NOT NULL have constraints, too.
my $constraints = q{SELECT replace(conname, '%1$s', 'items_csv') FROM pg_constraint WHERE conrelid = '%1$s'::regclass ORDER BY 1};
is($node->safe_psql('postgres', sprintf($constraints, 'two')), $node->safe_psql('postgres', sprintf($constraints, 'items_csv')),
	'two connections: names as if the table had been made under its own');
bulk_ok($node, 'two connections, the index first', 'load', "$dir/items.npy", '--table', 'first', '--create', '-t', 2,
	'--index', 'before', '--quiet');
holds_the_rows('first', 'two connections, the index first');
index_is_sound($node, 'first_embedding_idx', 'two connections, the index first');
$node->safe_psql('postgres', 'CREATE TABLE old (LIKE two INCLUDING ALL)');
bulk_ok($node, '-t 3, a table that exists', 'load', (map { "$dir/part$_.npy" } 0 .. 2), '--table', 'old',
	'-t', 3, '--quiet');
holds_the_rows('old', '-t 3, a table that exists');
bulk_fails($node, 'ids that exist, -t 3', 2, qr/duplicate key/, 'load',
	(map { "$dir/part$_.npy" } 0 .. 2), '--table', 'old', '-t', 3);
holds_the_rows('old', 'after ids that exist');
write_file("$dir/same.u64", pack('Q<*', map { $_ % 299 } 0 .. $n - 1));
bulk_fails($node, 'an id twice, by two connections', 2, qr/duplicate key/, 'load', "$dir/items.npy", '--ids',
	"$dir/same.u64", '--table', 'app."New One"', '--create', '-t', 2);
bulk_ok($node, 'two connections, an odd name', 'load', "$dir/items.npy", '--table', 'app."New One"', '--create', '-t', 2,
	'--quiet');
holds_the_rows('app."New One"', 'two connections, an odd name');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname ~ 'vector_bulk_stage'}),
	'0', 'no stage is left');

# --- columns and ids ---

$node->safe_psql('postgres', q{
	CREATE TABLE app."Docs" (
		"Key" int PRIMARY KEY, body varchar(40) NOT NULL, score real, ok boolean, tag uuid, info jsonb,
		at timestamptz DEFAULT '2020-01-01Z', emb vector(2), n int GENERATED ALWAYS AS (1) STORED)});
write_file("$dir/docs.csv", "nr;text;score;ok;tag;info;v;extra\n"
	  . "1;a;1.5;yes;a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11;\"{\"\"a\"\": [1]}\";{1,2};x\n2;b;;f;;null;[3,4];y\n");
my @docs = ('--table', 'app."Docs"', '--delimiter', ';', '--map', 'nr=Key', '--map', 'text=body', '--map',
	'v=emb', '--map', 'extra=', '--quiet');
bulk_ok($node, 'mapped columns', 'load', "$dir/docs.csv", @docs);
is($node->safe_psql('postgres', 'SELECT * FROM app."Docs" ORDER BY 1'),
	"1|a|1.5|t|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|{\"a\": [1]}|2020-01-01 00:00:00+00|[1,2]|1\n"
	  . '2|b||f||null|2020-01-01 00:00:00+00|[3,4]|1', 'mapped columns: values and defaults');
write_file("$dir/docs.jsonl", qq({"Key": 3, "body": "tab\\tand \\\\", "at": "2024-02-29T12:00:00Z", "emb": [5, 6]}\n)
	  . qq({"Key": 4, "body": "x", "at": null, "emb": [7, 8]}\n));
bulk_ok($node, 'a type without a binary form', 'load', "$dir/docs.jsonl", '--table', 'app."Docs"', '--quiet');
is($node->safe_psql('postgres', q{SET timezone = 'UTC'; SELECT "Key", body, at, emb FROM app."Docs" WHERE "Key" > 2 ORDER BY 1}),
	"3|tab\tand \\|2024-02-29 12:00:00+00|[5,6]\n4|x||[7,8]", 'timestamps, tabs and backslashes by text COPY');
write_file("$dir/latin.csv", "Key,body,emb\n5,caf\xe9,\"[1,1]\"\n");
bulk_ok($node, 'another encoding', 'load', "$dir/latin.csv", '--table', 'app."Docs"', '--encoding', 'LATIN1', '--quiet');
is($node->safe_psql('postgres', 'SELECT body FROM app."Docs" WHERE "Key" = 5'), "caf\xc3\xa9", 'LATIN1 becomes UTF-8');

write_file("$dir/ids.u64", pack('Q<*', map { 1000 + 2 * $_ } 0 .. $n - 1));
bulk_ok($node, 'ids from a file', 'load', "$dir/items.npy", '--ids', "$dir/ids.u64", '--table', 'with_ids', '--create', '--quiet');
is($node->safe_psql('postgres', 'SELECT min(id), max(id), count(*) FROM with_ids'), '1000|1598|300', 'the ids of the file');
bulk_ok($node, 'ids go on', 'load', "$dir/items.npy", '--id-start', 300, '--table', 'items_npy', '--quiet');
is($node->safe_psql('postgres', 'SELECT min(id), max(id), count(*) FROM items_npy'), '0|599|600', 'ids from --id-start on');
$node->safe_psql('postgres', 'CREATE TABLE serial (id bigserial PRIMARY KEY, embedding vector(5))');
bulk_ok($node, 'the server makes ids', 'load', "$dir/items.npy", '--table', 'serial', '--quiet');
is($node->safe_psql('postgres', 'SELECT min(id), max(id) FROM serial'), '1|300', 'ids of the sequence');

# --- rejects and merges ---

write_file("$dir/bad.csv", "id,title,embedding\n1,a,\"[1,2,3,4,5]\"\n2,b,\"[1,2]\"\nx,c,\"[1,2,3,4,5]\"\n4,d,\"[1,2,3,4,NaN]\"\n5,e,\n6\n");
$node->safe_psql('postgres', 'CREATE TABLE good (id bigint PRIMARY KEY, title text, embedding vector(5) NOT NULL)');
my ($code, $stdout, $stderr) = bulk($node, 'load', "$dir/bad.csv", '--table', 'good', '--max-errors', 5,
	'--reject-file', "$dir/rejects.csv", '--summary', 'json');
is($code, 1, 'rejects within the limit: exit code') or diag($stderr);
is(decode_json($stdout)->{rejected}, 5, 'rejects are counted');
is($node->safe_psql('postgres', 'SELECT id FROM good'), '1', 'the good row is loaded');
$node->safe_psql('postgres', 'CREATE TABLE rejects (file text, row int, line int, sqlstate text, message text, raw text)');
$node->command_ok([ 'psql', '-X', '-d', $node->connstr('postgres'), '-c',
		"\\copy rejects FROM '$dir/rejects.csv' (FORMAT csv, HEADER)" ], 'the reject file is CSV');
is($node->safe_psql('postgres', 'SELECT row, line, sqlstate, raw FROM rejects ORDER BY row'), join("\n",
		'2|3|22000|2,b,"[1,2]"', '3|4|22P02|x,c,"[1,2,3,4,5]"', '4|5|22000|4,d,"[1,2,3,4,NaN]"',
		'5|6|23502|5,e,', '6|7|22P04|6'), 'rejects with row, line, SQLSTATE and raw line');
bulk_fails($node, 'more than the limit', 2, qr/5 rows cannot be loaded, more than --max-errors 4 allows/,
	'load', "$dir/bad.csv", '--table', 'good', '--max-errors', 4);

write_file("$dir/changes.csv", "id,title,embedding\n1,new,\"[1,2,3,4,5]\"\n7,g,\"[0,0,0,0,1]\"\n8,h,\"[0,0,1]\"\n");
($code, $stdout, $stderr) = bulk($node, 'upsert', "$dir/changes.csv", '--table', 'good', '--max-errors', -1, '--summary', 'json');
is($code, 1, 'upsert with a reject') or diag($stderr);
my $merged = decode_json($stdout);
is("@$merged{qw(inserted updated unchanged skipped rejected)}", '1 1 0 0 1', 'upsert counts');
is($node->safe_psql('postgres', 'SELECT id, title FROM good ORDER BY id'), "1|new\n7|g", 'upsert wrote');
$node->safe_psql('postgres', 'ALTER TABLE good ADD CHECK (id <> 9)');
write_file("$dir/check.csv", "id,title,embedding\n10,j,\"[0,0,0,0,1]\"\n9,i,\"[0,0,0,0,1]\"\n");
unlink("$dir/rejects.csv");
($code) = bulk($node, 'load', "$dir/check.csv", '--table', 'good', '--on-conflict', 'skip', '--max-errors', 1, '--reject-file', "$dir/rejects.csv");
is($code, 1, 'what only the server can judge is a reject');
like(slurp_file("$dir/rejects.csv"), qr/"[^"]*check.csv",2,,23514,/, 'with the row of the file');
bulk_fails($node, 'the same without a limit', 2, qr/check.csv: row 2: .*check constraint/s, 'upsert', "$dir/check.csv", '--table', 'good');

# --- index and search ---

my $output = bulk_ok($node, 'build-index', 'build-index', '--table', 'items_f32', '-m', 8, '-e', 40, '--metric', 'cosine', '--summary', 'json', '--quiet');
is(decode_json($output)->{vectors}, $n, 'build-index counts');
index_is_sound($node, 'items_f32_embedding_idx', 'build-index');
bulk_ok($node, 'from a file to an index', 'build-index', '-i', "$dir/items.f32", '-o', 'fresh', '-t', 1, '--quiet');
like($node->safe_psql('postgres', q{SELECT pg_get_indexdef('fresh_embedding_idx'::regclass)}), qr/vector_cosine_ops/, 'the metric of the companion file');
write_file("$dir/queries.npy", npy(numbers(@rows[ 3, 50 ]), "2, $dims"));
for my $target ('items_f32', 'items_f32_embedding_idx')
{
	$output = bulk_ok($node, "query $target", 'query', '-i', $target, '-q', "$dir/queries.npy", '-k', 3, '-e', 100);
	my @lines = split(/\n/, $output);
	is(scalar(@lines), 6, "query $target: lines");
	my $sql = $node->safe_psql('postgres', qq{
		SELECT string_agg(id::text, ' ') FROM (SELECT id FROM items_f32
			ORDER BY embedding <=> (SELECT embedding FROM items_f32 WHERE id = 50), id LIMIT 1) s});
	like($lines[3], qr/^2\t\d+\t/, "query $target: number, id, distance");
}
is(bulk_ok($node, 'query one vector', 'query', '-i', 'parts', '--text', '[' . join(',', @{ $rows[9] }) . ']', '-k', 1, '--exact', '--output', 'json'),
	qq({"id":9,"distance":0}\n), 'JSON lines');

# --- the recall of an index ---

my $wide = join('', map { pack('f<*', map { rand } 1 .. 16) } 1 .. 2000);
write_file("$dir/random.npy", npy($wide, '2000, 16'));
my @measured = ('--table', 'measured', '--recall-sample', 50);
bulk_fails($node, 'recall without an index', 3, qr/--recall-sample needs an index/, 'load', "$dir/random.npy", @measured, '--create');
$output = bulk_ok($node, 'recall after a load', 'load', "$dir/random.npy", @measured, '--create', '--index', 'after', '--summary', 'json', '--quiet');
my $recall = decode_json($output)->{recall};
cmp_ok($recall, '>', 0.9, 'recall after a load');
cmp_ok($recall, '<=', 1, 'recall after a load is a share');
is(decode_json(bulk_ok($node, 'a load without it', 'load', "$dir/random.npy", '--table', 'plain', '--create', '--summary', 'json', '--quiet'))->{recall},
	undef, 'recall is null where it is not asked for');
like(bulk_ok($node, 'recall of an index that was there', 'load', "$dir/random.npy", @measured, '--id-start', 2000),
	qr/^2,000 vectors of 16 dimensions in .* vectors\/s\n.*  recall\@10 (0\.9\d\d|1\.000) at ef_search 40, of 50 rows searched for\n/s,
	'recall and rate in the text');
like(bulk_ok($node, 'recall of build-index', 'build-index', '--table', 'plain', '--recall-sample', 20), qr/recall\@10 .* of 20 rows/, 'build-index measures, too');

# --- convert ---

for my $to ('f32', 'npy', 'fvecs', 'csv', 'copy')
{
	bulk_ok($node, "convert to $to", 'convert', '-i', "$dir/items.csv", '-o', "$dir/out.$to", '--quiet', ($to eq 'copy' ? ('--to', 'copy-binary') : ()));
	is(slurp_file("$dir/out.$to"), $files{"items.$to"}, "convert to $to: the same bytes")
	  unless $to eq 'npy' || $to eq 'csv';
	bulk_ok($node, "convert $to back", 'convert', "$dir/out.$to", '-o', "$dir/back.f32", '--quiet');
	is(slurp_file("$dir/back.f32"), $data, "convert $to back: the same numbers");
}

# Many pieces, which several threads convert at once: rows keep their order, and the earliest bad one is told.
my $many = npy(join('', map { pack('f<*', $_, 1 .. 15) } 1 .. 150000), '150000, 16');
write_file("$dir/many.npy", $many);
for my $to ('csv', 'jsonl', 'fvecs', 'copy')
{
	if ($to eq 'jsonl')
	{
		my $csv = slurp_file("$dir/many.csv");
		write_file("$dir/many.jsonl", $csv =~ s/^id.*\n//r =~ s/^(\d+),"(.*)"$/{"id":$1,"embedding":$2}/gmr);
	}
	else
	{
		bulk_ok($node, "many rows to $to", 'convert', "$dir/many.npy", '-o', "$dir/many.$to", '--quiet');
	}
	bulk_ok($node, "many rows from $to", 'convert', "$dir/many.$to", '-o', "$dir/again.npy", '--quiet');
	# The header is written by us, and not by NumPy: of 128 bytes.
	ok(substr(slurp_file("$dir/again.npy"), 128) eq substr($many, -150000 * 64), "many rows by way of $to: the same, in order");
	like(slurp_file("$dir/again.npy"), qr/^.{10}[^\n]*\(150000, 16\)/s, "many rows by way of $to: the header counts them");
}
my @lines = split(/^/, slurp_file("$dir/many.csv"));
$lines[140001] = "140000,\"[1]\"\n";
$lines[140100] = "140099,\"[1,2]\"\n";
write_file("$dir/spoilt.csv", join('', @lines));
bulk_fails($node, 'a bad row among many', 3, qr/spoilt\.csv: row 140001 \(line 140002\): expected 16 dimensions, not 1$/m,
	'convert', "$dir/spoilt.csv", '-o', "$dir/spoilt.npy");
ok(!-e "$dir/spoilt.npy" && !-e "$dir/spoilt.npy.part", 'a bad row among many: no file is left');

# --- what is printed ---

($code, $stdout, $stderr) = bulk($node, 'load', "$dir/items.npy", '--table', 'items_npy', '--dry-run', '-v');
is($code, 0, 'dry run') or diag($stderr);
like($stdout, qr/would load 300 vectors of 5 dimensions.*an index of them:/s, 'dry run: an estimate');
is($node->safe_psql('postgres', 'SELECT count(*) FROM items_npy'), '600', 'dry run: nothing is loaded');
($code, $stdout, $stderr) = bulk($node, 'load', "$dir/items.npy", '--table', 'json', '--create', '--progress', 'json', '--summary', 'json', '--index', 'before');
my @progress = map { decode_json($_) } split(/\n/, $stderr);
is($progress[-1]{done}, 300, 'progress as JSON lines');
ok($progress[-1]{end}, 'the last one says so');
is(decode_json($stdout)->{index}, 'public.json_embedding_idx', 'summary as JSON');
($code, $stdout, $stderr) = bulk($node, 'load', "$dir/items.npy", '--table', 'quiet', '--create', '--quiet');
is("$code$stdout$stderr", '0', '--quiet says nothing');
like(bulk_ok($node, 'man', 'man'), qr/\.SS load\n/, 'manual page');
is(system("bash -c 'vector-bulk completion bash | bash -n'"), 0, 'the completion is bash');

# --- the examples of docs/vector_bulk.md run as they are printed ---

my ($examples) = slurp_file("$FindBin::RealBin/../docs/vector_bulk.md") =~
  /## From a file to a search\n\n```sh\n(.*?)```/s;
my @short = vector_rows(50, 4);
write_file("$dir/doc/items.npy", npy(numbers(@short), '50, 4')) if mkdir "$dir/doc";
write_file("$dir/doc/queries.npy", npy(numbers(@short[ 1, 2 ]), '2, 4'));
write_file("$dir/doc/more.csv", "id,embedding\n100,\"[1,2,3,4]\"\n");
write_file("$dir/doc/changes.jsonl", qq({"id": 100, "embedding": [4,3,2,1]}\n{"id": 101, "embedding": [1,1,1,1]}\n));
{
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	$stdout = $stderr = '';
	IPC::Run::run([ 'bash', '-e', '-c', "cd $dir/doc\n$examples" ], '<', \undef, '>', \$stdout, '2>', \$stderr);
	is($?, 0, 'the examples of the documents run') or diag($stderr);
	like($stdout, qr/"inserted":1,"updated":1/, 'the examples print what they should');
}

done_testing();
