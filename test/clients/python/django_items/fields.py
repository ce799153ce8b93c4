"""Fields, distances and the index of extension vector for Django, as an adapter has them."""

from django.contrib.postgres.indexes import PostgresIndex
from django.db.models import Field, FloatField, Func, Value

from values import HalfVector, SparseVector, Vector


class VectorField(Field):
    value_class = Vector

    def __init__(self, *args, dimensions=None, **kwargs):
        self.dimensions = dimensions
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "dimensions": self.dimensions}

    def db_type(self, connection):
        return f"{self.value_class.pg_name}({self.dimensions})"

    def from_db_value(self, value, expression, connection):
        return None if value is None else self.value_class.from_text(value)

    def get_prep_value(self, value):
        return None if value is None else value.to_text()


class HalfVectorField(VectorField):
    value_class = HalfVector


class SparseVectorField(VectorField):
    value_class = SparseVector


class HnswIndex(PostgresIndex):
    suffix = "hnsw"

    def __init__(self, *expressions, m=None, ef_construction=None, **kwargs):
        self.m = m
        self.ef_construction = ef_construction
        super().__init__(*expressions, **kwargs)

    def _options(self):
        options = {"m": self.m, "ef_construction": self.ef_construction}
        return {name: value for name, value in options.items() if value is not None}

    def deconstruct(self):
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, **self._options()}

    def get_with_params(self):
        return [f"{name} = {value}" for name, value in self._options().items()]


class Distance(Func):
    template = "(%(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression, value):
        classes = VectorField, HalfVectorField, SparseVectorField
        (field,) = (c() for c in classes if c.value_class is type(value))
        super().__init__(expression, Value(value, output_field=field))


class L2Distance(Distance):
    arg_joiner = " <-> "


class CosineDistance(Distance):
    arg_joiner = " <=> "
