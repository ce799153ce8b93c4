# Damaged index files: the server neither crashes nor hangs, and structural damage is always told.
#
# The pages are read and changed here by the layout of src/hnsw/pages/layout.h, while the server is
# down.
# VECTOR_EXT_CASES is the number of randomly damaged indexes, 200 by default.

use strict;
use warnings FATAL => 'all';

use IndexFile;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

my $n_cases = $ENV{VECTOR_EXT_CASES} // 200;
# The seed is shown, so that a failure can be repeated.
my $seed = $ENV{VECTOR_EXT_SEED} // 17;

# --- servers and tables ---

sub start_damage_node
{
	my ($name, @init_options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => \@init_options);
	disable_checksums($node) unless @init_options;
	$node->append_conf('postgresql.conf', q{
		fsync = off
		autovacuum = off
		restart_after_crash = off
		log_statement = none
		max_wal_size = 4GB
		checkpoint_timeout = 1h
	});
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
	# By codec: what lies in the hot record, and whether there is a cold one. Many rows are equal.
	load_vectors($node, 'exact', 1100, 8, 11);
	load_vectors($node, 'scalar8', 1100, 40, 12);
	load_vectors($node, 'scalar4', 1100, 260, 13);
	load_vectors($node, 'plain8', 1100, 40, 14);
	$node->safe_psql('postgres', qq{
		INSERT INTO $_ SELECT i, v FROM $_, generate_series(2001, 2100) i WHERE id = 1})
	  for 'exact', 'scalar8', 'scalar4', 'plain8';
	return $node;
}

# Makes tables `name`_1 to `name`_n with an index each, of the given codecs.
sub make_tables
{
	my ($node, $name, @codecs) = @_;
	my $sql = '';
	for my $i (1 .. @codecs)
	{
		my $codec = $codecs[ $i - 1 ];
		my $metric = $codec eq 'plain8' ? 'l1' : 'l2';
		$sql .= qq{
			CREATE TABLE ${name}_$i (LIKE $codec);
			INSERT INTO ${name}_$i SELECT * FROM $codec ORDER BY id;
			CREATE INDEX ${name}_${i}_v ON ${name}_$i USING hnsw (v vector_${metric}_ops)
				WITH (m = 4, ef_construction = 16);};
	}
	$node->safe_psql('postgres', $sql);
	return map { $node->data_dir . '/' . $_ } split(/\n/, $node->safe_psql('postgres', qq{
		SELECT pg_relation_filepath('${name}_' || i || '_v') FROM generate_series(1, ${\ scalar @codecs}) i}));
}

# Does all that can be done with a table whose index is damaged; returns the errors, what hnsw_check
# found, and which errors should not be.
sub use_table
{
	my ($node, $table, $codec) = @_;
	my $operator = $codec eq 'plain8' ? '<+>' : '<->';
	my ($status, $stdout, $stderr) = $node->psql('postgres', qq{
		SET statement_timeout = '5s';
		SET enable_seqscan = off;
		SET hnsw.ef_search = 400;
		\\o /dev/null
		SELECT id FROM $table ORDER BY v $operator (SELECT v FROM $codec WHERE id = 2) LIMIT 400;
		SET hnsw.iterative_scan = relaxed_order;
		SELECT id FROM $table ORDER BY v $operator (SELECT v FROM $codec WHERE id = 3) LIMIT 2000;
		SET vector_ext.glance_reads = off;
		SELECT id FROM $table ORDER BY v $operator (SELECT v FROM $codec WHERE id = 4) LIMIT 2000;
		SELECT * FROM hnsw_info('${table}_v');
		\\o
		SELECT 'found: ' || problem FROM hnsw_check('${table}_v', true) LIMIT 5;
		\\o /dev/null
		INSERT INTO $table SELECT id + 10000, v FROM $codec WHERE id % 20 = 0;
		INSERT INTO $table SELECT id + 10000, v FROM $codec WHERE id > 2090;
		DELETE FROM $table WHERE id % 3 = 0;
		VACUUM $table;
		INSERT INTO $table SELECT id + 20000, v FROM $codec WHERE id % 20 = 0;
		SELECT * FROM hnsw_check('${table}_v', true);
		SELECT hnsw_prewarm('${table}_v');
		\\o
		SELECT 'alive';}, on_error_stop => 0, extra_params => [ '--set', 'VERBOSITY=verbose' ]);
	my @errors = $stderr =~ /(?:ERROR|FATAL|PANIC):  (.*)/g;
	my @found = $stdout =~ /^found: (.*)$/mg;
	my @problems = grep { !/^(XX001|XX002|0A000): / && !is_consequence($_) } @errors;
	push @problems, 'died' unless $stdout =~ /^alive$/m;
	return { errors => \@errors, found => \@found, problems => \@problems };
}

