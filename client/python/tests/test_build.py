"""bulk_build_index: what may be given, what comes of it, and what a fault leaves behind."""

import decimal
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import uuid
import warnings

import numpy as np
import pandas
import psycopg
from psycopg.rows import dict_row

import vector_ext
from base import Case, random_vectors
from vector_ext import BulkError, InvalidRowError, bulk_build_index, bulk_query_index


class Inputs(Case):
    def load(self, embeddings, table="items", **options):
        return bulk_build_index(embeddings, table, **{"index": "none", "analyze": False, **options})

    def check(self, embeddings, expected, **options):
        stats = self.load(embeddings, **options)
        self.assertEqual(stats.vectors, len(expected))
        self.assert_same(self.vectors(), expected)
        self.assertEqual([row[0] for row in self.sql("SELECT id FROM items ORDER BY id")],
                         list(range(len(expected))))
        self.sql("DROP TABLE items")

    def test_old_quick_start(self):
        embeddings = np.random.default_rng(1).standard_normal((1000, 32)).astype(np.float32)
        stats = bulk_build_index(embeddings, "my_index", m=16, ef_construction=100)
        self.assertEqual(stats.vectors, 1000)
        self.assertGreater(stats.rate, 0)
        results = bulk_query_index("my_index", embeddings[0], k=10, ef_search=64)
        self.assertEqual(len(results), 10)
        self.assertEqual(results[0].id, 0)
        self.assertEqual(results[0].distance, 0)
        info = vector_ext.bulk_info("my_index")
        self.assertEqual((info.m, info.ef_construction, info.metric), (16, 100, "l2"))

    def test_arrays_of_every_kind_of_number(self):
        floats = random_vectors(2500, 7) * 10
        for kind in ("<f4", ">f4", "<f8", ">f8", "<f2", "i1", "u1", "<i4", ">i8", "longdouble"):
            with self.subTest(kind=kind):
                array = floats.astype(kind)
                self.check(array, array.astype("<f4"))

    def test_arrays_of_every_layout(self):
        wide = random_vectors(2101, 40)
        for name, array in {"fortran": np.asfortranarray(wide), "strided": wide[::2, 1::3],
                            "reversed": wide[::-1, ::-1], "transposed": wide.T,
                            "broadcast": np.broadcast_to(wide[:1], (30, 40))}.items():
            with self.subTest(layout=name):
                self.check(array, array)

    def test_memory_mapped_file(self):
        array = random_vectors(1500, 9)
        with tempfile.TemporaryDirectory() as folder:
            np.save(os.path.join(folder, "v.npy"), array)
            self.check(np.load(os.path.join(folder, "v.npy"), mmap_mode="r"), array)

    def test_sequences(self):
        array = random_vectors(1203, 5)
        for name, rows in {"lists": array.tolist(), "tuples": tuple(map(tuple, array.tolist())),
                           "arrays": list(array), "whole": [[1, 2], [3, 4]],
                           "mixed": [[1, 2.5], (3, 4), np.array([5, 6])],
                           "decimals": [[decimal.Decimal("0.1"), 2], [3, 10 ** 30]]}.items():
            with self.subTest(rows=name):
                self.check(rows, np.array([[float(x) for x in row] for row in rows]))

    def test_iterators_of_rows_and_of_chunks(self):
        array = random_vectors(1203, 5)
        self.check(iter(array), array)
        self.check((row.tolist() for row in array), array)
        self.check((array[i:i + 7] for i in range(0, 1203, 7)), array, batch_size=100)
        self.check((array[i:i + 500] for i in range(0, 1203, 500)), array, batch_size=100)
        self.check(iter([array[:0], array[:3], array[:0], array[3:]]), array)

    def test_data_frames(self):
        array = random_vectors(1203, 5)
        self.check(pandas.DataFrame(array), array)
        frame = pandas.DataFrame({"id": np.arange(1203), "embedding": list(array)})
        self.check(frame, array)
        self.check(frame.sample(frac=1, random_state=1), array)
        self.check(frame[["embedding"]], array)
        with self.assertRaisesRegex(ValueError, "title"):
            self.load(frame.assign(title="x"))
        self.assertFalse(self.exists("items"))

    def test_batches_of_any_size(self):
        array = random_vectors(10, 3)
        for batch_size in (1, 3, 10, 11):
            self.check(array, array, batch_size=batch_size)
        for batch_size in (0, -1, 1.5, True):
            with self.assertRaises(ValueError):
                self.load(array, batch_size=batch_size)

    def test_dimensions_from_1_to_16000(self):
        for n_dims in (1, 2, 2000, 2001, 16_000):
            with self.subTest(n_dims=n_dims):
                array = random_vectors(3, n_dims)
                self.check(array, array)
        with self.assertRaises(BulkError) as caught:
            self.load(random_vectors(1, 16_001))
        self.assertEqual(caught.exception.sqlstate, "54000")

    def test_no_rows(self):
        self.assertEqual(self.load(np.zeros((0, 4))).vectors, 0)
        for empty in ([], iter([]), np.zeros((0, 4)), pandas.DataFrame({"embedding": []})):
            self.assertEqual(self.load(empty).vectors, 0)
        with self.assertRaisesRegex(ValueError, "dimension"):
            self.load([], "others")
        self.assertEqual(self.load(iter([]), "others", dimension=3).vectors, 0)
        self.assertEqual(self.value("SELECT atttypmod FROM pg_attribute WHERE attrelid = "
                                    "'others'::regclass AND attname = 'embedding'"), 3)

    def test_what_is_no_matrix(self):
        for wrong in (np.zeros(4), np.zeros((2, 2, 2)), np.float32(1)):
            with self.subTest(shape=np.shape(wrong)), self.assertRaisesRegex(ValueError, "2 dim"):
                self.load(wrong)
        for wrong in (np.zeros((2, 2), complex), np.zeros((2, 2), bool), np.array([["a"]]),
                      np.zeros((2, 2), "M8[s]"), "text", b"bytes", {"a": 1}, 5, None):
            with self.subTest(wrong=repr(wrong)), self.assertRaises(TypeError):
                self.load(wrong)
        self.assertFalse(self.exists("items"))

    def test_memory_does_not_grow_with_the_input(self):
        def rows():
            row = np.zeros(256, np.float32)
            for number in range(40_000):
                row[0] = number
                yield row.copy()

        tracemalloc.start()
        try:
            self.load(rows())
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.assertLess(peak, 8e6)  # the rows are 41 MB
        self.assertEqual(self.value("SELECT count(*) FROM items"), 40_000)

    def test_memory_does_not_grow_with_what_the_server_has_not_read(self):
        # The server is slow: rows go into an index. What libpq held would be in the process's size.
        program = ("import numpy as np, resource, vector_ext\n"
                   "size = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
                   "row = np.zeros((500, 1024), np.float32)\n"
                   "def chunks(n):\n"
                   "    for i in range(n):\n"
                   "        row[:, 0] = np.arange(500) + 500 * i\n"
                   "        yield row\n"
                   "load = lambda n: vector_ext.bulk_build_index(chunks(n), 'slow', dimension=1024, "
                   "index='none', analyze=False)\n"
                   "load(4)\nbefore = size()\nload(40)\nprint((size() - before) // 1024)\n")
        self.sql("CREATE TABLE slow (id bigint, embedding vector(1024))")
        self.sql("CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS "
                 "'BEGIN IF new.id % 500 = 0 THEN PERFORM pg_sleep(0.02); END IF; RETURN new; END'")
        self.sql("CREATE TRIGGER nap BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION nap()")
        folder = os.path.dirname(os.path.dirname(vector_ext.__file__))
        found = subprocess.run([sys.executable, "-c", program], capture_output=True,
                               text=True, timeout=100, cwd=folder)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertLess(int(found.stdout), 20)  # MB; the rows are 82 MB


