"""peewee: a field, operators as expressions, an index by its options, reflection of the table."""

from values import ANGLE_QUERY, N_ROWS, NEAREST, NEAREST_ANGLE, QUERY
from values import HalfVector, SparseVector, Vector, check, dsn, need, rows

need("psycopg2", "peewee")

import peewee  # noqa: E402
from playhouse.reflection import Introspector  # noqa: E402

options = dsn()
db = peewee.PostgresqlDatabase(options.pop("dbname"), **options)


class VectorField(peewee.Field):
    """A column of one of the types, with its dimensions."""

    def __init__(self, value_class, n_dims, **kwargs):
        self._value_class = value_class
        self.field_type = f"{value_class.pg_name}({n_dims})"
        super().__init__(**kwargs)

    def db_value(self, value):
        return None if value is None else value.to_text()

    def python_value(self, value):
        return None if value is None else self._value_class.from_text(value)

    def distance(self, operator, value):
        return peewee.Expression(self, operator, self.to_value(value))

    def to_value(self, value):
        return peewee.Value(value, converter=self.db_value, unpack=False)


class Item(peewee.Model):
    embedding = VectorField(Vector, 3, null=True)
    half = VectorField(HalfVector, 3, null=True)
    sparse = VectorField(SparseVector, 3, null=True)

    class Meta:
        database = db
        table_name = "items"


Item.add_index(
    peewee.ModelIndex(
        Item, [peewee.SQL("embedding vector_l2_ops")], using="hnsw", name="items_embedding"
    )
)
Item.add_index(
    peewee.SQL(
        "CREATE INDEX IF NOT EXISTS items_half ON items USING hnsw (half halfvec_cosine_ops)"
        " WITH (m = 8, ef_construction = 32)"
    )
)


def nearest(order):
    return [item.id for item in Item.select().order_by(order).limit(5)]


def test_searches(when):
    check(f"nearest rows {when}", nearest(Item.embedding.distance("<->", Vector(QUERY))), NEAREST)
    found = nearest(Item.embedding.distance("<=>", Vector(ANGLE_QUERY)))
    check("nearest by cosine distance", found, NEAREST_ANGLE)
    found = nearest(Item.sparse.distance("<->", SparseVector(3, {0: 50.2, 2: 0.25})))
    check("nearest of sparsevec", found, NEAREST)
    near = Item.embedding.distance("<->", Vector(QUERY)) < 2
    check("rows within a distance", Item.select().where(near).count(), 4)


db.connect()
for _ in range(2):
    db.execute_sql("CREATE EXTENSION IF NOT EXISTS vector")
    db.create_tables([Item], safe=True)
with db.atomic():
    for i, embedding, half, sparse, _bits in rows():
        Item.create(embedding=embedding, half=half, sparse=sparse)
items = Item.select().order_by(Item.id)
seen = [(item.id, item.embedding, item.half, item.sparse) for item in items]
check("values come back", seen == [values[:4] for values in rows()], True)
average = peewee.fn.avg(Item.embedding).coerce(True).python_value(Vector.from_text)
check("avg", Item.select(average).where(Item.id <= 4).scalar(), Vector((2.5, 1, 2)))

db.execute_sql("SET enable_indexscan = off")
test_searches("without an index")
db.execute_sql("SET enable_indexscan = on; SET enable_seqscan = off; SET hnsw.ef_search = 200")
test_searches("by index")

Item.update(embedding=Vector((7, 7, 7))).where(Item.id == 1).execute()
check("update", Item.get_by_id(1).embedding, Vector((7, 7, 7)))
check("rows in the end", Item.select().count(), N_ROWS + 1)

check("columns", [(c.name, c.data_type) for c in db.get_columns("items")][1:],
      [(name, "USER-DEFINED") for name in ("embedding", "half", "sparse")])
check("indexes", sorted(index.name for index in db.get_indexes("items")),
      ["items_embedding", "items_half", "items_pkey"])
models = Introspector.from_database(db).generate_models(table_names=["items"])
check("a model by reflection", sorted(models["items"]._meta.columns),
      ["embedding", "half", "id", "sparse"])
