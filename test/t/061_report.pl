# The report of tune in a browser: it renders by itself, wide and on a phone, light and dark; axes and
# points are there; keyboard, focus and pointer show the numbers; nothing complains.
#
# Needs Debian's packages chromium and chromium-driver; skipped without them. VECTOR_EXT_SHOTS names a
# folder for screenshots, none by default.

use strict;
use warnings FATAL => 'all';

use Browser;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorBulk;
use VectorExt;

plan skip_all => 'chromium and chromium-driver are not installed' unless Browser::is_there();

my $node = start_node('report', 'shared_buffers = 128MB', 'autovacuum = off', 'jit = off');
$node->safe_psql('postgres', 'CREATE EXTENSION vector_ext');
load_vectors($node, 'points', 4000, 32, 61);
$node->safe_psql('postgres', q{
	CREATE INDEX points_v ON points USING hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 16)});

my $path = $node->basedir . '/report.html';
my ($status, $stdout, $stderr) = bulk($node, 'tune', 'points_v', '--sample', 50, '--html', $path,
	'--rebuild', 'm=8', 'ef_construction=32');
is($status, 0, 'the report is written') or diag($stderr);

# `tune` measures again each time; what the page says is held against the page itself.
my $browser = Browser->start($node->basedir);

# Helpers in the page: the charts that show, and whether two boxes overlap.
my $helpers = q{
	const shown = (element) => element.getBoundingClientRect().width > 0;
	const charts = [...document.querySelectorAll('svg.chart')].filter(shown);
	const overlap = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1
		&& b.top < a.bottom - 1;
	const boxes = (svg, what) => [...svg.querySelectorAll(what)].map((e) => e.getBoundingClientRect());
};

for my $view ([ 1000, 1200, 'light' ], [ 1000, 1200, 'dark' ], [ 390, 844, 'light' ])
{
	my ($width, $height, $scheme) = @$view;
	my $name = "$width wide, $scheme";
	$browser->set_view(@$view);
	$browser->open_page("file://$path");
	my $seen = $browser->run($helpers . q{
		const luminance = (colour) => {
			const [r, g, b] = colour.match(/\d+/g).map((c) => (c / 255) ** 2.2);
			return 0.2126 * r + 0.7152 * g + 0.0722 * b;
		};
		const style = getComputedStyle(document.body);
		const clashes = charts.flatMap((svg) => {
			const labels = boxes(svg, '.tick-label');
			return labels.flatMap((a, i) => labels.slice(i + 1).filter((b) => overlap(a, b)));
		});
		const frame = document.documentElement;
		return {
			figures: document.querySelectorAll('figure').length,
			charts: charts.length,
			ticks: Math.min(...charts.map((svg) => svg.querySelectorAll('.tick-label').length)),
			points: Math.min(...charts.map((svg) => svg.querySelectorAll('.point').length)),
			unnamed: [...document.querySelectorAll('.point')]
				.filter((p) => !/\d/.test(p.getAttribute('aria-label'))).length,
			stops: charts.map((svg) => svg.querySelectorAll('.point[tabindex="0"]').length).join(),
			clashes: clashes.length,
			smallest: Math.min(...charts.flatMap((svg) => boxes(svg, 'text').map((b) => b.height))),
			outside: charts.flatMap((svg) => boxes(svg, 'text'))
				.filter((b) => b.left < -1 || b.right > frame.clientWidth + 1).length,
			sideways: frame.scrollWidth - frame.clientWidth,
			paper: luminance(style.backgroundColor),
			ink: luminance(style.color),
			loaded: performance.getEntriesByType('resource').length,
			title: document.title,
		};
	});
	is($seen->{title}, 'vector-bulk tune: points_v', "$name: the page has its title");
	is($seen->{figures}, 6, "$name: all figures are there");
	is($seen->{charts}, $seen->{figures}, "$name: each shows one chart");
	cmp_ok($seen->{ticks}, '>=', 2, "$name: axes have ticks");
	cmp_ok($seen->{points}, '>=', 2, "$name: charts have points");
	is($seen->{unnamed}, 0, "$name: every point tells numbers to a screen reader");
	is($seen->{stops}, '1,1,1,1,1,1', "$name: Tab goes from chart to chart");
	is($seen->{clashes}, 0, "$name: labels of axes do not overlap");
	cmp_ok($seen->{smallest}, '>=', 9, "$name: text is large enough to read");
	is($seen->{outside}, 0, "$name: no text is cut off");
	is($seen->{sideways}, 0, "$name: the page does not scroll sideways");
	is($seen->{loaded}, 0, "$name: nothing is loaded from elsewhere");
	my ($dark, $bright) = $scheme eq 'dark' ? @$seen{qw(paper ink)} : @$seen{qw(ink paper)};
	cmp_ok(($bright + 0.05) / ($dark + 0.05), '>=', 7, "$name: text stands out");
	$browser->screenshot("$ENV{VECTOR_EXT_SHOTS}/report-$width-$scheme.png")
	  if defined $ENV{VECTOR_EXT_SHOTS};
}

