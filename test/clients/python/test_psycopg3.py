"""psycopg 3: types by TypeInfo, text and binary forms, arrays, COPY BINARY, pipelines, async."""

import asyncio

from values import ANGLE_QUERY, N_ROWS, NEAREST, NEAREST_ANGLE, QUERY, TYPES
from values import Bits, HalfVector, SparseVector, Vector, check, check_error, need, row, rows

need("psycopg")

import psycopg  # noqa: E402
from psycopg.adapt import Dumper, Loader  # noqa: E402
from psycopg.pq import Format  # noqa: E402
from psycopg.types import TypeInfo  # noqa: E402


def register(connection, value_class, info):
    """Teaches a connection one of the types, in both forms."""

    class TextDumper(Dumper):
        oid = info.oid

        def dump(self, obj):
            return obj.to_text().encode()

    class BinaryDumper(TextDumper):
        format = Format.BINARY

        def dump(self, obj):
            return obj.to_binary()

    class TextLoader(Loader):
        def load(self, data):
            return value_class.from_text(bytes(data).decode())

    class BinaryLoader(Loader):
        format = Format.BINARY

        def load(self, data):
            return value_class.from_binary(bytes(data))

    info.register(connection)
    for dumper in TextDumper, BinaryDumper:
        connection.adapters.register_dumper(value_class, dumper)
    for loader in TextLoader, BinaryLoader:
        connection.adapters.register_loader(info.oid, loader)


def register_all(connection):
    for value_class in TYPES:
        info = TypeInfo.fetch(connection, value_class.pg_name)
        check(f"TypeInfo of {value_class.pg_name}", info.oid > 0 and info.array_oid > 0, True)
        register(connection, value_class, info)


def test_values(connection):
    for binary in False, True:
        form = "binary" if binary else "text"
        placeholder = "%b" if binary else "%t"
        cursor = connection.cursor(binary=binary)
        for value in (*row(7), SparseVector(5, {}), Bits("101010101"), Vector((0.5, -1e10))):
            same = cursor.execute(f"SELECT {placeholder}", [value]).fetchone()[0]
            check(f"{form} {value.pg_name}", same, value)
        for one, two in ((Vector((1, 2)), Vector((3,))), (HalfVector((1, 2)), HalfVector((3,)))):
            found = cursor.execute(
                f"SELECT {placeholder}::{one.pg_name}[]", [[one, two, None]]
            ).fetchone()[0]
            check(f"{form} {one.pg_name}[]", found, [one, two, None])


def test_table(connection):
    connection.execute("DROP TABLE IF EXISTS items")
    connection.execute(
        "CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(3), half halfvec(3),"
        " sparse sparsevec(3), bits bit(3))"
    )
    with connection.cursor() as cursor:
        with cursor.copy("COPY items FROM STDIN WITH (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "vector", "halfvec", "sparsevec", "bit"])
            for values in rows():
                copy.write_row(values)
        with cursor.copy("COPY items TO STDOUT WITH (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "vector", "halfvec", "sparsevec", "bit"])
            check("COPY there and back in binary", list(copy.rows()) == rows(), True)
        with cursor.copy("COPY items TO STDOUT") as copy:
            copy.set_types(["int8", "vector", "halfvec", "sparsevec", "bit"])
            check("and in text", list(copy.rows()) == rows(), True)

    connection.execute("DELETE FROM items WHERE id > 90")
    with connection.pipeline(), connection.cursor() as cursor:
        cursor.executemany("INSERT INTO items VALUES (%s, %b, %t, %b, %t)", rows()[90:])
    found = connection.execute("SELECT * FROM items ORDER BY id", binary=True).fetchall()
    check("executemany in a pipeline", found == rows(), True)

    average, total = connection.execute(
        "SELECT avg(embedding), sum(half) FROM items WHERE id <= 4"
    ).fetchone()
    check("avg", average, Vector((2.5, 1, 2)))
    check("sum", total, HalfVector((10, 2, -8)))


def nearest(connection, order, query, **options):
    found = connection.execute(f"SELECT id FROM items ORDER BY {order} LIMIT 5", [query], **options)
    return [values[0] for values in found]


def test_searches(connection, when):
    # More often than it takes for a plan without the parameter.
    for binary in (False, True) * 4:
        ids = nearest(connection, "embedding <-> %s", Vector(QUERY), prepare=True, binary=binary)
        check(f"nearest rows {when}", ids, NEAREST)
    ids = nearest(connection, "embedding <=> %s", Vector(ANGLE_QUERY))
    check("nearest by cosine distance", ids, NEAREST_ANGLE)
    ids = nearest(connection, "half <-> %b", HalfVector((50.2, 0.5, -2)))
    check("nearest of halfvec", ids, NEAREST)
    ids = nearest(connection, "sparse <-> %b", SparseVector(3, {0: 50.2, 2: 0.25}))
    check("nearest of sparsevec", ids, NEAREST)
    ids = nearest(connection, "bits <~> %b, id", Bits("110"))
    check("nearest of bit", ids, [6, 14, 22, 30, 38])


def test_index(connection):
    for column, operator_class in (
        ("embedding", "vector_l2_ops"),
        ("embedding", "vector_cosine_ops"),
        ("half", "halfvec_l2_ops"),
        ("sparse", "sparsevec_l2_ops"),
        ("bits", "bit_hamming_ops"),
    ):
        connection.execute(
            f"CREATE INDEX ON items USING hnsw ({column} {operator_class})"
            " WITH (m = 16, ef_construction = 64)"
        )
    connection.execute("SET enable_seqscan = off")
    connection.execute("SET hnsw.ef_search = 200")
    plan = connection.execute(
        "EXPLAIN SELECT id FROM items ORDER BY embedding <-> %b LIMIT 5", [Vector(QUERY)]
    ).fetchall()
    check("the index is in the plan", "items_embedding_idx" in str(plan), True)
    connection.execute("SET plan_cache_mode = force_generic_plan")
    test_searches(connection, "by index")


async def test_async():
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        info = await TypeInfo.fetch(connection, "vector")
        register(connection, Vector, info)
        cursor = await connection.execute(
            "SELECT id, embedding FROM items ORDER BY embedding <-> %b LIMIT 1", [Vector(QUERY)]
        )
        check("async", await cursor.fetchone(), (50, row(50)[0]))


def test_errors(connection):
    for what, value, sqlstate, text in (
        ("other dimensions", Vector((1, 2)), "22000", "expected 3 dimensions, not 2"),
        ("no dimensions", Vector(()), "22000", "vector must have at least 1 dimension"),
        ("not a number", Vector((1, 2, float("nan"))), "22000", "NaN not allowed in vector"),
    ):
        try:
            connection.execute("INSERT INTO items (id, embedding) VALUES (0, %b)", [value])
        except psycopg.Error as error:
            check_error(what, error, sqlstate, text)
        else:
            check(what, "no error", "an error")


with psycopg.connect(autocommit=True) as db:
    for _ in range(2):
        db.execute("CREATE EXTENSION IF NOT EXISTS vector")
    register_all(db)
    test_values(db)
    test_table(db)
    test_searches(db, "without an index")
    test_index(db)
    test_errors(db)
    asyncio.run(test_async())
    check("rows in the end", db.execute("SELECT count(*) FROM items").fetchone(), (N_ROWS + 1,))
