# Numbers in a damaged file that memory, time or I/O would depend on: TIDs beyond the table, a mark
# beyond the file, pages beyond the mark, a header that leaves records out. All are told as damage, by
# a primary and by its standby, and the table never grows by a search.

use strict;
use warnings FATAL => 'all';

use IndexFile;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorExt;

# What a backend may take at its peak, in kB: the server's 16 MB of buffers, itself, and little else.
my $most_memory = 100_000;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
disable_checksums($primary);
$primary->append_conf('postgresql.conf', q{
	fsync = off
	autovacuum = off
	restart_after_crash = off
	shared_buffers = 16MB
	max_wal_size = 4GB
	checkpoint_timeout = 1h
});
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
# Without and with a cold tier.
load_vectors($primary, 'short', 600, 8, 11);
load_vectors($primary, 'long', 600, 260, 13);

# Makes the table `name` of the source's rows with an index; returns the index's file.
sub make_table
{
	my ($name, $source) = @_;
	$primary->safe_psql('postgres', qq{
		CREATE TABLE $name (LIKE $source INCLUDING ALL);
		INSERT INTO $name SELECT * FROM $source ORDER BY id;
		CREATE INDEX ${name}_v ON $name USING hnsw (v vector_l2_ops)
			WITH (m = 4, ef_construction = 16)});
	return $primary->data_dir . '/' .
	  $primary->safe_psql('postgres', qq{SELECT pg_relation_filepath('${name}_v')});
}

# Runs statements in one session and returns its errors as [ sqlstate, message, hint ], its output,
# and the most memory that it had.
sub run
{
	my ($node, $sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', qq{
		SET statement_timeout = '30s';
		SET enable_seqscan = off;
		$sql;
		SELECT 'peak ' || substring(pg_read_file('/proc/' || pg_backend_pid() || '/status')
			from 'VmHWM:\\s+(\\d+)');},
		on_error_stop => 0, extra_params => [ '--set', 'VERBOSITY=verbose' ]);
	my @errors = $stderr =~ /ERROR:  (\w{5}: .*)/g;
	my ($peak) = $stdout =~ s/^peak (\d+)\n?//m ? $1 : undef;
	my $n_hints = () = $stderr =~ /^HINT:  .*REINDEX/mg;
	return { errors => \@errors, stdout => $stdout, peak => $peak, n_hints => $n_hints };
}