# What the server itself says of distances that are not what the index promised, or of a metapage
# that names other dimensions: no harm, and hnsw_check tells why.
sub is_consequence
{
	my ($error) = @_;
	return $error =~ /^XX000: index returned tuples in wrong order|^22000: (different vector|expected \d+) dimensions/;
}

# The damage was told: by an error that names it, or by hnsw_check.
sub is_told
{
	my ($seen) = @_;
	return @{ $seen->{found} } || grep { /^XX00[12]: / } @{ $seen->{errors} };
}

# A server that went on: what was damaged is repaired by REINDEX.
sub is_repaired
{
	my ($node, $name, $n_tables) = @_;
	my $bad = $node->safe_psql('postgres', qq{
		DO \$\$
		DECLARE
			bad text := '';
		BEGIN
			FOR i IN 1 .. $n_tables LOOP
				EXECUTE format('REINDEX INDEX %I', '${name}_' || i || '_v');
				IF EXISTS (SELECT FROM hnsw_check(('${name}_' || i || '_v')::regclass, true)) THEN
					bad := bad || ' ' || i;
				END IF;
			END LOOP;
			PERFORM set_config('test.bad', bad, false);
		END \$\$;
		SELECT current_setting('test.bad')});
	is($bad, '', "$name: REINDEX repairs all of them");
	return;
}

# --- every field, once ---

# A record of each kind that has something in every field.
sub node_record
{
	my ($index) = @_;
	# Live, of an upper layer, with a full list; not the entry point, not the one with a chain.
	return find_record($index, NODE, sub {
		my ($record) = @_;
		return $record->{layer} >= 1 && $record->{n_links} >= 4 && $record->{id} != $index->{entry_node}
		  && get($index, $record, 12, 'V') == NONE });
}

# A node of layer 0 only, that does not own the record.
sub ground_node
{
	my ($index, $record) = @_;
	my $owner = get($index, $record, 8, 'V');
	return find_record($index, NODE, sub { $_[0]{layer} == 0 && $_[0]{id} != $owner });
}

sub links_record { return find_record($_[0], LINKS, sub { $_[0]{layer} >= 2 }) }

sub tids_record
{
	my ($index) = @_;
	return find_record($index, TIDS, sub { get($index, $_[0], 12, 'V') != NONE });
}

# Fields of a place in the file: [ name, offset, bytes to write or a function of the index and the
# record ]. Not here: version and lock_epoch of the metapage, which 018_misc.pl changes or of which
# each value is possible; a record's version, which only searches under way compare; the flags linked
# and appended, which crashes may leave either way; a link to another node of its layer, and an entry
# point that is another one; levels and error bound of a cold record, which are not compared with the
# row's vector one by one.
my $nan = "\0\0\xc0\x7f";
my @meta_fields = (
	[ 'magic', 0, 'XXXX' ],
	[ 'metric', 8, pack('C', 1) ],
	[ 'metric, impossible', 8, pack('C', 9) ],
	[ 'codec', 9, sub { pack('C', ($_[0]{codec} + 1) % 4) } ],
	[ 'n_dims', 10, sub { pack('v', $_[0]{n_dims} - 1) } ],
	[ 'm', 12, pack('v', 5) ],
	[ 'has_inline_error', 14, sub { pack('C', 1 - $_[0]{has_error}) } ],
	[ 'code_bytes', 16, sub { pack('v', $_[0]{code_bytes} - 4) } ],
	[ 'residual_bytes', 18, sub { pack('v', $_[0]{residual_bytes} + 4) } ],
	[ 'needs_clean_up', 20, pack('V', 2) ],
	[ 'rotation_seed', 24, 'seedseed' ],
	[ 'entry_node', 32, sub { pack('V', find_record($_[0], TIDS)->{id}) } ],
	[ 'entry_layer', 36, sub { pack('V', $_[0]{entry_layer} + 1) } ],
	[ 'n_slots', 40, sub { pack('V', $_[0]{n_slots} / 2) } ]);
