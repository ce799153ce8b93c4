# Many damaged index files, of random and of plausible kinds: whatever is done with them, the server
# goes on, statements end, memory stays near what a sound index takes, a search does not make the
# table larger, and REINDEX repairs. On a primary and, by reading, on its standby.
#
# VECTOR_EXT_DAMAGES is the number of files, 40 by default; each kind comes as often as the others.
# A failure names the file's number, by which VECTOR_EXT_SEED makes the same one again.

use strict;
use warnings FATAL => 'all';

use IndexFile;
use List::Util qw(max);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use VectorExt;

my $n_files = $ENV{VECTOR_EXT_DAMAGES} // 40;
my $seed = $ENV{VECTOR_EXT_SEED} // 41;

# What a backend may have taken in the end, in kB, beyond what it takes with a sound index.
my $more_memory = 8_000;

my @codecs = ('exact', 'scalar8', 'scalar4', 'plain8');
my %n_dims = (exact => 8, scalar8 => 40, scalar4 => 260, plain8 => 40);

# --- ways of damage: each gets an index as read_index made it ---

sub pick { return $_[ int(rand(@_)) ] }
sub bytes { return join('', map { chr(int(rand(256))) } 1 .. $_[0]) }

sub used { return grep { $_->{kind} != FREE } @{ $_[0]{records} } }
sub of_kind { my ($index, $kind) = @_; return grep { $_->{kind} == $kind } @{ $index->{records} } }

# An id as a damaged record may have it.
sub any_id
{
	my ($index) = @_;
	return pick((map { int(rand($index->{n_slots})) } 1 .. 4), NONE, NONE - 1, (1 << 30) - 1,
		$index->{n_slots}, int(rand(2**32)));
}

sub any_tid
{
	return pick(pack('v3', 0xffff, 0xffff, 1), pack('v3', 0, pick(5, 50, 5000), pick(1, 60, 200)),
		pack('v3', 0, int(rand(4)), pick(0, 1, 255, 291, 292, 2000, 0xffff)), pack('v3', map { int(rand(65536)) } 1 .. 3));
}

sub any_float
{
	return pick("\0\0\xc0\x7f", "\0\0\x80\x7f", "\0\0\x80\xff", pack('f<', 1e38), pack('f<', -1e38),
		pack('f<', 1e-40), pack('f<', 0), bytes(4));
}

sub set_meta
{
	my ($index, $offset, $bytes) = @_;
	substr($index->{pages}[0], HEADER + $offset, length $bytes) = $bytes;
	return;
}

# Calls `change` for one record, a tenth of them or all.
sub some
{
	my ($change, @records) = @_;
	my $share = pick(0, 0.1, 1);
	return unless @records;
	$change->($_) for $share ? grep { rand() <= $share } @records : pick(@records);
	return;
}

sub full_pages
{
	my ($index) = @_;
	my %is_full = map { $_->{block} => 1 } used($index);
	return sort { $a <=> $b } keys %is_full, @{ $index->{cold_blocks} };
}

