# An index file as the tests change it while the server is down: pages and records by the layout of
# src/hnsw/pages/layout.h.

package IndexFile;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use List::Util qw(first);
use PostgreSQL::Test::Utils;

our @EXPORT = qw(PAGE HEADER TRAILER META CENTROID HOT COLD FREE NODE LINKS TIDS NONE
  read_pages write_pages kind_of read_index find_record get put);

use constant {
	PAGE => 8192,
	HEADER => 24,
	TRAILER => 8184,
	META => 1,
	CENTROID => 2,
	HOT => 3,
	COLD => 4,
	FREE => 0,
	NODE => 1,
	LINKS => 2,
	TIDS => 3,
	NONE => 0xffffffff,
};

sub read_pages
{
	my ($path) = @_;
	my $bytes = slurp_file($path);
	return [ unpack('(a' . PAGE . ')*', $bytes) ];
}

sub write_pages
{
	my ($path, $pages) = @_;
	open(my $file, '>:raw', $path) or die "could not write $path: $!";
	print $file @$pages;
	close($file) or die "could not write $path: $!";
	return;
}

sub kind_of
{
	my ($page) = @_;
	return unpack('v', substr($page, TRAILER + 2));
}

# What an index consists of: its metapage's fields, its records by id.
sub read_index
{
	my ($pages) = @_;
	my %index = (pages => $pages, records => []);
	@index{qw(magic version metric codec n_dims m has_error has_centroid code_bytes residual_bytes)} =
	  unpack('V V C C v v C C v v', substr($pages->[0], HEADER));
	@index{qw(entry_node entry_layer n_slots)} = unpack('V V V', substr($pages->[0], HEADER + 32));
	$index{links_offset} = 32 + 4 * $index{has_error};
	$index{code_offset} = $index{links_offset} + 8 * $index{m};
	$index{hot_bytes} = ($index{code_offset} + $index{code_bytes} + 3) & ~3;
	$index{cold_bytes} = ($index{residual_bytes} + 3) & ~3;
	$index{hot_blocks} = [ grep { kind_of($pages->[$_]) == HOT } 0 .. $#$pages ];
	$index{cold_blocks} = [ grep { kind_of($pages->[$_]) == COLD } 0 .. $#$pages ];
	my $per_page = int((TRAILER - HEADER) / $index{hot_bytes});
	for my $block (@{ $index{hot_blocks} })
	{
		for my $i (0 .. $per_page - 1)
		{
			my $place = HEADER + $i * $index{hot_bytes};
			my %record = (id => scalar(@{ $index{records} }), block => $block, place => $place);
			@record{qw(kind layer flags n_links version)} =
			  unpack('C C C C v', substr($pages->[$block], $place));
			push @{ $index{records} }, \%record;
		}
	}
	return \%index;
}

# The first record of a kind that holds what `accepts` asks for.
sub find_record
{
	my ($index, $kind, $accepts) = @_;
	return (first { $_->{kind} == $kind && (!$accepts || $accepts->($_)) } @{ $index->{records} })
	  // die "no record of kind $kind";
}

sub get
{
	my ($index, $record, $offset, $template) = @_;
	my $bytes = substr($index->{pages}[ $record->{block} ], $record->{place} + $offset);
	return unpack($template, $bytes);
}

sub put
{
	my ($index, $record, $offset, $bytes) = @_;
	substr($index->{pages}[ $record->{block} ], $record->{place} + $offset, length $bytes) = $bytes;
	return;
}

1;
