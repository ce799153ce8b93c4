# Clients in Python, unmodified, by extension vector: each script of test/clients/python makes the
# extension as its client does, and tables and indexes; reads back what it wrote; and searches.
#
# By Debian's packages, which scripts/test installs; a client that is not there is skipped.

use strict;
use warnings FATAL => 'all';

use Clients;
use Test::More;

run_clients_of('python', '.py', '/usr/bin/python3', '-B');
done_testing();
