// drizzle-orm: its own columns, distances and index builder.

import { isDeepStrictEqual } from 'node:util';
import { avg, cosineDistance, desc, eq, getTableColumns, hammingDistance, l2Distance, lt, sql }
  from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { bit, getTableConfig, halfvec, index, pgTable, serial, sparsevec, vector }
  from 'drizzle-orm/pg-core';
import pg from 'pg';
import * as shared from './values.mjs';

const { check, checkError, ids, plain, rows, SparseVector } = shared;

const client = new pg.Client(shared.server);
await client.connect();
const db = drizzle({ client });
for (let i = 0; i < 2; i++) await db.execute('CREATE EXTENSION IF NOT EXISTS vector');

const items = pgTable('items', {
  id: serial('id').primaryKey(),
  embedding: vector('embedding', { dimensions: 3 }),
  half: halfvec('half', { dimensions: 3 }),
  sparse: sparsevec('sparse', { dimensions: 3 }),
  bits: bit('bits', { dimensions: 3 }),
}, (table) => [
  index('items_embedding').using('hnsw', table.embedding.op('vector_l2_ops')),
  index('items_half').using('hnsw', table.half.op('halfvec_l2_ops')).with({ m: 8 }),
]);

// What its migrations would send, by what the table says of itself.
const columns = Object.values(getTableColumns(items));
await db.execute(`CREATE TABLE "items" (${columns.map((column) =>
  `"${column.name}" ${column.getSQLType()}${column.primary ? ' PRIMARY KEY' : ''}`).join(', ')})`);
check('types', columns.map((column) => column.getSQLType()),
  ['serial', 'vector(3)', 'halfvec(3)', 'sparsevec(3)', 'bit(3)']);

const written = rows.map(({ id, ...row }) =>
  ({ ...row, sparse: row.sparse?.toPostgres() ?? null }));
await db.insert(items).values(written);
const found = plain(await db.select().from(items).orderBy(items.id))
  .map((row) => ({ ...row, sparse: row.sparse && new SparseVector(row.sparse) }));
check('values come back', isDeepStrictEqual(found, rows), true);
const [mean] = await db.select({ value: avg(items.embedding) }).from(items).where(lt(items.id, 5));
check('avg', mean.value, '[2.5,1,2]');

async function testSearches(when) {
  const first = async (...order) =>
    ids(await db.select({ id: items.id }).from(items).orderBy(...order).limit(5));
  const distance = l2Distance(items.embedding, shared.query);
  check(`nearest rows ${when}`, await first(distance), shared.nearest);
  check('nearest by cosine distance',
    await first(cosineDistance(items.embedding, shared.angleQuery)), shared.nearestAngle);
  check('nearest of halfvec', await first(l2Distance(items.half, [50.2, 0.5, -2])),
    shared.nearest);
  check('nearest of sparsevec',
    await first(l2Distance(items.sparse, shared.sparseQuery.toPostgres())), shared.nearest);
  check('nearest of bit', await first(hammingDistance(items.bits, '110'), items.id),
    shared.nearestBits);
  const one = db.select({ embedding: items.embedding }).from(items).where(eq(items.id, 1));
  check('nearest to a row', await first(l2Distance(items.embedding, one)), [1, 2, 3, 4, 5]);
  const similarity = sql`1 - (${cosineDistance(items.embedding, shared.angleQuery)})`;
  const similar = await db.select({ id: items.id, similarity }).from(items)
    .where(sql`${similarity} > 0.99`).orderBy(desc(similarity));
  check('rows of a similarity', ids(similar), [3, 4]);
}

await testSearches('without an index');
for (const { config } of getTableConfig(items).indexes) {
  const keys = config.columns.map((column) => `"${column.name}" ${column.indexConfig.opClass}`);
  const options = Object.entries(config.with ?? {}).map(([name, value]) => `${name}=${value}`);
  await db.execute(`CREATE INDEX "${config.name}" ON "items" USING ${config.method} (${keys})` +
    (options.length ? ` WITH (${options})` : ''));
}
await db.execute('SET enable_seqscan = off; SET hnsw.ef_search = 200');
await testSearches('by index');

await db.update(items).set({ embedding: [7, 7, 7] }).where(eq(items.id, 1));
check('update', (await db.select().from(items).where(eq(items.id, 1)))[0].embedding, [7, 7, 7]);
await checkError('dimensions', () => db.insert(items).values({ embedding: [1, 2] })
  .catch((error) => { throw error.cause ?? error; }), /expected 3 dimensions, not 2/);
await client.end();
