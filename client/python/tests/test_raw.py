"""Raw files of float32."""

import json
import os
import tempfile
import unittest
from pathlib import Path

import numpy as np

from base import Case, random_vectors
from vector_ext import (InvalidRowError, bulk_build_index, convert_embeddings_to_raw,
                        read_raw_embeddings)


class Raw(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "items.f32"

    def test_there_and_back(self):
        array = random_vectors(2500, 7)
        for given in (array, array.astype(">f8"), np.asfortranarray(array), array.tolist(), iter(array),
                      (array[i:i + 300] for i in range(0, 2500, 300))):
            self.assertEqual(convert_embeddings_to_raw(given, str(self.path), metric="ip"), self.path)
            self.assertEqual(self.path.read_bytes(), array.astype("<f4").tobytes())
            self.assertEqual(json.loads(self.path.with_suffix(".json").read_text()),
                             {"n": 2500, "dim": 7, "metric": "ip", "dtype": "float32"})
            mapped = read_raw_embeddings(self.path)
            self.assertIsInstance(mapped, np.memmap)
            self.assertFalse(mapped.flags.writeable)
            np.testing.assert_array_equal(mapped, array)
        self.assertEqual(sorted(os.listdir(self.folder)), ["items.f32", "items.json"])

    def test_dimension_given_or_in_meta_json(self):
        array = random_vectors(6, 4)
        self.path.write_bytes(array.tobytes())
        with self.assertRaisesRegex(ValueError, "give dimension"):
            read_raw_embeddings(self.path)
        self.assertEqual(read_raw_embeddings(self.path, 4).shape, (6, 4))
        self.assertEqual(read_raw_embeddings(self.path, 3).shape, (8, 3))
        (self.folder / "meta.json").write_text('{"dim": 4}')
        self.assertEqual(read_raw_embeddings(self.path).shape, (6, 4))

    def test_files_that_do_not_fit(self):
        convert_embeddings_to_raw(random_vectors(6, 4), self.path)
        with self.assertRaisesRegex(ValueError, "4 dimensions by the JSON file, not 3"):
            read_raw_embeddings(self.path, 3)
        with open(self.path, "ab") as file:
            file.write(bytes(16))
        with self.assertRaisesRegex(ValueError, "7 vectors by its size of 112 bytes, but 6"):
            read_raw_embeddings(self.path)
        with open(self.path, "ab") as file:
            file.write(b"x")
        with self.assertRaisesRegex(ValueError, "113 bytes are not whole vectors of 4"):
            read_raw_embeddings(self.path)
        self.path.write_bytes(b"")
        with self.assertRaisesRegex(ValueError, "0 bytes"):
            read_raw_embeddings(self.path)
        for text in ("{", "[]", '{"dim": 0}', '{"dim": "4"}', '{"dim": true}', "\udcff"):
            self.path.with_suffix(".json").write_bytes(text.encode("utf-8", "surrogateescape"))
            with self.subTest(text=text), self.assertRaises(ValueError):
                read_raw_embeddings(self.path)
        with self.assertRaises(FileNotFoundError):
            read_raw_embeddings(self.folder / "none.f32", 3)

    def test_fault_leaves_what_was_there(self):
        convert_embeddings_to_raw(random_vectors(6, 4), self.path)
        before = self.path.read_bytes()

        def broken():
            yield [1, 2, 3]
            raise LookupError

        for given, error in (([[1, 2], [1]], InvalidRowError), (broken(), LookupError),
                             ([], ValueError), (np.zeros((0, 3)), ValueError), (5, TypeError),
                             (np.zeros(3), ValueError), ([[1, np.nan]], InvalidRowError)):
            with self.subTest(given=repr(given)), self.assertRaises(error):
                convert_embeddings_to_raw(given, self.path)
        with self.assertRaises(ValueError):
            convert_embeddings_to_raw([[1]], self.folder / "items.json")
        with self.assertRaises(ValueError):
            convert_embeddings_to_raw([[1]], self.path, metric="no")
        with self.assertRaises(FileNotFoundError):
            convert_embeddings_to_raw([[1]], self.folder / "none" / "items.f32")
        with self.assertRaisesRegex(ValueError, "not a file"):
            convert_embeddings_to_raw([[1]], self.folder)
        for text in ('{"name": "mine"}', "[1]", "mine"):
            self.path.with_suffix(".json").write_text(text)
            with self.subTest(text=text), self.assertRaisesRegex(ValueError, "would be replaced"):
                convert_embeddings_to_raw([[1]], self.path)
            self.assertEqual(self.path.with_suffix(".json").read_text(), text)
        self.assertEqual(self.path.read_bytes(), before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["items.f32", "items.json"])


class Load(Case):
    def test_raw_file_into_a_table(self):
        array = random_vectors(1200, 5)
        with tempfile.TemporaryDirectory() as folder:
            path = convert_embeddings_to_raw(array, Path(folder) / "v.f32")
            bulk_build_index(read_raw_embeddings(path), "items")
        self.assert_same(self.vectors(), array)
