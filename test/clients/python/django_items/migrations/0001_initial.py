"""Makes the extension and the table."""

from django.contrib.postgres.operations import CreateExtension
from django.db import migrations, models

from django_items.fields import HalfVectorField, SparseVectorField, VectorField


ID = {"auto_created": True, "primary_key": True, "serialize": False, "verbose_name": "ID"}


class Migration(migrations.Migration):
    operations = [
        CreateExtension("vector"),
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS vector", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Item",
            fields=[
                ("id", models.BigAutoField(**ID)),
                ("embedding", VectorField(dimensions=3, null=True)),
                ("half", HalfVectorField(dimensions=3, null=True)),
                ("sparse", SparseVectorField(dimensions=3, null=True)),
            ],
            options={"db_table": "items"},
        ),
    ]