my @trailer_fields = ([ 'magic', 0, 'XX' ], [ 'kind', 2, pack('v', 9) ], [ 'block', 4, pack('V', 77) ]);
my @node_fields = (
	[ 'kind', 0, pack('C', FREE) ],
	[ 'kind, another', 0, pack('C', TIDS) ],
	[ 'kind, unknown', 0, pack('C', 77) ],
	[ 'layer', 1, pack('C', 0) ],
	[ 'layer, impossible', 1, pack('C', 99) ],
	[ 'flags, dead', 2, pack('C', 3) ],
	[ 'flags, unknown', 2, pack('C', 0x42) ],
	[ 'n_links', 3, pack('C', 200) ],
	[ 'tid.block_high', 6, pack('v', 1) ],
	[ 'tid.block_low', 8, pack('v', 5000) ],
	[ 'tid.position', 10, pack('v', 2000) ],
	[ 'tids_head', 12, sub { pack('V', links_record($_[0])->{id}) } ],
	[ 'tids_head, beyond', 12, pack('V', 999999) ],
	[ 'links_id', 16, sub { pack('V', tids_record($_[0])->{id}) } ],
	[ 'links_id, none', 16, pack('V', NONE) ],
	[ 'factor', 20, $nan ],
	[ 'factor, another', 20, sub { pack('f<', get(@_, 20, 'f<') / 3) } ],
	[ 'offset', 24, $nan ],
	[ 'offset, another', 24, sub { pack('f<', 2 * get(@_, 24, 'f<') + 3) } ],
	[ 'hash', 28, 'hash' ],
	[ 'error', 32, $nan ],
	[ 'link to itself', sub { $_[0]{links_offset} }, sub { pack('V', $_[1]{id}) } ],
	[ 'link twice', sub { $_[0]{links_offset} + 4 },
		sub { pack('V', get(@_, $_[0]{links_offset}, 'V')) } ],
	[ 'link beyond', sub { $_[0]{links_offset} }, pack('V', 999999) ],
	[ 'link to no node', sub { $_[0]{links_offset} }, sub { pack('V', links_record($_[0])->{id}) } ],
	[ 'two parents', sub { $_[0]{links_offset} },
		sub { get(@_, $_[0]{links_offset}, 'a8') | pack('VV', 0xc0000000, 0xc0000000) } ],
	[ 'code', sub { $_[0]{code_offset} },
		sub { get(@_, $_[0]{code_offset}, 'a16') ^ "\xff" x 16 } ]);
my @links_fields = (
	[ 'kind', 0, pack('C', NODE) ],
	[ 'kind, free', 0, pack('C', FREE) ],
	[ 'layer', 1, pack('C', 1) ],
	[ 'reserved', 6, 'XX' ],
	[ 'link of an unknown kind', 28, sub { get(@_, 28, 'a4') | pack('V', 0xc0000000) } ],
	[ 'owner', 8, sub { pack('V', ground_node(@_)->{id}) } ],
	[ 'owner, beyond', 8, pack('V', 999999) ],
	[ 'counts', 12, pack('C', 77) ],
	[ 'link to itself', 28, sub { pack('V', get(@_, 8, 'V')) } ],
	[ 'link below its layer', 28, sub {
		pack('V', ground_node(@_)->{id}) } ],
	[ 'link beyond', 28, pack('V', 999999) ]);
my @tids_fields = (
	[ 'kind', 0, pack('C', LINKS) ],
	[ 'kind, free', 0, pack('C', FREE) ],
	[ 'next_version', 6, sub { pack('v', get(@_, 6, 'v') + 1) } ],
	[ 'owner', 8, sub { pack('V', ground_node(@_)->{id}) } ],
	[ 'next', 12, sub { pack('V', links_record($_[0])->{id}) } ],
	[ 'next, a circle', 12, sub { pack('V', $_[1]{id}) } ],
	[ 'next, none', 12, pack('V', NONE) ],
	[ 'tid.block_low', 18, pack('v', 5000) ],
	[ 'tid.position', 20, pack('v', 2000) ],
	[ 'tid, none', 16, "\0" x 6 ],
	[ 'tid, of another row', 16, sub { get($_[0], node_record($_[0]), 6, 'a6') } ]);

