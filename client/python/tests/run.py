#!/usr/bin/python3
"""Runs the tests of the package on the server of libpq's environment, and prints TAP.

    client/python/tests/run.py [NAME]...      NAME: a module, a class or a test, as for unittest

The database `vector_ext_python` is made anew for it.
"""

import os
import sys
import time
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(FOLDER), FOLDER]

import psycopg  # noqa: E402


class TapResult(unittest.TestResult):
    """Prints a line for every test as it ends; what went wrong stands above it, as comments."""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._started = time.perf_counter()
        self._verdict = "ok"
        self._text = ""
        self._note = ""

    def addFailure(self, test, err) -> None:  # type: ignore[no-untyped-def]
        super().addFailure(test, err)
        self._verdict, self._text = "not ok", self._text + self.failures[-1][1]

    def addError(self, test, err) -> None:  # type: ignore[no-untyped-def]
        super().addError(test, err)
        if not isinstance(test, unittest.TestCase):
            print(f"not ok - {test}\n{_as_comment(self.errors[-1][1])}", flush=True)
            return
        self._verdict, self._text = "not ok", self._text + self.errors[-1][1]

    def addSubTest(self, test, subtest, err) -> None:  # type: ignore[no-untyped-def]
        super().addSubTest(test, subtest, err)
        if err is not None:
            is_failure = issubclass(err[0], test.failureException)
            text = (self.failures if is_failure else self.errors)[-1][1]
            self._verdict, self._text = "not ok", f"{self._text}{subtest}\n{text}"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note = f" # SKIP {reason}"

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self._verdict = "not ok"

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        if self._text:
            print(_as_comment(self._text))
        name = test.id().removeprefix("__main__.")
        took = time.perf_counter() - self._started
        print(f"{self._verdict} - {name} ({took:.2f} s){self._note}", flush=True)


def _as_comment(text: str) -> str:
    return "\n".join("#   " + line for line in text.rstrip().split("\n"))


def make_database(name: str) -> None:
    with psycopg.connect(dbname="postgres", autocommit=True) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {name}")
        conn.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(dbname=name, autocommit=True) as conn:
        conn.execute("CREATE EXTENSION vector_ext")


def main() -> int:
    make_database("vector_ext_python")
    os.environ["PGDATABASE"] = "vector_ext_python"
    loader = unittest.TestLoader()
    names = sys.argv[1:]
    suite = loader.loadTestsFromNames(names) if names else loader.discover(FOLDER)
    result = TapResult()
    suite.run(result)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
