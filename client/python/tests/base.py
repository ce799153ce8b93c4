"""What the tests share: a schema for each test, and connections to it."""

import itertools
import os
import unittest

import numpy as np
import psycopg
from psycopg import conninfo

_numbers = itertools.count(1)


class Case(unittest.TestCase):
    """A test with a schema of its own, first in the search path of every connection that is made
    while it runs. Afterwards every index in it is checked."""

    maxDiff = None

    def setUp(self):
        self.schema = f"test_{next(_numbers)}"
        os.environ["PGOPTIONS"] = f"-c search_path={self.schema},public"
        self.dsn = conninfo.make_conninfo(dbname=os.environ["PGDATABASE"])
        self.conn = psycopg.connect(self.dsn, autocommit=True)
        self.addCleanup(self.conn.close)
        self.sql(f"CREATE SCHEMA {self.schema}")

    def tearDown(self):
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            problems = conn.execute(
                """SELECT c.relname, p.* FROM pg_class c
                   JOIN pg_am am ON am.oid = c.relam AND am.amname = 'hnsw',
                   LATERAL public.hnsw_check(c.oid, true) p
                   WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'i'""",
                [self.schema]).fetchall()
            conn.execute(f"DROP SCHEMA {self.schema} CASCADE")
        self.assertEqual(problems, [])

    def sql(self, text, params=None):
        """Runs a statement on the test's own connection, and gives its rows."""
        cursor = self.conn.execute(text, params)
        return cursor.fetchall() if cursor.description is not None else []

    def value(self, text, params=None):
        return self.sql(text, params)[0][0]

    def exists(self, table):
        return self.value("SELECT to_regclass(%s) IS NOT NULL", [table])

    def vectors(self, table="items", column="embedding", order="id"):
        """The vectors of a table, as an array of float32, bit for bit."""
        rows = self.sql(f"SELECT vector_to_f32({column}) FROM {table} ORDER BY {order}")
        return np.array([np.frombuffer(row[0], "<f4") for row in rows])

    def assert_same(self, found, expected):
        """Are they the same numbers of float32, bit for bit?"""
        expected = np.asarray(expected).astype("<f4")
        self.assertEqual(found.shape, expected.shape)
        self.assertEqual(found.tobytes(), np.ascontiguousarray(expected).tobytes())


def random_vectors(n_rows, n_dims, seed=1):
    return np.random.default_rng(seed).standard_normal((n_rows, n_dims)).astype(np.float32)
