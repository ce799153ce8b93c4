# Bad inputs of vector-bulk: each has its message (file, place, expected, found) and exit code, and
# loads nothing.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorBulk;
use VectorExt;

plan skip_all => 'vector-bulk is not installed'
  if system('vector-bulk --version >/dev/null 2>&1') != 0;

my $node = start_node('bulk', 'shared_buffers = 64MB');
$node->safe_psql('postgres', q{
	CREATE EXTENSION vector_ext;
	CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(4));
	CREATE TABLE two (id bigint PRIMARY KEY, a vector(4), b vector(4));
	CREATE TABLE plain (id bigint PRIMARY KEY, t text);
	CREATE TABLE named (id bigint PRIMARY KEY, title text NOT NULL, embedding vector(4))});
my $dir = PostgreSQL::Test::Utils::tempdir();
my @rows = vector_rows(20, 4);
my $data = numbers(@rows);
my $vector = '"[1,2,3,4]"';

# Every case: name, exit code, message, arguments after `load`; files are written first.
my @cases;

sub file_case
{
	my ($file, $bytes, $code, $pattern, @arguments) = @_;
	write_file("$dir/$file", $bytes);
	push @cases, [ $file, $code, $pattern, "$dir/$file", '--table', 'items', @arguments ];
	return;
}

file_case('short.npy', substr(npy($data, '20, 4'), 0, -5), 3, qr/short\.npy: expected \d+ bytes for 20 x 4 numbers of 4 bytes.*found \d+/);
file_case('long.npy', npy($data, '20, 4') . 'x', 3, qr/long\.npy: expected \d+ bytes .*found \d+/);
file_case('double.npy', npy($data, '10, 4', descr => '<f8'), 3, qr/expected numbers of type <f4, <f2 or \|u1, found <f8/);
file_case('big.npy', npy($data, '20, 4', descr => '>f4'), 3, qr/found >f4 \(big-endian\)/);
file_case('text.npy', npy($data, '20, 4', descr => '<U4'), 3, qr/found <U4/);
file_case('fortran.npy', npy($data, '20, 4', fortran => 1), 3, qr/expected C order, found Fortran order/);
file_case('one.npy', npy($data, '80,'), 3, qr/expected an array of 2 dimensions .*found 1/);
file_case('three.npy', npy($data, '5, 4, 4'), 3, qr/found 3/);
file_case('bomb.npy', npy($data, '20, 4', version => 2, length => 0x7fffffff), 3, qr/expected a header of at most 65536 bytes, found one of 2147483647/);
file_case('huge.npy', npy($data, '9223372036854775807, 4'), 3, qr/expected data below 2\^63 bytes/);
file_case('tiny.npy', "\x93NUM", 3, qr/tiny\.npy: expected a \.npy file/);
file_case('dims.npy', npy($data, '16, 5'), 3, qr/dims\.npy: expected 4 dimensions, those of column "embedding", found 5/);
file_case('torn.f32', substr($data, 0, -2), 3, qr/torn\.f32: expected a multiple of 16 bytes \(a row\), found 318 bytes: 19 rows and 14 bytes/, '-d', 4);
file_case('bare.f32', $data, 3, qr/bare\.f32: raw float32 has no header; --dimension/);
write_file("$dir/meta_f.json", '{"n": 21, "dim": 4}');
file_case('meta_f.f32', $data, 3, qr/expected 21 rows as .*meta_f\.json says, found 20/);
file_case('odd.fvecs', join('', map { pack('V f<4', $_ == 17 ? 3 : 4, 1 .. 4) } 1 .. 20), 3, qr/odd\.fvecs: row 17: expected 4 dimensions, found 3/);
file_case('nan.npy', npy(numbers(@rows[ 0 .. 15 ], [ 1, 2, 'nan', 4 ], @rows[ 17 .. 19 ]), '20, 4'), 2, qr/nan\.npy: row 17: NaN not allowed in vector \(element 3\) \(SQLSTATE 22000\)/);
file_case('torn.npy.gz', do { system("head -c 100 /dev/urandom >$dir/x; gzip -c $dir/x >$dir/y"); substr(slurp_file("$dir/y"), 0, 60) }, 3, qr/torn\.npy\.gz: expected gzip data|expected a \.npy file/);
file_case('noise.zst', "\x28\xb5\x2f\xfd" . 'noise' x 20, 3, qr/noise\.zst: expected zstd data/, '-f', 'f32', '-d', 4);
file_case('unknown.dat', 'hello', 3, qr/neither the name nor the first bytes tell the format/);