class Ids(Case):
    def load(self, ids, n_rows=3, table="items", **options):
        return bulk_build_index(np.arange(2 * n_rows).reshape(n_rows, 2), table, ids=ids,
                                **{"index": "none", "analyze": False, **options})

    def ids(self, table="items"):
        return [row[0] for row in self.sql(f"SELECT id FROM {table} ORDER BY embedding")]

    def test_whole_numbers(self):
        for ids in ([5, -1, 2 ** 63 - 1], (5, 6, 7), np.array([5, 6, 7], "u1"),
                    np.array([5, 6, 2 ** 63 - 1], "u8"), np.array([5, 6, 7], ">i4"),
                    iter([5, 6, 7]), range(5, 8), pandas.Series([5, 6, 7], index=[7, 8, 9]),
                    np.array([5, 6, 7], object)):
            with self.subTest(ids=repr(ids)):
                expected = list(ids) if hasattr(ids, "__len__") else [5, 6, 7]
                self.load(ids)
                self.assertEqual(self.ids(), expected)
                self.sql("DROP TABLE items")

    def test_strings_and_uuids(self):
        self.load(["a", "", "\u00e4\u20ac"])
        self.assertEqual(self.ids(), ["a", "", "\u00e4\u20ac"])
        ids = [uuid.UUID(int=number) for number in (3, 2 ** 127, 1)]
        self.load(iter(ids), table="others")
        self.assertEqual(self.ids("others"), ids)

    def test_generated(self):
        self.load(None)
        self.load(None)
        self.assertEqual(self.ids(), [0, 3, 1, 4, 2, 5])
        self.load(None, id_start=100)
        self.assertEqual(self.value("SELECT array_agg(id ORDER BY id) FROM items WHERE id > 5"),
                         [100, 101, 102])
        self.load(None, id_start=2 ** 63 - 3)
        with self.assertRaises(InvalidRowError) as caught:
            self.load(None)
        self.assertEqual(caught.exception.sqlstate, "22003")

    def test_made_by_the_table(self):
        self.sql("CREATE TABLE items (id bigint GENERATED BY DEFAULT AS IDENTITY (START 50) "
                 "PRIMARY KEY, embedding vector(2))")
        self.load(None)
        self.assertEqual(self.ids(), [50, 51, 52])
        self.sql("CREATE TABLE bare (v vector(2))")
        bulk_build_index([[1, 2]], "bare", index="none")
        self.assertEqual(self.sql("SELECT v::text FROM bare"), [("[1,2]",)])
        with self.assertRaises(psycopg.errors.UndefinedColumn):
            self.load([1, 2, 3], table="bare")

    def test_narrow_columns(self):
        self.sql("CREATE TABLE items (id smallint PRIMARY KEY, embedding vector(2))")
        self.load([1, 2, 32767])
        with self.assertRaises(psycopg.errors.NumericValueOutOfRange) as caught:
            self.load([4, 5, 32768])
        self.assertEqual((caught.exception.row, caught.exception.report.row), (2, 2))
        self.assertEqual(self.ids(), [1, 2, 32767])

    def test_other_types(self):
        self.sql("CREATE TABLE items (id numeric PRIMARY KEY, embedding vector(2))")
        with self.assertRaises(psycopg.errors.FeatureNotSupported):
            self.load([1, 2, 3])

    def test_too_few_and_too_many(self):
        for ids in ([1, 2], [1, 2, 3, 4], np.arange(4), iter([1, 2]), iter([1, 2, 3, 4])):
            with self.subTest(ids=repr(ids)), self.assertRaises(ValueError):
                self.load(ids)
        rows = np.zeros((5, 2), np.float32)
        for n_ids in (4, 6):
            with self.assertRaises(ValueError):
                bulk_build_index(iter(rows), "items", ids=np.arange(n_ids), batch_size=2)
        self.assertFalse(self.exists("items"))

    def test_bad_ids(self):
        for ids, sqlstate in (([1, 2, 2 ** 63], "22003"), ([1, 2, -2 ** 63 - 1], "22003"),
                              (np.array([1, 2, 2 ** 63], "u8"), "22003"), ([1, 2, 2 ** 70], "22003"),
                              ([1, 2, None], "22004"), ([1, 2, 2.5], "22P02"),
                              ([1, 2, float("nan")], "22P02"),
                              ([1, 2, "a"], "22P02"), ([1, 2, [3]], "22P02"),
                              (["a", "b", None], "22004"), (["a", "b", 3], "22P02"),
                              (["a", "b", "\ud800"], "22021")):
            with self.subTest(ids=repr(ids)):
                with self.assertRaises(InvalidRowError) as caught:
                    self.load(ids)
                self.assertEqual((caught.exception.sqlstate, caught.exception.row), (sqlstate, 2))
                self.assertFalse(self.exists("items"))
        for ids in ("abc", {"a": 1}, np.zeros((3, 1)), 5):
            with self.subTest(ids=repr(ids)), self.assertRaises((TypeError, ValueError)):
                self.load(ids)

    def test_same_id_twice(self):
        with self.assertRaises(psycopg.errors.UniqueViolation) as caught:
            self.load([7, 8, 7])
        self.assertIsInstance(caught.exception, BulkError)
        self.assertEqual(caught.exception.sqlstate, "23505")
        self.assertEqual(caught.exception.report.sent, 3)
        self.assertEqual(caught.exception.report.row, 2)
        self.assertFalse(self.exists("items"))


