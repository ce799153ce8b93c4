"""Django: a project with migrations, fields, an index and one of an expression, distances, Avg."""

import io

from values import ANGLE_QUERY, N_ROWS, NEAREST, NEAREST_ANGLE, QUERY
from values import HalfVector, SparseVector, Vector, check, dsn, need, rows

need("psycopg2", "django")

import django  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Avg  # noqa: E402
from django.db.models.functions import Cast  # noqa: E402
from django.db.utils import DataError  # noqa: E402

server = dsn()
settings.configure(
    INSTALLED_APPS=["django.contrib.postgres", "django_items"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": server["dbname"],
            "HOST": server["host"],
            "PORT": server["port"],
            "USER": server["user"],
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django_items.fields import CosineDistance, HalfVectorField, L2Distance  # noqa: E402
from django_items.models import Item  # noqa: E402


def command(name, *arguments, **options):
    out = io.StringIO()
    try:
        call_command(name, *arguments, stdout=out, **options)
    except SystemExit:
        print(out.getvalue())
        raise
    return out.getvalue()


def run(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None


def nearest(order):
    return list(Item.objects.order_by(order)[:5].values_list("id", flat=True))


def test_searches(when):
    check(f"nearest rows {when}", nearest(L2Distance("embedding", Vector(QUERY))), NEAREST)
    found = nearest(CosineDistance("embedding", Vector(ANGLE_QUERY)))
    check("nearest by cosine distance", found, NEAREST_ANGLE)
    found = nearest(L2Distance("half", HalfVector((50.2, 0.5, -2))))
    check("nearest of halfvec", found, NEAREST)
    found = nearest(L2Distance("sparse", SparseVector(3, {0: 50.2, 2: 0.25})))
    check("nearest of sparsevec", found, NEAREST)
    half = Cast("embedding", HalfVectorField(dimensions=3))
    check("nearest by a cast", nearest(L2Distance(half, HalfVector(QUERY))), NEAREST)
    near = Item.objects.alias(distance=L2Distance("embedding", Vector(QUERY)))
    check("rows within a distance", near.filter(distance__lt=2).count(), 4)


print(f"Django {django.get_version()}")
command("migrate", verbosity=0)
command("migrate", "django_items", "zero", verbosity=0)
left = run("SELECT count(*) FROM pg_extension WHERE extname = 'vector'")
check("the way back drops it", left, [(0,)])
command("migrate", verbosity=0)
check("nothing is left to migrate", command("makemigrations", "--check", "--dry-run").strip(),
      "No changes detected")

Item.objects.bulk_create(
    Item(embedding=embedding, half=half, sparse=sparse) for _, embedding, half, sparse, _ in rows()
)
names = ("id", "embedding", "half", "sparse")
seen = list(Item.objects.order_by("id").values_list(*names))
check("values come back", seen == [values[:4] for values in rows()], True)
average = Item.objects.filter(id__lte=4).aggregate(Avg("embedding"))
check("Avg", average, {"embedding__avg": Vector((2.5, 1, 2))})

run("SET enable_indexscan = off")
test_searches("without an index")
run("SET enable_indexscan = on", "SET enable_seqscan = off", "SET hnsw.ef_search = 200")
test_searches("by index")
half = L2Distance(Cast("embedding", HalfVectorField(dimensions=3)), HalfVector(QUERY))
check("the index of the expression is in the plan",
      "items_as_half" in Item.objects.order_by(half)[:5].explain(), True)

item = Item.objects.get(id=1)
item.embedding = Vector((7, 7, 7))
item.save()
check("update", Item.objects.get(id=1).embedding, Vector((7, 7, 7)))
try:
    with transaction.atomic():
        Item.objects.create(embedding=Vector((1, 2)))
except DataError as error:
    check("other dimensions", "expected 3 dimensions, not 2" in str(error), True)
else:
    check("other dimensions", "no error", "an error")
check("rows in the end", Item.objects.count(), N_ROWS + 1)

with connection.cursor() as cursor:
    found = connection.introspection.get_constraints(cursor, "items")
methods = {name: found[name].get("type") for name in ("items_embedding", "items_as_half")}
check("indexes", methods, {"items_embedding": "hnsw", "items_as_half": "hnsw"})
check("inspectdb", "embedding = models." in command("inspectdb", "items"), True)
