# Clients in JavaScript, unmodified, by extension vector: each script of test/clients/node makes the
# extension as its client does, and tables and indexes; reads back what it wrote; and searches.
#
# By packages of npm's registry, which scripts/test fetches into build/node_clients; without Node or
# the registry all is skipped.

use strict;
use warnings FATAL => 'all';

use Clients;
use FindBin;
use Test::More;

plan skip_all => 'the packages of npm are not there'
  unless -e "$FindBin::RealBin/../clients/node/node_modules/pgvector";

run_clients_of('node', '.mjs', 'node');
done_testing();
