"""bulk_upsert: every way to give rows, values of every type, rules, rejects, faults."""

import datetime
import decimal
import ipaddress
import uuid

import numpy as np
import pandas
import psycopg

from base import Case, random_vectors
from vector_ext import BulkError, InvalidRowError, bulk_upsert


class Upsert(Case):
    def setUp(self):
        super().setUp()
        self.sql("CREATE TABLE items (id bigint PRIMARY KEY, title text, hits bigint DEFAULT 7, "
                 "score real, v vector(3))")
        self.sql("CREATE INDEX ON items USING hnsw (v vector_l2_ops)")

    def rows(self, table="items"):
        return self.sql(f"SELECT id, title, hits, score, v::text FROM {table} ORDER BY id")

    def counts(self, stats):
        return (stats.inserted, stats.updated, stats.unchanged, stats.skipped, stats.rejected)

    def upsert(self, rows, *arguments, **options):
        return self.counts(bulk_upsert(None, "items", rows, *arguments, **options))


class Inputs(Upsert):
    EXPECTED = [(1, "a", 10, 0.5, "[1,2,3]"), (2, "b", 20, 1.5, "[4,5,6]"), (3, "", 30, 2.5, "[7,8,9]")]

    def test_every_shape(self):
        names = ["id", "title", "hits", "score", "v"]
        vectors = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
        columns = {"id": [1, 2, 3], "title": ["a", "b", ""], "hits": np.array([10, 20, 30], "i4"),
                   "score": np.array([0.5, 1.5, 2.5]), "v": vectors}
        dicts = [dict(zip(names, row)) for row in zip(*columns.values())]
        tuples = list(zip(*columns.values()))
        frame = pandas.DataFrame({**columns, "v": list(vectors)})
        records = np.array(tuples, [("id", "i8"), ("title", "U3"), ("hits", "i8"), ("score", "f4"),
                                    ("v", "f4", (3,))])
        for name, rows, options in (
                ("dicts", dicts, {}), ("generator", (row for row in dicts), {}),
                ("orders", [dict(reversed(row.items())) for row in dicts], {}),
                ("tuples", tuples, {"columns": names}), ("lists", map(list, tuples), {"columns": names}),
                ("columns", columns, {}), ("frame", frame, {}),
                ("frames", iter([frame[:0], frame[:1], frame[1:]]), {}), ("records", records, {}),
                ("text", [{**row, "v": str(row["v"].tolist())} for row in dicts], {}),
                ("chosen", [{**row, "more": 1} for row in dicts], {"columns": names})):
            with self.subTest(rows=name):
                self.assertEqual(self.upsert(rows, batch_size=2, **options), (3, 0, 0, 0, 0))
                self.assertEqual(self.rows(), self.EXPECTED)
                self.sql("TRUNCATE items")

    def test_columns_that_are_left_out(self):
        self.upsert([{"id": 1, "v": [1, 2, 3]}])
        self.assertEqual(self.rows(), [(1, None, 7, None, "[1,2,3]")])

    def test_no_rows(self):
        calls = []
        for rows in ([], iter([]), {}, {"id": []}, pandas.DataFrame({"id": []})):
            self.assertEqual(self.upsert(rows, progress=lambda *call: calls.append(call)),
                             (0, 0, 0, 0, 0))
        self.assertEqual(len(calls), 5)

    def test_nulls(self):
        self.upsert([{"id": 1, "title": None, "hits": None, "score": None, "v": None},
                     {"id": 2, "title": "x", "hits": 1, "score": 1, "v": (1, 1, 1)}])
        frame = pandas.DataFrame({"id": [3, 4], "title": ["y", None], "hits": [1.0, np.nan],
                                  "score": [np.nan, 2], "v": [[2, 2, 2], None]})
        self.upsert(frame)
        self.upsert({"id": [5], "score": [float("nan")]})
        rows = self.rows()
        self.assertEqual(rows[:4], [(1, None, None, None, None), (2, "x", 1, 1.0, "[1,1,1]"),
                                    (3, "y", 1, None, "[2,2,2]"), (4, None, None, 2.0, None)])
        self.assertNotEqual(rows[4][3], rows[4][3])

    def test_values_of_every_type(self):
        now = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=datetime.timezone.utc)
        self.sql("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        self.sql("""CREATE TABLE things (id uuid PRIMARY KEY, a numeric, b timestamptz, c date, d jsonb,
                    e boolean, f inet, g text[], h mood, i bytea, j interval, k integer, l smallint,
                    m double precision, n varchar(5), o time, p json, q real[], r int4range,
                    s vector, t numeric(5, 2))""")
        row = {"id": uuid.UUID(int=5), "a": decimal.Decimal("1.10"), "b": now, "c": now.date(),
               "d": {"x": [1, None, "\u20ac"], "y": np.float32(0.5)}, "e": True,
               "f": ipaddress.ip_address("10.0.0.1"),
               "g": ["a", 'b"c', None], "h": "ok", "i": b"\0\xff", "j": datetime.timedelta(days=2),
               "k": np.int64(5), "l": -1, "m": 0.1, "n": "abc", "o": now.time(), "p": [1, 2],
               "q": [1.5, 2.5], "r": "[1,5)", "s": [1, 2, 3, 4], "t": "3.14159"}
        other = {**{name: None for name in row}, "id": uuid.UUID(int=6), "s": [1]}
        for reject_into in (None, "rejects"):
            stats = bulk_upsert(None, "things", [row, other], reject_into=reject_into)
            self.assertEqual(self.counts(stats), (2, 0, 0, 0, 0))
            found = self.sql("SELECT id, a, b, c, d, e, host(f), g, h::text, i, j, k, l, m, n, o, p, q, "
                             "r::text, s::text, t FROM things ORDER BY id")
            expected = tuple(row.values())
            expected = (*expected[:4], {"x": [1, None, "\u20ac"], "y": 0.5}, True, "10.0.0.1",
                        *expected[7:19], "[1,2,3,4]", decimal.Decimal("3.14"))
            self.assertEqual(found[0], expected)
            self.assertEqual(found[1], (uuid.UUID(int=6), *[None] * 18, "[1]", None))
            self.sql("TRUNCATE things")
        times = np.array(["2024-02-29T12:30:15.123456789", "NaT"], "M8[ns]")
        bulk_upsert(None, "things", {"id": [uuid.UUID(int=1), uuid.UUID(int=2)], "b": times,
                                     "e": np.array([True, False]), "m": np.array([1, 2], "f2"),
                                     "a": np.array([1.5, 2.5])})
        self.assertEqual(self.sql("SELECT b AT TIME ZONE current_setting('TimeZone'), e, m, a FROM "
                                  "things ORDER BY id"),
                         [(datetime.datetime(2024, 2, 29, 12, 30, 15, 123457), True, 1.0,
                           decimal.Decimal("1.5")), (None, False, 2.0, decimal.Decimal("2.5"))])

    def test_long_texts_and_other_encodings(self):
        texts = ["x" * 300_000, "\u00e4" * 1000, "", "\t\n\\N"]
        with psycopg.connect(self.dsn, client_encoding="latin1") as conn:
            bulk_upsert(conn, "items", {"id": range(4), "title": texts})
            with self.assertRaises(InvalidRowError) as caught:
                bulk_upsert(conn, "items", [{"id": 5, "title": "\u20ac"}])
            self.assertEqual(caught.exception.sqlstate, "22021")
        self.assertEqual([row[1] for row in self.rows()], texts)
        with self.assertRaises(psycopg.errors.CharacterNotInRepertoire) as caught:
            self.upsert([{"id": 8, "title": "a"}, {"id": 9, "title": "a\0b"}])
        self.assertEqual(caught.exception.report.row, 1)

    def test_many_rows(self):
        vectors = random_vectors(5000, 3)
        calls = []
        self.assertEqual(self.upsert({"id": np.arange(5000), "v": vectors},
                                     progress=lambda *call: calls.append(call)), (5000, 0, 0, 0, 0))
        self.assertEqual(calls[0], (1000, 0, 0, 5000))
        self.assertEqual(calls[-1], (5000, 5000, 0, 5000))
        self.assert_same(self.vectors(column="v"), vectors)
        vectors[::2] += 1
        self.assertEqual(self.upsert(({"id": number, "v": vector} for number, vector
                                      in enumerate(vectors)), "update"), (0, 2500, 2500, 0, 0))
        self.assert_same(self.vectors(column="v"), vectors)


class Rules(Upsert):
    def setUp(self):
        super().setUp()
        self.upsert([{"id": 1, "title": "a", "hits": 1, "v": [1, 1, 1]}])

    def test_modes(self):
        new = [{"id": 1, "title": "b", "v": [2, 2, 2]}, {"id": 2, "title": "c", "v": [3, 3, 3]}]
        with self.assertRaises(psycopg.errors.UniqueViolation) as caught:
            self.upsert(new)
        self.assertEqual(caught.exception.report.row, 0)
        self.assertEqual(len(self.rows()), 1)
        self.assertEqual(self.upsert(new, "skip"), (1, 0, 0, 1, 0))
        self.assertEqual(self.upsert(new, on_conflict="update"), (0, 1, 1, 0, 0))
        self.assertEqual(self.rows(), [(1, "b", 1, None, "[2,2,2]"), (2, "c", 7, None, "[3,3,3]")])

    def test_merge_and_columns(self):
        self.assertEqual(self.upsert([{"id": 1, "title": "z", "hits": 5, "v": [9, 9, 9]}], "update",
                                     update_columns=["title"], merge={"hits": "sum"}),
                         (0, 1, 0, 0, 0))
        self.assertEqual(self.rows(), [(1, "z", 6, None, "[1,1,1]")])

    def test_duplicates(self):
        twice = [{"id": 5, "title": "first"}, {"id": 6, "title": "x"}, {"id": 5, "title": "last"}]
        with self.assertRaises(psycopg.errors.CardinalityViolation):
            self.upsert(twice)
        self.assertEqual(self.upsert(twice, duplicates="last"), (2, 0, 0, 1, 0))
        self.assertEqual(self.value("SELECT title FROM items WHERE id = 5"), "last")

    def test_keys(self):
        self.sql("CREATE TABLE pairs (a text, b int, n int, UNIQUE (a, b))")
        rows = [{"a": "x", "b": 1, "n": 1}]
        self.assertEqual(bulk_upsert(None, "pairs", rows).inserted, 1)
        self.assertEqual(bulk_upsert(None, "pairs", rows, "update", key=("a", "b"),
                                     merge={"n": "sum"}).updated, 1)
        with self.assertRaises(psycopg.errors.InvalidColumnReference):
            bulk_upsert(None, "pairs", rows, "update", key=["a"])
        with self.assertRaises(TypeError):
            bulk_upsert(None, "pairs", rows, "update", key="a")

    def test_arguments_that_the_server_refuses(self):
        for options in ({"on_conflict": "replace"}, {"duplicates": "any"}, {"max_rejects": -2},
                        {"on_conflict": "update", "merge": {"hits": "add"}}):
            with self.subTest(**options):
                with self.assertRaises(BulkError) as caught:
                    self.upsert([{"id": 3, "hits": 1}], **options)
                self.assertEqual(caught.exception.sqlstate, "22023")
        for rows, sqlstate in (([{"id": 3, "nothing": 1}], "42703"), ([{"title": "x"}], None)):
            with self.assertRaises(BulkError) as caught:
                self.upsert(rows)
            if sqlstate:
                self.assertEqual(caught.exception.sqlstate, sqlstate)
        for table, sqlstate in (("nothing", "42P01"), ("items_pkey", "42809")):
            with self.assertRaises(BulkError) as caught:
                bulk_upsert(None, table, [{"id": 1}])
            self.assertEqual(caught.exception.sqlstate, sqlstate)


    def test_odd_names(self):
        name = '"A ""b"" 50% {x}"'
        self.sql(f"""CREATE TABLE {name} ("i d%s" bigint PRIMARY KEY, "v ""1"" {{y}}" vector(2),
                     "n(a)s" numeric)""")
        row = {"i d%s": 1, 'v "1" {y}': [1, 2], "n(a)s": 1.5}
        for reject_into in (None, "rejects"):
            stats = bulk_upsert(None, name, [row], "update", key=["i d%s"],
                                merge={"n(a)s": "sum"}, reject_into=reject_into)
            self.assertEqual(stats.inserted + stats.updated, 1)
        self.assertEqual(self.value(f'SELECT "n(a)s"::float FROM {name}'), 3)


class Faults(Upsert):
    def test_rows_that_cannot_be_sent(self):
        good = {"id": 1, "title": "a", "v": [1, 2, 3]}
        for bad, sqlstate in (
                ({"id": 2, "title": "b"}, "22023"), ({**good, "more": 1}, "22023"), ((1, 2), "22023"),
                (None, "22023"), ({**good, "id": "x"}, "22P02"), ({**good, "id": 2 ** 63}, "22003"),
                ({**good, "id": 1.5}, "22P02"), ({**good, "title": b"x"}, "22P02"),
                ({**good, "v": [1, 2]}, "22000"), ({**good, "v": [1, 2, np.nan]}, "22000"),
                ({**good, "v": [1, 2, np.inf]}, "22000"), ({**good, "v": [1, 2, 1e39]}, "22003"),
                ({**good, "v": [1, 2, None]}, "22004"), ({**good, "v": "x"}, "22P02"),
                ({**good, "v": 5}, "22P02")):
            with self.subTest(bad=bad):
                with self.assertRaises(InvalidRowError) as caught:
                    self.upsert([good] * 4 + [bad], batch_size=2)
                self.assertEqual((caught.exception.sqlstate, caught.exception.row), (sqlstate, 4))
                self.assertEqual(caught.exception.report.row, 4)
        self.assertEqual(self.rows(), [])

    def test_what_are_no_rows(self):
        for rows in ("text", b"x", 5, None, [1, 2], [[1, 2]], np.zeros((2, 2)), {"id": 5},
                     {"id": "text"}, [{1: 2}]):
            with self.subTest(rows=repr(rows)), self.assertRaises((TypeError, ValueError)):
                self.upsert(rows)
        with self.assertRaisesRegex(ValueError, "lengths"):
            self.upsert({"id": [1, 2], "title": ["a"]})
        with self.assertRaisesRegex(ValueError, "no column"):
            self.upsert([{"id": 1}], columns=["id", "title"])

    def test_vectors_as_text(self):
        with self.assertRaises(psycopg.errors.InvalidTextRepresentation) as caught:
            self.upsert([{"id": 1, "v": "[1,2,3]"}, {"id": 2, "v": "[1,2"}])
        self.assertEqual(caught.exception.report.row, 1)

    def test_row_of_an_error_of_the_server(self):
        self.sql("ALTER TABLE items ADD CHECK (hits > 0)")
        for rows, error in (([{"id": 1, "hits": 1}, {"id": 2, "hits": 0}], "CheckViolation"),
                            ([{"id": 1, "hits": 1}, {"id": None, "hits": 1}], "NotNullViolation")):
            with self.assertRaises(getattr(psycopg.errors, error)) as caught:
                self.upsert(rows)
            self.assertEqual(caught.exception.report.row, 1)
        self.assertEqual(self.rows(), [])

    def test_callback_that_fails(self):
        def stop(read, inserted, rejected, total):
            raise InterruptedError

        with self.assertRaises(InterruptedError):
            bulk_upsert(self.conn, "items", [{"id": 1}], progress=stop)
        self.assertEqual(self.rows(), [])

    def test_callers_transaction(self):
        with psycopg.connect(self.dsn) as conn:
            conn.execute("INSERT INTO items (id) VALUES (1)")
            for _ in range(3):
                bulk_upsert(conn, "items", [{"id": 1, "title": "x"}, {"id": 2}], "update",
                            columns=["id"])
            self.assertEqual(conn.execute("SELECT count(*) FROM pg_class WHERE relpersistence = 't' "
                                          "AND relkind = 'r'").fetchone()[0], 0)
            self.assertEqual(self.rows(), [])
            conn.commit()
        self.assertEqual(len(self.rows()), 2)


class Rejects(Upsert):
    ROWS = [{"id": 1, "hits": 1, "v": [1, 2, 3]}, {"id": 2, "hits": 2, "v": [1, 2]},
            {"id": 3, "hits": 3, "v": [1, 2, float("nan")]}, {"id": None, "hits": 4, "v": [1, 2, 3]},
            {"id": 5, "hits": "many", "v": [1, 2, 3]}, {"id": 6, "hits": 6, "v": [1, 2, 1e39]},
            {"id": 7, "hits": 7, "v": [4, 5, 6]}, {"id": 8, "hits": None, "v": None}]

    def test_bad_rows_are_kept(self):
        for batch_size in (1, 3, 1000):
            calls = []
            counts = self.upsert(self.ROWS, reject_into="rejects", batch_size=batch_size,
                                 progress=lambda *call: calls.append(call))
            self.assertEqual(counts, (3, 0, 0, 0, 5))
            self.assertEqual(calls[-1], (8, 3, 5, 8))
            self.assertEqual([row[0] for row in self.rows()], [1, 7, 8])
            self.assertEqual(
                self.sql("SELECT source_row, key, sqlstate FROM rejects ORDER BY source_row"),
                [(2, "2", "22000"), (3, "3", "22000"), (4, "", "23502"), (5, "5", "22P02"),
                 (6, "6", "22000")])
            self.sql("TRUNCATE items, rejects")

    def test_limit(self):
        with self.assertRaises(BulkError):
            self.upsert(self.ROWS, reject_into="rejects", max_rejects=4)
        self.assertFalse(self.exists("rejects"))
        self.assertEqual(self.upsert(self.ROWS, reject_into="rejects", max_rejects=5)[4], 5)

    def test_table_for_rejects(self):
        self.sql("SELECT vector_rejects_table('mine')")
        self.assertEqual(self.upsert(self.ROWS, reject_into="mine")[4], 5)
        self.assertEqual(self.value("SELECT count(*) FROM mine"), 5)
        self.assertEqual(self.upsert(self.ROWS, "skip", reject_into='"Odd ""name%"')[4], 5)
        self.assertEqual(self.value('SELECT count(*) FROM "Odd ""name%"'), 5)
        self.assertEqual(self.upsert(self.ROWS, "skip", reject_into=f"{self.schema}.more")[4], 5)
        self.assertEqual(self.value(f"SELECT count(*) FROM {self.schema}.more"), 5)
        with self.assertRaises(BulkError) as caught:
            self.upsert(self.ROWS, "skip", reject_into="items")
        self.assertEqual(caught.exception.sqlstate, "22023")  # the target itself

    def test_text_vectors(self):
        rows = [{"id": 1, "v": "[1,2,3]"}, {"id": 2, "v": "[1,oops]"}, {"id": 3, "v": "[1]"}]
        self.assertEqual(self.upsert(rows, reject_into="rejects"), (1, 0, 0, 0, 2))
        self.assertEqual(self.sql("SELECT sqlstate FROM rejects ORDER BY source_row"),
                         [("22P02",), ("22000",)])
