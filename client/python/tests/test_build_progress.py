"""bulk_build_index: what the progress callback is told, and what an exception in it does."""

import os
import subprocess
import sys

import numpy as np
import psycopg

import vector_ext
from base import Case, random_vectors
from vector_ext import BulkError, bulk_build_index


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
