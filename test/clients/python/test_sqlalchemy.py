"""SQLAlchemy: a type with operators, Index with options of hnsw, reflection, ORM, bulk inserts."""

from values import ANGLE_QUERY, N_ROWS, NEAREST, NEAREST_ANGLE, QUERY
from values import Bits, HalfVector, SparseVector, Vector, check, check_error, dsn, need, rows

need("psycopg2", "sqlalchemy")

import sqlalchemy as sa  # noqa: E402
from sqlalchemy.dialects.postgresql import BIT  # noqa: E402
from sqlalchemy.dialects.postgresql.base import ischema_names  # noqa: E402
from sqlalchemy.orm import Session, declarative_base  # noqa: E402
from sqlalchemy.types import Float, UserDefinedType  # noqa: E402


class VectorType(UserDefinedType):
    """The SQL type of vector, with its dimensions, and its operators as functions of a column."""

    cache_ok = True
    value_class = Vector

    def __init__(self, n_dims=None):
        self.n_dims = n_dims

    def get_col_spec(self, **_options):
        name = self.value_class.pg_name
        return name if self.n_dims is None else f"{name}({self.n_dims})"

    def bind_processor(self, dialect):
        return lambda value: None if value is None else value.to_text()

    def literal_processor(self, dialect):
        return lambda value: f"'{value.to_text()}'"

    def result_processor(self, dialect, coltype):
        return lambda text: None if text is None else self.value_class.from_text(text)

    class comparator_factory(UserDefinedType.Comparator):
        def l2_distance(self, other):
            return self.op("<->", return_type=Float)(other)

        def cosine_distance(self, other):
            return self.op("<=>", return_type=Float)(other)


class HalfVectorType(VectorType):
    cache_ok = True
    value_class = HalfVector


class SparseVectorType(VectorType):
    cache_ok = True
    value_class = SparseVector


# By these names reflection finds them.
for type_class in VectorType, HalfVectorType, SparseVectorType:
    ischema_names[type_class.value_class.pg_name] = type_class

Base = declarative_base()


class Item(Base):
    __tablename__ = "items"
    __table_args__ = (
        sa.Index(
            "items_embedding",
            "embedding",
            postgresql_using="hnsw",
            postgresql_with={"m": 16, "ef_construction": 64},
            postgresql_ops={"embedding": "vector_l2_ops"},
        ),
        sa.Index(
            "items_sparse",
            "sparse",
            postgresql_using="hnsw",
            postgresql_ops={"sparse": "sparsevec_l2_ops"},
        ),
    )
    id = sa.Column(sa.BigInteger, primary_key=True)
    embedding = sa.Column(VectorType(3))
    half = sa.Column(HalfVectorType(3))
    sparse = sa.Column(SparseVectorType(3))
    bits = sa.Column(BIT(3))


sa.Index(
    "items_as_half",
    sa.cast(Item.embedding, HalfVectorType(3)).label("as_half"),
    postgresql_using="hnsw",
    postgresql_ops={"as_half": "halfvec_l2_ops"},
)


def nearest(session, order, *conditions):
    query = sa.select(Item.id).where(*conditions).order_by(order).limit(5)
    return list(session.scalars(query))


def test_searches(session, when):
    found = nearest(session, Item.embedding.l2_distance(Vector(QUERY)))
    check(f"nearest rows {when}", found, NEAREST)
    found = nearest(session, Item.embedding.cosine_distance(Vector(ANGLE_QUERY)))
    check("nearest by cosine distance", found, NEAREST_ANGLE)
    found = nearest(session, Item.sparse.l2_distance(SparseVector(3, {0: 50.2, 2: 0.25})))
    check("nearest of sparsevec", found, NEAREST)
    half = sa.cast(Item.embedding, HalfVectorType(3))
    found = nearest(session, half.l2_distance(HalfVector(QUERY)))
    check("nearest by an expression", found, NEAREST)
    distance = Item.embedding.l2_distance(Vector(QUERY))
    found = nearest(session, distance, distance < 1.5)
    check("nearest within a distance", found, NEAREST[:3])


def test_reflection(engine):
    table = sa.Table("items", sa.MetaData(), autoload_with=engine)
    check("reflected columns",
          {c.name: c.type.get_col_spec() for c in table.columns if hasattr(c.type, "n_dims")},
          {"embedding": "vector(3)", "half": "halfvec(3)", "sparse": "sparsevec(3)"})
    indexes = {index["name"]: index for index in sa.inspect(engine).get_indexes("items")}
    # That of an expression is known since SQLAlchemy 2.
    found = sorted(name for name in indexes if name != "items_as_half")
    check("reflected indexes", found, ["items_embedding", "items_sparse"])
    options = indexes["items_embedding"]["dialect_options"]
    check("its method", options["postgresql_using"], "hnsw")
    check("its options", options["postgresql_with"], {"m": "16", "ef_construction": "64"})


options = dsn()
url = sa.engine.URL.create(
    "postgresql+psycopg2",
    username=options["user"],
    database=options["dbname"],
    query={"host": options["host"], "port": str(options["port"])},
)
engine = sa.create_engine(url, future=True)
with engine.begin() as connection:
    for _ in range(2):
        connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS vector"))
Base.metadata.create_all(engine)
Base.metadata.create_all(engine)

names = ("id", "embedding", "half", "sparse", "bits")
with Session(engine) as session:
    session.add_all(Item(**dict(zip(names, values))) for values in rows()[:50])
    session.flush()
    session.execute(sa.insert(Item), [dict(zip(names, values)) for values in rows()[50:]])
    session.commit()
    seen = [tuple(getattr(item, name) for name in names)
            for item in session.scalars(sa.select(Item).order_by(Item.id))]
    check("values come back", seen == rows(), True)
    average = sa.select(sa.func.avg(Item.embedding, type_=VectorType())).where(Item.id <= 4)
    check("avg", session.scalars(average).one(), Vector((2.5, 1, 2)))
    literal = sa.select(Item.embedding.l2_distance(Vector((1, 1, 2)))).where(Item.id == 4)
    check("a distance", session.scalars(literal).one(), 3.0)
    session.execute(sa.text("SET enable_indexscan = off"))
    test_searches(session, "without an index")
    session.execute(sa.text("SET enable_indexscan = on"))
    session.execute(sa.text("SET LOCAL enable_seqscan = off"))
    session.execute(sa.text("SET LOCAL hnsw.ef_search = 200"))
    test_searches(session, "by index")
    item = session.get(Item, N_ROWS + 1)
    item.embedding, item.bits = Vector((9, 9, 9)), Bits("101")
    session.commit()
    check("update", session.get(Item, N_ROWS + 1).embedding, Vector((9, 9, 9)))
    try:
        session.add(Item(id=0, embedding=Vector((1, 2))))
        session.flush()
    except sa.exc.DBAPIError as error:
        check_error("other dimensions", error.orig, "22000", "expected 3 dimensions, not 2")
        session.rollback()
    else:
        check("other dimensions", "no error", "an error")

test_reflection(engine)
