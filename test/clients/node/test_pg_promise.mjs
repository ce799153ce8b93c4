// pg-promise with pgvector's package: types on each connection, its own formatting of values.

import { isDeepStrictEqual } from 'node:util';
import pgPromise from 'pg-promise';
import pgvector from 'pgvector/pg-promise';
import * as shared from './values.mjs';

const { check, checkError, ids, plain, rows } = shared;

let knowsTypes = false;
const pgp = pgPromise({
  async connect({ client }) {
    if (knowsTypes) await pgvector.registerTypes(client);
  },
});
const first = pgp({ ...shared.server, max: 1 });
for (let i = 0; i < 2; i++) await first.none('CREATE EXTENSION IF NOT EXISTS vector');
await first.$pool.end();

knowsTypes = true;
const db = pgp({ ...shared.server, max: 1, application_name: 'typed' });
await db.none(`CREATE TABLE items (id bigserial PRIMARY KEY, embedding vector(3),
  half halfvec(3), sparse sparsevec(3), bits bit(3))`);

const toSql = (value) => pgvector.toSql(value);
const written = rows.map(({ embedding, half, sparse, bits }) =>
  ({ embedding: toSql(embedding), half: toSql(half), sparse: toSql(sparse), bits }));
const columns = new pgp.helpers.ColumnSet(Object.keys(written[0]), { table: 'items' });
await db.none(pgp.helpers.insert(written, columns));
const all = plain(await db.any('SELECT * FROM items ORDER BY id'));
check('values come back', isDeepStrictEqual(all, rows), true);

async function testSearches(when) {
  const items = async (order, value) => ids(await db.any(
    `SELECT id FROM items ORDER BY ${order} LIMIT 5`, [value]));
  check(`nearest rows ${when}`, await items('embedding <-> $1', toSql(shared.query)),
    shared.nearest);
  check('nearest by cosine distance', await items('embedding <=> $1', toSql(shared.angleQuery)),
    shared.nearestAngle);
  check('nearest of sparsevec', await items('sparse <-> $1', toSql(shared.sparseQuery)),
    shared.nearest);
  const prepared = new pgp.PreparedStatement({
    name: 'nearest', text: 'SELECT id FROM items ORDER BY embedding <-> $1 LIMIT 5',
    values: [toSql(shared.query)],
  });
  for (let i = 0; i < 7; i++) {
    check('by a prepared statement', ids(await db.any(prepared)), shared.nearest);
  }
}

await testSearches('without an index');
await db.none('CREATE INDEX ON items USING hnsw (embedding vector_l2_ops)');
await db.none('SET enable_seqscan = off; SET hnsw.ef_search = 200');
await testSearches('by index');
await checkError('bad text', () => db.none('INSERT INTO items (embedding) VALUES ($1)', ['bad']),
  /invalid input syntax for type vector/);
await db.$pool.end();