class BadRows(Case):
    N = 2500

    def bad(self, row, **options):
        """Loads good rows with a bad one, the last but one."""
        rows = random_vectors(self.N, 3).tolist()
        rows[self.N - 2] = row
        return bulk_build_index(rows, "items", index="none", **options)

    def test_row_number_and_sqlstate(self):
        huge = 10.0 ** 39
        for row, sqlstate, text in (
                ([1, float("nan"), 2], "22000", r"\[1\] is NaN"),
                ([1, 2, float("-inf")], "22000", r"\[2\] is infinite"),
                ([huge, 1, 2], "22003", r"\[0\] is out of range"),
                ([10 ** 400, 1, 2], "22003", r"\[0\] is out of range"),
                ([1, 2], "22000", "has 2 dimensions, expected 3"),
                ([1, 2, 3, 4], "22000", "has 4 dimensions, expected 3"),
                ([], "22000", "has no dimensions"), (None, "22004", "is None"),
                ([1, None, 3], "22004", r"\[1\] is None"),
                ([1, "2", 3], "22P02", r"\[1\] is not a number: '2'"),
                ([1, True, "x"], "22P02", "is not a number"),
                ([[1, 2, 3]], "22P02", "is not a row of numbers"),
                (5, "22P02", "is not a row of numbers"), ("[1,2,3]", "22P02", "is not a row"),
                ({"a": 1}, "22P02", "is not a row"), ([1, 2, 3j], "22P02", "is not a"),
                (np.ma.array([1.0, 2, 3], mask=[0, 1, 0]), "22000", r"\[1\] is NaN")):
            with self.subTest(row=row):
                with self.assertRaisesRegex(InvalidRowError, text) as caught:
                    self.bad(row)
                error = caught.exception
                self.assertEqual((error.row, error.sqlstate), (self.N - 2, sqlstate))
                self.assertIn(f"embeddings[{self.N - 2}]", str(error))
                self.assertIsInstance(error, psycopg.errors.lookup(sqlstate))
                self.assertEqual(error.report.row, self.N - 2)
                self.assertEqual((error.report.read, error.report.total), (2000, self.N))
                self.assertFalse(self.exists("items"))

    def test_arrays(self):
        array = random_vectors(self.N, 3).astype(np.float64)
        for value, sqlstate in ((np.nan, "22000"), (np.inf, "22000"), (-1e39, "22003")):
            bad = array.copy()
            bad[1234, 2] = value
            for given in (bad, np.asfortranarray(bad), iter(bad), pandas.DataFrame(bad),
                          (bad[i:i + 100] for i in range(0, self.N, 100))):
                with self.subTest(value=value, given=type(given).__name__):
                    with self.assertRaises(InvalidRowError) as caught:
                        bulk_build_index(given, "items")
                    self.assertEqual((caught.exception.row, caught.exception.sqlstate),
                                     (1234, sqlstate))
        masked = np.ma.array(array, mask=False)
        masked[17, 1] = np.ma.masked
        with self.assertRaisesRegex(InvalidRowError, r"embeddings\[17\]\[1\] is NaN"):
            bulk_build_index(masked, "items")
        with self.assertRaisesRegex(InvalidRowError, r"embeddings\[200\] has 4 dimensions"):
            bulk_build_index(iter([array[:200], np.zeros((5, 4))]), "items")
        self.assertFalse(self.exists("items"))

    def test_dimensions_of_the_column_and_of_the_option(self):
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(4))")
        with self.assertRaisesRegex(InvalidRowError, r"embeddings\[0\] has 3 dimensions, expected 4"):
            bulk_build_index(np.zeros((2, 3)), "items")
        with self.assertRaises(psycopg.errors.DataException):
            bulk_build_index(np.zeros((2, 3)), "items", dimension=3)
        self.assertEqual(self.sql("SELECT * FROM items"), [])

    def test_rejects(self):
        rows = random_vectors(self.N, 3).tolist()
        rows[5], rows[2000], rows[2001] = [1, 2], None, [1, float("nan"), 2]
        for ids in (None, np.arange(self.N), [f"{number:05}" for number in range(self.N)]):
            stats = bulk_build_index(rows, "items", ids=ids, max_rejects=3)
            self.assertEqual((stats.vectors, stats.rejected), (self.N - 3, 3))
            self.assertEqual([(reject.row, reject.sqlstate) for reject in stats.rejects],
                             [(5, "22000"), (2000, "22004"), (2001, "22000")])
            good = [row for index, row in enumerate(rows) if index not in (5, 2000, 2001)]
            self.assert_same(self.vectors(), np.array(good))
            if not isinstance(ids, list):
                self.assertEqual(self.sql("SELECT id FROM items WHERE id IN (5, 2000, 2001)"), [])
            self.sql("DROP TABLE items")
        with self.assertRaises(InvalidRowError) as caught:
            bulk_build_index(rows, "items", max_rejects=2)
        self.assertEqual((caught.exception.row, caught.exception.report.rejected), (2001, 2))
        self.assertFalse(self.exists("items"))
        stats = bulk_build_index([[1, 2]] + [None] * 3000, "items", max_rejects=-1)
        self.assertEqual((stats.vectors, stats.rejected, len(stats.rejects)), (1, 3000, 1000))

    def test_errors_can_be_pickled(self):
        with self.assertRaises(InvalidRowError) as caught:
            self.bad(None)
        copy = pickle.loads(pickle.dumps(caught.exception))
        self.assertIsInstance(copy, InvalidRowError)
        self.assertEqual((copy.row, copy.sqlstate, str(copy), copy.report),
                         (self.N - 2, "22004", str(caught.exception), caught.exception.report))
        with self.assertRaises(BulkError) as found:
            bulk_build_index([[1]], "items", ids=[1], conn=self.dsn, metric="l2", m=1)
        copy = pickle.loads(pickle.dumps(found.exception))
        self.assertIsInstance(copy, psycopg.errors.InvalidParameterValue)
        self.assertEqual((copy.sqlstate, copy.report), ("22023", found.exception.report))