# --- keyboard ---

$browser->set_view(1000, 1200, 'light');
$browser->open_page("file://$path");
my $readout = q{
	const readout = document.getElementById('readout');
	const point = document.activeElement;
	const box = readout.getBoundingClientRect();
	return {
		hidden: readout.hidden, text: readout.innerText,
		label: point.getAttribute('aria-label') || '', is_point: point.classList.contains('point'),
		inside: box.left >= 0 && box.right <= document.documentElement.clientWidth,
	};
};
my $found;
for (1 .. 20)
{
	$browser->press("\x{E004}");
	$found = $browser->run($readout);
	last if $found->{is_point};
}
ok($found->{is_point}, 'Tab reaches a point');
ok(!$found->{hidden}, 'a focused point shows its numbers');
like($found->{text}, qr/ef_search \d+.*recall.*%.*mean time/s, 'recall and time are among them');
ok($found->{inside}, 'they are within the window');
# What is seen and what is read out are the same.
(my $spoken = $found->{label}) =~ s/[;\s]+//g;
(my $seen = $found->{text}) =~ s/\s+//g;
is($seen, $spoken, 'a screen reader is told the same');
my ($before) = $found->{label};
$browser->press("\x{E014}");
$found = $browser->run($readout);
isnt($found->{label}, $before, 'an arrow key goes to the next point');
like($found->{text}, qr/ef_search/, 'and shows its numbers');
$browser->press("\x{E00C}");
ok($browser->run($readout)->{hidden}, 'Escape hides them');

# The numbers of the chart are those of the table below it.
is($browser->run(q{
	const figure = document.querySelector('#recall-title').closest('section').querySelector('figure');
	const cells = [...figure.querySelectorAll('tbody tr')].map((row) => row.children[1].textContent);
	const points = [...figure.querySelectorAll('svg.wide .point')].map((point) =>
		point.dataset.facts.match(/recall\t([\d.]+ %)/)[1]);
	return points.length > 2 && points.join() === cells.join();
}), JSON::PP::true, 'the table has the numbers of the chart');

# --- pointer ---

my $place = $browser->run($helpers . q{
	document.activeElement.blur();
	const point = charts[0].querySelector('.point');
	point.scrollIntoView({block: 'center'});
	const box = point.querySelector('.mark').getBoundingClientRect();
	return {x: box.left + box.width / 2, y: box.top + box.height / 2};
});
$browser->point_at($place->{x}, $place->{y});
$found = $browser->run($readout);
ok(!$found->{hidden}, 'a point under the pointer shows its numbers');
like($found->{text}, qr/ef_search \d+.*recall/s, 'those of the point');
$browser->point_at(5, 5);
ok($browser->run($readout)->{hidden}, 'they go when the pointer goes');

# --- a phone: the numbers of every point stay within the window ---

$browser->set_view(390, 844, 'dark');
$browser->open_page("file://$path");
is($browser->run($helpers . q{
	const readout = document.getElementById('readout');
	return charts.flatMap((svg) => [...svg.querySelectorAll('.point')]).filter((point) => {
		point.focus();
		const box = readout.getBoundingClientRect();
		return readout.hidden || box.left < 0 || box.right > document.documentElement.clientWidth;
	}).length;
}), 0, 'on a phone every point shows its numbers within the window');

my @complaints = $browser->complaints;
is("@complaints", '', 'the browser has nothing to complain about');
$browser->stop;

index_is_sound($node, 'points_v', 'afterwards');
$node->stop;
done_testing();