# [ codec, kind of place, field ], each for one index.
my @cases;
my %places = (
	metapage => sub { return { block => 0, place => HEADER } },
	'trailer of the metapage' => sub { return { block => 0, place => TRAILER } },
	'trailer of the centroid' => sub { return { block => 1, place => TRAILER } },
	'trailer of a hot page' => sub { return { block => $_[0]{hot_blocks}[1], place => TRAILER } },
	'trailer of a cold page' => sub { return { block => $_[0]{cold_blocks}[1], place => TRAILER } },
	node => \&node_record,
	links => \&links_record,
	tids => \&tids_record,
	centroid => sub { return { block => 1, place => HEADER } },
	'cold record' => sub { return { block => $_[0]{cold_blocks}[0], place => HEADER } });
push @cases, map { [ 'scalar8', 'metapage', $_ ] } @meta_fields;
push @cases, [ 'scalar4', 'metapage', [ 'has_centroid', 15, sub { pack('C', 1 - $_[0]{has_centroid}) } ] ];
# Numbers beside an exact code only have to be finite.
push @cases, map { [ 'exact', 'node', $_ ] } grep { $_->[0] !~ /error|another$/ || $_->[0] =~ /kind/ } @node_fields;
push @cases, [ 'scalar4', 'node', $_ ] for grep { $_->[0] =~ /factor|offset|hash|code/ } @node_fields;
push @cases, [ 'scalar8', 'node', $_ ] for grep { $_->[0] =~ /factor|offset|error|code/ } @node_fields;
push @cases, [ 'plain8', 'node', $_ ] for grep { $_->[0] =~ /factor|offset|error|code/ } @node_fields;
push @cases, map { [ 'exact', 'links', $_ ] } @links_fields;
push @cases, map { [ 'exact', 'tids', $_ ] } @tids_fields;
push @cases, map { [ 'scalar4', 'cold record', $_ ] } (
	[ 'step', 0, $nan ],
	[ 'norm_change', 8, $nan ],
	[ 'norm_change, another', 8, pack('f<', 3) ]);
push @cases, map { [ 'scalar4', 'centroid', $_ ] } ([ 'a number', 8, $nan ], [ 'another number', 8, pack('f<', 7) ]);
for my $place ('metapage', 'centroid', 'hot page', 'cold page')
{
	my $article = $place =~ /page$/ && $place ne 'metapage' ? 'a' : 'the';
	push @cases, map { [ 'scalar4', "trailer of $article $place", $_ ] } @trailer_fields;
}