class Indexes(Case):
    def test_every_metric(self):
        array = random_vectors(300, 8)
        for metric in ("l2", "ip", "cosine", "l1"):
            stats = bulk_build_index(array, metric, metric=metric, recall_sample=50)
            self.assertEqual(vector_ext.bulk_info(stats.index).metric, metric)
            self.assertGreater(stats.recall, 0.9)
            self.assertIn("recall@10", str(stats))
        with self.assertRaises(ValueError):
            bulk_build_index(array, "items", metric="euclid")

    def test_stats(self):
        stats = bulk_build_index(random_vectors(500, 8), "items", index_name="by_vector")
        self.assertEqual((stats.vectors, stats.dimension, stats.table, stats.index),
                         (500, 8, "items", "by_vector"))
        self.assertEqual(stats.table_bytes, self.value("SELECT pg_table_size('items')"))
        self.assertEqual(stats.index_bytes, self.value("SELECT pg_relation_size('by_vector')"))
        self.assertGreaterEqual(stats.elapsed, stats.load_elapsed + stats.index_elapsed)
        self.assertAlmostEqual(stats.rate, 500 / stats.elapsed)
        self.assertEqual([command.split()[0] for command in stats.command],
                         ["CREATE", "ALTER", "COPY", "CREATE", "ANALYZE"])
        self.assertIsNone(stats.recall)

    def test_statements_given_can_be_run_again(self):
        stats = bulk_build_index(random_vectors(100, 8), "items", threads=2)
        self.sql("DROP TABLE items")
        for command in stats.command:
            if not command.startswith("COPY"):
                self.sql(command)

    def test_index_that_is_there_is_used(self):
        array = random_vectors(200, 8)
        first = bulk_build_index(array, "items")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            second = bulk_build_index(array, "items")
        self.assertEqual(first.index, second.index)
        self.assertEqual(vector_ext.bulk_info("items").vectors, 200)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 400)
        with self.assertWarnsRegex(UserWarning, "m = 16, not 8"):
            bulk_build_index(array, "items", m=8)
        bulk_build_index(array, "items", metric="cosine")
        self.assertEqual(self.value("SELECT count(*) FROM pg_index i JOIN pg_class c "
                                    "ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam "
                                    "WHERE indrelid = 'items'::regclass AND amname = 'hnsw'"), 2)

    def test_partial_index_is_not_used(self):
        bulk_build_index(random_vectors(200, 8), "items", index="none")
        self.sql("CREATE INDEX part ON items USING hnsw (embedding vector_l2_ops) WHERE id < 10")
        stats = bulk_build_index(random_vectors(10, 8), "items")
        self.assertNotEqual(stats.index, "part")

    def test_before_and_none(self):
        stats = bulk_build_index(random_vectors(200, 8), "items", index="before")
        self.assertEqual([command.split()[0] for command in stats.command],
                         ["CREATE", "ALTER", "CREATE", "COPY", "ANALYZE"])
        self.assertEqual(vector_ext.bulk_info("items").vectors, 200)
        stats = bulk_build_index(random_vectors(200, 8), "bare", index="none", analyze=False)
        self.assertEqual((stats.index, stats.index_bytes), (None, 0))
        with self.assertRaises(ValueError):
            bulk_build_index(random_vectors(2, 8), "bare", index="later")

    def test_options_that_the_server_refuses(self):
        for options in ({"m": 1}, {"m": 101}, {"ef_construction": 20}, {"ef_construction": 1001},
                        {"maintenance_work_mem": "lots"}):
            with self.subTest(**options):
                with self.assertRaises(BulkError) as caught:
                    bulk_build_index(random_vectors(10, 3), "items", **options)
                self.assertEqual(caught.exception.sqlstate, "22023")
                self.assertEqual(caught.exception.report.sent, 10)
                self.assertFalse(self.exists("items"))

    def test_too_many_dimensions_for_an_index(self):
        with self.assertRaises(BulkError) as caught:
            bulk_build_index(random_vectors(3, 8001), "items")
        self.assertEqual(caught.exception.sqlstate, "54000")
        self.assertFalse(self.exists("items"))


