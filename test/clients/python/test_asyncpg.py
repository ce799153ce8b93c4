"""asyncpg: binary codecs by schema and name, prepared statements, binary COPY both ways."""

import asyncio
import os

from values import ANGLE_QUERY, N_ROWS, NEAREST, NEAREST_ANGLE, QUERY
from values import HalfVector, SparseVector, Vector, check, check_error, need, rows

need("asyncpg")

import asyncpg  # noqa: E402

COLUMNS = ["id", "embedding", "half", "sparse", "bits"]


async def register(connection):
    for value_class in Vector, HalfVector, SparseVector:
        await connection.set_type_codec(
            value_class.pg_name,
            schema="public",
            encoder=value_class.to_binary,
            decoder=value_class.from_binary,
            format="binary",
        )


def bits_of(text):
    return None if text is None else asyncpg.BitString(text)


async def nearest(connection, order, query):
    found = await connection.fetch(f"SELECT id FROM items ORDER BY {order} LIMIT 5", query)
    return [record["id"] for record in found]


async def test_searches(connection, when):
    statement = await connection.prepare("SELECT id FROM items ORDER BY embedding <-> $1 LIMIT $2")
    check("type of a parameter", statement.get_parameters()[0].name, "vector")
    for _ in range(7):
        found = [record["id"] for record in await statement.fetch(Vector(QUERY), 5)]
        check(f"nearest rows {when}", found, NEAREST)
    found = await nearest(connection, "embedding <=> $1", Vector(ANGLE_QUERY))
    check("nearest by cosine distance", found, NEAREST_ANGLE)
    found = await nearest(connection, "half <-> $1", HalfVector((50.2, 0.5, -2)))
    check("nearest of halfvec", found, NEAREST)
    found = await nearest(connection, "sparse <-> $1", SparseVector(3, {0: 50.2, 2: 0.25}))
    check("nearest of sparsevec", found, NEAREST)
    found = await nearest(connection, "bits <~> $1, id", asyncpg.BitString("110"))
    check("nearest of bit", found, [6, 14, 22, 30, 38])


async def test(pool):
    data = [(*values, bits_of(bits)) for *values, bits in rows()]
    async with pool.acquire() as connection:
        await connection.execute(
            "CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(3), half halfvec(3),"
            " sparse sparsevec(3), bits bit(3))"
        )
        tag = await connection.copy_records_to_table("items", records=data[:50], columns=COLUMNS)
        check("binary COPY", tag, "COPY 50")
        await connection.executemany("INSERT INTO items VALUES ($1, $2, $3, $4, $5)", data[50:])
        found = await connection.fetch("SELECT * FROM items ORDER BY id")
        check("values come back", [tuple(record) for record in found] == data, True)
        pair = [Vector((1, 2)), None, Vector((3,))]
        check("vector[]", await connection.fetchval("SELECT $1::vector[]", pair), pair)

        await test_searches(connection, "without an index")
        for index in ("embedding vector_l2_ops", "half halfvec_l2_ops", "sparse sparsevec_l2_ops",
                      "embedding vector_cosine_ops"):
            await connection.execute(f"CREATE INDEX ON items USING hnsw ({index})")

    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL hnsw.ef_search = 200")
        await test_searches(connection, "by index")
        found = []
        query = "SELECT id FROM items ORDER BY embedding <-> $1"
        async for record in connection.cursor(query, Vector((0, 1, 2)), prefetch=7):
            found.append(record["id"])
        check("a cursor", found[:20], list(range(1, 21)))

    async with pool.acquire() as connection:
        try:
            await connection.execute("INSERT INTO items VALUES (0, $1)", Vector((1, 2)))
        except asyncpg.PostgresError as error:
            check_error("other dimensions", error, "22000", "expected 3 dimensions, not 2")
        else:
            check("other dimensions", "no error", "an error")
        n_rows = await connection.fetchval("SELECT count(*) FROM items")
        check("rows in the end", n_rows, N_ROWS + 1)


async def main():
    first = await asyncpg.connect(host=os.environ["PGHOST"])
    for _ in range(2):
        await first.execute("CREATE EXTENSION IF NOT EXISTS vector")
    await first.close()
    async with asyncpg.create_pool(
        host=os.environ["PGHOST"], min_size=1, max_size=2, init=register
    ) as pool:
        await test(pool)


asyncio.run(main())