my $node = start_damage_node('fields');
my @paths = make_tables($node, 'field', map { $_->[0] } @cases);
$node->stop;
for my $i (0 .. $#cases)
{
	my ($codec, $place, $field) = @{ $cases[$i] };
	my ($name, $offset, $bytes) = @$field;
	my $index = read_index(read_pages($paths[$i]));
	my $record = $places{$place}->($index);
	$offset = $offset->($index) if ref $offset;
	$bytes = $bytes->($index, $record) if ref $bytes;
	die "$codec, $place, $name: nothing changes"
	  if $bytes eq get($index, $record, $offset, 'a' . length $bytes);
	put($index, $record, $offset, $bytes);
	write_pages($paths[$i], $index->{pages});
}
$node->start;
for my $i (0 .. $#cases)
{
	my ($codec, $place, $field) = @{ $cases[$i] };
	my $name = "$codec, $place, $field->[0]";
	my $table = 'field_' . ($i + 1);
	my ($status, $stdout, $stderr) = $node->psql('postgres',
		"SELECT problem FROM hnsw_check('${table}_v', true) LIMIT 3",
		extra_params => [ '--set', 'VERBOSITY=verbose' ]);
	ok($stdout || $stderr =~ /ERROR:  XX00[12]: /, "$name: hnsw_check names it") or diag($stderr);
	my $seen = use_table($node, $table, $codec);
	is("@{ $seen->{problems} }", '', "$name: the server goes on") or diag(explain($seen));
}
is_repaired($node, 'field', scalar @cases);
$node->stop;

# --- pages at random ---

sub random_bytes { return join('', map { chr(int(rand(256))) } 1 .. $_[0]) }

# Blocks with something in them: a hot page of free records only may as well be zero.
sub full_blocks
{
	my ($index) = @_;
	my %is_full = map { $_->{block} => 1 } grep { $_->{kind} != FREE } @{ $index->{records} };
	return sort { $a <=> $b } 0, keys %is_full;
}

# Ways to damage an index's pages; each is structural, but for `flipped`.
my %ways = (
	zeroed => sub {
		my ($index, $block) = @_;
		$index->{pages}[$block] = "\0" x PAGE;
	},
	'zeroed from the middle' => sub {
		my ($index, $block) = @_;
		substr($index->{pages}[$block], PAGE / 2) = "\0" x (PAGE / 2);
	},
	random => sub {
		my ($index, $block) = @_;
		$index->{pages}[$block] = random_bytes(PAGE);
	},
	'random within the header and trailer' => sub {
		my ($index, $block) = @_;
		my $n = TRAILER - HEADER;
		substr($index->{pages}[$block], HEADER, $n) = random_bytes($n);
	},
	swapped => sub {
		my ($index, $block) = @_;
		my $other = (grep { $_ != $block } full_blocks($index))[ rand(@{ [ full_blocks($index) ] } - 1) ];
		@{ $index->{pages} }[ $block, $other ] = @{ $index->{pages} }[ $other, $block ];
	},
	'cut off' => sub {
		my ($index, $block) = @_;
		splice(@{ $index->{pages} }, $block || 1);
	},
	flipped => sub {
		my ($index, $block) = @_;
		for (1 .. 1 + rand(8))
		{
			my $place = int(rand(PAGE));
			substr($index->{pages}[$block], $place, 1) ^= chr(1 << int(rand(8)));
		}
	});
my @codecs = ('exact', 'scalar8', 'scalar4', 'plain8');

# Damages one index each way in turn, `n` in all; every damage that is structural must be told.
sub damage_at_random
{
	my ($node, $name, $n, $is_told) = @_;
	my @ways = sort keys %ways;
	my @chosen = map { [ $codecs[ $_ % @codecs ], $ways[ $_ % @ways ] ] } 1 .. $n;
	my @paths = make_tables($node, $name, map { $_->[0] } @chosen);
	$node->stop;
	srand($seed);
	for my $i (0 .. $#chosen)
	{
		my $index = read_index(read_pages($paths[$i]));
		my @blocks = full_blocks($index);
		my $block = $blocks[ rand(@blocks) ];
		$ways{ $chosen[$i][1] }->($index, $block);
		push @{ $chosen[$i] }, $block;
		write_pages($paths[$i], $index->{pages});
	}
	$node->start;
	my (@silent, @failed);
	for my $i (0 .. $#chosen)
	{
		my ($codec, $way, $block) = @{ $chosen[$i] };
		my $seen = use_table($node, "${name}_" . ($i + 1), $codec);
		my $case = "$codec, block $block $way";
		push @silent, $case unless $is_told->($seen, $way);
		push @failed, "$case: @{ $seen->{problems} }" if @{ $seen->{problems} };
	}
	is(join("\n", @failed), '', "$name: the server goes on with each of $n indexes, seed $seed");
	is(join("\n", @silent), '', "$name: damage is told, seed $seed");
	is_repaired($node, $name, $n);
	return;
}

$node->start;
damage_at_random($node, 'random', $n_cases, sub {
	my ($seen, $way) = @_;
	return $way eq 'flipped' || is_told($seen) });
$node->stop;

# --- with checksums the server finds it ---

$node = start_damage_node('checksums', '--data-checksums');
# A page of zeros is sound to the server, as is a file that is cut off.
damage_at_random($node, 'summed', 28, sub {
	my ($seen, $way) = @_;
	return is_told($seen) && ($way =~ /^(zeroed|cut off)$/ || grep { /^XX001: / } @{ $seen->{errors} }) });
$node->stop;

done_testing();