class Targets(Case):
    def test_odd_names(self):
        self.sql('CREATE SCHEMA "Odd %s schema"')
        self.addCleanup(lambda: psycopg.connect(self.dsn, autocommit=True).execute(
            'DROP SCHEMA "Odd %s schema" CASCADE'))
        name = '"Odd %s schema"."A ""b"" 50% {x}"'
        options = {"column": 'v "1" %s {y}', "id_column": "I d%", "index_name": 'i "x" %(a)s'}
        array = random_vectors(30, 3)
        stats = bulk_build_index(array, name, **options)
        self.assertEqual(stats.table, name)
        self.assertEqual(stats.index, '"Odd %s schema"."i ""x"" %(a)s"')
        bulk_build_index(array, name, ids=np.arange(100, 130))
        for where in (name, stats.index):
            self.assertEqual(bulk_query_index(where, array[4], 2)[0].distance, 0)
        self.assertEqual(vector_ext.bulk_info(name).column, options["column"])

    def test_what_is_not_there(self):
        array = np.zeros((1, 2))
        self.sql("CREATE TABLE two (id bigint PRIMARY KEY, a vector(2), b vector(2))")
        self.sql("CREATE TABLE none (id bigint PRIMARY KEY)")
        self.sql("CREATE SEQUENCE sequence")
        for table, options, sqlstate in (
                ("no_schema.items", {}, "3F000"), ("two", {}, "42702"),
                ("two", {"column": "c"}, "42703"), ("two", {"column": "id"}, "42809"),
                ("two", {"column": "a", "id_column": "no"}, "42703"), ("none", {}, "42703"),
                ("two_pkey", {}, "42809"), ("sequence", {}, "42809"), ("a.b.c.d", {}, None),
                ("", {}, None), ("1", {}, None), ("a b", {}, None)):
            with self.subTest(name=table, **options):
                with self.assertRaises(BulkError) as caught:
                    bulk_build_index(array, table, **options)
                if sqlstate is not None:
                    self.assertEqual(caught.exception.sqlstate, sqlstate)
        with self.assertRaises(TypeError):
            bulk_build_index(array, None)
        bulk_build_index(array, "two", column="b", index="none")
        self.assertEqual(self.sql("SELECT a, b::text FROM two"), [(None, "[0,0]")])

    def test_domains_partitions_and_views(self):
        self.sql("CREATE DOMAIN embedding_type AS vector(2)")
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, embedding embedding_type) "
                 "PARTITION BY RANGE (id)")
        self.sql("CREATE TABLE items_1 PARTITION OF items FOR VALUES FROM (0) TO (10)")
        bulk_build_index(np.zeros((3, 2)), "items", index="none")
        with self.assertRaises(psycopg.errors.CheckViolation) as caught:
            bulk_build_index(np.zeros((20, 2)), "items", id_start=8, index="none")
        self.assertEqual(caught.exception.report.row, 2)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 3)

    def test_no_rights(self):
        self.sql("DROP ROLE IF EXISTS python_reader")
        self.sql("CREATE ROLE python_reader")
        self.addCleanup(lambda: psycopg.connect(self.dsn, autocommit=True).execute(
            "DROP OWNED BY python_reader; DROP ROLE python_reader"))
        bulk_build_index(np.zeros((3, 2)), "items")
        self.sql(f"GRANT USAGE ON SCHEMA {self.schema} TO python_reader")
        self.sql("GRANT SELECT ON items TO python_reader")
        with psycopg.connect(self.dsn) as conn:
            conn.execute("SET ROLE python_reader")
            conn.commit()
            for table in ("items", "others"):
                with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                    bulk_build_index(np.ones((3, 2)), table, conn=conn)
            self.assertEqual(len(bulk_query_index("items", [0, 0], conn=conn)), 3)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 3)

    def test_read_only(self):
        with psycopg.connect(self.dsn) as conn:
            conn.read_only = True
            with self.assertRaises(psycopg.errors.ReadOnlySqlTransaction):
                bulk_build_index(np.ones((3, 2)), "items", conn=conn)

    def test_extension_elsewhere_and_missing(self):
        name = "vector_ext_python_other"
        self.sql(f"DROP DATABASE IF EXISTS {name}")
        self.sql(f"CREATE DATABASE {name}")
        self.addCleanup(self.sql, f"DROP DATABASE {name}")
        array = random_vectors(100, 4)
        with psycopg.connect(dbname=name, options="-c search_path=public", autocommit=True) as conn:
            with self.assertRaises(psycopg.errors.UndefinedObject) as caught:
                bulk_build_index(array, "items", conn=conn)
            self.assertIn("CREATE EXTENSION vector_ext", str(caught.exception))
            conn.execute('CREATE SCHEMA "Far off"')
            conn.execute('CREATE EXTENSION vector_ext SCHEMA "Far off"')
            stats = bulk_build_index(array, "items", conn=conn, metric="cosine", recall_sample=10)
            self.assertEqual(vector_ext.bulk_info("items", conn=conn).vectors, 100)
            self.assertEqual(bulk_query_index(stats.index, array[3], 1, conn=conn)[0].id, 3)
            counts = vector_ext.bulk_upsert(conn, "items", [{"id": 3, "embedding": array[4]}],
                                            "update", reject_into="rejects")
            self.assertEqual(counts.updated, 1)
            vector_ext.agent_memory.create_tables(3, conn=conn)


