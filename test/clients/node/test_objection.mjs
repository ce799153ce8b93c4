// Objection.js with pgvector's package: a model over knex, distances, an index.

import { isDeepStrictEqual } from 'node:util';
import knexOf from 'knex';
import objection from 'objection';
import pgvector from 'pgvector/objection';
import * as shared from './values.mjs';

const { check, checkError, ids, plain, rows } = shared;
const { cosineDistance, hammingDistance, l2Distance } = pgvector;

const knex = knexOf({ client: 'pg', connection: shared.server, pool: { min: 1, max: 1 } });
objection.Model.knex(knex);

class Item extends objection.Model {
  static tableName = 'items';
}

for (let i = 0; i < 2; i++) await knex.schema.createExtensionIfNotExists('vector');
await knex.schema.createTable('items', (table) => {
  table.increments('id');
  table.vector('embedding', { dimensions: 3 });
  table.halfvec('half', { dimensions: 3 });
  table.sparsevec('sparse', { dimensions: 3 });
  table.bit('bits', { length: 3 });
});

const toSql = (value) => pgvector.toSql(value);
await Item.query().insert(rows.map(({ embedding, half, sparse, bits }) =>
  ({ embedding: toSql(embedding), half: toSql(half), sparse: toSql(sparse), bits })));
const found = plain(await Item.query().orderBy('id'), pgvector.fromSql);
check('values come back', isDeepStrictEqual(found, rows), true);

async function testSearches(when) {
  const items = (...order) =>
    order.reduce((query, each) => query.orderBy(each), Item.query()).limit(5);
  check(`nearest rows ${when}`, ids(await items(l2Distance('embedding', shared.query))),
    shared.nearest);
  check('nearest by cosine distance',
    ids(await items(cosineDistance('embedding', shared.angleQuery))), shared.nearestAngle);
  check('nearest of sparsevec', ids(await items(l2Distance('sparse', shared.sparseQuery))),
    shared.nearest);
  check('nearest of bit', ids(await items(hammingDistance('bits', '110'), 'id')),
    shared.nearestBits);
}

await testSearches('without an index');
await knex.schema.alterTable('items', (table) => {
  table.index([knex.raw('embedding vector_l2_ops')], 'items_embedding', 'hnsw');
});
await knex.raw('SET enable_seqscan = off; SET hnsw.ef_search = 200');
await testSearches('by index');

const changed = await Item.query().patchAndFetchById(1, { embedding: toSql([7, 7, 7]) });
check('update', changed.embedding, '[7,7,7]');
await checkError('bad text', () => Item.query().insert({ embedding: 'bad' }),
  /invalid input syntax for type vector/);
await knex.destroy();
