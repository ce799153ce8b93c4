"""Makes the indexes, one of an expression."""

from django.contrib.postgres.indexes import OpClass
from django.db import migrations
from django.db.models.functions import Cast

from django_items.fields import HalfVectorField, HnswIndex


class Migration(migrations.Migration):
    dependencies = [("django_items", "0001_initial")]
    operations = [
        migrations.AddIndex(
            "Item",
            HnswIndex(
                name="items_embedding",
                fields=["embedding"],
                m=16,
                ef_construction=64,
                opclasses=["vector_l2_ops"],
            ),
        ),
        migrations.AddIndex(
            "Item",
            HnswIndex(
                OpClass(
                    Cast("embedding", HalfVectorField(dimensions=3)), name="halfvec_l2_ops"
                ),
                name="items_as_half",
            ),
        ),
    ]