my %ways = (
	'a field of records' => sub {
		my ($index) = @_;
		some(sub {
			my ($record) = @_;
			my ($offset, $n) = @{ pick([ 0, 1 ], [ 1, 1 ], [ 2, 1 ], [ 3, 1 ], [ 4, 2 ], [ 6, 2 ], [ 8, 4 ],
				[ 12, 4 ], [ 16, 4 ], [ 20, 4 ], [ 24, 4 ], [ 28, 4 ], [ 32, 4 ]) };
			put($index, $record, $offset, $n == 4 ? pack('V', any_id($index)) : bytes($n));
		}, used($index));
	},
	'rows' => sub {
		my ($index) = @_;
		some(sub { put($index, $_[0], $_[0]{kind} == NODE ? 6 : 16, any_tid()) },
			of_kind($index, NODE), of_kind($index, TIDS));
	},
	'links' => sub {
		my ($index) = @_;
		some(sub {
			my ($record) = @_;
			for my $i (0 .. $record->{n_links} - 1)
			{
				my $place = $index->{links_offset} + 4 * $i;
				my $kind = get($index, $record, $place, 'V') & 0xc0000000;
				put($index, $record, $place, pack('V', $kind | int(rand($index->{n_slots}))));
			}
		}, of_kind($index, NODE));
	},
	'links above' => sub {
		my ($index) = @_;
		some(sub { put($index, $_[0], 28, pack('V', any_id($index) & 0x3fffffff)) },
			of_kind($index, LINKS));
	},
	'counts' => sub {
		my ($index) = @_;
		some(sub { put($index, $_[0], $_[0]{kind} == NODE ? 3 : 12, pack('C', int(rand(2 * $index->{m} + 1)))) },
			of_kind($index, NODE), of_kind($index, LINKS));
	},
	'layers' => sub {
		my ($index) = @_;
		some(sub { put($index, $_[0], 1, pack('C', int(rand(4)))) }, of_kind($index, NODE), of_kind($index, LINKS));
	},
	'kinds' => sub {
		my ($index) = @_;
		some(sub { put($index, $_[0], 0, pack('C', int(rand(4)))) }, @{ $index->{records} });
	},
	'flags' => sub {
		my ($index) = @_;
		my $flags = int(rand(8));
		some(sub { put($index, $_[0], 2, pack('C', $flags)) }, of_kind($index, NODE));
	},
	'versions' => sub {
		my ($index) = @_;
		some(sub { put($index, $_[0], 4, bytes(2)) }, used($index));
	},
	'chains' => sub {
		my ($index) = @_;
		my @records = of_kind($index, TIDS);
		some(sub { put($index, $_[0], 12, pack('V', rand() < 0.7 ? pick(@records)->{id} : any_id($index))) }, @records);
		some(sub { put($index, $_[0], 8, pack('V', any_id($index))) }, @records) if rand() < 0.3;
	},
	'heads of chains' => sub {
		my ($index) = @_;
		my @records = (of_kind($index, TIDS), of_kind($index, LINKS));
		some(sub { put($index, $_[0], pick(12, 16), pack('V', pick(@records)->{id})) }, of_kind($index, NODE));
	},
	'owners' => sub {
		my ($index) = @_;
		some(sub { put($index, $_[0], 8, pack('V', int(rand($index->{n_slots})))) },
			of_kind($index, TIDS), of_kind($index, LINKS));
	},
	'floats' => sub {
		my ($index) = @_;
		some(sub { put($index, $_[0], pick(20, 24, 32), any_float()) }, of_kind($index, NODE));
	},
	'floats of residuals' => sub {
		my ($index) = @_;
		some(sub { substr($index->{pages}[ $_[0] ], HEADER + pick(0, 4, 8), 4) = any_float() },
			@{ $index->{cold_blocks} });
	},
	'codes' => sub {
		my ($index) = @_;
		some(sub { put($index, $_[0], $index->{code_offset}, bytes($index->{code_bytes})) }, of_kind($index, NODE));
	},
	'centroid' => sub {
		my ($index) = @_;
		substr($index->{pages}[1], HEADER + 4 * int(rand($index->{n_dims})), 4) = any_float();
	},
	'the mark' => sub {
		my ($index) = @_;
		my $slots = $index->{n_slots};
		my $extent = $slots;
		$extent /= 2 while $extent % 2 == 0;
		set_meta($index, 40, pack('V', pick(0, 2 * $slots, 100 * $slots, 100_000 * $slots,
			(1 << 30) - (1 << 30) % $slots, $slots / 2, NONE, int(rand(2**32)))));
	},
	'the entry point' => sub {
		my ($index) = @_;
		set_meta($index, 32, pack('V', rand() < 0.7 ? pick(used($index))->{id} : any_id($index)));
		set_meta($index, 36, pack('V', pick(0, 1, 2, 16, NONE)));
	},
	'a field of the metapage' => sub {
		my ($index) = @_;
		my ($offset, $n) = @{ pick([ 0, 4 ], [ 4, 4 ], [ 8, 1 ], [ 9, 1 ], [ 10, 2 ], [ 12, 2 ], [ 14, 1 ],
			[ 15, 1 ], [ 16, 2 ], [ 18, 2 ], [ 20, 4 ], [ 24, 8 ], [ 44, 4 ]) };
		set_meta($index, $offset, rand() < 0.5 ? bytes($n) : pack('Q', 1 << int(rand(8 * $n))) =~ s/^(.{$n}).*/$1/sr);
	},
	'a header' => sub {
		my ($index) = @_;
		my @bounds = sort { $a <=> $b } map { 8 * int(rand(1024)) } 1 .. 2;
		some(sub { substr($index->{pages}[ $_[0] ], 12, 6) = pack('v3', @bounds, 8184) }, 0, 1, full_pages($index));
	},
	'a copy of another page' => sub {
		my ($index) = @_;
		my $blocks = pick($index->{hot_blocks}, $index->{hot_blocks}, $index->{cold_blocks});
		return unless @$blocks > 1;
		my ($to, $from) = (pick(@$blocks), pick(@$blocks));
		$index->{pages}[$to] = $index->{pages}[$from];
		substr($index->{pages}[$to], TRAILER + 4, 4) = pack('V', $to);
	},
	'an older page' => sub {
		my ($index) = @_;
		my $block = pick(0, 0, full_pages($index));
		$index->{pages}[$block] = $index->{before}[$block] if $index->{before}[$block];
	},
	'a page half older' => sub {
		my ($index) = @_;
		my $block = pick(0, full_pages($index));
		substr($index->{pages}[$block], PAGE / 2) = substr($index->{before}[$block], PAGE / 2)
		  if $index->{before}[$block];
	},
	'a page of another index' => sub {
		my ($index) = @_;
		my $block = pick(0, 1, full_pages($index));
		$index->{pages}[$block] = $index->{other}[$block] if $index->{other}[$block];
	},
	'all pages but the metapage' => sub {
		my ($index) = @_;
		@{ $index->{pages} } = ($index->{pages}[0], @{ $index->{other} }[ 1 .. $#{ $index->{other} } ]);
	},
	'cut off' => sub {
		my ($index) = @_;
		splice(@{ $index->{pages} }, int(rand(@{ $index->{pages} })));
	},
	'longer' => sub {
		my ($index) = @_;
		my $page = pick(bytes(PAGE), 'x' x PAGE, $index->{pages}[ pick(full_pages($index)) ]);
		substr($page, 8, 16) = substr($index->{pages}[0], 8, 16);
		push @{ $index->{pages} }, ($page) x pick(1, 3, 20);
	},
	'noise in records' => sub {
		my ($index) = @_;
		substr($index->{pages}[ pick(full_pages($index)) ], HEADER, TRAILER - HEADER) = bytes(TRAILER - HEADER);
	},
	'a sector of zeros' => sub {
		my ($index) = @_;
		substr($index->{pages}[ pick(full_pages($index)) ], 512 * (1 + int(rand(15))), 512) = "\0" x 512;
	},
	'bits' => sub {
		my ($index) = @_;
		for (1 .. pick(1, 20, 300))
		{
			my $block = pick(0, 1, full_pages($index));
			substr($index->{pages}[$block], 16 + int(rand(PAGE - 16)), 1) ^= chr(1 << int(rand(8)));
		}
	});

# --- the files ---

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
disable_checksums($primary);
$primary->append_conf('postgresql.conf', q{
	fsync = off
	autovacuum = off
	restart_after_crash = off
	shared_buffers = 16MB
	work_mem = 4MB
	maintenance_work_mem = 16MB
	max_parallel_maintenance_workers = 0
	max_wal_size = 4GB
	checkpoint_timeout = 1h
});
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($primary, $_, 500, $n_dims{$_}, 7) for @codecs;
$primary->safe_psql('postgres', qq{
	INSERT INTO $_ SELECT i, v FROM $_, generate_series(1001, 1100) i WHERE id = 1}) for @codecs;

my @ways = sort keys %ways;
# One of each codec stays sound, as a measure.
my @files = map { { table => "sound_$_", codec => $_, way => 'none' } } @codecs;
push @files, { table => "damaged_$_", number => $_, way => $ways[ $_ % @ways ],
	codec => $codecs[ ($_ + int($_ / @ways)) % @codecs ] } for 0 .. $n_files - 1;
@{$_}{'operator', 'metric'} = $_->{codec} eq 'plain8' ? ('<+>', 'l1') : ('<->', 'l2') for @files;
$primary->safe_psql('postgres', join('', map { qq{
	CREATE TABLE $_->{table} (id bigint, v vector($n_dims{$_->{codec}}));
	INSERT INTO $_->{table} SELECT * FROM $_->{codec} ORDER BY id;
	CREATE INDEX $_->{table}_v ON $_->{table} USING hnsw (v vector_$_->{metric}_ops)
		WITH (m = 4, ef_construction = 16);} } @files) . 'CHECKPOINT');
for my $file (@files)
{
	$file->{path} = $primary->data_dir . '/' .
	  $primary->safe_psql('postgres', "SELECT pg_relation_filepath('$file->{table}_v')");
	$file->{before} = read_pages($file->{path});
}
$primary->safe_psql('postgres', "DELETE FROM $_->{table} WHERE id % 4 = 0; VACUUM $_->{table};
	INSERT INTO $_->{table} SELECT id + 2000, v FROM $_->{codec} WHERE id % 3 = 0;
	DELETE FROM $_->{table} WHERE id % 10 = 1") for @files;
$primary->stop;
for my $file (grep { $_->{way} ne 'none' } @files)
{
	my $index = read_index(read_pages($file->{path}));
	my ($other) = grep { $_->{codec} eq $file->{codec} } @files;
	srand($seed + $file->{number});
	@{$index}{'before', 'other'} = ($file->{before}, $other->{before});
	$ways{ $file->{way} }->($index);
	write_pages($file->{path}, $index->{pages});
}
# The standby has the damage from the primary's files.
$primary->start;
$primary->backup('damaged', backup_options => ['--no-verify-checksums']);
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'damaged', has_streaming => 1);
$standby->start;
$primary->safe_psql('postgres', "COPY (SELECT id + 7000, v FROM $_ WHERE id % 5 = 0) TO '" .
	$primary->basedir . "/$_.rows' (FORMAT binary)") for @codecs;

# --- what is done with them ---

sub searches
{
	my ($file) = @_;
	my $search = sub {
		my ($id, $limit) = @_;
		return "SELECT count(id) FROM (SELECT id FROM $file->{table}
			ORDER BY v $file->{operator} (SELECT v FROM $file->{codec} WHERE id = $id) LIMIT $limit) t";
	};
	my $index = "$file->{table}_v";
	return ($search->(2, 40), 'SET vector_ext.exact_order = on', $search->(3, 40),
		'SET vector_ext.exact_order = off', 'SET hnsw.iterative_scan = relaxed_order', $search->(4, 1000),
		'SET hnsw.iterative_scan = strict_order', $search->(5, 1000), 'SET vector_ext.glance_reads = off',
		'SET hnsw.ef_search = 400', $search->(6, 1000), 'RESET ALL', 'SET enable_seqscan = off',
		"SET statement_timeout = '60s'",
		"SELECT count(*) FROM hnsw_info('$index')", "SELECT hnsw_prewarm('$index')",
		"SELECT count(*) FROM hnsw_check('$index')",
		"SELECT 'found ' || problem FROM hnsw_check('$index', true) LIMIT 1");
}

sub changes
{
	my ($file) = @_;
	my ($table, $codec) = @{$file}{'table', 'codec'};
	return ("INSERT INTO $table SELECT id + 3000, v FROM $codec WHERE id % 5 = 0",
		'SET vector_ext.insert_batch = 0',
		"INSERT INTO $table SELECT id + 4000, v FROM $codec WHERE id % 50 = 0 OR id > 1090",
		'RESET vector_ext.insert_batch',
		"COPY $table FROM '" . $primary->basedir . "/$codec.rows' (FORMAT binary)",
		"UPDATE $table SET id = id + 10000 WHERE id % 20 = 3",
		"UPDATE $table SET v = (SELECT v FROM $codec WHERE id = 9) WHERE id % 30 = 2",
		"DELETE FROM $table WHERE id % 7 = 0", "VACUUM $table", "VACUUM $table",
		"SELECT count(*) FROM hnsw_recall('${table}_v', 5, '{40}', 10)");
}

# Does it in one session, each statement by itself; returns what must not be, the errors counted.
sub run
{
	my ($node, $file, %counts) = @_;
	my $is_standby = $node == $standby;
	my $size = "SELECT 'size ' || pg_relation_size('$file->{table}')";
	my @statements = ('SET enable_seqscan = off', "SET statement_timeout = '60s'", $size, searches($file), $size);
	push @statements, changes($file), $size, searches($file), $size unless $is_standby;
	push @statements, q{SELECT 'peak ' || substring(pg_read_file('/proc/' || pg_backend_pid() || '/status')
			from 'VmHWM:\s+(\d+)')}, q{SELECT 'alive'};
	my ($status, $stdout, $stderr) = $node->psql('postgres', join(";\n", @statements) . ';',
		on_error_stop => 0, extra_params => [ '--set', 'VERBOSITY=verbose' ]);
	my @errors = $stderr =~ /(?:ERROR|FATAL|PANIC):  (.*)/g;
	my @problems = grep { !/^(XX001|XX002|0A000): |^XX000: index returned tuples in wrong order/ } @errors;
	push @problems, 'died' unless $stdout =~ /^alive$/m;
	my @sizes = $stdout =~ /^size (\d+)/mg;
	push @problems, "a search made the table larger: @sizes"
	  unless $sizes[0] == $sizes[1] && ($is_standby || $sizes[2] == $sizes[3]);
	my ($peak) = $stdout =~ /^peak (\d+)/m;
	return { problems => \@problems, errors => \@errors, peak => $peak // 1e9,
		n_statements => scalar(@statements), is_told => scalar(@errors || $stdout =~ /^found /m) };
}

my (@failed, %n_errors, %usual);
my ($n_told, $n_statements, $most_more, $longest) = (0, 0, 0, 0);
for my $file (@files)
{
	my $is_told = 0;
	for my $node ($standby, $primary)
	{
		my $start = time();
		my $seen = run($node, $file);
		my $usual = $usual{ $node->name }{ $file->{codec} } //= $seen->{peak};
		my $more = $seen->{peak} - $usual;
		push @{ $seen->{problems} }, "takes $more kB more than $usual" if $more > $more_memory;
		push @{ $seen->{problems} }, 'a sound index is told' if $file->{way} eq 'none' && $seen->{is_told};
		push @failed, "$file->{table}, $file->{codec}, $file->{way}, on the " . $node->name . ": $_"
		  for @{ $seen->{problems} };
		++$n_errors{$_} for map { /^(\w{5})/ } @{ $seen->{errors} };
		$is_told ||= $seen->{is_told};
		$n_statements += $seen->{n_statements};
		$most_more = max($most_more, $more);
		$longest = max($longest, time() - $start);
	}
	++$n_told if $is_told;
	last if "@failed" =~ /died/;
}
is(join("\n", @failed), '', "$n_files damaged files do no harm, seed $seed");
note(sprintf('%d statements; errors: %s; %d of %d files told; %d kB more at most; slowest session %.1f s',
	$n_statements, join(', ', map { "$_ $n_errors{$_}" } sort keys %n_errors), $n_told, $n_files,
	$most_more, $longest));

my @bad;
for my $file (@files)
{
	my ($status, $stdout, $stderr) = $primary->psql('postgres',
		"REINDEX INDEX $file->{table}_v; SELECT problem FROM hnsw_check('$file->{table}_v', true) LIMIT 3");
	push @bad, "$file->{table}: $stdout $stderr" if $stdout ne '' || $stderr ne '';
}
is(join("\n", @bad), '', 'REINDEX repairs all of them');
$standby->stop;
$primary->stop;

done_testing();
