// knex with pgvector's package: extension, columns, distances and an index by its builders.

import { isDeepStrictEqual } from 'node:util';
import knexOf from 'knex';
import pgvector from 'pgvector/knex';
import * as shared from './values.mjs';

const { check, checkError, ids, plain, rows } = shared;

const knex = knexOf({ client: 'pg', connection: shared.server, pool: { min: 1, max: 1 } });
for (let i = 0; i < 2; i++) await knex.schema.createExtensionIfNotExists('vector');
await knex.schema.createTable('items', (table) => {
  table.increments('id');
  table.vector('embedding', { dimensions: 3 });
  table.halfvec('half', 3);
  table.sparsevec('sparse', { dimensions: 3 });
  table.bit('bits', { length: 3 });
});

const toSql = (value) => pgvector.toSql(value);
const written = rows.map(({ embedding, half, sparse, bits }) =>
  ({ embedding: toSql(embedding), half: toSql(half), sparse: toSql(sparse), bits }));
await knex('items').insert(written.slice(0, 50));
await knex.batchInsert('items', written.slice(50), 20);
const found = plain(await knex('items').orderBy('id'), pgvector.fromSql);
check('values come back', isDeepStrictEqual(found, rows), true);
const [{ avg }] = await knex('items').avg('embedding').where('id', '<=', 4);
check('avg', avg, '[2.5,1,2]');

async function testSearches(when) {
  const items = () => knex('items').select('id').limit(5);
  let order = knex.l2Distance('embedding', shared.query);
  check(`nearest rows ${when}`, ids(await items().orderBy(order)), shared.nearest);
  check('by orderByRaw', ids(await items().orderByRaw('?? <-> ?', ['embedding',
    toSql(shared.query)])), shared.nearest);
  order = knex.cosineDistance('embedding', shared.angleQuery);
  check('nearest by cosine distance', ids(await items().orderBy(order)), shared.nearestAngle);
  order = knex.l2Distance('sparse', shared.sparseQuery);
  check('nearest of sparsevec', ids(await items().orderBy(order)), shared.nearest);
  order = knex.hammingDistance('bits', '110');
  check('nearest of bit', ids(await items().orderBy(order).orderBy('id')), shared.nearestBits);
  const near = knex('items').count().whereRaw('embedding <-> ? < 2', [toSql(shared.query)]);
  check('rows within a distance', Number((await near)[0].count), 4);
}

await testSearches('without an index');
await knex.schema.alterTable('items', (table) => {
  table.index([knex.raw('embedding vector_l2_ops')], 'items_embedding', 'hnsw');
  table.index([knex.raw('sparse sparsevec_l2_ops')], 'items_sparse', 'hnsw');
});
await knex.raw('SET enable_seqscan = off; SET hnsw.ef_search = 200');
await testSearches('by index');

const columns = await knex('items').columnInfo();
check('columnInfo', ['embedding', 'half', 'sparse', 'bits'].map((name) => columns[name].type),
  ['USER-DEFINED', 'USER-DEFINED', 'USER-DEFINED', 'bit']);
await checkError('bad text', () => knex('items').insert({ embedding: 'bad' }),
  /invalid input syntax for type vector/);
await knex.destroy();
