"""bulk_build_index: what may be given as vectors, and in how much memory it is loaded."""

import decimal
import os
import subprocess
import sys
import tempfile
import tracemalloc

import numpy as np
import pandas

import vector_ext
from base import Case, random_vectors
from vector_ext import BulkError, bulk_build_index, bulk_query_index


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

    def test_numbers_that_are_not_whole(self):
        array = random_vectors(10, 3)
        for options in ({"id_start": 1.5}, {"id_start": "7"}, {"id_start": True}, {"threads": -1},
                        {"threads": 1.5}, {"dimension": 0}, {"dimension": 3.0}, {"max_rejects": -2},
                        {"max_rejects": 0.5}, {"recall_sample": -1}):
            with self.subTest(**options), self.assertRaisesRegex(ValueError, "whole number"):
                self.load(array, **options)
        self.check(array, array, id_start=np.int64(0), batch_size=np.int32(5))

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
