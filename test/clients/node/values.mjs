// What the tests of Node clients share: where the server is, rows, and checks that print what was
// seen.

import { isDeepStrictEqual } from 'node:util';
import pgvector from 'pgvector';

export const { SparseVector } = pgvector;

export const nRows = 100;
export const query = [50.2, 1, 2];
// Of the rows below by Euclidean distance, and by cosine distance to a query of its own.
export const nearest = [50, 51, 49, 52, 48];
export const angleQuery = [3.2, 1, 2];
export const nearestAngle = [3, 4, 5, 2, 6];
export const nearestBits = [6, 14, 22, 30, 38];
export const sparseQuery = new SparseVector([50.2, 0, 0.25]);

export const server = {
  host: process.env.PGHOST,
  port: Number(process.env.PGPORT),
  user: process.env.PGUSER,
  database: process.env.PGDATABASE,
};

// Rows 1 to nRows, whose distances to the queries all differ, and one of NULLs.
export const rows = [
  ...Array.from({ length: nRows }, (_, i) => ({
    id: i + 1,
    embedding: [i + 1, 1, 2],
    half: [i + 1, 0.5, -2],
    sparse: new SparseVector([i + 1, 0, 0.25]),
    bits: ((i + 1) % 8).toString(2).padStart(3, '0'),
  })),
  { id: nRows + 1, embedding: null, half: null, sparse: null, bits: null },
];

// Prints what was seen, and ends the test unless it is as expected.
export function check(what, seen, expected) {
  console.log(`${what}:`, seen);
  if (!isDeepStrictEqual(seen, expected)) {
    console.log('expected:', expected);
    process.exit(1);
  }
}

// Prints the error that `attempt` ends in, whose text has to match.
export async function checkError(what, attempt, pattern) {
  let message = 'no error';
  await attempt().catch((error) => {
    message = error.message;
  });
  check(`${what}: ${message}`, pattern.test(message), true);
}

// Plain rows of a client's own objects, in the order and form of `rows`.
export function plain(found, convert = (value) => value) {
  return found.map(({ id, embedding, half, sparse, bits }) => ({
    id: Number(id),
    embedding: convert(embedding),
    half: convert(half),
    sparse: convert(sparse),
    bits,
  }));
}

export const ids = (found) => found.map(({ id }) => Number(id));