class Progress(Case):
    def test_calls(self):
        calls = []
        bulk_build_index(random_vectors(2500, 3), "items", progress=lambda *call: calls.append(call))
        self.assertEqual(calls, [(1000, 1000, 0, 2500), (2000, 2000, 0, 2500),
                                 (2500, 2500, 0, 2500), (2500, 2500, 0, 2500)])
        calls.clear()
        bulk_build_index(iter([[1, 2, 3], None, [1, 2, 3]]), "items", max_rejects=1, batch_size=2,
                         progress=lambda *call: calls.append(call))
        self.assertEqual(calls, [(2, 1, 1, None), (3, 2, 1, None), (3, 2, 1, None)])
        calls.clear()
        bulk_build_index([], "items", progress=lambda *call: calls.append(call))
        self.assertEqual(calls, [(0, 0, 0, 0)])

    def test_last_call_of_a_load_that_fails(self):
        calls = []
        for rows, options in (([[1, 2]] * 3 + [None], {"batch_size": 2}), ([[1, 2]] * 4, {"m": 1}),
                              ([[1, 2]] * 4, {"ids": [1, 2, 3, 3]})):
            with self.assertRaises(BulkError):
                bulk_build_index(rows, "items", progress=lambda *call: calls.append(call), **options)
            self.assertEqual(calls[-1][1:], (0, 0, 4))

    def test_exception_cancels(self):
        class Stop(Exception):
            pass

        for when in (1000, 3000):
            for kind in (Stop, KeyboardInterrupt, StopIteration, psycopg.OperationalError):
                calls = []

                def stop(read, inserted, rejected, total):
                    calls.append(read)
                    if read == when:
                        raise kind("enough")

                with self.subTest(when=when, kind=kind), self.assertRaisesRegex(kind, "enough"):
                    bulk_build_index(random_vectors(3000, 3), "items", conn=self.conn, progress=stop)
                self.assertEqual(calls[-1], when)
                self.assertFalse(self.exists("items"))

    def test_exception_in_the_last_call_cancels(self):
        calls = []

        def stop(read, inserted, rejected, total):
            calls.append(read)
            if len(calls) == 2:
                raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError):
            bulk_build_index(random_vectors(30, 3), "items", progress=stop)
        self.assertEqual(calls, [30, 30])
        self.assertFalse(self.exists("items"))

    def test_exception_of_the_iterator_cancels(self):
        def rows():
            yield from np.zeros((1500, 3))
            raise LookupError("no more")

        with self.assertRaisesRegex(LookupError, "no more"):
            bulk_build_index(rows(), "items")
        self.assertFalse(self.exists("items"))

    def test_terminal(self):
        program = ("import pty, sys, os, vector_ext\n"
                   "master, slave = pty.openpty()\n"
                   "os.dup2(slave, 2)\n"
                   "vector_ext.bulk_build_index([[1, 2]] * 1500, 'items', index='none')\n"
                   "vector_ext.bulk_build_index([[1, 2]], 'items', index='none', quiet=True)\n"
                   "print(os.read(master, 10000))\n")
        folder = os.path.dirname(os.path.dirname(vector_ext.__file__))
        found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                               timeout=60, cwd=folder)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertIn("1,000 of 1,500 rows", found.stdout)
        self.assertIn("1,500 of 1,500 rows", found.stdout)
        self.assertNotIn("1 of 1 rows", found.stdout)


