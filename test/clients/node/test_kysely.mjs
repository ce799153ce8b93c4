// Kysely with pgvector's package: columns, distances in ORDER BY and WHERE, indexes, introspection.

import { isDeepStrictEqual } from 'node:util';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import pgvector from 'pgvector/kysely';
import * as shared from './values.mjs';

const { check, checkError, ids, plain, rows } = shared;
const { cosineDistance, hammingDistance, l2Distance } = pgvector;

const pool = new pg.Pool({ ...shared.server, max: 1 });
const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
for (let i = 0; i < 2; i++) await sql`CREATE EXTENSION IF NOT EXISTS vector`.execute(db);
await db.schema.createTable('items')
  .addColumn('id', 'serial', (column) => column.primaryKey())
  .addColumn('embedding', sql`vector(3)`)
  .addColumn('half', sql`halfvec(3)`)
  .addColumn('sparse', sql`sparsevec(3)`)
  .addColumn('bits', sql`bit(3)`)
  .execute();

const toSql = (value) => pgvector.toSql(value);
await db.insertInto('items').values(rows.map(({ embedding, half, sparse, bits }) =>
  ({ embedding: toSql(embedding), half: toSql(half), sparse: toSql(sparse), bits }))).execute();
const all = await db.selectFrom('items').selectAll().orderBy('id').execute();
check('values come back', isDeepStrictEqual(plain(all, pgvector.fromSql), rows), true);
const { mean } = await db.selectFrom('items').select(({ fn }) => fn.avg('embedding').as('mean'))
  .where('id', '<=', 4).executeTakeFirst();
check('avg', mean, '[2.5,1,2]');

async function testSearches(when) {
  const items = async (...order) => ids(await order.reduce(
    (query, each) => query.orderBy(each), db.selectFrom('items').select('id')).limit(5).execute());
  check(`nearest rows ${when}`, await items(l2Distance('embedding', shared.query)),
    shared.nearest);
  check('nearest by cosine distance', await items(cosineDistance('embedding', shared.angleQuery)),
    shared.nearestAngle);
  check('nearest of sparsevec', await items(l2Distance('sparse', shared.sparseQuery)),
    shared.nearest);
  check('nearest of bit', await items(hammingDistance('bits', '110'), 'id'), shared.nearestBits);
  const near = await db.selectFrom('items').select('id')
    .where(l2Distance('embedding', shared.query), '<', 1.5).orderBy('id').execute();
  check('rows within a distance', ids(near), [49, 50, 51]);
}

await testSearches('without an index');
await db.schema.createIndex('items_embedding').on('items').using('hnsw')
  .expression(sql`embedding vector_l2_ops`).execute();
await db.schema.createIndex('items_sparse').on('items').using('hnsw')
  .expression(sql`sparse sparsevec_l2_ops`).execute();
await sql`SET enable_seqscan = off`.execute(db);
await sql`SET hnsw.ef_search = 200`.execute(db);
await testSearches('by index');

const [table] = await db.introspection.getTables();
check('introspection', table.columns.map(({ name, dataType }) => `${name} ${dataType}`),
  ['id int4', 'embedding vector', 'half halfvec', 'sparse sparsevec', 'bits bit']);
await checkError('bad text', () => db.insertInto('items').values({ embedding: 'bad' }).execute(),
  /invalid input syntax for type vector/);
await db.destroy();
