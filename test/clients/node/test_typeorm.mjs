// TypeORM: columns of type vector and halfvec, synchronization that has nothing to do when it comes
// again, distances in its query builder.

import 'reflect-metadata';
import { isDeepStrictEqual } from 'node:util';
import pgvector from 'pgvector';
import { DataSource, EntitySchema } from 'typeorm';
import * as shared from './values.mjs';

const { check, checkError, ids, rows } = shared;

const Item = new EntitySchema({
  name: 'Item',
  tableName: 'items',
  columns: {
    id: { type: Number, primary: true, generated: true },
    embedding: { type: 'vector', length: 3, nullable: true },
    half: { type: 'halfvec', length: 3, nullable: true },
    bits: { type: 'bit', length: 3, nullable: true },
  },
});
const { host, port, user, database } = shared.server;
const source = await new DataSource({
  type: 'postgres', host, port, username: user, database, entities: [Item], poolSize: 1,
}).initialize();
for (let i = 0; i < 2; i++) await source.query('CREATE EXTENSION IF NOT EXISTS vector');
await source.synchronize();
const left = await source.driver.createSchemaBuilder().log();
check('nothing is left to synchronize', left.upQueries.map(({ query }) => query), []);
await source.synchronize();

const items = source.getRepository(Item);
const written = rows.map(({ embedding, half, bits }) => ({ embedding, half, bits }));
await items.save(written.slice(0, 10));
await items.insert(written.slice(10));
const found = await items.find({ order: { id: 'ASC' } });
check('values come back', isDeepStrictEqual(found.map((row) => ({ ...row })),
  rows.map(({ sparse, ...row }) => row)), true);

async function testSearches(when) {
  const first = async (order, value) => ids(await items.createQueryBuilder('item')
    .orderBy(order).addOrderBy('item.id').setParameter('value', value).limit(5).getMany());
  const toSql = (value) => pgvector.toSql(value);
  check(`nearest rows ${when}`, await first('item.embedding <-> :value', toSql(shared.query)),
    shared.nearest);
  check('nearest by cosine distance',
    await first('item.embedding <=> :value', toSql(shared.angleQuery)), shared.nearestAngle);
  check('nearest of halfvec', await first('item.half <-> :value', toSql([50.2, 0.5, -2])),
    shared.nearest);
  check('nearest of bit', await first('item.bits <~> :value', '110'), shared.nearestBits);
}

await testSearches('without an index');
await source.query('CREATE INDEX items_embedding ON items USING hnsw (embedding vector_l2_ops)');
await source.query('SET enable_seqscan = off; SET hnsw.ef_search = 200');
await testSearches('by index');

const runner = source.createQueryRunner();
const table = await runner.getTable('items');
check('reflection', ['embedding', 'half', 'bits'].map((name) => table.findColumnByName(name)).map(
  ({ type, length }) => `${type}(${length})`), ['vector(3)', 'halfvec(3)', 'bit(3)']);
await runner.release();
await checkError('dimensions', () => items.insert({ embedding: [1, 2] }),
  /expected 3 dimensions, not 2/);
await source.destroy();