class Transactions(Case):
    def test_idle_connection_is_committed(self):
        for autocommit in (False, True):
            with psycopg.connect(self.dsn, autocommit=autocommit, row_factory=dict_row) as conn:
                bulk_build_index(np.zeros((3, 2)), "items", conn=conn)
                self.assertEqual(conn.info.transaction_status, psycopg.pq.TransactionStatus.IDLE)
                self.assertEqual(self.value("SELECT count(*) FROM items"), 3)
                self.sql("DROP TABLE items")

    def test_callers_transaction_is_not_committed(self):
        with psycopg.connect(self.dsn) as conn:
            conn.execute("SET LOCAL maintenance_work_mem = '77MB'")
            conn.execute("SET LOCAL max_parallel_maintenance_workers = 1")
            bulk_build_index(random_vectors(30, 2), "items", conn=conn, threads=1,
                             maintenance_work_mem="40MB")
            bulk_query_index("items", [0, 0], ef_search=77, conn=conn)
            self.assertEqual(conn.info.transaction_status, psycopg.pq.TransactionStatus.INTRANS)
            self.assertFalse(self.exists("items"))
            for name, value in (("maintenance_work_mem", "77MB"),
                                ("max_parallel_maintenance_workers", "1"),
                                ("hnsw.ef_search", "40"), ("enable_indexscan", "on")):
                self.assertEqual(conn.execute(f"SHOW {name}").fetchone()[0], value)
            self.assertEqual(conn.execute("SELECT count(*) FROM items").fetchone()[0], 30)
            conn.rollback()
        self.assertFalse(self.exists("items"))

    def test_rows_of_callers_transaction_are_gathered(self):
        # A savepoint would keep rows from waiting for a batch; none is set.
        bulk_build_index(random_vectors(300, 4), "items")
        with psycopg.connect(self.dsn) as conn:
            conn.execute("SELECT 1")
            bulk_build_index(random_vectors(300, 4), "items", conn=conn)
            self.assertTrue(conn.execute(
                "SELECT every(xmin = pg_current_xact_id()::xid) FROM items WHERE id >= 300"
            ).fetchone()[0])

    def test_error_in_callers_transaction(self):
        with psycopg.connect(self.dsn) as conn:
            conn.execute("CREATE TABLE mine (a int)")
            with self.assertRaises(BulkError):
                bulk_build_index([[1, 2], None], "items", conn=conn)
            self.assertEqual(conn.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
            with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
                bulk_build_index([[1, 2]], "items", conn=conn)
            with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
                bulk_query_index("items", [1, 2], conn=conn)
            conn.rollback()
        self.assertFalse(self.exists("mine"))

    def test_inside_a_block_of_psycopg(self):
        with psycopg.connect(self.dsn) as conn:
            with conn.transaction():
                with self.assertRaises(BulkError):
                    with conn.transaction():
                        bulk_build_index([[1, 2], None], "items", conn=conn)
                bulk_build_index([[1, 2]], "items", conn=conn)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 1)

    def test_nobody_sees_rows_before_the_end(self):
        seen = []
        bulk_build_index(random_vectors(10, 2), "items")
        bulk_build_index(random_vectors(2000, 2), "items", progress=lambda *call: seen.append(
            self.value("SELECT count(*) FROM items")))
        self.assertEqual(set(seen), {10})

    def test_connections_that_cannot_be_used(self):
        closed = psycopg.connect(self.dsn)
        closed.close()
        with self.assertRaises(psycopg.OperationalError):
            bulk_build_index([[1, 2]], "items", conn=closed)
        with psycopg.connect(self.dsn) as conn, conn.pipeline():
            with self.assertRaises(psycopg.NotSupportedError):
                bulk_build_index([[1, 2]], "items", conn=conn)
        with self.assertRaises(psycopg.OperationalError):
            bulk_build_index([[1, 2]], "items", conn="host=/nowhere")
        for wrong in (5, object()):
            with self.assertRaises(TypeError):
                bulk_build_index([[1, 2]], "items", conn=wrong)
        self.assertFalse(self.exists("items"))

    def test_server_goes_away(self):
        with psycopg.connect(self.dsn) as conn:
            pid = conn.info.backend_pid

            def kill(read, inserted, rejected, total):
                if read == 2000:
                    self.sql("SELECT pg_terminate_backend(%s, 10000)", [pid])

            with self.assertRaises(psycopg.OperationalError) as caught:
                bulk_build_index(random_vectors(200_000, 16), "items", conn=conn, progress=kill)
        self.assertIsInstance(caught.exception, BulkError)
        self.assertGreaterEqual(caught.exception.report.sent, 2000)
        self.assertFalse(self.exists("items"))

    def test_cancelled_from_elsewhere(self):
        with psycopg.connect(self.dsn) as conn:
            pid = conn.info.backend_pid

            def cancel(read, inserted, rejected, total):
                if read == 2000:
                    self.sql("SELECT pg_cancel_backend(%s)", [pid])

            with self.assertRaises(psycopg.errors.QueryCanceled) as caught:
                bulk_build_index(random_vectors(50_000, 16), "items", conn=conn, progress=cancel)
            self.assertEqual(caught.exception.sqlstate, "57014")
            bulk_build_index(random_vectors(5, 16), "items", conn=conn)
        self.assertEqual(self.value("SELECT count(*) FROM items"), 5)

    def test_client_is_killed(self):
        folder = os.path.dirname(os.path.dirname(vector_ext.__file__))
        program = ("import itertools, vector_ext\n"
                   "vector_ext.bulk_build_index(itertools.repeat([1, 2]), 'items', "
                   "conn='application_name=killed', progress=lambda *call: print(call, flush=True))")
        with subprocess.Popen([sys.executable, "-c", program], cwd=folder, text=True,
                              stdout=subprocess.PIPE) as process:
            for _ in range(3):
                self.assertIn("000", process.stdout.readline())
            process.kill()
        while self.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'killed'"):
            time.sleep(0.01)
        self.assertFalse(self.exists("items"))

    def test_interrupt_while_the_server_works(self):
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, v vector(2))")
        self.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                 "'BEGIN PERFORM pg_sleep(600); RETURN new; END'")
        self.sql("CREATE TRIGGER slow BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION slow()")
        folder = os.path.dirname(os.path.dirname(vector_ext.__file__))
        with subprocess.Popen(
                [sys.executable, "-c", "import vector_ext\n"
                 "vector_ext.bulk_build_index([[1, 2]], 'items', conn='application_name=slow')"],
                cwd=folder, stderr=subprocess.PIPE, text=True) as process:
            asleep = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'slow' AND wait_event = "
            while not self.sql(asleep + "'PgSleep'"):
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            self.assertTrue(process.communicate(timeout=60)[1].endswith("KeyboardInterrupt\n"))
        while self.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'slow'"):
            time.sleep(0.01)
        self.assertEqual(self.sql("SELECT * FROM items"), [])

    def test_fault_of_commit(self):
        self.sql("CREATE TABLE parents (id bigint PRIMARY KEY)")
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY REFERENCES parents "
                 "DEFERRABLE INITIALLY DEFERRED, embedding vector(2))")
        calls = []
        with self.assertRaises(psycopg.errors.ForeignKeyViolation) as caught:
            bulk_build_index([[1, 2]], "items", index="none",
                             progress=lambda *call: calls.append(call))
        self.assertEqual(caught.exception.report.sent, 1)
        self.assertEqual(calls[-1], (1, 0, 0, 1))
        self.assertEqual(self.sql("SELECT * FROM items"), [])

    def test_notices_during_a_load(self):
        # More of them than a socket holds: a client that did not read on would wait for ever.
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(2))")
        self.sql("CREATE FUNCTION talk() RETURNS trigger LANGUAGE plpgsql AS "
                 "'BEGIN RAISE WARNING ''%'', repeat(''x'', 2000); RETURN new; END'")
        self.sql("CREATE TRIGGER talk BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION talk()")
        heard = []
        with psycopg.connect(self.dsn) as conn:
            conn.add_notice_handler(heard.append)
            conn.execute("SET log_min_messages = error")
            conn.commit()
            bulk_build_index(np.zeros((3000, 2)), "items", conn=conn, index="none")
        self.assertEqual(len(heard), 3000)

    def test_two_loads_at_once(self):
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(4))")
        self.sql("CREATE INDEX ON items USING hnsw (embedding vector_l2_ops)")
        failures = []

        def load(start):
            try:
                bulk_build_index(random_vectors(2000, 4, start), "items", id_start=start)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=load, args=[start]) for start in (0, 10_000, 20_000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.value("SELECT count(*) FROM items"), 6000)
