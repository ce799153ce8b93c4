// pg with pgvector's package: types by registerTypes, prepared statements, COPY by pg-copy-streams.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import copyStreams from 'pg-copy-streams';
import pgvector from 'pgvector/pg';
import * as shared from './values.mjs';

const { check, checkError, ids, plain, rows } = shared;

const client = new pg.Client(shared.server);
await client.connect();
for (let i = 0; i < 2; i++) await client.query('CREATE EXTENSION IF NOT EXISTS vector');
await pgvector.registerTypes(client);

await client.query(`CREATE TABLE items (id bigserial PRIMARY KEY, embedding vector(3),
  half halfvec(3), sparse sparsevec(3), bits bit(3))`);
const fields = (row) => [row.embedding, row.half, row.sparse].map(pgvector.toSql);
for (const row of rows.slice(0, 50)) {
  await client.query({
    name: 'insert',
    text: 'INSERT INTO items (embedding, half, sparse, bits) VALUES ($1, $2, $3, $4)',
    values: [...fields(row), row.bits],
  });
}
const lines = rows.slice(50).map((row) =>
  [...fields(row), row.bits].map((field) => field ?? '\\N').join('\t') + '\n');
await pipeline(
  Readable.from(lines),
  client.query(copyStreams.from('COPY items (embedding, half, sparse, bits) FROM STDIN')),
);
let found = await client.query('SELECT * FROM items ORDER BY id');
check('values come back', isDeepStrictEqual(plain(found.rows), rows), true);
found = await client.query('SELECT avg(embedding), sum(half) FROM items WHERE id <= 4');
check('avg and sum', { ...found.rows[0] }, { avg: [2.5, 1, 2], sum: [10, 2, -8] });
for (const vector of [[1e-7, 1e21, 0.5], [-1.5e-10, 16777216, 3]]) {
  found = await client.query('SELECT $1::vector AS v', [pgvector.toSql(vector)]);
  check('numbers as JavaScript writes them', found.rows[0].v, vector);
}

async function nearest(order, query) {
  const name = `nearest ${order}`;
  const text = `SELECT id FROM items ORDER BY ${order} LIMIT $2`;
  return ids((await client.query({ name, text, values: [query, 5] })).rows);
}

async function testSearches(when) {
  for (let i = 0; i < 7; i++) {
    check(`nearest rows ${when}`,
      await nearest('embedding <-> $1', pgvector.toSql(shared.query)), shared.nearest);
  }
  check('nearest by cosine distance',
    await nearest('embedding <=> $1', pgvector.toSql(shared.angleQuery)), shared.nearestAngle);
  check('nearest of sparsevec',
    await nearest('sparse <-> $1', pgvector.toSql(shared.sparseQuery)), shared.nearest);
  check('nearest of bit', await nearest('bits <~> $1, id', '110'), shared.nearestBits);
}

await testSearches('without an index');
await client.query('CREATE INDEX ON items USING hnsw (embedding vector_l2_ops)');
await client.query('CREATE INDEX ON items USING hnsw (sparse sparsevec_l2_ops)');
await client.query('SET enable_seqscan = off; SET hnsw.ef_search = 200');
await testSearches('by index');

const insert = (text) => client.query('INSERT INTO items (embedding) VALUES ($1)', [text]);
await checkError('bad text', () => insert('bad'), /^invalid input syntax for type vector: "bad"$/);
await checkError('dimensions', () => insert('[1,2]'), /^expected 3 dimensions, not 2$/);
await client.end();

// A pool, whose connections know the types before they serve.
const pool = new pg.Pool({ ...shared.server, max: 2 });
pool.on('connect', (each) => pgvector.registerTypes(each));
found = await Promise.all([7, 8, 9].map((id) =>
  pool.query('SELECT $1::int AS id, embedding FROM items WHERE id = $1', [id])));
check('by a pool', ids(found.map((result) => result.rows[0])), [7, 8, 9]);
await pool.end();
