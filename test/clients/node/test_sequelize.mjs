// Sequelize with pgvector's package: data types, sync run twice, distances, an index of the model.

import { isDeepStrictEqual } from 'node:util';
import pgvector from 'pgvector/sequelize';
import sequelizeOf from 'sequelize';
import * as shared from './values.mjs';

const { check, checkError, ids, plain, rows } = shared;
const { cosineDistance, l2Distance, hammingDistance } = pgvector;
const { DataTypes, Sequelize } = sequelizeOf;

pgvector.registerTypes(Sequelize);
const { database, user, host, port } = shared.server;
const connect = () => new Sequelize(database, user, null, {
  dialect: 'postgres', host, port, logging: false, pool: { max: 1 },
});
// It asks for the types that there are as it connects.
const first = connect();
for (let i = 0; i < 2; i++) await first.query('CREATE EXTENSION IF NOT EXISTS vector');
await first.close();
const sequelize = connect();

const Item = sequelize.define('Item', {
  embedding: { type: DataTypes.VECTOR(3) },
  half: { type: DataTypes.HALFVEC(3) },
  sparse: { type: DataTypes.SPARSEVEC(3) },
  bits: { type: 'BIT(3)' },
}, {
  tableName: 'items',
  timestamps: false,
  indexes: [
    { fields: ['embedding'], using: 'hnsw', operator: 'vector_l2_ops', name: 'items_embedding' },
    { fields: ['half'], using: 'hnsw', operator: 'halfvec_l2_ops' },
    { fields: ['sparse'], using: 'hnsw', operator: 'sparsevec_l2_ops' },
  ],
});
await Item.sync();
await Item.sync();

for (const row of rows.slice(0, 10)) await Item.create(row);
await Item.bulkCreate(rows.slice(10));
const found = plain(await Item.findAll({ order: ['id'] }));
check('values come back', isDeepStrictEqual(found, rows), true);

async function testSearches(when) {
  const items = async (...order) => ids(await Item.findAll({ order, limit: 5 }));
  check(`nearest rows ${when}`, await items(l2Distance('embedding', shared.query, sequelize)),
    shared.nearest);
  check('nearest by cosine distance',
    await items(cosineDistance('embedding', shared.angleQuery, sequelize)), shared.nearestAngle);
  check('nearest of halfvec', await items(l2Distance('half', [50.2, 0.5, -2], sequelize)),
    shared.nearest);
  check('nearest of sparsevec', await items(l2Distance('sparse', shared.sparseQuery, sequelize)),
    shared.nearest);
  check('nearest of bit', await items(hammingDistance('bits', '110', sequelize), 'id'),
    shared.nearestBits);
}

await sequelize.query('SET enable_indexscan = off');
await testSearches('without an index');
await sequelize.query('RESET enable_indexscan; SET enable_seqscan = off; SET hnsw.ef_search = 200');
await testSearches('by index');

const [item] = await Item.findAll({ where: { id: 1 } });
await item.update({ embedding: [7, 7, 7] });
await item.reload();
check('update', item.embedding, [7, 7, 7]);
await checkError('bad text', () => Item.create({ embedding: 'bad' }),
  /invalid input syntax for type vector: "bad"/);

const columns = await sequelize.getQueryInterface().describeTable('items');
check('describeTable', ['embedding', 'half', 'sparse', 'bits'].map((name) => columns[name].type),
  ['USER-DEFINED', 'USER-DEFINED', 'USER-DEFINED', 'BIT(3)']);
const indexes = await sequelize.getQueryInterface().showIndex('items');
check('showIndex', indexes.map(({ name }) => name).sort(),
  ['items_embedding', 'items_half', 'items_pkey', 'items_sparse']);
await sequelize.close();
