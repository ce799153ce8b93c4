"""What the tests of Python clients share: values of the types in their text and binary forms, rows,
and checks that print what was seen. A client that this Debian lacks ends a test with SKIPPED."""

import importlib
import os
import struct
import sys

SKIPPED = 77

N_DIMS = 3
N_ROWS = 100
QUERY = (50.2, 1, 2)
# Of the rows below by Euclidean distance, and by cosine distance to a query of its own.
NEAREST = [50, 51, 49, 52, 48]
ANGLE_QUERY = (3.2, 1, 2)
NEAREST_ANGLE = [3, 4, 5, 2, 6]


def need(*modules):
    """Ends the test as skipped unless all of the modules are there."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            print(f"no {module}: {error}")
            sys.exit(SKIPPED)


def check(what, seen, expected):
    """Prints what was seen, and ends the test unless it is as expected."""
    print(f"{what}: {seen}")
    if seen != expected:
        sys.exit(f"expected: {expected}")


def check_error(what, error, sqlstate, text):
    """The same for an error that a client has raised."""
    check(f"{what}, SQLSTATE", getattr(error, "sqlstate", None) or error.pgcode, sqlstate)
    check(f"{what}, {text!r} in its text", text in str(error), True)


def dsn():
    """Where the server is, for drivers that read no environment."""
    return {
        "host": os.environ["PGHOST"],
        "port": int(os.environ["PGPORT"]),
        "user": os.environ["PGUSER"],
        "dbname": os.environ["PGDATABASE"],
    }


class Vector(tuple):
    """A value of type vector."""

    pg_name = "vector"
    _code = "f"

    def to_text(self):
        return "[" + ",".join(map(repr, self)) + "]"

    @classmethod
    def from_text(cls, text):
        return cls(map(float, text[1:-1].split(",")))

    def to_binary(self):
        return struct.pack(f">HH{len(self)}{self._code}", len(self), 0, *self)

    @classmethod
    def from_binary(cls, data):
        n_dims, unused = struct.unpack_from(">HH", data)
        if unused != 0:
            raise ValueError(f"unused bytes of a vector are {unused}")
        return cls(struct.unpack_from(f">{n_dims}{cls._code}", data, 4))


class HalfVector(Vector):
    """A value of type halfvec."""

    pg_name = "halfvec"
    _code = "e"


class SparseVector(tuple):
    """A value of type sparsevec: dimensions, and the values by their positions from 0 on."""

    pg_name = "sparsevec"

    def __new__(cls, n_dims, elements):
        return super().__new__(cls, (n_dims, tuple(sorted(dict(elements).items()))))

    def to_text(self):
        n_dims, elements = self
        return "{" + ",".join(f"{i + 1}:{value!r}" for i, value in elements) + f"}}/{n_dims}"

    @classmethod
    def from_text(cls, text):
        elements, n_dims = text[1:].split("}/")
        pairs = (pair.split(":") for pair in elements.split(",") if pair)
        return cls(int(n_dims), {int(i) - 1: float(value) for i, value in pairs})

    def to_binary(self):
        n_dims, elements = self
        n = len(elements)
        positions, values = zip(*elements) if elements else ((), ())
        return struct.pack(f">iii{n}i{n}f", n_dims, n, 0, *positions, *values)

    @classmethod
    def from_binary(cls, data):
        n_dims, n, unused = struct.unpack_from(">iii", data)
        if unused != 0:
            raise ValueError(f"unused bytes of a sparsevec are {unused}")
        numbers = struct.unpack_from(f">{n}i{n}f", data, 12)
        return cls(n_dims, dict(zip(numbers[:n], numbers[n:])))


class Bits(str):
    """A value of type bit, as its digits."""

    pg_name = "bit"

    def to_text(self):
        return str(self)

    @classmethod
    def from_text(cls, text):
        return cls(text)

    def to_binary(self):
        n_bytes = (len(self) + 7) // 8
        digits = self.ljust(8 * n_bytes, "0")
        return struct.pack(">i", len(self)) + int(digits or "0", 2).to_bytes(n_bytes, "big")

    @classmethod
    def from_binary(cls, data):
        (n_bits,) = struct.unpack_from(">i", data)
        return cls("".join(f"{byte:08b}" for byte in data[4:])[:n_bits])


TYPES = (Vector, HalfVector, SparseVector, Bits)


def row(i):
    """Row i of the table of every test: vectors whose distances to the queries all differ."""
    return (
        Vector((float(i), 1.0, 2.0)),
        HalfVector((float(i), 0.5, -2.0)),
        SparseVector(N_DIMS, {0: float(i), 2: 0.25}),
        Bits(f"{i % 8:03b}"),
    )


def rows():
    """The rows 1 to N_ROWS, and one of NULLs."""
    return [(i, *row(i)) for i in range(1, N_ROWS + 1)] + [(N_ROWS + 1, None, None, None, None)]
