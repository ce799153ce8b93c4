// postgres (Postgres.js) with pgvector's package: prepared statements, COPY, cursors.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import pgvector from 'pgvector';
import postgres from 'postgres';
import * as shared from './values.mjs';

const { check, checkError, ids, plain, rows } = shared;

const { host, port, user, database } = shared.server;
const sql = postgres({ host, port, user, database, max: 1, onnotice: () => {} });
for (let i = 0; i < 2; i++) await sql`CREATE EXTENSION IF NOT EXISTS vector`;
await sql`CREATE TABLE items (id serial PRIMARY KEY, embedding vector(3), half halfvec(3),
  sparse sparsevec(3), bits bit(3))`;

const toSql = (value) => pgvector.toSql(value);
const written = rows.map(({ embedding, half, sparse, bits }) =>
  ({ embedding: toSql(embedding), half: toSql(half), sparse: toSql(sparse), bits }));
await sql`INSERT INTO items ${sql(written.slice(0, 50))}`;
const lines = written.slice(50).map((row) =>
  Object.values(row).map((field) => field ?? '\\N').join('\t') + '\n');
await pipeline(Readable.from(lines),
  await sql`COPY items (embedding, half, sparse, bits) FROM STDIN`.writable());
const all = plain(await sql`SELECT * FROM items ORDER BY id`, pgvector.fromSql);
check('values come back', isDeepStrictEqual(all, rows), true);

async function testSearches(when) {
  for (let i = 0; i < 7; i++) {
    check(`nearest rows ${when}`, ids(await sql`
      SELECT id FROM items ORDER BY embedding <-> ${toSql(shared.query)} LIMIT 5`), shared.nearest);
  }
  check('nearest by cosine distance', ids(await sql`
    SELECT id FROM items ORDER BY embedding <=> ${toSql(shared.angleQuery)} LIMIT 5`),
    shared.nearestAngle);
  check('nearest of sparsevec', ids(await sql`
    SELECT id FROM items ORDER BY sparse <-> ${toSql(shared.sparseQuery)} LIMIT 5`),
    shared.nearest);
}

await testSearches('without an index');
await sql`CREATE INDEX ON items USING hnsw (embedding vector_l2_ops)`;
await sql`SET enable_seqscan = off`;
await sql`SET hnsw.ef_search = 200`;
await testSearches('by index');

const seen = [];
await sql`SELECT id FROM items ORDER BY embedding <-> '[0,1,2]'`.cursor(7, (some) => {
  seen.push(...ids(some));
});
check('a cursor', seen.slice(0, 10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
await checkError('bad text', () => sql`INSERT INTO items (embedding) VALUES (${'bad'})`,
  /invalid input syntax for type vector/);
await sql.end();
