"""psycopg2: types by their OIDs, text forms, arrays, execute_values, COPY."""

import io

from values import ANGLE_QUERY, NEAREST, NEAREST_ANGLE, QUERY, TYPES
from values import HalfVector, SparseVector, Vector, check, check_error, dsn, need, rows

need("psycopg2")

import psycopg2  # noqa: E402
from psycopg2 import extensions, extras  # noqa: E402


def register(cursor, value_class):
    """Teaches psycopg2 one of the types and its arrays, as an adapter does: by the type's name."""
    name = value_class.pg_name
    cursor.execute("SELECT typname, oid, typarray FROM pg_type WHERE oid = to_regtype(%s)", [name])
    found, oid, array_oid = cursor.fetchone()
    check("to_regtype", found, name)

    def cast(text, _cursor):
        return None if text is None else value_class.from_text(text)

    scalar = extensions.new_type((oid,), name, cast)
    extensions.register_type(scalar, cursor.connection)
    array = extensions.new_array_type((array_oid,), name + "[]", scalar)
    extensions.register_type(array, cursor.connection)
    extensions.register_adapter(value_class, lambda v: extensions.QuotedString(v.to_text()))


def nearest(cursor, order, query):
    cursor.execute(f"SELECT id FROM items ORDER BY {order} LIMIT 5", [query])
    return [values[0] for values in cursor.fetchall()]


def test_searches(cursor, when):
    check(f"nearest rows {when}", nearest(cursor, "embedding <-> %s", Vector(QUERY)), NEAREST)
    found = nearest(cursor, "embedding <=> %s", Vector(ANGLE_QUERY))
    check("nearest by cosine distance", found, NEAREST_ANGLE)
    found = nearest(cursor, "half <-> %s", HalfVector((50.2, 0.5, -2)))
    check("nearest of halfvec", found, NEAREST)
    found = nearest(cursor, "sparse <-> %s", SparseVector(3, {0: 50.2, 2: 0.25}))
    check("nearest of sparsevec", found, NEAREST)


def test(connection):
    cursor = connection.cursor()
    for _ in range(2):
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
    for value_class in TYPES:
        register(cursor, value_class)
    cursor.execute(
        "CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(3), half halfvec(3),"
        " sparse sparsevec(3), bits bit(3))"
    )
    connection.commit()

    extras.execute_values(cursor, "INSERT INTO items VALUES %s", rows())
    cursor.execute("SELECT * FROM items ORDER BY id")
    check("execute_values", cursor.fetchall() == rows(), True)
    check("type of a column", cursor.description[1].type_code in extensions.string_types, False)
    connection.rollback()

    lines = ("\t".join([str(i)] + [v.to_text() if v else r"\N" for v in r]) for i, *r in rows())
    cursor.copy_expert("COPY items FROM STDIN", io.StringIO("\n".join(lines) + "\n"))
    cursor.execute("SELECT * FROM items ORDER BY id")
    check("COPY", cursor.fetchall() == rows(), True)
    cursor.execute("SELECT array_agg(embedding ORDER BY id) FROM items WHERE id < 3")
    check("vector[]", cursor.fetchone()[0], [Vector((1, 1, 2)), Vector((2, 1, 2))])
    cursor.execute("SELECT embedding <-> %s FROM items WHERE id = 4", [Vector((1, 1, 2))])
    check("a distance", cursor.fetchone(), (3.0,))
    connection.commit()

    test_searches(cursor, "without an index")
    for index in ("embedding vector_l2_ops", "half halfvec_l2_ops", "sparse sparsevec_l2_ops",
                  "embedding vector_cosine_ops"):
        cursor.execute(f"CREATE INDEX ON items USING hnsw ({index})")
    connection.commit()
    cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL hnsw.ef_search = 200")
    test_searches(cursor, "by index")
    cursor.execute("INSERT INTO items (id, embedding) VALUES (0, %s)", [Vector(QUERY)])
    found = nearest(cursor, "embedding <-> %s", Vector(QUERY))
    check("with a row of the same transaction", found, [0, *NEAREST[:4]])
    connection.rollback()

    try:
        cursor.execute("INSERT INTO items (id, embedding) VALUES (0, '[1,2,oops]')")
    except psycopg2.Error as error:
        check_error("bad text", error, "22P02", "invalid input syntax for type vector")
        connection.rollback()
    else:
        check("bad text", "no error", "an error")

    # A cursor of the server, which goes on reading the index.
    with connection.cursor(name="by_distance") as portal:
        portal.itersize = 7
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL hnsw.ef_search = 200")
        portal.execute("SELECT id FROM items ORDER BY embedding <-> %s", [Vector((0, 1, 2))])
        check("a named cursor", [values[0] for values in portal][:20], list(range(1, 21)))
    connection.commit()


test(psycopg2.connect(**dsn()))