# CSV and JSON lines
file_case('wrong.csv', "id,embedding\n" . join('', map { "$_," . ($_ == 17 ? '"[1,2,3]"' : $vector) . "\n" } 1 .. 20), 2, qr/wrong\.csv: row 17 \(line 18\): expected 4 dimensions, not 3 \(SQLSTATE 22000\)/);
file_case('syntax.csv', "id,embedding\n1,\"[1 2 3 4]\"\n", 2, qr/row 1 \(line 2\): invalid input syntax for type vector: "\[1 2 3 4\]".*NumPy/);
file_case('newline.csv', "id,embedding\n1,$vector\n2,\"[1,2,\n3,4\n", 2, qr/row 2 \(line 3\): unterminated CSV quoted field/);
file_case('utf16.csv', "\xff\xfei\0d\0", 3, qr/expected UTF-8, found UTF-16/);
file_case('mac.csv', "id,embedding\r1,$vector\r", 3, qr/mac\.csv: expected lines that end in a newline, found a carriage return alone at byte 13/);
file_case('empty.csv', '', 3, qr/expected a header/);
file_case('fields.csv', "id,embedding\n1\n", 2, qr/row 1 \(line 2\): expected 2 fields, found 1/);
file_case('column.csv', "id,embeding\n1,$vector\n", 3, qr/there is no column "embeding" in public\.items.*it has: id, embedding/s);
file_case('id.csv', "id,embedding\n9223372036854775808,$vector\n", 2, qr/column "id": value "9223372036854775808" is out of range/);
file_case('null.csv', "id,embedding\n,$vector\n", 2, qr/null value in column "id"/);
file_case('missing.jsonl', qq({"id": 1, "embedding": [1,2,3,4]}\n{"embedding": [1,2,3,4]}\n), 2, qr/missing\.jsonl: row 2 \(line 2\): null value in column "id"/);
file_case('syntax.jsonl', qq({"id": 1, "embedding": [1,2,3,4]}\n{"id": 2, "embedding": [1,2,3,4}\n), 2, qr/row 2 \(line 2\): invalid JSON at byte/);
file_case('nested.jsonl', qq({"id": 1, "embedding": [[1,2,3,4]]}\n), 2, qr/a list of lists/);
file_case('twice.csv', "id,embedding\n1,$vector\n1,$vector\n", 2, qr/twice\.csv: row 2: duplicate key value violates unique constraint.*SQLSTATE 23505/s);
write_file("$dir/latin.csv", "id,title,embedding\n1,caf\xe9,$vector\n");
push @cases, [ 'latin.csv', 2, qr/row 1 \(line 2\): column "title": invalid byte sequence for encoding "UTF8"/, "$dir/latin.csv", '--table', 'named' ];
push @cases, [ 'required column', 3, qr/no field goes to the column "title", which must not be NULL/, "$dir/good.npy", '--table', 'named' ];

# A new table takes the dimensions from the first row: what is wrong with that row is told.
for my $case ([ 'nan.csv', qq(id,embedding\n1,"[1,NaN]"\n), qr/nan\.csv: row 1 \(line 2\): NaN not allowed in vector/ ],
	[ 'bare.csv', "id,embedding\n\n1,[1,2]\n", qr/bare\.csv: row 1 \(line 3\): expected 2 fields, found 3/ ],
	[ 'rows.csv', "id,embedding\n", qr/rows\.csv: expected rows, found none/ ],
	[ 'rows.jsonl', "\n", qr/rows\.jsonl: expected rows, found none/ ],
	[ 'array.jsonl', qq([{"id": 1, "embedding": [1,2]}]\n), qr/array\.jsonl: row 1 \(line 1\): invalid JSON at byte 1: expected an object/ ],
	[ 'null.jsonl', qq({"id": 1, "embedding": null}\n), qr/null\.jsonl: row 1 \(line 1\): null value where a vector belongs/ ])
{
	my ($file, $bytes, $pattern) = @$case;
	write_file("$dir/$file", $bytes);
	push @cases, [ "$file, a new table", 3, $pattern, "$dir/$file", '--table', 'new', '--create' ];
}
push @cases, [ 'array.jsonl', 3, qr/array\.jsonl: row 1 \(line 1\): invalid JSON/, "$dir/array.jsonl", '--table', 'items' ];

# binary COPY data
my $copy = copy_binary(@rows);
file_case('torn.copy', substr($copy, 0, -9), 3, qr/torn\.copy: expected the end mark of COPY data, found the end of the file after row 19/);
file_case('more.copy', $copy . 'x', 3, qr/expected the end after row 20, found more/);
file_case('magic.copy', 'PGCOPX' . $copy, 3, qr/expected a file of COPY \(FORMAT binary\)/);
file_case('columns.copy', "PGCOPY\n\xff\r\n\0" . pack('NN n N n', 0, 0, 1, 0, 0xffff), 3, qr/expected 2 fields, one for each column of public\.items, found 1/);

# ids
write_file("$dir/good.npy", npy($data, '20, 4'));
my @good = ("$dir/good.npy", '--table', 'items');
for my $case ([ 'few', pack('Q<*', 1 .. 19), qr/few\.u64: expected 20 ids .*found 19/ ],
	[ 'many', pack('Q<*', 1 .. 21), qr/many\.u64: expected 20 ids .*found 21/ ],
	[ 'large', pack('Q<*', 1 .. 19, 1 << 63), qr/large\.u64: row 20: expected an id below 2\^63, found 9223372036854775808/ ],
	[ 'odd', 'x' x 161, qr/expected a multiple of 8 bytes, found 161/ ])
{
	my ($name, $bytes, $pattern) = @$case;
	write_file("$dir/$name.u64", $bytes);
	push @cases, [ "ids: $name", 3, $pattern, @good, '--ids', "$dir/$name.u64" ];
}

# usage, and what the server does not have
push @cases,
  [ 'ids: none left', 2, qr/good\.npy: row 10: no id is left for it: ids end at 9223372036854775807/, @good, '--id-start', '9223372036854775799' ],
  [ 'no table', 3, qr/there is no table "nope" in the database "postgres"/, "$dir/good.npy", '--table', 'nope' ],
  [ 'no column', 3, qr/has no column "nope".*it has: id, embedding/s, @good, '--column', 'nope' ],
  [ 'two columns', 3, qr/vectors in more than one column: a, b/, "$dir/good.npy", '--table', 'two' ],
  [ 'no vectors', 3, qr/has no column of vectors/, "$dir/good.npy", '--table', 'plain' ],
  [ 'not vectors', 3, qr/is of type text, not of vectors/, "$dir/good.npy", '--table', 'plain', '--column', 't' ],
  [ 'table exists', 3, qr/the table "items" exists/, @good, '--create' ],
  [ 'no file', 3, qr/nope\.npy: No such file/, "$dir/nope.npy", '--table', 'items' ],
  [ 'a folder', 3, qr/expected a file, found a directory/, $dir, '--table', 'items' ],
  [ 'no input', 3, qr/no input is given/, '--table', 'items' ],
  [ 'no table given', 3, qr/table/, "$dir/good.npy" ],
  [ 'unknown option', 3, qr/--nope/, @good, '--nope' ],
  [ 'bad number', 3, qr/expected a whole number, not "1x"/, @good, '--max-errors', '1x' ],
  [ 'out of range', 3, qr/expected 2 to 100, not 1000/, @good, '-m', 1000 ],
  [ 'bad choice', 3, qr/expected one of after, before, none, not "now"/, @good, '--index', 'now' ],
  [ 'no such metric', 3, qr/operator class vector_hamming_ops/, @good, '--index', 'after', '--metric', 'hamming' ],
  [ 'options that exclude each other', 3, qr/do not go together/, @good, '--import-id', 'a', '--on-conflict', 'skip' ],
  [ 'a map of nothing', 3, qr/has no field "x"/, @good, '--map', 'x=id' ],
  [ 'index refused', 2, qr/ef_construction must be greater than or equal to 2 \* m/, @good, '--index', 'after', '-m', 100, '-e', 64 ],
  [ 'no server', 4, qr/connection to server|could not/, @good, '--dsn', 'host=/nonexistent' ],
  [ 'no database', 4, qr/database "nope" does not exist/, @good, '--dsn', 'dbname=nope' ];

push @cases, [ 'no folder of rejects', 3, qr{--reject-file /nonexistent/x: No such file}, @good, '--reject-file', '/nonexistent/x' ];

for my $case (@cases)
{
	my ($name, $code, $pattern, @arguments) = @$case;
	bulk_fails($node, $name, $code, $pattern, 'load', @arguments);
}
is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM named)'), '0|0', 'nothing was loaded by any of them');

