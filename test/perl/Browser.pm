# A headless Chromium, driven through chromedriver's HTTP interface. Both end with the object.

package Browser;

use strict;
use warnings FATAL => 'all';

use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use MIME::Base64;
use Time::HiRes qw(sleep);

my $json = JSON::PP->new->utf8->allow_nonref;

# Is there what it takes? Both are Debian packages: chromium and chromium-driver.
sub is_there
{
	return -x '/usr/bin/chromium' && -x '/usr/bin/chromedriver';
}

# Starts both, with a profile of their own in `folder`.
sub start
{
	my ($class, $folder) = @_;
	my $self = bless { http => HTTP::Tiny->new(timeout => 120), output => '' }, $class;
	# Port 0: the driver chooses, and says which.
	$self->{driver} = IPC::Run::start(
		[ '/usr/bin/chromedriver', '--port=0' ],
		'<', \undef, '>&', \$self->{output}, init => sub { $ENV{HOME} = $folder });
	for (1 .. 600)
	{
		$self->{driver}->pump_nb;
		last if $self->{output} =~ /started successfully on port (\d+)/;
		sleep(0.1);
	}
	$self->{output} =~ /started successfully on port (\d+)/
	  or die "chromedriver did not start: $self->{output}";
	$self->{url} = "http://127.0.0.1:$1/session";
	my $session = $self->call('POST', '', {
		capabilities => {
			alwaysMatch => {
				'goog:loggingPrefs' => { browser => 'ALL' },
				'goog:chromeOptions' => {
					binary => '/usr/bin/chromium',
					args => [
						'--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
						'--disable-dev-shm-usage', '--no-first-run',
						'--disable-background-networking', '--disable-component-update',
						'--disable-sync', '--hide-scrollbars', "--user-data-dir=$folder/profile"
					] } } } });
	$self->{url} .= "/$session->{sessionId}";
	return $self;
}

sub call
{
	my ($self, $method, $path, $body) = @_;
	my $response = $self->{http}->request($method, $self->{url} . $path,
		defined $body ? { content => $json->encode($body) } : {});
	my $value = eval { $json->decode($response->{content})->{value} };
	die "$method $path: $response->{status} $response->{content}"
	  unless $response->{success} && ref($response->{content}) eq '';
	return $value;
}

sub open_page
{
	my ($self, $url) = @_;
	$self->call('POST', '/url', { url => $url });
	return;
}

# The value of a JavaScript function's body.
sub run
{
	my ($self, $script) = @_;
	return $self->call('POST', '/execute/sync', { script => $script, args => [] });
}

# A window of this size, and light or dark.
sub set_view
{
	my ($self, $width, $height, $scheme) = @_;
	$self->command('Emulation.setDeviceMetricsOverride',
		{ width => $width + 0, height => $height + 0, deviceScaleFactor => 1,
			mobile => $width < 600 ? JSON::PP::true : JSON::PP::false });
	$self->command('Emulation.setEmulatedMedia',
		{ features => [ { name => 'prefers-color-scheme', value => $scheme } ] });
	return;
}

# A command of the DevTools protocol.
sub command
{
	my ($self, $name, $parameters) = @_;
	return $self->call('POST', '/goog/cdp/execute', { cmd => $name, params => $parameters });
}

# Presses and releases a key, as WebDriver names them: "\x{E004}" is Tab.
sub press
{
	my ($self, $key) = @_;
	$self->call('POST', '/actions', { actions => [ { type => 'key', id => 'keys', actions => [
		{ type => 'keyDown', value => $key }, { type => 'keyUp', value => $key } ] } ] });
	return;
}

# Moves the pointer to a place of the window.
sub point_at
{
	my ($self, $x, $y) = @_;
	$self->call('POST', '/actions', { actions => [ { type => 'pointer', id => 'mouse',
		parameters => { pointerType => 'mouse' }, actions => [
			{ type => 'pointerMove', duration => 0, x => int($x), y => int($y) } ] } ] });
	return;
}

# What the page and its scripts complained about.
sub complaints
{
	my ($self) = @_;
	return map { "$_->{level}: $_->{message}" } @{ $self->call('POST', '/se/log', { type => 'browser' }) };
}

sub screenshot
{
	my ($self, $path) = @_;
	open(my $file, '>:raw', $path) or die "could not write $path: $!";
	print $file decode_base64($self->command('Page.captureScreenshot',
		{ format => 'png', captureBeyondViewport => JSON::PP::true })->{data});
	close($file) or die "could not write $path: $!";
	return;
}

sub stop
{
	my ($self) = @_;
	return unless $self->{driver};
	eval { $self->call('DELETE', '') };
	$self->{driver}->kill_kill(grace => 10);
	delete $self->{driver};
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($@, $?);
	$self->stop;
	return;
}

1;