# The statements fail as damage that REINDEX repairs, each of them, with bounded memory.
sub is_told
{
	my ($node, $test_name, $problem, @statements) = @_;
	my $seen = run($node, join(";\n", @statements));
	is(join("\n", grep { !/^XX002: .*$problem/ } @{ $seen->{errors} }), '',
		"$test_name: nothing but the damage is told");
	is(scalar(@{ $seen->{errors} }), scalar(@statements), "$test_name: every statement tells")
	  or diag(explain($seen));
	is($seen->{n_hints}, scalar(@statements), "$test_name: each with a hint to REINDEX");
	cmp_ok($seen->{peak} // 1e9, '<', $most_memory, "$test_name: memory is bounded");
	return;
}

sub is_found
{
	my ($node, $test_name, $problem, $name) = @_;
	my $seen = run($node, "SELECT DISTINCT problem FROM hnsw_check('${name}_v')");
	my $is_found = $problem eq '' ? $seen->{stdout} eq '' : $seen->{stdout} =~ /^\Q$problem\E$/m;
	ok($is_found && !@{ $seen->{errors} }, "$test_name: hnsw_check finds " . ($problem || 'nothing'))
	  or diag(explain($seen));
	cmp_ok($seen->{peak} // 1e9, '<', $most_memory, "$test_name: hnsw_check takes little memory");
	return;
}

sub search
{
	my ($name, $n) = @_;
	my $dims = $name =~ /long/ ? 260 : 8;
	return "SELECT count(id) FROM (SELECT id FROM $name ORDER BY v <->
		array_fill(0.1::real, ARRAY[$dims])::vector LIMIT $n) AS t";
}

sub size_of
{
	my ($node, $name) = @_;
	return $node->safe_psql('postgres', "SELECT pg_relation_size('$name')");
}

# --- the damage ---

my %tids = (
	'the invalid block' => pack('v3', 0xffff, 0xffff, 1),
	'a block beyond the table' => pack('v3', 1, 5000, 1),
	'a position beyond any page' => pack('v3', 0, 0, 0xffff),
	'a position beyond the page' => pack('v3', 0, 0, 290));
my (%path, %tables_of_tids);
my $n_tables = 0;
for my $source ('short', 'long')
{
	for my $kind (sort keys %tids)
	{
		my $name = "${source}_tid_" . ++$n_tables;
		$tables_of_tids{$name} = $kind;
		$path{$name} = make_table($name, $source);
	}
	$path{"${source}_$_"} = make_table("${source}_$_", $source)
	  for 'mark', 'ahead', 'garbage', 'header', 'cut', 'old';
}
# A chain of equal vectors, for the TIDs of its records.
$path{short_chain} = make_table('short_chain', 'short');
$primary->safe_psql('postgres', 'INSERT INTO short_chain SELECT id + 10000, (SELECT v FROM short WHERE id = 1) FROM short WHERE id <= 100');
# The pages of before, to be put back.
$primary->safe_psql('postgres', 'CHECKPOINT');
my %before = map { $_ => read_pages($path{$_}) } 'short_old', 'long_old';
$primary->safe_psql('postgres', qq{
	DELETE FROM $_ WHERE id % 2 = 0;
	VACUUM $_;
	INSERT INTO $_ SELECT id + 20000, v FROM ${\ s/_old//r} WHERE id % 3 = 0}) for 'short_old', 'long_old';
# Something for VACUUM to do.
$primary->safe_psql('postgres', "DELETE FROM $_ WHERE id = 300") for grep { !/old/ } keys %path;
$primary->stop;

sub nodes_of { return grep { $_->{kind} == NODE } @{ $_[0]{records} } }

for my $name (sort keys %tables_of_tids)
{
	my $index = read_index(read_pages($path{$name}));
	put($index, $_, 6, $tids{ $tables_of_tids{$name} }) for nodes_of($index);
	write_pages($path{$name}, $index->{pages});
}
{
	my $index = read_index(read_pages($path{short_chain}));
	my $record = find_record($index, TIDS);
	put($index, $record, 16, $tids{'the invalid block'});
	write_pages($path{short_chain}, $index->{pages});
}
my %n_slots;
for my $source ('short', 'long')
{
	my $index = read_index(read_pages($path{"${source}_mark"}));
	# The extent as docs/on_disk_format.md says: slots of a page, hot pages of an extent.
	my $hot_pages = $source eq 'short' ? 4 : n_in_a_row($index->{hot_blocks});
	my $per_extent = $hot_pages * int((TRAILER - HEADER) / $index->{hot_bytes});
	$n_slots{$source} = { of => $index->{n_slots}, per_extent => $per_extent };
	is($index->{n_slots} % $per_extent, 0, "$source: an extent has $per_extent slots");
	my $most = (1 << 30) - 1;
	set_mark($path{"${source}_mark"}, $most - $most % $per_extent);
	set_mark($path{"${source}_ahead"}, $index->{n_slots} + 1000 * $per_extent);
	# Garbage beyond the mark: a page of noise, and one that decodes.
	my $pages = read_pages($path{"${source}_garbage"});
	push @$pages, 'x' x PAGE, $pages->[ $index->{hot_blocks}[0] ];
	# The server takes no page whose header is none.
	substr($pages->[$_], 12, 8) = pack('v4', 8184, 8184, 8184, 8196) for $#$pages - 1, $#$pages;
	substr($pages->[ $#$pages - 1 ], 10, 2) = "\0\0";
	substr($pages->[$#$pages], TRAILER + 4) = pack('V', $#$pages);
	write_pages($path{"${source}_garbage"}, $pages);
	# A header by which all records are unused room.
	$pages = read_pages($path{"${source}_header"});
	substr($pages->[$_], 12, 2) = pack('v', HEADER) for grep { kind_of($pages->[$_]) == HOT } 0 .. $#$pages;
	write_pages($path{"${source}_header"}, $pages);
	# The file ends before the last node, or before what its cold page is.
	$index = read_index(read_pages($path{"${source}_cut"}));
	my $last = (nodes_of($index))[-1];
	my $end = $last->{block};
	if ($source eq 'long')
	{
		my $in_extent = $last->{id} % $per_extent;
		my $first = $end - int($in_extent / int((TRAILER - HEADER) / $index->{hot_bytes}));
		$end = $first + $hot_pages + int($in_extent / int((TRAILER - HEADER) / $index->{cold_bytes}));
	}
	splice(@{ $index->{pages} }, $end);
	write_pages($path{"${source}_cut"}, $index->{pages});
}
for my $name ('short_old', 'long_old')
{
	my $pages = read_pages($path{$name});
	my ($kind) = $name =~ /long/ ? COLD : HOT;
	# That with the most changes: the rows of few could be deleted below, and nothing be wrong then.
	my ($block, $n_most) = (undef, 0);
	for my $i (grep { kind_of($pages->[$_]) == $kind } 0 .. $#{ $before{$name} })
	{
		my $n_changed = () = ($pages->[$i] ^ $before{$name}[$i]) =~ /[^\0]/g;
		($block, $n_most) = ($i, $n_changed) if $n_changed > $n_most;
	}
	ok(defined $block, "$name: a page has changed");
	$pages->[$block] = $before{$name}[$block];
	write_pages($path{$name}, $pages);
}

# How many hot pages follow each other.
sub n_in_a_row
{
	my ($blocks) = @_;
	my $n = 1;
	$n++ while $n < @$blocks && $blocks->[$n] == $blocks->[ $n - 1 ] + 1;
	return $n;
}

sub set_mark
{
	my ($path, $n_slots) = @_;
	my $pages = read_pages($path);
	substr($pages->[0], HEADER + 40, 4) = pack('V', $n_slots);
	write_pages($path, $pages);
	return;
}

# The standby has the damage from the primary's files.
$primary->start;
$primary->backup('damaged', backup_options => ['--no-verify-checksums']);
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'damaged', has_streaming => 1);
$standby->start;

# --- rows beyond the table ---

for my $name (sort keys %tables_of_tids)
{
	my $kind = $tables_of_tids{$name};
	for my $node ($standby, $primary)
	{
		my $test_name = "$name, $kind, on the " . $node->name;
		my $size = size_of($node, $name);
		my @searches = ('BEGIN READ ONLY; ' . search($name, 10) . '; ROLLBACK', search($name, 100),
			'SET hnsw.iterative_scan = relaxed_order; ' . search($name, 1000),
			'SET hnsw.iterative_scan = strict_order; ' . search($name, 1000),
			'SET vector_ext.exact_order = on; ' . search($name, 10),
			'SET vector_ext.glance_reads = off; ' . search($name, 10));
		if ($kind eq 'a position beyond the page')
		{
			my $seen = run($node, join(";\n", @searches));
			is_deeply($seen->{errors}, [], "$test_name: rows that are not there are none");
			$seen = run($node, "SELECT DISTINCT problem FROM hnsw_check('${name}_v', true)");
			like($seen->{stdout}, qr/^(a row of the (table|index) is not in the (index|table)|a row is in the index twice)$/m,
				"$test_name: hnsw_check finds it");
		}
		else
		{
			is_told($node, $test_name, 'a row lies beyond the table', @searches);
			is_found($node, $test_name, 'a row lies beyond the table', $name);
		}
		is(size_of($node, $name), $size, "$test_name: the table did not grow");
	}
	is_told($primary, "$name, $tables_of_tids{$name}", 'a row lies beyond the table', "VACUUM $name")
	  unless $kind eq 'a position beyond the page';
}
is_told($_, 'a chain, on the ' . $_->name, 'a row lies beyond the table',
	'SET hnsw.iterative_scan = relaxed_order; ' . search('short_chain', 1000)) for $standby, $primary;
is_told($primary, 'a chain', 'a row lies beyond the table', 'VACUUM short_chain');

# --- the mark ---

for my $source ('short', 'long')
{
	my $name = "${source}_mark";
	is_told($_, "$name, on the " . $_->name, 'the mark is far beyond the end of the file',
		search($name, 10), "SELECT * FROM hnsw_check('${name}_v')",
		"SELECT * FROM hnsw_info('${name}_v')", "SELECT hnsw_prewarm('${name}_v')")
	  for $standby, $primary;
	is_told($primary, $name, 'the mark is far beyond the end of the file',
		"INSERT INTO $name SELECT id + 5000, v FROM $source WHERE id = 7", "VACUUM $name");

	# So far it can be: extents that were added and never written to are not logged. They are made
	# one by one, whatever the mark says.
	$name = "${source}_ahead";
	my $size = size_of($primary, "${name}_v");
	is_found($_, "$name, on the " . $_->name, '', $name) for $standby, $primary;
	my $seen = run($primary, qq{
		VACUUM $name;
		INSERT INTO $name SELECT id + 5000, v FROM $source WHERE id % 2 = 0;
		INSERT INTO $name SELECT id + 6000, v FROM $source WHERE id % 20 = 1;
		VACUUM $name;} . search($name, 10));
	is_deeply($seen->{errors}, [], "$name: rows go in");
	cmp_ok($seen->{peak} // 1e9, '<', $most_memory, "$name: memory is bounded");
	cmp_ok(size_of($primary, "${name}_v"), '<', 2 * $size, "$name: the file grows by what is needed");
	index_is_sound($primary, "${name}_v", $name);
	finds_every_row($primary, $name, $name);

	# Pages beyond the mark.
	$name = "${source}_garbage";
	is_found($_, "$name, on the " . $_->name, 'a page beyond the mark is in use', $name)
	  for $standby, $primary;
	is_told($primary, $name, 'a page beyond the mark is in use', qq{
		SET vector_ext.insert_batch = 0;
		INSERT INTO $name SELECT i * 10000 + id,
				v + array_fill(i::real, ARRAY[vector_dims(v)])::vector
			FROM $source, generate_series(1, 5) i});
}

# --- headers ---

for my $source ('short', 'long')
{
	my $name = "${source}_header";
	my $rows = run($primary, search($name, 100))->{stdout};
	is_found($_, "$name, on the " . $_->name, q{the page's header is out of range}, $name)
	  for $standby, $primary;
	is_told($primary, $name, q{the page's header is out of range},
		"INSERT INTO $name SELECT id + 5000, v FROM $source WHERE id = 7", "VACUUM $name");
	is(run($primary, search($name, 100))->{stdout}, $rows, "$name: nothing is lost by that");
}

# --- what the file does not hold ---

for my $source ('short', 'long')
{
	my $name = "${source}_cut";
	is_told($_, "$name, on the " . $_->name, '',
		'SET hnsw.iterative_scan = relaxed_order; ' . search($name, 1000)) for $standby, $primary;
}

# --- an older page ---

for my $name ('short_old', 'long_old')
{
	my $source = $name =~ s/_old//r;
	my $seen = run($primary, qq{
		SET vector_ext.exact_order = on;
		} . search($name, 100) . qq{;
		SET hnsw.iterative_scan = relaxed_order;
		} . search($name, 1000) . qq{;
		INSERT INTO $name SELECT id + 30000, v FROM $source WHERE id % 5 = 0;
		DELETE FROM $name WHERE id % 7 = 0;
		VACUUM $name});
	is(join("\n", grep { !/^XX002: |^XX000: index returned tuples in wrong order/ } @{ $seen->{errors} }),
		'', "$name: an older page is told as damage, or as wrong order");
	$seen = run($primary, "SELECT count(*) > 0 FROM hnsw_check('${name}_v', true)");
	ok($seen->{stdout} eq "t\n" || "@{ $seen->{errors} }" =~ /^XX002/, "$name: hnsw_check finds it")
	  or diag(explain($seen));
}

# --- REINDEX ---

for my $name (sort keys %path)
{
	$primary->safe_psql('postgres', "REINDEX INDEX ${name}_v");
	index_is_sound($primary, "${name}_v", 'after REINDEX');
}
$standby->stop;
$primary->stop;

done_testing();
