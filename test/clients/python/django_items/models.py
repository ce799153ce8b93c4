"""The table of the test."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Cast

from django_items.fields import HalfVectorField, HnswIndex, SparseVectorField, VectorField


class Item(models.Model):
    embedding = VectorField(dimensions=3, null=True)
    half = HalfVectorField(dimensions=3, null=True)
    sparse = SparseVectorField(dimensions=3, null=True)

    class Meta:
        db_table = "items"
        indexes = [
            HnswIndex(
                name="items_embedding",
                fields=["embedding"],
                m=16,
                ef_construction=64,
                opclasses=["vector_l2_ops"],
            ),
            HnswIndex(
                OpClass(
                    Cast("embedding", HalfVectorField(dimensions=3)), name="halfvec_l2_ops"
                ),
                name="items_as_half",
            ),
        ]