# A row beyond the first megabytes.
my $many = join('', map { "$_,$vector\n" } 1 .. 200000);
write_file("$dir/late.csv", "id,embedding\n${many}0,oops\n");
bulk_fails($node, 'a late bad row, -t 2', 2, qr/late\.csv: row 200001 \(line 200002\)/, 'load', "$dir/late.csv", '--table', 'items', '-t', 2);
is($node->safe_psql('postgres', q{SELECT count(*), (SELECT count(*) FROM pg_class WHERE relname ~ 'bulk_stage') FROM items}), '0|0', 'no row and no stage is left');

# What nobody hears on standard error does not end a load; what is lost on standard output is told.
sub in_shell
{
	my ($redirection, @arguments) = @_;
	my ($stdout, $stderr) = ('', '');
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	IPC::Run::run([ 'bash', '-c', "vector-bulk \"\$@\" $redirection", 'bash', @arguments ],
		'<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(120));
	return ($? >> 8, $stderr);
}
for my $case ([ '2>/dev/full', '' ], [ '2>&-', '' ],
	[ '>/dev/full', qr/standard output: No space left on device/ ],
	[ '>&-', qr/standard output: Bad file descriptor/ ])
{
	my ($redirection, $pattern) = @$case;
	my ($code, $stderr) = in_shell($redirection, 'load', @good, '--progress', 'json');
	is($code, 0, "load $redirection: exit code");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM items'), '20', "load $redirection: rows");
	next unless $pattern;
	like($stderr, $pattern, "load $redirection: message");
	($code, $stderr) = in_shell($redirection, 'query', '-i', 'items', '-q', "$dir/good.npy");
	is($code, 2, "query $redirection: exit code");
	like($stderr, $pattern, "query $redirection: message");
}
continue
{
	$node->safe_psql('postgres', 'TRUNCATE items');
}

# Other commands
bulk_fails($node, 'convert a bad row', 3, qr/wrong\.csv: row 17 \(line 18\): expected 4 dimensions, not 3/, 'convert', "$dir/wrong.csv", '-o', "$dir/out.f32");
ok(!-e "$dir/out.f32" && !-e "$dir/out.f32.part", 'no output is left');
write_file("$dir/braces.jsonl", "{}\n{}\n");
bulk_fails($node, 'convert rows without fields', 3, qr/braces\.jsonl: row 1 \(line 1\): no field has a vector/, 'convert', "$dir/braces.jsonl", '-o', "$dir/out.f32");
bulk_fails($node, 'convert: no id left', 3, qr/good\.npy: row 2: no id is left/, 'convert', "$dir/good.npy", '-o', "$dir/out.csv", '--id-start', '9223372036854775807');
my $lines = qq({"id": 1, "embedding": [1,2]}\n{"id": 2, "embedding": [3,4]}\n);
write_file("$dir/data.json", $lines);
bulk_fails($node, 'convert beside another file', 3, qr/expected to write \S+data\.json beside it, found a file that tells no shape/,
	'convert', "$dir/data.json", '-f', 'jsonl', '-o', "$dir/data.f32");
is(slurp_file("$dir/data.json"), $lines, 'the other file stays');
bulk_fails($node, 'convert to the input', 3, qr/input and output are the same file/, 'convert', "$dir/good.npy", '-o', "$dir/./good.npy");
bulk_fails($node, 'convert to a compressed file', 3, qr/out\.npy\.gz: files are written without compression/, 'convert', "$dir/good.npy", '-o', "$dir/out.npy.gz");
bulk_fails($node, 'convert to a folder', 3, qr/Is a directory/, 'convert', "$dir/good.npy", '-o', $dir, '--to', 'csv');
like(bulk_ok($node, 'convert to a pipe', 'convert', "$dir/good.npy", '-o', '/dev/stdout', '--to', 'csv', '--quiet'), qr/\Aid,embedding\n0,"/, 'a pipe gets the rows');
bulk_fails($node, 'convert to what cannot be written', 3, qr/no file can be written/, 'convert', "$dir/good.npy", '-o', "$dir/out.ivecs");
bulk_fails($node, 'query of other dimensions', 3, qr/expected 4 dimensions, not 2/, 'query', '-i', 'items', '--text', '[1,2]');
bulk_fails($node, 'query without a vector', 3, qr/one of -q FILE and --text/, 'query', '-i', 'items');
bulk_fails($node, 'build-index on nothing', 3, qr/there is no table/, 'build-index', '--table', 'nope');
bulk_fails($node, 'no such command', 3, qr/there is no command "lod"/, 'lod', "$dir/good.npy");
bulk_fails($node, 'no such shell', 3, qr/expected one of bash, zsh, fish/, 'completion', 'csh');

done_testing();
